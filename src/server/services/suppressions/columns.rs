//! The ledger as a file, out and in again.

use crate::domain::formula::plain;
use crate::domain::suppression::{NO_TOPIC, Reason, Source, Suppression};
use crate::domain::topic::Topic;
use crate::server::db::suppressions::Given;
use chrono::{DateTime, Datelike, Utc};
use csv::ByteRecord;
use std::collections::HashMap;
use std::ops::RangeInclusive;

/// The columns of the ledger as a file.
pub const HEAD: [&str; 8] = ["email", "reason", "source", "since", "until", "evidence", "actor", "topic"];

/// Years of a date that both databases keep as it is, and in their order.
const YEARS: RangeInclusive<i32> = 1970..=9998;

/// An entry as a line of such a file. A topic goes by its name, which means the same to another installation; one that is gone
/// by its number, which no owner has for a name and nobody takes for everything.
pub fn record(entry: Suppression) -> Vec<String> {
    vec![
        entry.email,
        entry.reason.as_str().to_owned(),
        entry.source.as_str().to_owned(),
        entry.since.to_rfc3339(),
        entry.until.map(|until| until.to_rfc3339()).unwrap_or_default(),
        entry.evidence,
        entry.actor,
        match entry.topic {
            NO_TOPIC => String::new(),
            gone if entry.topic_name.is_empty() => format!("#{gone}"),
            _ => entry.topic_name,
        },
    ]
}

/// Where the columns of such a file are.
#[derive(Clone, Debug)]
pub struct Columns {
    reason: usize,
    source: usize,
    since: usize,
    until: usize,
    evidence: usize,
    actor: usize,
    /// Files of earlier versions have none.
    topic: Option<usize>,
    /// The owner's topics, by their names without case.
    topics: HashMap<String, i64>,
}

/// What stands in a cell, where it is text.
fn cell(record: &ByteRecord, at: usize) -> &str {
    record.get(at).and_then(|cell| std::str::from_utf8(cell).ok()).map_or("", plain)
}

impl Columns {
    /// The columns of a file that a ledger was written into, by its first line, for an owner of these topics; none of
    /// another's file.
    pub fn of(head: &ByteRecord, topics: &[Topic]) -> Option<Self> {
        let at = |name: &str| head.iter().position(|cell| cell.trim_ascii() == name.as_bytes());
        let [_, reason, source, since, until, evidence, actor, topic] = HEAD;
        Some(Self {
            reason: at(reason)?,
            source: at(source)?,
            since: at(since)?,
            until: at(until)?,
            evidence: at(evidence)?,
            actor: at(actor)?,
            topic: at(topic),
            topics: topics.iter().map(|topic| (topic.name.to_lowercase(), topic.id)).collect(),
        })
    }

    /// The entry of a line, which is `new` but for what stands there.
    ///
    /// # Errors
    /// A locale key for what cannot be.
    pub fn read<'a>(&self, record: &'a ByteRecord, new: Given<'a>) -> Result<Given<'a>, &'static str> {
        let date = |text: &str| {
            let at = DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc());
            at.filter(|at| YEARS.contains(&at.year())).ok_or("error.suppression.file_date")
        };
        let word = |at: usize| cell(record, at).trim();
        let until = match word(self.until) {
            "" => None,
            text => Some(date(text)?),
        };
        let topic = match self.topic.map_or("", word) {
            "" => NO_TOPIC,
            name => *self.topics.get(&name.to_lowercase()).ok_or("error.suppression.file_topic")?,
        };
        let since: DateTime<Utc> = date(word(self.since))?;
        let evidence = cell(record, self.evidence);
        Ok(Given {
            email: new.email,
            topic,
            reason: Reason::parse(word(self.reason)).ok_or("error.suppression.file_reason")?,
            source: Source::parse(word(self.source)).ok_or("error.suppression.file_source")?,
            // Nobody has been left out since a day to come.
            since: since.min(new.since),
            until,
            evidence: if evidence.is_empty() { new.evidence } else { evidence },
            actor: cell(record, self.actor),
        })
    }
}
