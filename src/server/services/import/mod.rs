//! Import of clients from CSV, in flat memory: a thread reads and checks lines, and batches of them
//! are stored, each with how far the import has come in one transaction.

pub mod lines;
mod read;

use super::{Actor, Error, Result, checked, tokens};
use crate::domain::import::{Duplicates, ImportCounts, ImportPreview, ImportState, LineProblem, Mapping};
use crate::forms::clients::ImportStart;
use crate::server::clock::SharedClock;
use crate::server::db::clients::{self, Upsert};
use crate::server::db::imports::{self, Stored};
use crate::server::db::{Db, DbResult};
use chrono::{DateTime, Utc};
use lines::{Batch, Fault};
pub use read::FILE_MAX;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Faulty lines that are kept word for word; all are counted.
pub const PROBLEMS_KEPT: usize = 1000;
/// Batches that may wait for the database.
const BATCHES_AHEAD: usize = 4;
/// A fault of ours in the midst of an import.
const BROKEN: &str = "error.import.internal";

/// What an import came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub counts: ImportCounts,
    /// The first faulty lines.
    pub problems: Vec<LineProblem>,
    /// A locale key, if the file could not be read to its end; what came before it is stored.
    pub failure: Option<&'static str>,
}

impl Outcome {
    fn note(&mut self, problems: Vec<LineProblem>) {
        self.counts.faulty += i64::try_from(problems.len()).unwrap_or(i64::MAX);
        let room = PROBLEMS_KEPT.saturating_sub(self.problems.len());
        self.problems.extend(problems.into_iter().take(room));
    }

    fn fail(&mut self, fault: Fault) {
        self.failure = Some(fault.key);
        if fault.line > 0 {
            self.problems.push(LineProblem { line: fault.line, key: fault.key.to_owned(), value: String::new() });
        }
    }
}

/// Where the lines go.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    pub owner: i64,
    /// The row of `imports` that shows how far it is; none on the command line.
    pub import: Option<i64>,
    pub duplicates: Duplicates,
}

/// Imports a CSV file. Without a mapping the columns are guessed from the header. A faulty line is
/// noted, the rest goes in. `progress` is called after each stored batch.
///
/// # Errors
/// Database errors; a file that cannot be read is [`Outcome::failure`].
pub async fn import_csv(
    db: &Db,
    target: Target,
    reader: impl Read + Send + 'static,
    mapping: Option<Mapping>,
    now: DateTime<Utc>,
    mut progress: impl FnMut(&ImportCounts),
) -> Result<Outcome> {
    let (sender, mut receiver) = tokio::sync::mpsc::channel::<Batch>(BATCHES_AHEAD);
    let reading = tokio::task::spawn_blocking(move || {
        // Nobody receives any more once the database has failed; then the thread just ends.
        lines::each_batch(reader, mapping, |batch| sender.blocking_send(batch).is_ok())
    });
    let mut outcome = Outcome::default();
    while let Some(batch) = receiver.recv().await {
        store(db, target, batch, now, &mut outcome).await?;
        progress(&outcome.counts);
    }
    match reading.await.map_err(|error| Error::Internal(error.to_string()))? {
        Ok(()) => {}
        Err(fault) => outcome.fail(fault),
    }
    Ok(outcome)
}

async fn store(db: &Db, target: Target, batch: Batch, now: DateTime<Utc>, outcome: &mut Outcome) -> DbResult<()> {
    let overwrite = target.duplicates == Duplicates::Update;
    let mut tx = db.begin().await?;
    for client in &batch.clients {
        match clients::upsert(&mut tx, target.owner, client, overwrite, now).await? {
            Upsert::Added => outcome.counts.added += 1,
            Upsert::Updated => outcome.counts.updated += 1,
            Upsert::Skipped => outcome.counts.skipped += 1,
        }
    }
    outcome.counts.lines += i64::try_from(batch.clients.len() + batch.problems.len()).unwrap_or(i64::MAX);
    outcome.counts.bytes = batch.bytes;
    outcome.note(batch.problems);
    if let Some(import) = target.import {
        imports::progress(&mut tx, import, &outcome.counts).await?;
    }
    tx.commit().await
}

