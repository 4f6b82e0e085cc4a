//! The report over all of an owner's mailings.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Attempts of one day (UTC) or one mailing, and what came back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub sent: i64,
    pub deferred: i64,
    pub failed: i64,
    pub unknown: i64,
    /// Letters that came back after a mail server had taken them, by the day on which they did.
    pub returned: i64,
    /// Letters that their readers called spam.
    pub complained: i64,
}

impl Tally {
    /// Attempts in all.
    pub fn attempts(&self) -> i64 {
        self.sent + self.deferred + self.failed + self.unknown
    }

    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.attempts() + self.returned + self.complained == 0
    }

    /// Adds another's figures.
    pub fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        self.deferred += other.deferred;
        self.failed += other.failed;
        self.unknown += other.unknown;
        self.returned += other.returned;
        self.complained += other.complained;
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyCount {
    pub code: Option<i32>,
    pub reply: String,
    /// What it means, as that of a delivery; empty for a letter that was taken.
    pub meaning: String,
    pub count: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub total: Tally,
    pub days: Vec<(NaiveDate, Tally)>,
    /// Mailing id, title, tally; most attempts first.
    pub mailings: Vec<(i64, String, Tally)>,
    /// Mailings beyond those.
    pub more_mailings: i64,
    pub replies: Vec<ReplyCount>,
    /// Large runs that are being counted while this is read.
    pub counting: i64,
}

/// What replies have in common that differ only in whom or which letter they speak of: addresses and
/// queue numbers become “…”. Codes such as 5.1.1 stay.
pub fn gist(reply: &str) -> String {
    let mut gist = String::with_capacity(reply.len());
    for word in reply.split_whitespace() {
        if !gist.is_empty() {
            gist.push(' ');
        }
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | ':');
        let is_queue_number =
            bare.len() >= 8 && bare.contains(|c: char| c.is_ascii_digit()) && !bare.chars().all(is_number);
        if word.contains('@') || is_queue_number {
            gist.push('…');
        } else {
            gist.push_str(word);
        }
    }
    gist
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_to_different_clients_are_the_same() {
        for (reply, common) in [
            ("5.1.1 <anna@example.org>: no such user", "5.1.1 … no such user"),
            ("4.7.1 Greylisted, id 4XyZ7kq2ZzQz1; try again", "4.7.1 Greylisted, id … try again"),
            ("5.7.1 192.0.2.10 is blocked", "5.7.1 192.0.2.10 is blocked"),
            ("the mailbox is full", "the mailbox is full"),
            ("", ""),
        ] {
            assert_eq!(gist(reply), common);
        }
    }
}
