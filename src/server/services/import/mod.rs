//! Import of clients from CSV, in flat memory: a thread reads and checks lines, and batches of them
//! are stored, each with how far the import has come in one transaction.

pub mod encoding;
pub mod faulty;
mod guess;
pub mod lines;
mod outlook;
mod quotes;
mod read;
mod records;
mod sweep;
mod uploads;

use super::{Actor, Error, Result, checked, tokens};
use crate::domain::email::EmailAddress;
use crate::domain::import::{Duplicates, ImportCounts, Layout, LineProblem, SUPPRESSED_NAMED};
use crate::server::db::clients::{self, Upsert, Way};
use crate::server::db::{Db, DbResult, Tries, imports, limits, suppressions};
use chrono::{DateTime, Utc};
use csv::ByteRecord;
use faulty::Faulty;
use lines::{Batch, Fault, Line};
use std::io::{Read, Seek};
use std::path::PathBuf;
pub use sweep::{keep_sweeping, sweep};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
pub(super) use uploads::{BROKEN, has_faulty, preview_file, remove, see_through, set_going, stored};
pub use uploads::{Upload, add, refuse, show, start};

/// Faulty lines that are kept word for word; all are counted.
pub const PROBLEMS_KEPT: usize = 1000;
/// Batches that may wait for the database.
const BATCHES_AHEAD: usize = 4;

/// What an import came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub counts: ImportCounts,
    /// The first faulty lines.
    pub problems: Vec<LineProblem>,
    /// A locale key, if the file could not be read to its end; what came before it is stored.
    pub failure: Option<&'static str>,
    /// Columns of the file that nothing was taken from.
    pub unused: Vec<String>,
}

impl Outcome {
    /// Counts addresses that the owner's mailings leave out, and names the first.
    fn left_out(&mut self, emails: &[&EmailAddress]) {
        let counts = &mut self.counts;
        counts.suppressed += i64::try_from(emails.len()).unwrap_or(i64::MAX);
        for email in emails.iter().map(|email| email.as_str()) {
            if counts.suppressed_first.len() < SUPPRESSED_NAMED
                && !counts.suppressed_first.iter().any(|one| one == email)
            {
                counts.suppressed_first.push(email.to_owned());
            }
        }
    }

    /// Keeps the first of the faulty lines.
    pub fn name(&mut self, problems: Vec<LineProblem>) {
        let room = PROBLEMS_KEPT.saturating_sub(self.problems.len());
        self.problems.extend(problems.into_iter().take(room));
    }

    fn fail(&mut self, fault: Fault) {
        self.failure = Some(fault.key);
        if fault.line > 0 {
            self.problems.push(LineProblem::new(fault.line, fault.key, ""));
        }
    }
}

/// Where the lines go.
#[derive(Clone, Debug)]
pub struct Target {
    pub owner: i64,
    /// The row of `imports` that shows how far it is; none on the command line.
    pub import: Option<i64>,
    pub duplicates: Duplicates,
    /// Where the lines go that are not taken.
    pub faulty: Option<PathBuf>,
}

/// A file that a thread reads and checks.
#[derive(Debug)]
pub struct Reading {
    batches: mpsc::Receiver<Batch>,
    thread: JoinHandle<std::result::Result<Vec<String>, Fault>>,
}

impl Reading {
    /// Begins; without a layout it is found out.
    pub fn start(reader: impl Read + Seek + Send + 'static, layout: Option<Layout>) -> Self {
        Self::of(move |take| lines::each_batch(reader, layout, take))
    }

    /// The same for the addresses of a file alone: whatever else a line holds does not count.
    pub fn addresses(mut reader: impl Read + Seek + Send + 'static, layout: Option<Layout>) -> Self {
        Self::of(move |take| {
            let layout = layout.map_or_else(|| lines::found_layout(&mut reader), Ok)?.addresses();
            lines::each_batch(reader, Some(layout), take).map(|_| Vec::new())
        })
    }

    fn of(
        read: impl FnOnce(&mut dyn FnMut(Batch) -> bool) -> std::result::Result<Vec<String>, Fault> + Send + 'static,
    ) -> Self {
        let (sender, batches) = mpsc::channel::<Batch>(BATCHES_AHEAD);
        // Nobody receives any more once the database has failed; then the thread just ends.
        let thread = tokio::task::spawn_blocking(move || read(&mut |batch| sender.blocking_send(batch).is_ok()));
        Self { batches, thread }
    }

