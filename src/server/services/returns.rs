//! What comes back for letters: bounces, complaints, auto-replies, and letters that ask to be left out.
//!
//! A report names its letter by the token in the address that it came to (`b-TOKEN`), or by one that stands in it: the
//! envelope sender or the link of the letter that it brings along. What it says is entered beside the delivery; what
//! follows for the address is decided by its class ([`vestnik_reports::Class`]).

use super::{Actor, Error, Result, paging};
use crate::domain::mailing::PauseReason;
use crate::domain::page::Page;
use crate::domain::returned::Unmatched;
use crate::domain::suppression::{NO_TOPIC, Reason, Source};
use crate::domain::user::Permission;
use crate::server::clock::SharedClock;
use crate::server::db::addressees::{self, Addressee};
use crate::server::db::returns::{self, About, Counted, NewReturn};
use crate::server::db::suppressions::{self, NewEntry};
use crate::server::db::{Db, Tx, mailings};
use crate::server::mail::delivery_token::{self, DeliveryTokens};
use crate::server::mail::return_path::ReturnAddress;
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use vestnik_reports::{Class, Report};

/// How long what came can be read.
const KEPT: TimeDelta = TimeDelta::days(30);
/// Most bytes of what came that are kept: of what is about a letter, and of what is not.
const EVIDENCE_MAX: usize = 512 * 1024;
const NAMELESS_MAX: usize = 32 * 1024;
/// Longest address that is kept of what was told, in characters.
const RECIPIENT_MAX: usize = 320;
/// Most words of a report that are tried as tokens.
const WORDS_MAX: usize = 10_000;
/// So many letters one after the other that came back for what may pass, over so long a time, and for how long the address
/// is then left out. Of more letters than the last so many nobody asks.
const SOFT_LETTERS: usize = 3;
const SOFT_LOOK: i64 = 100;
const SOFT_SPAN: TimeDelta = TimeDelta::days(7);
const SOFT_LASTS: TimeDelta = TimeDelta::days(90);
/// A run is paused where so many of a hundred of its letters came back from addresses that do not exist, at least so
/// many; or where so many of a thousand were called spam, at least so many.
const HARD_PERCENT: i64 = 5;
const HARD_LEAST: i64 = 10;
const COMPLAINTS_PER_MILLE: i64 = 3;
const COMPLAINTS_LEAST: i64 = 3;
/// Between two looks for what is too old, and how much is thrown away in one transaction.
const EVERY: Duration = Duration::from_secs(3600);
const BATCH: i64 = 500;

/// What came, and how.
#[derive(Clone, Copy, Debug)]
pub struct Came<'a> {
    pub raw: &'a [u8],
    /// The addresses of ours that it came to, as far as they are known.
    pub to: &'a [ReturnAddress],
    pub source: Source,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Entered, about this delivery if it names one.
    Entered { class: Class, delivery: Option<i64> },
    /// It came before, or there is enough of its kind.
    Known,
    /// The reader has left.
    Left,
}

/// What somebody who has read a report tells of it.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    pub class: Class,
    pub status: Option<vestnik_reports::Status>,
    /// The letter's; if it is empty, one that stands in `raw`.
    pub token: &'a str,
    pub recipient: &'a str,
    pub text: &'a str,
    /// As it was told.
    pub raw: &'a [u8],
    pub source: Source,
}

/// Enters what was told, and does what follows, in one transaction.
///
/// # Errors
/// Database errors: nothing is entered then.
pub async fn told(db: &Db, tokens: &DeliveryTokens, told: &Told<'_>, now: DateTime<Utc>) -> Result<Taken> {
    let clean = |text: &str, most: usize| text.chars().filter(|c| !c.is_control()).take(most).collect::<String>();
    let report = Report {
        class: told.class,
        recipient: Some(clean(told.recipient, RECIPIENT_MAX)).filter(|recipient| !recipient.is_empty()),
        status: told.status,
        diagnostic: clean(told.text, vestnik_reports::DIAGNOSTIC_MAX),
        message_id: None,
    };
    let about = match tokens.read(told.token).or_else(|| within(tokens, told.raw)) {
        Some(delivery) => addressees::of(db, delivery).await?,
        None => None,
    };
    let came = Came { raw: told.raw, to: &[], source: told.source };
    let mut tx = db.begin().await?;
    let entered = enter(&mut tx, &report, about.as_ref(), &came, now).await?;
    tx.commit().await?;
    let delivery = about.map(|about| about.delivery);
    Ok(if entered { Taken::Entered { class: report.class, delivery } } else { Taken::Known })
}

