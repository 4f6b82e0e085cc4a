//! The Outbox: letters that the built-in mail server has caught.

pub mod page;

use super::{Actor, Error, Result, paging};
use crate::domain::letter::{Letter, LetterRow};
use crate::domain::page::Page;
use crate::domain::user::Permission;
use crate::server::db::letters::{self, NewLetter};
use crate::server::db::users::User;
use crate::server::db::{Db, DbResult};
use crate::server::sink::CaughtLetter;
use mail_parser::{Addr, HeaderValue, MessageParser};
use tokio::sync::mpsc::Receiver;

/// Letters that are kept.
const KEEP: i64 = 10_000;
/// Letters that one transaction stores at most.
const BATCH: usize = 200;
/// Letters between two prunings.
const PRUNE_EVERY: usize = 1_000;
/// Longest stored subject, in characters: a list shows no more.
const SUBJECT_MAX: usize = 500;

/// Proof that somebody may read the Outbox.
#[derive(Clone, Copy, Debug)]
pub struct Reader(());

/// Decides who may read: whoever asks from this machine (`open`), administrators otherwise, nobody while no letters
/// are caught.
///
/// # Errors
/// [`Error::NotFound`] without a catcher; [`Error::Unauthenticated`] or [`Error::Forbidden`].
pub fn reader(catching: bool, open: bool, user: Option<&User>) -> Result<Reader> {
    if !catching {
        return Err(Error::NotFound);
    }
    if !open {
        Actor::prove(user.ok_or(Error::Unauthenticated)?, Permission::Outbox)?;
    }
    Ok(Reader(()))
}

/// A page of letters, newest first.
///
/// # Errors
/// Database errors.
pub async fn list(db: &Db, _: Reader, search: &str, after: Option<&str>) -> Result<Page<LetterRow>> {
    let rows = letters::list(db, search, paging::before(after), paging::FETCH).await?;
    let total = letters::count(db, search).await?;
    Ok(paging::by_id(rows, total, |letter| letter.id))
}

/// One letter, taken apart.
///
/// # Errors
/// [`Error::NotFound`] if there is none, or no longer.
pub async fn get(db: &Db, _: Reader, id: i64) -> Result<Letter> {
    let (row, raw) = letters::get(db, id).await?.ok_or(Error::NotFound)?;
    Ok(parse(row, &raw))
}

/// A letter as it came.
///
/// # Errors
/// [`Error::NotFound`] if there is none, or no longer.
pub async fn source(db: &Db, _: Reader, id: i64) -> Result<Vec<u8>> {
    let (_, raw) = letters::get(db, id).await?.ok_or(Error::NotFound)?;
    Ok(raw)
}

/// The HTML of a letter, made safe, as a page of its own, which is to be sent with [`page::POLICY`].
///
/// # Errors
/// [`Error::NotFound`] if there is none, or no longer.
pub async fn as_page(db: &Db, _: Reader, id: i64) -> Result<String> {
    let (_, raw) = letters::get(db, id).await?.ok_or(Error::NotFound)?;
    let message = MessageParser::default().parse(&raw);
    let html = message.as_ref().and_then(|message| message.body_html(0)).unwrap_or_default();
    Ok(page::document(&page::sanitise(&html).0))
}

fn parse(row: LetterRow, raw: &[u8]) -> Letter {
    let source = String::from_utf8_lossy(raw).into_owned();
    let Some(message) = MessageParser::default().parse(raw) else {
        return Letter { row, headers: Vec::new(), text: source.clone(), has_html: false, links: Vec::new(), source };
    };
    let headers = message
        .headers()
        .iter()
        .map(|header| {
            let range = header.offset_start() as usize..header.offset_end() as usize;
            (header.name().to_owned(), readable(header.value(), raw.get(range).unwrap_or_default()))
        })
        .collect();
    let text = message.body_text(0).unwrap_or_default().into_owned();
    let (html, mut links) = page::sanitise(&message.body_html(0).unwrap_or_default());
    for link in links_in_text(&text) {
        if !links.contains(&link) {
            links.push(link);
        }
    }
    Letter { row, headers, text, has_html: !html.trim().is_empty(), links, source }
}

/// A header's value with its encoded words read where that is safe, on one line.
fn readable(value: &HeaderValue<'_>, raw: &[u8]) -> String {
    let person = |addr: &Addr<'_>| {
        let address = addr.address().unwrap_or_default();
        addr.name().map_or_else(|| address.to_owned(), |name| format!("{name} <{address}>"))
    };
    let text = match value {
        HeaderValue::Text(text) => text.clone(),
        HeaderValue::Address(list) => list.iter().map(person).collect::<Vec<_>>().join(", ").into(),
        _ => String::from_utf8_lossy(raw),
    };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Web addresses in plain text: up to white space, a bracket or a quote; a full stop after one is not
/// part of it.
fn links_in_text(text: &str) -> Vec<String> {
    text.split(|c: char| c.is_whitespace() || "<>\"'()".contains(c))
        .filter(|word| page::is_web(word))
        .map(|word| word.trim_end_matches(['.', ',', ';', ':', '!', '?']).to_owned())
        .collect()
}

/// Stores caught letters as they come, many to a transaction, until the catcher is gone.
pub async fn store(db: &Db, caught: &mut Receiver<CaughtLetter>) {
    let mut batch = Vec::with_capacity(BATCH);
    // The first batch prunes too: an earlier start may have left many.
    let mut since_pruned = PRUNE_EVERY;
    while caught.recv_many(&mut batch, BATCH).await > 0 {
        let new: Vec<NewLetter> = batch.drain(..).map(new_letter).collect();
        since_pruned += new.len();
        let prune = since_pruned >= PRUNE_EVERY;
        match insert(db, &new, prune).await {
            Ok(()) if prune => since_pruned = 0,
            Ok(()) => {}
            Err(error) => tracing::error!(%error, letters = new.len(), "caught letters were not stored"),
        }
    }
}

async fn insert(db: &Db, batch: &[NewLetter], prune: bool) -> DbResult<()> {
    let mut tx = db.begin().await?;
    for letter in batch {
        letters::insert(&mut tx, letter).await?;
    }
    if prune {
        letters::prune(&mut tx, KEEP).await?;
    }
    tx.commit().await
}

fn new_letter(caught: CaughtLetter) -> NewLetter {
    let parsed = MessageParser::default().parse_headers(&caught.raw);
    let subject = parsed.as_ref().and_then(|message| message.subject()).unwrap_or_default();
    NewLetter {
        at: caught.at,
        sender: storable(&caught.sender),
        recipients: storable(&caught.recipients.join(", ")),
        subject: storable(subject).chars().take(SUBJECT_MAX).collect(),
        raw: caught.raw,
    }
}

/// PostgreSQL keeps no NUL in a text, and a list shows no line ends.
fn storable(text: &str) -> String {
    text.replace(char::is_control, " ")
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
