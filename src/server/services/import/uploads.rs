//! Uploaded files: taken in, looked at, started.

use super::faulty::beside;
use super::outlook::outlook;
use super::{Actor, Error, Outcome, Result, Target, checked, import_csv, lines, tokens};
use crate::api::error::FieldErrors;
use crate::domain::import::{Goal, ImportPreview, ImportState, Layout, Outlook};
use crate::forms::Check;
use crate::forms::clients::ImportStart;
use crate::server::clock::SharedClock;
use crate::server::db::imports::{self, NewImport, Stored};
use crate::server::db::{Db, Tx};
use chrono::{DateTime, Utc};
use futures::FutureExt;
use lines::{Fault, Preview};
use std::fs::File;
use std::panic::AssertUnwindSafe;
use std::path::Path;

/// Uploads of one user that may wait to be started; one more, and the oldest goes.
pub const WAITING_MAX: usize = 5;
/// Imports of one user that may run at once.
pub const RUNNING_MAX: i64 = 3;
/// A fault of ours in the midst of an import.
pub(in crate::server::services) const BROKEN: &str = "error.import.internal";

/// A file that was uploaded.
#[derive(Clone, Debug)]
pub struct Upload<'a> {
    pub goal: Goal,
    /// Why its addresses are to be left out; empty for clients.
    pub why: &'a str,
    /// As its owner calls it.
    pub name: &'a str,
    pub path: &'a Path,
    /// Bytes.
    pub size: i64,
}

impl<'a> Upload<'a> {
    fn row(&self, owner: i64, path: &'a str) -> NewImport<'a> {
        NewImport { owner, goal: self.goal, why: self.why, file_name: self.name, path, size: self.size }
    }
}

/// Notes an uploaded file of the actor's after a look at its beginning, and returns the import's id.
/// A file that cannot be imported is noted as failed, with the reason, and removed.
///
/// # Errors
/// Database errors.
pub async fn add(db: &Db, actor: &Actor, upload: &Upload<'_>, now: DateTime<Utc>) -> Result<i64> {
    let path = upload.path;
    let fault = preview_file(path, None).await?.err();
    let failed = fault.as_ref().map(|fault| (fault.key, fault.problems()));
    let failed = failed.as_ref().map(|(key, problems)| (*key, problems.as_slice()));
    let mut tx = db.begin().await?;
    let text = path.to_string_lossy();
    let id = imports::insert(&mut tx, &upload.row(actor.id, &text), failed, now).await?;
    let mut gone = Vec::new();
    if fault.is_some() {
        gone.push(text.to_string());
    }
    for (id, path) in imports::waiting(&mut tx, actor.id).await?.into_iter().skip(WAITING_MAX) {
        if imports::drop_waiting(&mut tx, id, "error.import.replaced").await? {
            gone.push(path);
        }
    }
    tx.commit().await?;
    for path in gone {
        remove(&path).await;
    }
    Ok(id)
}

/// Notes an upload that was refused before it was whole.
///
/// # Errors
/// Database errors.
pub async fn refuse(db: &Db, actor: &Actor, upload: &Upload<'_>, key: &str, now: DateTime<Utc>) -> Result<i64> {
    let mut tx = db.begin().await?;
    let id = imports::insert(&mut tx, &upload.row(actor.id, ""), Some((key, &[])), now).await?;
    tx.commit().await?;
    Ok(id)
}

/// Removes a file that was uploaded, and what was kept of it.
pub(in crate::server::services) async fn remove(path: &str) {
    remove_upload(path).await;
    // Mostly there is none.
    let _ = tokio::fs::remove_file(beside(Path::new(path))).await;
}

async fn remove_upload(path: &str) {
    if let Err(error) = tokio::fs::remove_file(path).await {
        tracing::warn!(path, %error, "an uploaded file stays behind");
    }
}

pub(in crate::server::services) async fn preview_file(
    path: &Path,
    layout: Option<Layout>,
) -> Result<std::result::Result<Preview, Fault>> {
    let path = path.to_owned();
    let read = move || match File::open(&path) {
        Ok(file) => lines::preview(file, layout),
        Err(_) => Err(Fault::whole("error.import.gone")),
    };
    tokio::task::spawn_blocking(read).await.map_err(|error| Error::Internal(error.to_string()))
}

pub(in crate::server::services) async fn stored(db: &Db, actor: &Actor, goal: Goal, id: i64) -> Result<Stored> {
    imports::get(db, actor.id, goal, id).await?.ok_or(Error::NotFound)
}

/// Whether the lines that an import did not take can be had.
pub(in crate::server::services) async fn has_faulty(stored: &Stored) -> bool {
    let over = matches!(stored.import.state, ImportState::Done | ImportState::Failed);
    over && !stored.path.is_empty() && tokio::fs::try_exists(beside(Path::new(&stored.path))).await.unwrap_or(false)
}

/// An import as its page shows it. While it waits to be started: with the file's first lines and what would
/// become of them, read as `chosen`, or as found out. `max_size` is told to the reader, in bytes.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn show(
    db: &Db,
    actor: &Actor,
    id: i64,
    chosen: Option<&ImportStart>,
    max_size: u64,
) -> Result<ImportPreview> {
    let stored = stored(db, actor, Goal::Clients, id).await?;
    let faulty_kept = has_faulty(&stored).await;
    let Stored { mut import, path } = stored;
    let mut preview = Preview::default();
    if import.state == ImportState::Uploaded {
        match preview_file(Path::new(&path), chosen.map(layout)).await? {
            Ok(read) => preview = read,
            Err(fault) => {
                import.state = ImportState::Failed;
                fault.key.clone_into(&mut import.reason);
                import.problems = fault.problems();
            }
        }
    }
    let (lines, outlook, problems) = match preview.lines.is_empty() {
        true => (Vec::new(), Outlook::default(), Vec::new()),
        false => outlook(db, actor.id, preview.lines, preview.more).await?,
    };
    let max_size = i64::try_from(max_size).unwrap_or(i64::MAX);
    let (columns, layout) = (preview.columns, preview.layout);
    let (is_ledger, entries) = (false, 0);
    Ok(ImportPreview { import, max_size, columns, layout, lines, outlook, problems, faulty_kept, is_ledger, entries })
}

