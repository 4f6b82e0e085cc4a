//! What is recorded.

use crate::domain::delivery::{Attempt, DeliveryState};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use std::borrow::Cow;

/// Something to record about a claimed delivery.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// About to be handed over.
    Arm,
    /// An attempt and what it made of the delivery.
    Settle { attempt: Attempt, state: DeliveryState, reason: Cow<'static, str>, due_at: DateTime<Utc> },
    /// Back to where it was before it was claimed, to be taken again from `due_at` on.
    PutBack { due_at: DateTime<Utc> },
}

/// The delivery that a record is about.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Ticket {
    pub id: i64,
    pub run: i64,
    pub lease: String,
    pub was_deferred: bool,
}

/// One record of the journal ([`super::packed`]); read by its names where an earlier version wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Entry {
    pub ticket: Ticket,
    pub record: Record,
}

impl Entry {
    pub fn is_arm(&self) -> bool {
        matches!(self.record, Record::Arm)
    }

    pub fn lease(&self) -> &str {
        &self.ticket.lease
    }
}

/// Entries that became durable together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// From 1 within its journal, without gaps.
    pub seq: i64,
    pub entries: Vec<Entry>,
}
