//! Enhanced status codes (RFC 3463): class, subject and detail.

use std::fmt;
use std::str::FromStr;

/// Such as `5.1.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status {
    /// 2 for success, 4 for trouble that may pass, 5 for good.
    pub class: u8,
    /// What it is about: 1 the address, 2 the mailbox, 7 rules.
    pub subject: u16,
    pub detail: u16,
}

impl Status {
    /// Whether it says nothing beside that it failed: `5.0.0` and its like.
    #[must_use]
    pub fn is_vague(self) -> bool {
        self.subject == 0
    }
}

/// A text is no code of RFC 3463.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAStatus;

impl FromStr for Status {
    type Err = NotAStatus;

    fn from_str(text: &str) -> Result<Self, NotAStatus> {
        let mut parts = text.split('.');
        let mut number = || -> Option<u16> {
            let part = parts.next()?;
            let digits = (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
            if digits { part.parse().ok() } else { None }
        };
        let (class, subject, detail) =
            number().zip(number()).zip(number()).map(|((a, b), c)| (a, b, c)).ok_or(NotAStatus)?;
        if parts.next().is_some() {
            return Err(NotAStatus);
        }
        let class = u8::try_from(class).ok().filter(|class| matches!(class, 2 | 4 | 5)).ok_or(NotAStatus)?;
        Ok(Self { class, subject, detail })
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

/// The first code in a text, such as that of `550-5.1.1 no such user` or `(#5.1.1)`.
pub fn find(text: &str) -> Option<Status> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.')
        .map(|word| word.trim_end_matches('.'))
        .find_map(|word| word.parse().ok())
}

/// The first code of an SMTP reply (RFC 5321 4.2) that means failure: three digits that stand alone, such as the 550 of
/// `550 no such user`.
pub fn find_reply(text: &str) -> Option<u16> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.')
        .filter(|word| word.len() == 3 && word.bytes().all(|b| b.is_ascii_digit()))
        .filter_map(|word| word.parse().ok())
        .find(|code| (421..=459).contains(code) || (500..=559).contains(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_what_only_looks_like_one() {
        for (text, shown) in [("5.1.1", "5.1.1"), ("4.4.316", "4.4.316"), ("2.0.0", "2.0.0")] {
            assert_eq!(text.parse::<Status>().unwrap().to_string(), shown);
        }
        for text in ["", "5.1", "5.1.1.1", "6.1.1", "5.1.1000", "5.a.1", "5..1", "3.1.1", "5.1.1 "] {
            assert_eq!(text.parse::<Status>(), Err(NotAStatus), "{text}");
        }
    }

    #[test]
    fn codes_in_texts() {
        for (text, status, reply) in [
            ("550-5.1.1 no", Some("5.1.1"), Some(550)),
            ("no mailbox (#5.1.1)", Some("5.1.1"), None),
            ("from 192.0.2.5.1.1", None, None),
            ("at 10.0.0.5: 552 full.", None, Some(552)),
            ("see section 600 and 12345", None, None),
            ("status was 5.7.1.", Some("5.7.1"), None),
        ] {
            assert_eq!(find(text).map(|s| s.to_string()).as_deref(), status, "{text}");
            assert_eq!(find_reply(text), reply, "{text}");
        }
    }
}
