//! An upload for the ledger as its page shows it.

use super::columns::Columns;
use crate::domain::import::{Fate, FirstLine, Goal, ImportPreview, ImportState, Layout, LineProblem, Outlook};
use crate::domain::suppression::{NO_TOPIC, Reason, Source};
use crate::forms::clients::ImportStart;
use crate::server::db::address::address_key;
use crate::server::db::clients::NewClient;
use crate::server::db::imports::Stored;
use crate::server::db::suppressions::{Given, count_of_import, known};
use crate::server::db::{Db, DbResult, topics};
use crate::server::services::import::lines::{self, Fault, Line, Preview};
use crate::server::services::import::{has_faulty, preview_file, stored};
use crate::server::services::{Actor, Error, Result};
use chrono::{DateTime, Utc};
use std::collections::HashSet;
use std::fs::File;
use std::path::Path;
use tokio::sync::Semaphore;

/// Whole files are counted one at a time: a million lines keep a core busy for about a second, and a page can be asked for again and
/// again.
static TURN: Semaphore = Semaphore::const_new(1);

/// An import as its page shows it. While it waits to be started: with the file's first lines and what would become of them, read
/// as `chosen`, or as found out, and how many addresses the whole file has. `max_size` is told to the reader, in bytes.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn show_import(
    db: &Db,
    actor: &Actor,
    id: i64,
    chosen: Option<&ImportStart>,
    max_size: u64,
    now: DateTime<Utc>,
) -> Result<ImportPreview> {
    let stored = stored(db, actor, Goal::Suppressions, id).await?;
    let faulty_kept = has_faulty(&stored).await;
    let Stored { mut import, path } = stored;
    let mut read = Preview::default();
    let mut takeable = None;
    if import.state == ImportState::Uploaded {
        match look(Path::new(&path), chosen.map(|form| form.layout().addresses())).await? {
            Ok((preview, n)) => (read, takeable) = (preview, Some(n)),
            Err(fault) => {
                import.state = ImportState::Failed;
                fault.key.clone_into(&mut import.reason);
                import.problems = fault.problems();
            }
        }
    }
    let is_ledger = Columns::of(&read.head, &[]).is_some();
    let (columns, layout) = (std::mem::take(&mut read.columns), read.layout);
    let (lines, outlook, problems) = outlook(db, actor.id, read, now).await?;
    Ok(ImportPreview {
        // What goes back with it is shown once it is over, and counted then alone: its page asks every second.
        entries: match import.state {
            ImportState::Done | ImportState::Failed => count_of_import(db, actor.id, import.id).await?,
            ImportState::Uploaded | ImportState::Running => 0,
        },
        import,
        max_size: i64::try_from(max_size).unwrap_or(i64::MAX),
        columns,
        layout,
        lines,
        outlook: Outlook { takeable, ..outlook },
        problems,
        faulty_kept,
        is_ledger,
    })
}

/// The beginning of a file, and how many of all its lines can be taken.
async fn look(path: &Path, layout: Option<Layout>) -> Result<std::result::Result<(Preview, i64), Fault>> {
    let mut preview = match preview_file(path, layout).await? {
        Ok(preview) => preview,
        Err(fault) => return Ok(Err(fault)),
    };
    preview.layout = preview.layout.addresses();
    let (path, layout) = (path.to_owned(), preview.layout);
    let count = move || match File::open(&path) {
        Ok(file) => lines::takeable(file, &layout),
        Err(_) => Err(Fault::whole("error.import.gone")),
    };
    let _turn = TURN.acquire().await.map_err(|error| Error::Internal(error.to_string()))?;
    let counted = tokio::task::spawn_blocking(count).await.map_err(|error| Error::Internal(error.to_string()))?;
    Ok(counted.map(|n| (preview, n)))
}

/// The lines that are shown with their fates, how all that were checked fare, and what is wrong in them.
async fn outlook(
    db: &Db,
    owner: i64,
    read: Preview,
    now: DateTime<Utc>,
) -> DbResult<(Vec<FirstLine>, Outlook, Vec<LineProblem>)> {
    let columns = Columns::of(&read.head, &topics::list(db, owner).await?);
    let mut outlook = Outlook { more: read.more, ..Outlook::default() };
    let (mut lines, mut problems, mut clients) = (Vec::new(), Vec::new(), Vec::new());
    for (at, checked) in read.lines.into_iter().enumerate() {
        outlook.lines += 1;
        let mut fate = if checked.held.is_some() { Fate::New } else { Fate::Open };
        match checked.held {
            Some(Ok(made)) => {
                let line = Line { number: checked.number, made, record: checked.record };
                match columns.as_ref().and_then(|columns| columns.read(&line.record, entry(&line, now)).err()) {
                    None => clients.push((at, line)),
                    Some(key) => {
                        fate = Fate::Faulty;
                        problems.push(line.refused(key).made);
                    }
                }
            }
            Some(Err(problem)) => {
                fate = Fate::Faulty;
                problems.push(problem);
            }
            None => {}
        }
        if !checked.cells.is_empty() {
            lines.push(FirstLine { fate, cells: checked.cells });
        }
    }
    let given = |line| {
        let plain = entry(line, now);
        columns.as_ref().and_then(|columns| columns.read(&line.record, plain.clone()).ok()).unwrap_or(plain)
    };
    let entries: Vec<Given<'_>> = clients.iter().map(|(_, line)| given(line)).collect();
    let mut seen = HashSet::new();
    for (((at, line), entry), known) in clients.iter().zip(&entries).zip(known(db, owner, &entries).await?) {
        // A second line with the same address finds the entry of the first.
        let fresh = seen.insert((address_key(&line.made.email), entry.topic, entry.reason)) && !known;
        *(if fresh { &mut outlook.new } else { &mut outlook.known }) += 1;
        if let Some(shown) = lines.get_mut(*at).filter(|_| !fresh) {
            shown.fate = Fate::Known;
        }
    }
    outlook.faulty = i64::try_from(problems.len()).unwrap_or(i64::MAX);
    Ok((lines, outlook, problems))
}

/// What a line without more than an address stands for.
fn entry(line: &Line<NewClient>, now: DateTime<Utc>) -> Given<'_> {
    Given {
        email: &line.made.email,
        topic: NO_TOPIC,
        reason: Reason::Imported,
        source: Source::File,
        since: now,
        until: None,
        evidence: "",
        actor: "",
    }
}
