//! Group commit: one task gathers what all connections want recorded and commits it in one
//! transaction. Each waits for its own commit, so that durable costs a fraction of a commit each.

use crate::domain::delivery::{Attempt, DeliveryState};
use crate::domain::mailing::Counts;
use crate::server::clock::SharedClock;
use crate::server::db::deliveries::{self, Outcome};
use crate::server::db::{Db, DbResult, attempts, mailings, runs, suppressions};
use crate::server::metrics;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// Most records in one transaction.
const BATCH: usize = 500;
/// Waits between tries while the database is in trouble.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Something to record about a claimed delivery.
#[derive(Debug)]
pub enum Record {
    /// About to be handed over. Refused if the mailing has been stopped or has ended meanwhile.
    Arm,
    /// An attempt and what it made of the delivery.
    Settle { attempt: Attempt, state: DeliveryState, reason: &'static str, due_at: DateTime<Utc> },
    /// Back to where it was before it was claimed, to be taken again from `due_at` on.
    PutBack { due_at: DateTime<Utc> },
}

/// The delivery that a record is about.
#[derive(Clone, Debug)]
pub struct Ticket {
    pub id: i64,
    pub run: i64,
    pub lease: String,
    pub was_deferred: bool,
}

struct Entry {
    ticket: Ticket,
    record: Record,
    done: oneshot::Sender<bool>,
}

/// The way to the recording task.
#[derive(Clone)]
pub struct Recorder(mpsc::Sender<Entry>);

impl Recorder {
    /// Starts the task; it ends when the last handle is dropped.
    pub fn start(db: Db, clock: SharedClock) -> Self {
        let (sender, receiver) = mpsc::channel(BATCH * 2);
        tokio::spawn(work(db, clock, receiver));
        Self(sender)
    }

    /// Records durably; true if it was still ours to record, false if the lease is lost or, for
    /// [`Record::Arm`], the letter may not leave any more.
    pub async fn record(&self, ticket: &Ticket, record: Record) -> bool {
        let (done, answer) = oneshot::channel();
        let entry = Entry { ticket: ticket.clone(), record, done };
        self.0.send(entry).await.is_ok() && answer.await.unwrap_or(false)
    }
}

async fn work(db: Db, clock: SharedClock, mut receiver: mpsc::Receiver<Entry>) {
    let mut batch = Vec::with_capacity(BATCH);
    while receiver.recv_many(&mut batch, BATCH).await > 0 {
        let mut wait = FIRST_WAIT;
        let answers = loop {
            let begun = Instant::now();
            match commit(&db, &batch, clock.now()).await {
                Ok(answers) => {
                    metrics::commit(begun.elapsed());
                    break answers;
                }
                Err(error) => {
                    tracing::error!(%error, "the record cannot be written; sending waits");
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
            }
        };
        for (entry, answer) in batch.drain(..).zip(answers) {
            // Who asked may be gone; what is recorded stays recorded.
            let _ = entry.done.send(answer);
        }
    }
}

async fn commit(db: &Db, batch: &[Entry], now: DateTime<Utc>) -> DbResult<Vec<bool>> {
    let mut tx = db.begin().await?;
    let mut answers = Vec::with_capacity(batch.len());
    let mut changes = BTreeMap::<i64, Counts>::new();
    for Entry { ticket, record, .. } in batch {
        let answer = match record {
            Record::Arm => deliveries::arm(&mut tx, ticket.id, &ticket.lease, now).await?,
            Record::PutBack { due_at } => deliveries::put_back(&mut tx, ticket.id, &ticket.lease, *due_at).await?,
            Record::Settle { attempt, state, reason, due_at } => {
                let outcome = Outcome {
                    state: *state,
                    reason,
                    attempts: attempt.number,
                    due_at: *due_at,
                    at: attempt.at,
                    code: attempt.code,
                    reply: &attempt.reply,
                };
                let ours = deliveries::settle(&mut tx, ticket.id, &ticket.lease, &outcome).await?;
                if ours {
                    attempts::insert(&mut tx, ticket.id, ticket.run, attempt).await?;
                    if suppressions::condemns(attempt) {
                        suppressions::add(&mut tx, ticket.id, attempt, now).await?;
                    }
                    moved(changes.entry(ticket.run).or_default(), ticket.was_deferred, *state);
                }
                ours
            }
        };
        answers.push(answer);
    }
    for (run, change) in changes {
        runs::count(&mut tx, run, &change).await?;
        if runs::close(&mut tx, run, now).await? {
            mailings::finish_after(&mut tx, run).await?;
        }
    }
    tx.commit().await?;
    Ok(answers)
}

/// Moves one delivery from where its run counts it to its new state.
pub fn moved(counts: &mut Counts, was_deferred: bool, state: DeliveryState) {
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
