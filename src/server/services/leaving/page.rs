//! The page behind a letter's link: what holds for its reader, and what they change.

use super::{NO_DELIVERY, Request};
use crate::domain::lang::Lang;
use crate::domain::suppression::{NO_TOPIC, Reason, Source, Suppression};
use crate::domain::topic::Wish;
use crate::server::db::addressees::{self, Addressee};
use crate::server::db::suppressions::{self, NewEntry};
use crate::server::db::{Db, Tx};
use crate::server::services::topics::{self, Says};
use crate::server::services::{Error, Result};
use chrono::{DateTime, TimeDelta, Utc};

/// What a reader may choose beside leaving, which goes over the [`Desk`](super::Desk).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// For so many days.
    Pause(i64),
    /// Takes leaving or a pause back.
    Undo,
    /// Takes leaving everything back.
    UndoAll,
    /// Gets the topics that are ticked, and no others of those that were offered.
    Topics,
}

impl Choice {
    /// Days that a pause may last.
    pub const PAUSES: [i64; 2] = [30, 90];

    /// Reads a button's value.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "undo" => Some(Self::Undo),
            "undo-all" => Some(Self::UndoAll),
            "topics" => Some(Self::Topics),
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
    /// Topics that stood there with a tick, those without one, and those that are ticked now.
    pub shown: &'a [i64],
    pub unticked: &'a [i64],
    pub topics: &'a [i64],
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
    /// What the letter was about, where that is one topic.
    pub topic: Option<String>,
    /// They have left that, or everything where it is none; with the end, if it is a pause.
    pub left: Option<Option<DateTime<Utc>>>,
    /// The same of everything, where the letter was about one topic.
    pub left_all: Option<Option<DateTime<Utc>>>,
    /// Topics that they may choose among: the public ones, and the letter's own.
    pub offers: Vec<Wish>,
}

/// What holds for the reader of a letter. None if the letter is of nobody any more, or was a test.
///
/// # Errors
/// Database errors.
pub async fn show(db: &Db, delivery: i64, now: DateTime<Utc>) -> Result<Option<State>> {
    let Some(whose) = addressees::of(db, delivery).await?.filter(|_| delivery != NO_DELIVERY) else { return Ok(None) };
    let entries = suppressions::of_address(db, whose.owner, &whose.email, now).await?;
    let of = |topic: i64| entries.iter().find(|entry| entry.reason == Reason::Unsubscribed && entry.topic == topic);
    let offers = offers(db, &whose, &entries).await?;
    let topic = offers.iter().find(|wish| wish.topic.id == whose.topic).map(|wish| wish.topic.name.clone());
    Ok(Some(State {
        left: of(whose.topic).map(|entry| entry.until),
        left_all: of(NO_TOPIC).filter(|_| whose.topic != NO_TOPIC).map(|entry| entry.until),
        address: masked(whose.email.as_str()),
        sender: whose.sender,
        lang: whose.lang,
        topic,
        offers,
    }))
}

/// Topics that the reader of a letter may choose among.
async fn offers(db: &Db, whose: &Addressee, entries: &[Suppression]) -> Result<Vec<Wish>> {
    let mut wishes = topics::wishes(db, whose.owner, &whose.email, entries).await?;
    wishes.retain(|wish| wish.topic.public || wish.topic.id == whose.topic);
    Ok(wishes)
}

/// Does what the reader chose; the same once more changes nothing.
///
/// # Errors
/// [`Error::NotFound`] if the letter is of nobody any more, or was a test; database errors.
pub async fn change(db: &Db, change: &Change<'_>, now: DateTime<Utc>) -> Result<()> {
    let whose = addressees::of(db, change.delivery).await?.ok_or(Error::NotFound)?;
    match change.choice {
        Choice::Pause(days) => pause(db, &whose, (change, days), now).await,
        Choice::Undo => undo(db, &whose, whose.topic).await,
        Choice::UndoAll => undo(db, &whose, NO_TOPIC).await,
        Choice::Topics => choose(db, &whose, change, now).await,
    }
}

async fn pause(db: &Db, whose: &Addressee, (change, days): (&Change<'_>, i64), now: DateTime<Utc>) -> Result<()> {
    let evidence = change.reason.to_owned();
    let asked = Request { delivery: change.delivery, at: now, source: Source::Page, evidence, all: false };
    let entry = NewEntry { until: Some(now + TimeDelta::days(days)), ..super::entry(&asked, whose) };
    let mut tx: Tx = db.begin().await?;
    suppressions::add(&mut tx, &entry).await?;
    Ok(tx.commit().await?)
}

async fn undo(db: &Db, whose: &Addressee, topic: i64) -> Result<()> {
    let mut tx: Tx = db.begin().await?;
    suppressions::undo(&mut tx, whose.owner, &whose.email, topic, Reason::Unsubscribed).await?;
    Ok(tx.commit().await?)
}

/// Has the reader get the topics that are ticked, and no others of those that they took the tick from: of one that came since,
/// and of one that they left unticked, they have said nothing. It may be one that is paused, which comes back by itself.
async fn choose(db: &Db, whose: &Addressee, change: &Change<'_>, now: DateTime<Utc>) -> Result<()> {
    let entries = suppressions::of_address(db, whose.owner, &whose.email, now).await?;
    let offers = offers(db, whose, &entries).await?;
    let mut tx: Tx = db.begin().await?;
    for wish in &offers {
        let says = Says::Reader { delivery: whose.delivery };
        let wanted = change.topics.contains(&wish.topic.id);
        let says_so = change.shown.contains(&wish.topic.id) || wanted && change.unticked.contains(&wish.topic.id);
        if !says_so {
            continue;
        }
        topics::set(&mut tx, (whose.owner, &whose.email), (wish, wanted), says, now).await?;
    }
    Ok(tx.commit().await?)
}

/// An address as its owner knows it again and others do not: `a•••@example.org`.
fn masked(email: &str) -> String {
    match email.split_once('@') {
        Some((local, domain)) => format!("{}•••@{domain}", local.chars().next().unwrap_or('•')),
        None => "•••".to_owned(),
    }
}
