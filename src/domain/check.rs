//! What is looked at before a message is sent.

use serde::{Deserialize, Serialize};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// To be mended before it leaves.
    Red,
    /// To be looked at.
    Yellow,
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub level: Level,
    /// The locale key of its sentence, whose placeholders are `line`, `name` and `n`.
    pub key: String,
    /// In the message's body, from 1; 0 where it stands nowhere.
    pub line: u32,
    /// What the sentence names: a piece of text, or a number.
    pub detail: String,
}

impl Finding {
    pub fn red(key: &str, line: u32, detail: impl ToString) -> Self {
        Self { level: Level::Red, key: key.to_owned(), line, detail: detail.to_string() }
    }

    pub fn yellow(key: &str, line: u32, detail: impl ToString) -> Self {
        Self { level: Level::Yellow, key: key.to_owned(), line, detail: detail.to_string() }
    }
}

/// Letters that a subject needs before its capitals are loud.
const LOUD_FROM: usize = 6;

/// Whether a subject is written in capitals alone.
pub fn is_loud(subject: &str) -> bool {
    let letters = || subject.chars().filter(|c| c.is_alphabetic());
    letters().count() >= LOUD_FROM && letters().all(|c| !c.is_lowercase()) && letters().any(char::is_uppercase)
}

#[cfg(test)]
mod tests {
    use super::is_loud;

    #[test]
    fn only_capitals_are_loud() {
        for loud in ["SALE TODAY", "СКИДКИ ДО 50 %!", "BUY NOW 🎉"] {
            assert!(is_loud(loud), "{loud}");
        }
        for calm in ["Sale today", "IKEA", "SALE today", "مرحبا بكم في متجرنا", "123 456", ""] {
            assert!(!is_loud(calm), "{calm}");
        }
    }
}