/// The chosen layout, without the columns that cannot be: a look ahead shows what is right so far.
fn layout(form: &ImportStart) -> Layout {
    let wrong: FieldErrors = form.check();
    let good = |field: &str, column: Option<usize>| column.filter(|_| wrong.get(field).is_none());
    let layout = form.layout();
    Layout {
        full_name: good("full_name", layout.full_name),
        middle_name: good("middle_name", layout.middle_name),
        last_name: good("last_name", layout.last_name),
        comment: good("comment", layout.comment),
        ..layout
    }
}

/// Starts an import in the background of this process; its row tells how far it is.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Invalid`] for columns that cannot be, and [`Error::Conflict`] for an
/// import that has been started before, and for one too many at a time.
pub async fn start(db: &Db, actor: &Actor, form: &ImportStart, clock: &SharedClock, process: &str) -> Result<()> {
    checked(form)?;
    let Stored { path, .. } = stored(db, actor, Goal::Clients, form.id).await?;
    let mut tx = db.begin().await?;
    set_going(&mut tx, actor, form.id, process).await?;
    tx.commit().await?;
    let faulty = Some(beside(Path::new(&path)));
    let target = Target { owner: actor.id, import: Some(form.id), duplicates: form.duplicates, faulty };
    tokio::spawn(run(db.clone(), form.id, path, target, form.layout(), clock.now()));
    Ok(())
}

/// Marks an import as running, unless too many of the actor's are.
pub(in crate::server::services) async fn set_going(tx: &mut Tx, actor: &Actor, id: i64, process: &str) -> Result<()> {
    if imports::running(tx, actor.id).await? >= RUNNING_MAX {
        return Err(Error::Conflict("error.import.busy"));
    }
    if !imports::start(tx, actor.id, id, process).await? {
        return Err(Error::Conflict("error.import.started"));
    }
    Ok(())
}

async fn run(db: Db, id: i64, path: String, target: Target, layout: Layout, now: DateTime<Utc>) {
    let owner = target.owner;
    let read = async |file| import_csv(&db, target, file, Some(layout), now, |_| ()).await;
    see_through(&db, (owner, Goal::Clients, id), &path, read).await;
}

/// Has an uploaded file read, notes what came of its import, whatever that is, and removes the file.
pub(in crate::server::services) async fn see_through(
    db: &Db,
    (owner, goal, id): (i64, Goal, i64),
    path: &str,
    read: impl AsyncFnOnce(File) -> Result<Outcome>,
) {
    let imported = async {
        let outcome = match File::open(path) {
            Ok(file) => read(file).await?,
            Err(_) => Outcome { failure: Some("error.import.gone"), ..Outcome::default() },
        };
        let mut tx = db.begin().await?;
        let reason = outcome.failure.unwrap_or_default();
        imports::finish(&mut tx, id, reason, &outcome.counts, &outcome.problems).await?;
        tx.commit().await?;
        Ok::<_, Error>(())
    };
    let imported = AssertUnwindSafe(imported).catch_unwind().await;
    let imported = imported.unwrap_or_else(|_| Err(Error::Internal("a panic ended it".to_owned())));
    if let Err(error) = imported {
        let reference = tokens::reference();
        tracing::error!(%reference, import = id, %error, "an import ended early");
        if let Err(error) = give_up(db, owner, goal, id).await {
            tracing::error!(%reference, import = id, %error, "its end could not be noted");
        }
    }
    remove_upload(path).await;
}

/// Ends an import for a fault of ours; the counts of the batches that were stored stay.
async fn give_up(db: &Db, owner: i64, goal: Goal, id: i64) -> Result<()> {
    let Some(Stored { import, .. }) = imports::get(db, owner, goal, id).await? else { return Ok(()) };
    let mut tx = db.begin().await?;
    imports::finish(&mut tx, id, BROKEN, &import.counts, &import.problems).await?;
    Ok(tx.commit().await?)
}
