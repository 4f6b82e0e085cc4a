//! A file of addresses that are to be left out, and the way back. A file only ever adds.

use super::columns::Columns;
use super::noted;
use crate::domain::audit::{Act, COMMAND_LINE};
use crate::domain::import::{Goal, ImportCounts, ImportState, Layout};
use crate::domain::suppression::{NO_TOPIC, Reason, Source};
use crate::forms::clients::ImportStart;
use crate::forms::suppressions::{ImportForm, LiftForm};
use crate::server::clock::SharedClock;
use crate::server::db::audit::{self, Entry};
use crate::server::db::clients::NewClient;
use crate::server::db::imports::{NewImport, Stored};
use crate::server::db::suppressions::{Added, Given, add_all, any_open, count_of_import, lift_of_import};
use crate::server::db::{Db, DbResult, Tries, imports, topics};
use crate::server::services::import::faulty::{Faulty, beside};
use crate::server::services::import::lines::{BATCH, Batch, Line};
use crate::server::services::import::{BROKEN, Outcome, Reading, see_through, set_going, stored};
use crate::server::services::{Actor, Error, Result, checked};
use chrono::{DateTime, Utc};
use csv::ByteRecord;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

/// Addresses that are entered in one transaction while the owner has open runs, where each has more to do: nobody else writes
/// meanwhile on SQLite.
const BATCH_IN_RUNS: usize = 100;
/// Entries that are lifted in one transaction.
const LIFTED_AT_ONCE: i64 = 500;

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
    /// The row of `imports` that shows how far it is, and that its entries refer to.
    pub import: i64,
    /// Where the lines go that are not taken.
    pub faulty: Option<PathBuf>,
}

impl Destination<'_> {
    fn by(&self) -> &str {
        if self.source == Source::CommandLine { COMMAND_LINE } else { &self.actor.email }
    }

    /// Writes a line into the audit log.
    async fn note(&self, db: &Db, act: Act, after: &str, now: DateTime<Utc>) -> Result<()> {
        let line = noted(self.actor, self.source, act, self.file);
        let mut tx = db.begin().await?;
        audit::append(&mut tx, &Entry { reason: self.reason.trim(), after, ..line }, now).await?;
        Ok(tx.commit().await?)
    }

    /// An entry for a line; of a file that another ledger was written into, as it was there.
    fn entry<'a>(
        &'a self,
        line: &'a Line<NewClient>,
        columns: Option<&Columns>,
        now: DateTime<Utc>,
    ) -> std::result::Result<Given<'a>, &'static str> {
        let plain = Given {
            email: &line.made.email,
            topic: NO_TOPIC,
            reason: Reason::Imported,
            source: Source::File,
            since: now,
            until: None,
            evidence: self.reason.trim(),
            actor: self.by(),
        };
        columns.map_or_else(|| Ok(plain.clone()), |columns| columns.read(&line.record, plain.clone()))
    }
}

/// Notes an import whose file is read where it lies, as one that runs, and returns its number.
///
/// # Errors
/// [`Error::Invalid`] without a reason; database errors.
pub async fn note(db: &Db, actor: &Actor, file_name: &str, why: &str, size: i64, now: DateTime<Utc>) -> Result<i64> {
    checked(&ImportForm { reason: why.to_owned() })?;
    let new = NewImport { owner: actor.id, goal: Goal::Suppressions, why: why.trim(), file_name, path: "", size };
    let mut tx = db.begin().await?;
    let id = imports::insert(&mut tx, &new, None, now).await?;
    imports::start(&mut tx, actor.id, id, "").await?;
    tx.commit().await?;
    Ok(id)
}

/// Notes the end of an import that [`note`] began; without an outcome it broke off.
///
/// # Errors
/// Database errors.
pub async fn end(db: &Db, actor: &Actor, id: i64, outcome: Option<&Outcome>) -> Result<()> {
    let row = stored(db, actor, Goal::Suppressions, id).await?.import;
    let mut tx = db.begin().await?;
    match outcome {
        Some(outcome) => {
            imports::finish(&mut tx, id, outcome.failure.unwrap_or_default(), &outcome.counts, &outcome.problems)
                .await?;
        }
        None => imports::finish(&mut tx, id, BROKEN, &row.counts, &row.problems).await?,
    }
    Ok(tx.commit().await?)
}

/// Enters the addresses of a CSV file. Without a layout the column is known by its name or by what stands in it; a faulty line is
/// noted, the rest goes in. A file that a ledger was written into brings its entries as they were. Entries that are there stay
/// as they are, unless the file has a longer one. Beginning and end are in the audit log, whatever the end is.
///
/// # Errors
/// [`Error::Invalid`] without a reason; database errors. A file that cannot be read is [`Outcome::failure`].
pub async fn import(
    db: &Db,
    into: &Destination<'_>,
    reader: impl Read + Seek + Send + 'static,
    layout: Option<Layout>,
    clock: &SharedClock,
) -> Result<Outcome> {
    checked(&ImportForm { reason: into.reason.to_owned() })?;
    into.note(db, Act::SuppressionsImportStarted, "", clock.now()).await?;
    let mut reading = Reading::addresses(reader, layout);
    let mut outcome = Outcome::default();
    let taken = async {
        let mut faulty = into.faulty.clone().map(Faulty::new);
        while let Some(batch) = reading.next().await {
            let head = batch.head.clone();
            let left = store(db, into, batch, clock, &mut outcome).await?;
            if let Some(faulty) = &mut faulty {
                faulty.add(&head, &left).await?;
            }
        }
        reading.end(&mut outcome).await
    };
    let taken = taken.await;
    into.note(db, Act::SuppressionsImported, &outcome.counts.added.to_string(), clock.now()).await?;
    taken.map(|()| outcome)
}

