//! From the journal into the tables, exactly once.

use super::notes::Left;
use super::record::{Entry, Frame, Record, Ticket};
use super::{FIRST_WAIT, LONGEST_WAIT, Progress, Recorder, Step, file, notes, packed};
use crate::domain::delivery::{Attempt, AttemptStatus, DeliveryState};
use crate::domain::mailing::Counts;
use crate::server::clock::SharedClock;
use crate::server::db::deliveries::{self, Outcome};
use crate::server::db::records::{self, Settled};
use crate::server::db::{Db, DbError, DbResult, Tx, attempts, claims, journals, limits, mailings, runs, suppressions};
use crate::server::failpoint;
use crate::server::supervisor::Supervisor;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use futures::FutureExt;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::mpsc;

/// What a journal says of itself that its frames do not agree with.
const APPLIED: &str = "journals.applied";
/// A journal on PostgreSQL whose engine has not written for so long is forgotten.
const FORGET_AFTER: TimeDelta = TimeDelta::days(7);

/// What the supervisor calls it.
const NAME: &str = "tables";
/// How long the data folder may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long notes are kept that nobody here knows of.
const KEEP: Duration = Duration::from_secs(24 * 60 * 60);

/// Carries a journal over while it is written.
pub struct Applier {
    db: Db,
    clock: SharedClock,
    id: Arc<str>,
    progress: Arc<Progress>,
    supervisor: Supervisor,
}

impl Applier {
    pub fn new(db: Db, clock: SharedClock, id: Arc<str>, progress: Arc<Progress>, supervisor: Supervisor) -> Self {
        Self { db, clock, id, progress, supervisor }
    }

    /// Works until nothing more can come. What a panic interrupts is carried over anew.
    pub async fn run(self, mut steps: mpsc::UnboundedReceiver<Step>) {
        let mut frames = Vec::new();
        while AssertUnwindSafe(self.follow(&mut steps, &mut frames)).catch_unwind().await.is_err()
            && self.supervisor.ended(NAME).await
        {}
    }

    /// `frames` are those that are being carried over.
    async fn follow(&self, steps: &mut mpsc::UnboundedReceiver<Step>, frames: &mut Vec<Frame>) {
        loop {
            self.apply(frames).await;
            match steps.recv().await {
                Some(Step::Frames(next)) => *frames = next,
                // Who asked may be gone.
                Some(Step::Flush(done)) => drop(done.send(())),
                None => return,
            }
        }
    }