/// Reads what came, enters it, and does what follows, in one transaction.
///
/// # Errors
/// Database errors: nothing is entered then.
pub async fn take(db: &Db, tokens: &DeliveryTokens, came: &Came<'_>, now: DateTime<Utc>) -> Result<Taken> {
    if let Some(delivery) =
        came.to.iter().find_map(|to| if let ReturnAddress::Leave(id) = to { Some(*id) } else { None })
    {
        return leave(db, delivery, now).await;
    }
    let raw = came.raw.to_owned();
    // It takes milliseconds, which others need not wait for.
    let report = tokio::task::spawn_blocking(move || vestnik_reports::read(&raw));
    let report = report.await.map_err(|error| Error::Internal(error.to_string()))?;
    let named = came.to.iter().find_map(|to| if let ReturnAddress::Bounce(id) = to { Some(*id) } else { None });
    let about = match named.or_else(|| within(tokens, came.raw)) {
        Some(delivery) => addressees::of(db, delivery).await?,
        None => None,
    };
    let mut tx = db.begin().await?;
    let entered = enter(&mut tx, &report, about.as_ref(), came, now).await?;
    tx.commit().await?;
    let delivery = about.map(|about| about.delivery);
    Ok(if entered { Taken::Entered { class: report.class, delivery } } else { Taken::Known })
}

/// The delivery of a token that stands anywhere in a letter: its header, the copy that it brings along.
fn within(tokens: &DeliveryTokens, raw: &[u8]) -> Option<i64> {
    let words = raw.split(|byte| !byte.is_ascii_alphanumeric()).filter(|word| word.len() == delivery_token::LEN);
    words.take(WORDS_MAX).find_map(|word| tokens.read(std::str::from_utf8(word).ok()?))
}

async fn enter(
    tx: &mut Tx,
    report: &Report,
    about: Option<&Addressee>,
    came: &Came<'_>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let most = if about.is_some() { EVIDENCE_MAX } else { NAMELESS_MAX };
    let status = report.status.map(|status| status.to_string()).unwrap_or_default();
    let mut digest = Sha256::new();
    // The same text may be about two letters.
    digest.update(about.map_or(0, |about| about.delivery).to_be_bytes());
    digest.update(came.raw);
    let new = NewReturn {
        at: now,
        about: about.map(|about| About { delivery: about.delivery, owner: about.owner, run: about.run }),
        class: report.class,
        recipient: report.recipient.as_deref().unwrap_or_default(),
        status: &status,
        diagnostic: &report.diagnostic,
        source: came.source,
        digest: &digest.finalize(),
        evidence: &came.raw[..came.raw.len().min(most)],
    };
    if !returns::add(tx, &new).await? {
        return Ok(false);
    }
    let Some(about) = about else { return Ok(true) };
    if let Some(run) = about.run {
        let counted = returns::count(tx, run, about.delivery, report.class, now).await?;
        mind(tx, run, counted, &report.diagnostic, now).await?;
    }
    follow(tx, report, about, came.source, now).await?;
    Ok(true)
}

/// Pauses a mailing that still sends while so much of it comes back that providers would come to mind its sender: its owner
/// looks at the list of clients first. Only the report that makes it too much does so, or nobody could resume the mailing.
async fn mind(tx: &mut Tx, run: i64, counted: Counted, diagnostic: &str, now: DateTime<Utc>) -> Result<()> {
    let Some((mailing, sent, hard, complained)) = returns::fares(tx, run).await? else { return Ok(()) };
    // The record may be a moment behind what has already come back.
    let sent = sent.max(1);
    let many_hard = |hard: i64| hard >= HARD_LEAST && hard * 100 >= sent * HARD_PERCENT;
    let many_complaints = |n: i64| n >= COMPLAINTS_LEAST && n * 1000 >= sent * COMPLAINTS_PER_MILLE;
    let why = if many_hard(hard) && !many_hard(hard - counted.hard) {
        PauseReason::LettersReturned
    } else if many_complaints(complained) && !many_complaints(complained - counted.complained) {
        PauseReason::Complaints
    } else {
        return Ok(());
    };
    mailings::pause_any(tx, mailing, why, diagnostic, now).await?;
    tracing::warn!(mailing, sent, hard, complained, why = why.as_str(), "too much comes back; the mailing is paused");
    Ok(())
}