    /// The next lines; none at the end.
    pub async fn next(&mut self) -> Option<Batch> {
        self.batches.recv().await
    }

    /// Notes what the file as a whole came to.
    ///
    /// # Errors
    /// If the thread panicked.
    pub async fn end(self, outcome: &mut Outcome) -> Result<()> {
        match self.thread.await.map_err(|error| Error::Internal(error.to_string()))? {
            Ok(unused) => outcome.unused = unused,
            Err(fault) => outcome.fail(fault),
        }
        Ok(())
    }
}

/// Imports a CSV file. Without a layout it is found out. A faulty line is noted, and goes into the file that `target` names;
/// the rest goes in. `progress` is called after each stored batch.
///
/// # Errors
/// Database errors; a file that cannot be read is [`Outcome::failure`].
pub async fn import_csv(
    db: &Db,
    target: Target,
    reader: impl Read + Seek + Send + 'static,
    layout: Option<Layout>,
    now: DateTime<Utc>,
    mut progress: impl FnMut(&ImportCounts),
) -> Result<Outcome> {
    let mut reading = Reading::start(reader, layout);
    let mut outcome = Outcome::default();
    let mut faulty = target.faulty.clone().map(Faulty::new);
    while let Some(batch) = reading.next().await {
        let head = batch.head.clone();
        let left = store(db, &target, batch, now, &mut outcome).await?;
        if let Some(faulty) = &mut faulty {
            faulty.add(&head, &left).await?;
        }
        progress(&outcome.counts);
    }
    reading.end(&mut outcome).await?;
    Ok(outcome)
}

/// Stores what a batch holds, and returns its lines that were not taken.
async fn store(
    db: &Db,
    target: &Target,
    batch: Batch,
    now: DateTime<Utc>,
    outcome: &mut Outcome,
) -> DbResult<Vec<ByteRecord>> {
    // Before the transaction: nobody holds one connection and waits for another.
    let emails = batch.clients.iter().map(|line| &line.made.email);
    let left_out = suppressions::held(db, target.owner, emails, now).await?;
    outcome.left_out(&left_out);
    let mut tries = Tries::default();
    let refused = loop {
        match store_clients(db, target, &batch, now, &outcome.counts).await {
            Ok((after, refused)) => {
                outcome.counts = after;
                break refused;
            }
            Err(error) => tries.again(error).await?,
        }
    };
    let mut problems = batch.problems;
    let beyond = batch.clients.into_iter().enumerate().filter(|(at, _)| refused.binary_search(at).is_ok());
    problems.extend(beyond.map(|(_, line)| line.refused("error.import.client_limit")));
    problems.sort_by_key(|problem| problem.number);
    let (problems, left): (Vec<LineProblem>, Vec<ByteRecord>) =
        problems.into_iter().map(|Line { made, record, .. }| (made, record)).unzip();
    outcome.name(problems);
    Ok(left)
}

/// Stores a batch's clients in one transaction, and returns the counts after it, and the places of those for whom the owner has
/// no room.
async fn store_clients(
    db: &Db,
    target: &Target,
    batch: &Batch,
    now: DateTime<Utc>,
    before: &ImportCounts,
) -> DbResult<(ImportCounts, Vec<usize>)> {
    let mut counts = before.clone();
    let mut tx = db.begin().await?;
    let overwrite = target.duplicates == Duplicates::Update;
    let mut room = limits::clients_room(&mut tx, target.owner).await?.map_or(i64::MAX, |(_, room)| room);
    let mut refused = Vec::new();
    for (at, line) in batch.clients.iter().enumerate() {
        let way = Way { overwrite, room: room > 0 };
        match clients::upsert(&mut tx, target.owner, &line.made, way, now).await? {
            Upsert::Added => {
                counts.added += 1;
                room -= 1;
            }
            Upsert::Updated => counts.updated += 1,
            Upsert::Skipped => counts.skipped += 1,
            Upsert::Refused => refused.push(at),
        }
    }
    counts.took(batch.clients.len() - refused.len(), batch.problems.len() + refused.len(), batch.bytes);
    if let Some(import) = target.import {
        imports::progress(&mut tx, import, &counts).await?;
    }
    tx.commit().await?;
    Ok((counts, refused))
}

#[cfg(test)]
mod tests;