/// Starts the import of an uploaded file in the background of this process; its row tells how far it is.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Invalid`] for a column that cannot be, and [`Error::Conflict`] for an import that has been
/// started before, and for one too many at a time.
pub async fn start(db: &Db, actor: &Actor, form: &ImportStart, clock: &SharedClock, process: &str) -> Result<()> {
    checked(form)?;
    let Stored { path, import: row } = stored(db, actor, Goal::Suppressions, form.id).await?;
    let mut tx = db.begin().await?;
    set_going(&mut tx, actor, form.id, process).await?;
    tx.commit().await?;
    let (db, actor, clock, layout) = (db.clone(), actor.clone(), clock.clone(), form.layout().addresses());
    tokio::spawn(async move {
        let read = async |file| {
            let into = Destination {
                actor: &actor,
                source: Source::Owner,
                file: &row.file_name,
                reason: &row.why,
                import: row.id,
                faulty: Some(beside(Path::new(&path))),
            };
            import(&db, &into, file, Some(layout), &clock).await
        };
        see_through(&db, (actor.id, Goal::Suppressions, row.id), &path, read).await;
    });
    Ok(())
}

/// Enters what a batch holds, and returns its lines that were not taken.
async fn store(
    db: &Db,
    into: &Destination<'_>,
    batch: Batch,
    clock: &SharedClock,
    outcome: &mut Outcome,
) -> Result<Vec<ByteRecord>> {
    let owner = into.actor.id;
    let columns = Columns::of(&batch.head, &topics::list(db, owner).await?);
    // Later than all that other transactions have stored when it begins: a run that is opened meanwhile asks for what is new.
    let now = clock.now();
    let mut problems = batch.problems;
    let mut good = Vec::new();
    for line in batch.clients {
        match into.entry(&line, columns.as_ref(), now).err() {
            Some(key) => problems.push(line.refused(key)),
            None => good.push(line),
        }
    }
    let entries: Vec<Given<'_>> = good.iter().filter_map(|line| into.entry(line, columns.as_ref(), now).ok()).collect();
    let at_once = if any_open(db, owner).await? { BATCH_IN_RUNS } else { BATCH };
    for some in entries.chunks(at_once) {
        let mut tries = Tries::default();
        outcome.counts = loop {
            match enter(db, (owner, into.import), some, clock.now(), outcome.counts.clone()).await {
                Ok(counts) => break counts,
                Err(error) => tries.again(error).await?,
            }
        };
    }
    problems.sort_by_key(|problem| problem.number);
    let (problems, left): (Vec<_>, Vec<_>) =
        problems.into_iter().map(|Line { made, record, .. }| (made, record)).unzip();
    outcome.counts.took(good.len(), problems.len(), batch.bytes);
    outcome.name(problems);
    Ok(left)
}

/// Enters addresses in one transaction, and returns the counts after it.
async fn enter(
    db: &Db,
    (owner, import): (i64, i64),
    entries: &[Given<'_>],
    now: DateTime<Utc>,
    mut counts: ImportCounts,
) -> DbResult<ImportCounts> {
    let mut tx = db.begin().await?;
    let added = add_all(&mut tx, (owner, import), entries, now).await?;
    let new = added.iter().filter(|added| **added == Added::New).count();
    counts.added += i64::try_from(new).unwrap_or(i64::MAX);
    counts.skipped += i64::try_from(added.len() - new).unwrap_or(i64::MAX);
    imports::progress(&mut tx, import, &counts).await?;
    tx.commit().await?;
    Ok(counts)
}

/// Lifts some entries of an import in one transaction, and returns how many.
async fn lift_some(db: &Db, owner: i64, import: i64) -> DbResult<u64> {
    let mut tx = db.begin().await?;
    let lifted = lift_of_import(&mut tx, owner, import, LIFTED_AT_ONCE).await?;
    tx.commit().await?;
    Ok(lifted)
}

/// Lifts all that an import has entered and that is still there, for the runs to come: the way back for a wrong file. `form` has
/// the number of the import. What is begun is seen through, also when nobody waits for it any more.
///
/// # Errors
/// [`Error::Invalid`] without a reason, [`Error::NotFound`], [`Error::Conflict`] while it runs and if nothing of it is there.
pub async fn lift_import(db: &Db, actor: &Actor, source: Source, form: &LiftForm, now: DateTime<Utc>) -> Result<i64> {
    checked(form)?;
    let Stored { import, .. } = stored(db, actor, Goal::Suppressions, form.id).await?;
    if import.state == ImportState::Running {
        return Err(Error::Conflict("error.import.running"));
    }
    let n = count_of_import(db, actor.id, import.id).await?;
    if n == 0 {
        return Err(Error::Conflict("error.suppression.import_gone"));
    }
    let (db, actor, reason) = (db.clone(), actor.clone(), form.reason.trim().to_owned());
    let lifting = async move {
        let line = noted(&actor, source, Act::SuppressionsImportLifted, &import.file_name);
        let mut tx = db.begin().await?;
        audit::append(&mut tx, &Entry { reason: &reason, before: &n.to_string(), ..line }, now).await?;
        tx.commit().await?;
        let mut tries = Tries::default();
        loop {
            match lift_some(&db, actor.id, import.id).await {
                Ok(0) => return Ok::<_, Error>(n),
                Ok(_) => tries = Tries::default(),
                Err(error) => tries.again(error).await?,
            }
        }
    };
    tokio::spawn(lifting).await.map_err(|error| Error::Internal(error.to_string()))?
}