/// What follows for the address.
async fn follow(tx: &mut Tx, report: &Report, about: &Addressee, source: Source, now: DateTime<Utc>) -> Result<()> {
    let (reason, until) = match report.class {
        Class::NoAddress => (Reason::HardBounce, None),
        Class::Complaint => (Reason::Complaint, None),
        Class::Full | Class::Passing if again_and_again(tx, about).await? => {
            (Reason::SoftBounces, Some(now + SOFT_LASTS))
        }
        _ => return Ok(()),
    };
    let entry = NewEntry {
        owner: about.owner,
        email: &about.email,
        topic: NO_TOPIC,
        reason,
        source,
        since: now,
        until,
        evidence: &report.diagnostic,
        actor: "",
        delivery: Some(about.delivery),
    };
    suppressions::add(tx, &entry).await?;
    Ok(())
}

/// Whether a letter and those to its client before it all came back, over long enough a time. What was sent later may come
/// back yet.
async fn again_and_again(tx: &mut Tx, about: &Addressee) -> Result<bool> {
    let last = returns::letters_until(tx, about.owner, about.delivery, SOFT_LOOK).await?;
    let row: Vec<DateTime<Utc>> = last.into_iter().take_while(|(_, returned)| *returned).map(|(at, _)| at).collect();
    let (Some(newest), Some(oldest)) = (row.first(), row.last()) else { return Ok(false) };
    Ok(row.len() >= SOFT_LETTERS && *newest - *oldest >= SOFT_SPAN)
}

/// The reader leaves what the letter was about.
async fn leave(db: &Db, delivery: i64, now: DateTime<Utc>) -> Result<Taken> {
    let Some(about) = addressees::of(db, delivery).await? else { return Ok(Taken::Known) };
    let entry = NewEntry {
        owner: about.owner,
        email: &about.email,
        topic: about.topic,
        reason: Reason::Unsubscribed,
        source: Source::Mailto,
        since: now,
        until: None,
        evidence: "",
        actor: "",
        delivery: Some(delivery),
    };
    let mut tx = db.begin().await?;
    suppressions::add(&mut tx, &entry).await?;
    tx.commit().await?;
    Ok(Taken::Left)
}

/// A page of the reports that name no letter of ours, the newest first, for who runs the service.
///
/// # Errors
/// [`Error::Forbidden`]; database errors.
pub async fn unmatched(db: &Db, actor: &Actor, after: &str) -> Result<Page<Unmatched>> {
    actor.needs(Permission::Settings)?;
    let before = paging::before(Some(after)).unwrap_or(i64::MAX);
    let rows = returns::unmatched(db, before, paging::FETCH).await?;
    Ok(paging::by_id(rows, returns::count_unmatched(db).await?, |row| row.id))
}

/// What came back for one of the actor's letters, as it came.
///
/// # Errors
/// [`Error::NotFound`] if it is another's, or thrown away by now; database errors.
pub async fn source(db: &Db, actor: &Actor, id: i64) -> Result<Vec<u8>> {
    returns::evidence(db, actor.id, id).await?.ok_or(Error::NotFound)
}

/// Throws away what came more than 30 days ago; what it said stays.
///
/// # Errors
/// Database errors.
pub async fn forget_old(db: &Db, now: DateTime<Utc>) -> Result<()> {
    loop {
        let mut tx = db.begin().await?;
        let gone = returns::forget(&mut tx, now - KEPT, BATCH).await?;
        tx.commit().await?;
        if gone == 0 {
            return Ok(());
        }
    }
}

/// Does so every hour until the service stops.
pub async fn keep_forgetting(db: Db, clock: SharedClock, stop: CancellationToken) {
    loop {
        if let Err(error) = forget_old(&db, clock.now()).await {
            tracing::error!(%error, "old reports could not be thrown away");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

#[cfg(test)]
#[path = "returns_tests.rs"]
mod tests;
