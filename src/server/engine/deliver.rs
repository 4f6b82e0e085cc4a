//! Delivering: one feeder claims small batches of every open run in turn, and each connection takes
//! the next one when it is free.

use super::Engine;
use super::decide::{Decision, decide};
use super::failpoint;
use super::recorder::{Record, Ticket};
use super::relays::{Handed, Session};
use crate::domain::delivery::{Attempt, AttemptStatus, DeliveryState, Stage};
use crate::domain::mailing::{Counts, PauseReason};
use crate::server::db::deliveries::{self, Claimed};
use crate::server::db::runs::{self, OpenRun};
use crate::server::db::{DbResult, mailings, processes};
use crate::server::mail::classify::{Outcome, OutcomeKind};
use crate::server::mail::compose::{Composer, Letter, Mailbox, RunParts};
use crate::server::mail::template::Recipient;
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::ExposeSecret;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, RwLockReadGuard, RwLockWriteGuard, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Deliveries claimed at once for each connection: enough to keep it busy during a claim.
const PER_CONNECTION: usize = 20;
/// Letters refused after the dot, one after the other, after which the mailing is paused.
pub(super) const REFUSED_IN_A_ROW: u32 = 50;
/// What a lease lasts beyond the deadlines of one delivery.
const LEASE_SPARE: Duration = Duration::from_secs(120);

/// A claimed delivery on its way to a connection.
struct Job {
    run: Arc<RunWork>,
    claimed: Claimed,
    ticket: Ticket,
}

/// What all deliveries of a run share.
struct RunWork {
    mailing: i64,
    hold: bool,
    /// Letters that the mail server refused after the dot since it last took one.
    refused: AtomicU32,
    /// A run whose message cannot be used fails each delivery with this sentence.
    composer: Result<Composer, String>,
}

type Jobs = Arc<Mutex<mpsc::Receiver<Job>>>;

impl Engine {
    /// Delivers until nothing is left to claim now, of one mailing or of all.
    pub(super) async fn deliver_all(&self, mailing: Option<i64>) -> DbResult<()> {
        self.relays.refresh().await?;
        let connections = self.relays.workers();
        let (sender, receiver) = mpsc::channel(connections * PER_CONNECTION);
        let jobs: Jobs = Arc::new(Mutex::new(receiver));
        let mut workers = JoinSet::new();
        let fed_out = CancellationToken::new();
        for _ in 0..connections {
            workers.spawn(self.clone().work(jobs.clone(), fed_out.clone()));
        }
        let fed = self.feed(mailing, sender, connections).await;
        fed_out.cancel();
        while workers.join_next().await.is_some() {}
        // What nobody had a place for.
        while let Ok(job) = jobs.lock().await.try_recv() {
            self.put_back(&job, self.clock.now()).await;
        }
        self.relays.rest().await;
        fed
    }

    async fn feed(&self, mailing: Option<i64>, sender: mpsc::Sender<Job>, connections: usize) -> DbResult<()> {
        let batch = i64::try_from(connections * PER_CONNECTION).unwrap_or(i64::MAX);
        let mut works = HashMap::<i64, Arc<RunWork>>::new();
        while !self.stop.is_cancelled() {
            let mut found = false;
            self.relays.refresh().await?;
            for run in runs::open_runs(&self.db, mailing).await? {
                let now = self.clock.now();
                if run.blocked || now >= run.end_at {
                    self.end_run(&run, if run.blocked { "owner_blocked" } else { "ended" }, now).await?;
                    continue;
                }
                if run.stopped || self.relays.closed_until(now).is_some() {
                    continue;
                }
                let work = works.entry(run.id).or_insert_with(|| Arc::new(self.prepare(&run))).clone();
                let lease = self.lease_word();
                let mut tx = self.db.begin().await?;
                let claimed = deliveries::claim(&mut tx, run.id, &lease, now + self.lease(), now, batch).await?;
                tx.commit().await?;
                found |= !claimed.is_empty();
                for claimed in claimed {
                    let ticket = Ticket {
                        id: claimed.id,
                        run: run.id,
                        lease: lease.clone(),
                        was_deferred: claimed.was_deferred,
                    };
                    let job = Job { run: work.clone(), claimed, ticket };
                    if sender.send(job).await.is_err() {
                        return Ok(());
                    }
                }
            }
            if !found {
                return Ok(());
            }
        }
        Ok(())
    }

