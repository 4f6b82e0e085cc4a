//! The report over all of an owner's mailings.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Attempts of one day (UTC) or one mailing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub attempts: i64,
    pub sent: i64,
    pub deferred: i64,
    pub failed: i64,
    pub unknown: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyCount {
    pub code: Option<i32>,
    pub reply: String,
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
    pub replies: Vec<ReplyCount>,
}
