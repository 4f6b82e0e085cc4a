//! A file of addresses that are to be left out. It only ever adds.

use super::noted;
use crate::domain::audit::{Act, COMMAND_LINE};
use crate::domain::suppression::{NO_TOPIC, Reason, Source};
use crate::forms::suppressions::ImportForm;
use crate::server::clock::SharedClock;
use crate::server::db::audit::{self, Entry};
use crate::server::db::suppressions::{Added, NewEntry, add_all};
use crate::server::db::{Db, imports};
use crate::server::services::import::lines::Batch;
use crate::server::services::import::{Outcome, Reading, see_through, set_going};
use crate::server::services::{Actor, Result, checked};
use chrono::{DateTime, Utc};
use std::io::{Read, Seek};
use std::path::PathBuf;

/// Whose ledger a file goes into, and how.
#[derive(Clone, Debug)]
pub struct Destination<'a> {
    pub actor: &'a Actor,
    /// Where that was asked.
    pub source: Source,
    /// What the file is called; it stands in the audit log.
    pub file: &'a str,
    /// Why its addresses get nothing.
    pub reason: &'a str,
    /// The row of `imports` that shows how far it is; none on the command line.
    pub import: Option<i64>,
}

/// Enters the addresses of a CSV file. The column is known by its name or by what stands in it; a faulty line is noted, the rest
/// goes in. Addresses that a file has brought before stay as they are.
///
/// # Errors
/// [`crate::server::services::Error::Invalid`] without a reason; database errors. A file that cannot be read is [`Outcome::failure`].
pub async fn import(
    db: &Db,
    into: &Destination<'_>,
    reader: impl Read + Seek + Send + 'static,
    now: DateTime<Utc>,
) -> Result<Outcome> {
    checked(&ImportForm { reason: into.reason.to_owned() })?;
    let mut reading = Reading::addresses(reader);
    let mut outcome = Outcome::default();
    while let Some(batch) = reading.next().await {
        store(db, into, batch, now, &mut outcome).await?;
    }
    reading.end(&mut outcome).await?;
    let added = outcome.counts.added.to_string();
    let line = noted(into.actor, into.source, Act::SuppressionsImported, into.file);
    let mut tx = db.begin().await?;
    audit::append(&mut tx, &Entry { reason: into.reason.trim(), after: &added, ..line }, now).await?;
    tx.commit().await?;
    Ok(outcome)
}

/// A file that was uploaded for the ledger.
#[derive(Clone, Debug)]
pub struct Upload {
    /// As its owner calls it.
    pub name: String,
    pub path: PathBuf,
    /// Bytes.
    pub size: i64,
    /// Why its addresses get nothing.
    pub reason: String,
}

/// Starts the import of an uploaded file in the background of this process, and returns the number of the import, whose row
/// tells how far it is.
///
/// # Errors
/// [`crate::server::services::Error::Invalid`] without a reason, [`crate::server::services::Error::Conflict`] for one too many
/// at a time.
pub async fn begin(db: &Db, actor: &Actor, upload: Upload, clock: &SharedClock, process: &str) -> Result<i64> {
    checked(&ImportForm { reason: upload.reason.clone() })?;
    let now = clock.now();
    let path = upload.path.to_string_lossy().into_owned();
    let mut tx = db.begin().await?;
    let id = imports::insert(&mut tx, actor.id, &upload.name, &path, upload.size, None, now).await?;
    set_going(&mut tx, actor, id, process).await?;
    tx.commit().await?;
    let (db, actor) = (db.clone(), actor.clone());
    tokio::spawn(async move {
        let read = async |file| {
            let (file_name, reason) = (&upload.name, &upload.reason);
            let into = Destination { actor: &actor, source: Source::Owner, file: file_name, reason, import: Some(id) };
            import(&db, &into, file, now).await
        };
        see_through(&db, (actor.id, id), &path, read).await;
    });
    Ok(id)
}

async fn store(db: &Db, into: &Destination<'_>, batch: Batch, now: DateTime<Utc>, outcome: &mut Outcome) -> Result<()> {
    let emails: Vec<_> = batch.clients.iter().map(|line| &line.made.email).collect();
    let entry = |email| NewEntry {
        owner: into.actor.id,
        email,
        topic: NO_TOPIC,
        reason: Reason::Imported,
        source: Source::File,
        since: now,
        until: None,
        evidence: into.reason.trim(),
        actor: if into.source == Source::CommandLine { COMMAND_LINE } else { &into.actor.email },
        delivery: None,
    };
    let mut tx = db.begin().await?;
    if let Some(first) = emails.first() {
        let added = add_all(&mut tx, &entry(first), &emails).await?;
        let new = added.iter().filter(|added| **added == Added::New).count();
        outcome.counts.added += i64::try_from(new).unwrap_or(i64::MAX);
        outcome.counts.skipped += i64::try_from(added.len() - new).unwrap_or(i64::MAX);
    }
    outcome.took(emails.len(), batch.problems.into_iter().map(|line| line.made).collect(), batch.bytes);
    if let Some(import) = into.import {
        imports::progress(&mut tx, import, &outcome.counts).await?;
    }
    Ok(tx.commit().await?)
}