    /// A lease outlives the deadlines of all that may stand before a delivery in the queue.
    fn lease(&self) -> TimeDelta {
        let timeouts = &self.config.timeouts;
        let one = timeouts.connect + timeouts.greeting + timeouts.delivery();
        let queue = u32::try_from(PER_CONNECTION * 2).unwrap_or(u32::MAX);
        TimeDelta::from_std(one.saturating_mul(queue) + LEASE_SPARE).unwrap_or(TimeDelta::days(7))
    }

    fn prepare(&self, run: &OpenRun) -> RunWork {
        let parts = RunParts {
            from: Mailbox { name: &run.snapshot.from_name, address: self.config.from.as_str() },
            reply_to: &run.snapshot.reply_to,
            subject: &run.snapshot.subject,
            body: &run.snapshot.body,
            lang: run.snapshot.lang,
            run_id: run.id,
            secret: self.config.secret.expose_secret().as_bytes(),
        };
        let composer = Composer::new(&parts).map_err(|error| error.to_string());
        RunWork { mailing: run.mailing_id, hold: run.hold, refused: AtomicU32::new(0), composer }
    }

    /// Ends what is left of a run that may not go on.
    async fn end_run(&self, run: &OpenRun, reason: &str, now: DateTime<Utc>) -> DbResult<()> {
        let mut tx = self.db.begin().await?;
        let (pending, deferred) = deliveries::end(&mut tx, run.id, reason).await?;
        let change =
            Counts { waiting: -pending, deferred: -deferred, not_sent: pending + deferred, ..Counts::default() };
        runs::count(&mut tx, run.id, &change).await?;
        if runs::close(&mut tx, run.id, now).await? {
            mailings::finish_after(&mut tx, run.id).await?;
        }
        tx.commit().await
    }

    async fn work(self, jobs: Jobs, fed_out: CancellationToken) {
        let mut session = self.relays.session(self.stop.clone());
        loop {
            // Without a place at a relay it leaves the letters to those that have one.
            tokio::select! {
                biased;
                () = session.placed() => {}
                () = fed_out.cancelled() => break,
            }
            let job = jobs.lock().await.recv().await;
            let Some(job) = job else { break };
            if self.stop.is_cancelled() {
                self.put_back(&job, self.clock.now()).await;
            } else {
                self.deliver(&mut session, job).await;
            }
        }
        session.leave().await;
    }

    async fn deliver(&self, session: &mut Session, job: Job) {
        let _turn = self.turn_for(&job).await;
        failpoint::reach("compose", &job.claimed.email);
        let at = self.clock.now();
        let begun = Instant::now();
        let recipient =
            Recipient { email: &job.claimed.email, full_name: &job.claimed.full_name, comment: &job.claimed.comment };
        let letter = match &job.run.composer {
            Ok(composer) => composer.compose(&recipient, job.claimed.client_id, at).map_err(|error| error.to_string()),
            Err(error) => Err(error.clone()),
        };
        let handed = match (&letter, &job.run.composer) {
            (Ok(letter), Ok(composer)) => {
                if !session.ready().await {
                    // Nothing is claimed again until a relay can be used.
                    return self.put_back(&job, self.clock.now()).await;
                }
                self.send(session, composer.sender(), letter, &job).await
            }
            (Err(error), _) | (_, Err(error)) => Handed::not_made(error.clone()),
        };
        self.settle(&job, handed, at, begun.elapsed()).await;
    }

    async fn send(&self, session: &mut Session, sender: &str, letter: &Letter, job: &Job) -> Handed {
        let arm = async || {
            let may_leave = self.recorder.record(&job.ticket, Record::Arm).await;
            if may_leave { Ok(()) } else { Err("the letter may not leave any more") }
        };
        session.send(sender, letter, arm).await
    }

    async fn put_back(&self, job: &Job, due_at: DateTime<Utc>) {
        self.tally.put_back.fetch_add(1, Ordering::Relaxed);
        self.recorder.record(&job.ticket, Record::PutBack { due_at }).await;
    }