    /// Carries frames over, however long it takes.
    async fn apply(&self, frames: &mut Vec<Frame>) {
        if frames.is_empty() {
            return;
        }
        let count: usize = frames.iter().map(|frame| frame.entries.len()).sum();
        let last = frames.last().map(|frame| frame.seq);
        failpoint::panic("apply");
        let (mut wait, mut down) = (FIRST_WAIT, None);
        while let Err(error) = carry_on(&self.db, &self.id, frames, self.clock.now()).await {
            tracing::error!(%error, "the record cannot be carried into the tables; it is kept in the journal");
            down.get_or_insert_with(|| self.supervisor.mark_down(NAME));
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        if let Some(last) = last {
            self.progress.applied.store(last, Ordering::Release);
            self.progress.behind.fetch_sub(count, Ordering::Relaxed);
            self.progress.changed.notify_one();
        }
        frames.clear();
    }
}

impl Recorder {
    /// Carries over what processes that are gone left in their journals. It must be done before what they
    /// had claimed is taken back. On SQLite nobody is gone but at the start of the only engine (`alone`).
    ///
    /// # Errors
    /// Database errors; a later call goes on. A journal that cannot be read is logged and left.
    pub async fn recover(&self, db: &Db, alone: bool, now: DateTime<Utc>) -> DbResult<()> {
        let forget_before = match db.file() {
            None => {
                for id in journals::orphaned(db).await? {
                    if *id != *self.id {
                        recover_table(db, &id, now).await?;
                    }
                }
                now - FORGET_AFTER
            }
            Some(_) if !alone => return Ok(()),
            Some(database) => {
                for id in file::found(&database).unwrap_or_default() {
                    if *id != *self.id {
                        recover_file(db, &database, &id, now).await?;
                    }
                }
                now
            }
        };
        let mut tx = db.begin().await?;
        journals::forget(&mut tx, &self.id, forget_before).await?;
        tx.commit().await
    }
}

impl Recorder {
    /// PostgreSQL: makes journals of what processes of this machine noted that are gone. It must be done before they are
    /// struck off.
    ///
    /// # Errors
    /// Database errors; a later call goes on. Notes that cannot be read are logged and left.
    pub async fn take_up_notes(&self, db: &Db) -> DbResult<()> {
        let Some(notes) = self.notes.clone().filter(|_| db.file().is_none()) else { return Ok(()) };
        // A folder in the network may keep one waiting, which must not stop the signs of life.
        let read = tokio::task::spawn_blocking(move || {
            let read = |mut left: Left| {
                (left.entries().and_then(|entries| Ok((entries.len(), packed::pack(&entries)?))), left)
            };
            notes.left().into_iter().map(read).collect::<Vec<_>>()
        });
        let Ok(found) = tokio::time::timeout(PATIENCE, read).await else {
            tracing::error!("the data folder does not answer");
            return Ok(());
        };
        for (read, left) in found.unwrap_or_default() {
            let (count, records) = match read {
                Ok(read) => read,
                Err(error) => {
                    tracing::error!(process = left.id, %error, "what a process noted cannot be read; it is left as it is");
                    continue;
                }
            };
            if journals::append_noted(db, &left.id, &records).await? {
                tracing::info!(process = left.id, records = count, "took up what a process noted that is gone");
            } else if left.age() < KEEP {
                // It may belong to another database.
                continue;
            }
            let process = left.id.clone();
            if let Err(error) = left.remove() {
                tracing::warn!(process, %error, "notes that nobody needs any more cannot be removed");
            }
        }
        Ok(())
    }
}

async fn recover_table(db: &Db, id: &str, now: DateTime<Utc>) -> DbResult<()> {
    const AT_ONCE: i64 = 100;
    loop {
        let after = journals::applied(db, id).await?;
        let rows = journals::frames(db, id, after, AT_ONCE).await?;
        let mut frames = Vec::with_capacity(rows.len());
        for (seq, records) in rows {
            let entries = packed::unpack(records.as_bytes())
                .map_err(|error| DbError::Corrupt { column: "journal_frames.records", value: error.to_string() })?;
            frames.push(Frame { seq, entries });
        }
        if frames.is_empty() {
            return Ok(());
        }
        carry(db, id, &mut frames, now).await?;
    }
}

async fn recover_file(db: &Db, database: &std::path::Path, id: &str, now: DateTime<Utc>) -> DbResult<()> {
    let after = journals::applied(db, id).await?;
    match file::read(database, id, after) {
        Ok(mut frames) => {
            let noted = notes::read(database, id).unwrap_or_else(|error| {
                tracing::error!(journal = id, %error, "what the last engine noted cannot be read");
                Vec::new()
            });
            // Notes come last: what the journal has of a delivery, and all that others have done with it, goes before.
            let seq = frames.last().map_or(after, |frame| frame.seq) + 1;
            frames.push(Frame { seq, entries: noted });
            let count: usize = frames.iter().map(|frame| frame.entries.len()).sum();
            carry(db, id, &mut frames, now).await?;
            tracing::info!(records = count, "carried over what the last engine had recorded");
            if let Err(error) = notes::remove(database, id).and_then(|()| file::remove(database, id)) {
                tracing::warn!(journal = id, %error, "a journal that is carried over cannot be removed");
            }
        }
        Err(error) => tracing::error!(journal = id, %error, "a journal cannot be read; it is left as it is"),
    }
    Ok(())
}

/// [`carry`], also where PostgreSQL has come back from a crash without the last of what was carried over: the frames of
/// that are in the journal again.
pub(super) async fn carry_on(db: &Db, id: &str, frames: &mut Vec<Frame>, now: DateTime<Utc>) -> DbResult<()> {
    match carry(db, id, frames, now).await {
        Err(DbError::Corrupt { column: APPLIED, .. }) if db.file().is_none() => {
            recover_table(db, id, now).await?;
            carry(db, id, frames, now).await
        }
        carried => carried,
    }
}

/// Carries frames over in one transaction. Those that somebody else carried over meanwhile are left out. What a crash
/// takes back is still in the journal.
async fn carry(db: &Db, id: &str, frames: &mut Vec<Frame>, now: DateTime<Utc>) -> DbResult<()> {
    loop {
        let (Some(first), Some(last)) = (frames.first(), frames.last()) else { return Ok(()) };
        let (from, to) = (first.seq - 1, last.seq);
        let entries = latest(frames);
        let mut tx = db.begin_in_order().await?;
        if journals::advance(&mut tx, id, from, to, now).await? {
            let changes = match together(&mut tx, &entries, now).await? {
                Some(changes) => changes,
                // A lease is lost. What belongs to others is left out, one by one.
                None => {
                    drop(tx);
                    tx = db.begin_in_order().await?;
                    if !journals::advance(&mut tx, id, from, to, now).await? {
                        continue;
                    }
                    one_by_one(&mut tx, &entries, now).await?
                }
            };
            for (run, change) in changes.counts {
                runs::count(&mut tx, run, &change).await?;
                if runs::close(&mut tx, run, now).await? {
                    mailings::finish_after(&mut tx, run).await?;
                }
            }
            // Last: a claim may hold an owner's count, and waits for nothing that is held here.
            limits::count_letters(&mut tx, &changes.letters).await?;
            return tx.commit().await;
        }
        drop(tx);
        let applied = journals::applied(db, id).await?;
        frames.retain(|frame| frame.seq > applied);
        if frames.first().is_some_and(|frame| frame.seq != applied + 1) {
            return Err(DbError::Corrupt { column: APPLIED, value: applied.to_string() });
        }
    }
}

/// The last entry about each delivery, in order: an arm that was settled needs no row of its own.
fn latest(frames: &[Frame]) -> Vec<&Entry> {
    let mut place = HashMap::new();
    let mut entries: Vec<Option<&Entry>> = Vec::new();
    for entry in frames.iter().flat_map(|frame| &frame.entries) {
        if let Some(before) = place.insert((entry.ticket.id, &entry.ticket.lease), entries.len()) {
            entries[before] = None;
        }
        entries.push(Some(entry));
    }
    entries.into_iter().flatten().collect()
}

/// What records come to.
#[derive(Default)]
struct Changes {
    /// By run.
    counts: BTreeMap<i64, Counts>,
    /// Letters that left, or may have left, by run and day.
    letters: BTreeMap<(i64, NaiveDate), i64>,
}

impl Changes {
    /// One delivery goes from where its run counts it to its new state.
    fn settled(&mut self, ticket: &Ticket, attempt: &Attempt, state: DeliveryState) {
        moved(self.counts.entry(ticket.run).or_default(), ticket.was_deferred, state);
        if matches!(attempt.status, AttemptStatus::Sent | AttemptStatus::Unknown) {
            *self.letters.entry((ticket.run, attempt.at.date_naive())).or_default() += 1;
        }
    }
}

/// Carries entries over many at a time; `None`, with some of it done, if a lease is lost.
async fn together(tx: &mut Tx, entries: &[&Entry], now: DateTime<Utc>) -> DbResult<Option<Changes>> {
    let mut changes = Changes::default();
    let mut settled = Vec::with_capacity(entries.len());
    let leases: BTreeSet<&str> = entries.iter().map(|entry| entry.lease()).collect();
    let good = claims::good(tx, &leases.into_iter().collect::<Vec<_>>()).await?;
    for Entry { ticket, record } in entries {
        match record {
            Record::Settle { attempt, state, reason, due_at } => {
                changes.settled(ticket, attempt, *state);
                settled.push(Settled {
                    id: ticket.id,
                    run: ticket.run,
                    lease: &ticket.lease,
                    good: good.contains(&ticket.lease),
                    state: state.as_str(),
                    reason,
                    due_at: *due_at,
                    attempt,
                });
            }
            Record::PutBack { due_at } => {
                deliveries::put_back(tx, ticket.id, &ticket.lease, *due_at).await?;
            }
            Record::Arm => {}
        }
    }
    arm(tx, entries).await?;
    if !settled.is_empty() {
        let count = u64::try_from(settled.len()).unwrap_or(u64::MAX);
        if records::settle(tx, &settled).await? != count {
            return Ok(None);
        }
        records::insert_attempts(tx, &settled).await?;
        for Settled { id, attempt, .. } in settled {
            if suppressions::condemns(attempt) {
                suppressions::condemn(tx, id, attempt, now).await?;
            }
        }
    }
    Ok(Some(changes))
}

/// Arms what is armed and not settled yet: some letters for each connection. A lease that is lost is somebody else's.
async fn arm(tx: &mut Tx, entries: &[&Entry]) -> DbResult<()> {
    let mut ids = BTreeMap::<&str, Vec<i64>>::new();
    for Entry { ticket, .. } in entries.iter().filter(|entry| entry.is_arm()) {
        ids.entry(&ticket.lease).or_default().push(ticket.id);
    }
    for (lease, ids) in ids {
        records::arm(tx, lease, &ids).await?;
    }
    Ok(())
}

async fn one_by_one(tx: &mut Tx, entries: &[&Entry], now: DateTime<Utc>) -> DbResult<Changes> {
    let mut changes = Changes::default();
    arm(tx, entries).await?;
    for Entry { ticket, record } in entries {
        let (attempt, state, reason, due_at) = match record {
            Record::Settle { attempt, state, reason, due_at } => (attempt, state, reason, due_at),
            Record::PutBack { due_at } => {
                deliveries::put_back(tx, ticket.id, &ticket.lease, *due_at).await?;
                continue;
            }
            Record::Arm => continue,
        };
        let outcome = Outcome {
            state: *state,
            reason,
            attempts: attempt.number,
            due_at: *due_at,
            at: attempt.at,
            code: attempt.code,
            reply: &attempt.reply,
        };
        if deliveries::settle(tx, ticket.id, &ticket.lease, &outcome).await? {
            attempts::insert(tx, ticket.id, ticket.run, attempt).await?;
            if suppressions::condemns(attempt) {
                suppressions::condemn(tx, ticket.id, attempt, now).await?;
            }
            changes.settled(ticket, attempt, *state);
        }
    }
    Ok(changes)
}

/// Moves one delivery from where its run counts it to its new state.
fn moved(counts: &mut Counts, was_deferred: bool, state: DeliveryState) {
    *(if was_deferred { &mut counts.deferred } else { &mut counts.waiting }) -= 1;
    *match state {
        DeliveryState::Pending | DeliveryState::Claimed | DeliveryState::Armed => &mut counts.waiting,
        DeliveryState::Deferred => &mut counts.deferred,
        DeliveryState::Sent => &mut counts.sent,
        DeliveryState::Failed => &mut counts.failed,
        DeliveryState::Unknown => &mut counts.unknown,
        DeliveryState::NotSent => &mut counts.not_sent,
    } += 1;
}
