//! The page behind a letter's link: what holds for its reader, and what they change.

use super::{NO_DELIVERY, Request};
use crate::domain::lang::Lang;
use crate::domain::suppression::{Reason, Source};
use crate::server::db::addressees;
use crate::server::db::suppressions::{self, NewEntry};
use crate::server::db::{Db, Tx};
use crate::server::services::{Error, Result};
use chrono::{DateTime, TimeDelta, Utc};

/// What a reader may choose beside leaving, which goes over the [`Desk`](super::Desk).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// For so many days.
    Pause(i64),
    /// Takes leaving or a pause back.
    Undo,
}

impl Choice {
    /// Days that a pause may last.
    pub const PAUSES: [i64; 2] = [30, 90];

    /// Reads a button's value.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "undo" => Some(Self::Undo),
            text => {
                let days = text.strip_prefix("pause-")?.parse().ok()?;
                Self::PAUSES.contains(&days).then_some(Self::Pause(days))
            }
        }
    }
}

/// What a reader sent.
#[derive(Clone, Debug)]
pub struct Change<'a> {
    pub delivery: i64,
    pub choice: Choice,
    /// Why, in their words; may be empty.
    pub reason: &'a str,
}

/// What holds for the reader of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The address with most of it hidden: letters get forwarded.
    pub address: String,
    /// Who sends.
    pub sender: String,
    /// The letter's language.
    pub lang: Lang,
    /// They have left; with the end, if it is a pause.
    pub left: Option<Option<DateTime<Utc>>>,
}

/// What holds for the reader of a letter. None if the letter is of nobody any more, or was a test.
///
/// # Errors
/// Database errors.
pub async fn show(db: &Db, delivery: i64, now: DateTime<Utc>) -> Result<Option<State>> {
    let Some(whose) = addressees::of(db, delivery).await?.filter(|_| delivery != NO_DELIVERY) else { return Ok(None) };
    let entries = suppressions::of_address(db, whose.owner, &whose.email, now).await?;
    let left = entries
        .into_iter()
        .find(|entry| entry.reason == Reason::Unsubscribed && entry.topic == whose.topic)
        .map(|entry| entry.until);
    Ok(Some(State { address: masked(whose.email.as_str()), sender: whose.sender, lang: whose.lang, left }))
}

/// Does what the reader chose; the same once more changes nothing.
///
/// # Errors
/// [`Error::NotFound`] if the letter is of nobody any more, or was a test; database errors.
pub async fn change(db: &Db, change: &Change<'_>, now: DateTime<Utc>) -> Result<()> {
    let whose = addressees::of(db, change.delivery).await?.ok_or(Error::NotFound)?;
    let mut tx: Tx = db.begin().await?;
    let days = match change.choice {
        Choice::Pause(days) => days,
        Choice::Undo => {
            suppressions::undo(&mut tx, whose.owner, &whose.email, whose.topic, Reason::Unsubscribed).await?;
            return Ok(tx.commit().await?);
        }
    };
    let Change { delivery, reason, .. } = change;
    let asked = Request { delivery: *delivery, at: now, source: Source::Page, evidence: (*reason).to_owned() };
    let entry = NewEntry { until: Some(now + TimeDelta::days(days)), ..super::entry(&asked, &whose) };
    suppressions::add(&mut tx, &entry).await?;
    Ok(tx.commit().await?)
}

/// An address as its owner knows it again and others do not: `a•••@example.org`.
fn masked(email: &str) -> String {
    match email.split_once('@') {
        Some((local, domain)) => format!("{}•••@{domain}", local.chars().next().unwrap_or('•')),
        None => "•••".to_owned(),
    }
}