    async fn settle(&self, job: &Job, handed: Handed, at: DateTime<Utc>, took: Duration) {
        let Handed { outcome, relay } = handed;
        let number = job.claimed.attempts + 1;
        let jitter = rand::random::<f64>() * 2.0 - 1.0;
        let decision = decide(outcome.kind, number, job.run.hold, &self.config.retry, jitter);
        let Decision::Settle { status, state, reason, wait } = decision else {
            return self.put_back(job, self.clock.now()).await;
        };
        if let Some(why) = job.run.reason_to_pause(&outcome) {
            self.pause(job.run.mailing, why, &outcome).await;
        }
        let (code, enhanced, text) = match outcome.reply {
            Some(reply) => (Some(i32::from(reply.code)), reply.enhanced, reply.text),
            None => (None, None, outcome.note),
        };
        let attempt = Attempt {
            number,
            at,
            ms: i64::try_from(took.as_millis()).unwrap_or(i64::MAX),
            stage: outcome.stage,
            status,
            relay,
            code,
            enhanced,
            reply: text,
        };
        if status != AttemptStatus::Sent {
            tracing::debug!(delivery = job.ticket.id, reply = attempt.reply, ?state, "not delivered");
        }
        let due_at = if state == DeliveryState::Deferred { self.clock.now() + wait } else { at };
        if self.recorder.record(&job.ticket, Record::Settle { attempt, state, reason, due_at }).await {
            self.tally.add(state);
        }
    }

    /// Nobody else of this mailing would get through.
    async fn pause(&self, mailing: i64, why: PauseReason, outcome: &Outcome) {
        let reply = outcome.reply.as_ref().map(|reply| format!("{} {}", reply.code, reply.text)).unwrap_or_default();
        let paused = async {
            let mut tx = self.db.begin().await?;
            mailings::pause_any(&mut tx, mailing, why, &reply, self.clock.now()).await?;
            tx.commit().await
        };
        match paused.await {
            Ok(()) => tracing::warn!(mailing, why = why.as_str(), reply, "the mailing is paused"),
            Err(error) => tracing::error!(mailing, %error, "a mailing that cannot go on cannot be paused"),
        }
    }

    /// Waits until a delivery may be taken in hand: beside others, or alone if the process has died with it.
    async fn turn_for(&self, job: &Job) -> Turn<'_> {
        let turn = if job.claimed.crashes < processes::ALONE_FROM {
            Turn::Among(self.alone.read().await)
        } else {
            Turn::Alone(self.alone.write().await)
        };
        if job.claimed.crashes > 0 {
            self.take_in_hand(job).await;
        }
        turn
    }

    /// Counts beforehand that the process dies of a delivery with which it has died before.
    async fn take_in_hand(&self, job: &Job) {
        let counted = async {
            let mut tx = self.db.begin().await?;
            processes::in_hand(&mut tx, job.ticket.id, &job.ticket.lease).await?;
            tx.commit().await
        };
        if let Err(error) = counted.await {
            tracing::error!(delivery = job.ticket.id, %error, "a suspect delivery could not be marked");
        }
    }
}

/// The right to have a delivery in hand.
enum Turn<'a> {
    Among(#[expect(dead_code, reason = "held while it lives")] RwLockReadGuard<'a, ()>),
    Alone(#[expect(dead_code, reason = "held while it lives")] RwLockWriteGuard<'a, ()>),
}

impl RunWork {
    /// Whether what became of a letter says that the others would fare no better.
    fn reason_to_pause(&self, outcome: &Outcome) -> Option<PauseReason> {
        match (outcome.stage, outcome.kind) {
            (_, OutcomeKind::SenderRefused) => {
                let for_good = outcome.reply.as_ref().is_some_and(|reply| reply.code >= 500);
                for_good.then_some(PauseReason::SenderRefused)
            }
            (Stage::Dot, OutcomeKind::TryLater | OutcomeKind::Refused) => {
                let refused = self.refused.fetch_add(1, Ordering::Relaxed) + 1;
                (refused == REFUSED_IN_A_ROW).then_some(PauseReason::LettersRefused)
            }
            (Stage::Dot, OutcomeKind::Sent) => {
                self.refused.store(0, Ordering::Relaxed);
                None
            }
            _ => None,
        }
    }
}

#[cfg(test)]
impl Engine {
    /// One claimed delivery over a connection of its own.
    pub(super) async fn deliver_one(&self, run: &OpenRun, claimed: Claimed, lease: &str) {
        let ticket =
            Ticket { id: claimed.id, run: run.id, lease: lease.to_owned(), was_deferred: claimed.was_deferred };
        let job = Job { run: Arc::new(self.prepare(run)), claimed, ticket };
        self.deliver(&mut self.relays.session(self.stop.clone()), job).await;
    }
}