/// Notes an uploaded file of the actor's after a look at its beginning, and returns the import's id.
/// A file that cannot be imported is noted as failed, with the reason, and removed.
///
/// # Errors
/// Database errors.
pub async fn add(db: &Db, actor: &Actor, name: &str, path: &Path, size: i64, now: DateTime<Utc>) -> Result<i64> {
    let fault = preview_file(path, None).await?.err();
    let failed = fault.as_ref().map(|fault| (fault.key, fault.problems()));
    let failed = failed.as_ref().map(|(key, problems)| (*key, problems.as_slice()));
    let mut tx = db.begin().await?;
    let text = path.to_string_lossy();
    let id = imports::insert(&mut tx, actor.id, name, &text, size, failed, now).await?;
    tx.commit().await?;
    if fault.is_some() {
        remove(&text).await;
    }
    Ok(id)
}

/// Notes an upload that was refused before it was whole.
///
/// # Errors
/// Database errors.
pub async fn refuse(db: &Db, actor: &Actor, name: &str, size: i64, key: &str, now: DateTime<Utc>) -> Result<i64> {
    let mut tx = db.begin().await?;
    let id = imports::insert(&mut tx, actor.id, name, "", size, Some((key, &[])), now).await?;
    tx.commit().await?;
    Ok(id)
}

async fn remove(path: &str) {
    if let Err(error) = tokio::fs::remove_file(path).await {
        tracing::warn!(path, %error, "an uploaded file stays behind");
    }
}

async fn preview_file(path: &Path, mapping: Option<Mapping>) -> Result<std::result::Result<lines::Preview, Fault>> {
    let path = path.to_owned();
    let read = move || match File::open(&path) {
        Ok(file) => lines::preview(file, mapping),
        Err(_) => Err(Fault::whole("error.import.gone")),
    };
    tokio::task::spawn_blocking(read).await.map_err(|error| Error::Internal(error.to_string()))
}

async fn stored(db: &Db, actor: &Actor, id: i64) -> Result<Stored> {
    imports::get(db, actor.id, id).await?.ok_or(Error::NotFound)
}

/// An import as its page shows it: with the file's first lines while it waits to be started.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn show(db: &Db, actor: &Actor, id: i64) -> Result<ImportPreview> {
    let Stored { mut import, path } = stored(db, actor, id).await?;
    let mut preview = lines::Preview::default();
    if import.state == ImportState::Uploaded {
        match preview_file(Path::new(&path), None).await? {
            Ok(read) => preview = read,
            Err(fault) => {
                import.state = ImportState::Failed;
                fault.key.clone_into(&mut import.reason);
            }
        }
    }
    let lines::Preview { header, mapping, lines, problems } = preview;
    Ok(ImportPreview { import, header, mapping, lines, problems })
}

/// Starts an import in the background of this process; its row tells how far it is.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Invalid`] for columns that cannot be, and [`Error::Conflict`] for an
/// import that has been started before.
pub async fn start(db: &Db, actor: &Actor, form: &ImportStart, clock: &SharedClock, process: &str) -> Result<()> {
    checked(form)?;
    let Stored { path, .. } = stored(db, actor, form.id).await?;
    let mut tx = db.begin().await?;
    if !imports::start(&mut tx, actor.id, form.id, process).await? {
        return Err(Error::Conflict("error.import.started"));
    }
    tx.commit().await?;
    let target = Target { owner: actor.id, import: Some(form.id), duplicates: form.duplicates };
    tokio::spawn(run(db.clone(), form.id, path, target, form.mapping(), clock.now()));
    Ok(())
}

async fn run(db: Db, id: i64, path: String, target: Target, mapping: Mapping, now: DateTime<Utc>) {
    let imported = async {
        let outcome = match File::open(&path) {
            Ok(file) => import_csv(&db, target, file, Some(mapping), now, |_| ()).await?,
            Err(_) => Outcome { failure: Some("error.import.gone"), ..Outcome::default() },
        };
        let mut tx = db.begin().await?;
        let reason = outcome.failure.unwrap_or_default();
        imports::finish(&mut tx, id, reason, &outcome.counts, &outcome.problems).await?;
        tx.commit().await?;
        Ok::<_, Error>(())
    };
    if let Err(error) = imported.await {
        let reference = tokens::reference();
        tracing::error!(%reference, import = id, %error, "an import ended early");
        if let Err(error) = give_up(&db, target.owner, id).await {
            tracing::error!(%reference, import = id, %error, "its end could not be noted");
        }
    }
    remove(&path).await;
}

/// Ends an import for a fault of ours; the counts of the batches that were stored stay.
async fn give_up(db: &Db, owner: i64, id: i64) -> Result<()> {
    let Some(Stored { import, .. }) = imports::get(db, owner, id).await? else { return Ok(()) };
    let mut tx = db.begin().await?;
    imports::finish(&mut tx, id, BROKEN, &import.counts, &import.problems).await?;
    Ok(tx.commit().await?)
}

#[cfg(test)]
mod tests;
