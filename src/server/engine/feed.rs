//! Feeding: claims deliveries of every open run in turn, a batch ahead of what the connections send.

use super::Engine;
use super::recorder::{MOST_AHEAD, Ticket};
use crate::domain::lang::Lang;
use crate::domain::mailing::{Counts, PauseReason};
use crate::domain::mass_mail::MassMail;
use crate::locales;
use crate::server::db::claims::{self, Claimed};
use crate::server::db::runs::{self, OpenRun};
use crate::server::db::settings::{self, Sender};
use crate::server::db::{DbResult, deliveries, limits, mailings, suppressions};
use crate::server::failpoint;
use crate::server::mail::compose::{ComposeError, Composer, Mailbox, RunParts};
use crate::server::mail::leaving::LeavingParts;
use crate::server::mail::return_path::ReturnPath;
use crate::server::mail::template::TemplateError;
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::ExposeSecret;
use std::collections::{HashMap, VecDeque};
use std::fmt::Display;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, mpsc};

/// Deliveries claimed at once: few at first and where the mail server is slow, so that all runs get their
/// turn; many where it is fast, so that a claim costs little for each.
const FEWEST_PER_CONNECTION: usize = 2;
const MOST: usize = 1000;
/// A batch should keep the connections busy for about so long.
const BATCH_LASTS: Duration = Duration::from_millis(100);
/// Batches that may be claimed and not sent: one on its way, one being taken, one being claimed.
const AHEAD: usize = 3;
/// What a lease lasts beyond the deadlines of all that may stand before a delivery.
const LEASE_SPARE: Duration = Duration::from_secs(120);

/// A claimed delivery on its way to a connection.
pub struct Job {
    pub run: Arc<RunWork>,
    pub claimed: Claimed,
    pub ticket: Ticket,
    /// The envelope's sender, where it is this letter's own.
    pub sender: Option<String>,
}

/// What all deliveries of a run share.
pub struct RunWork {
    pub mailing: i64,
    pub hold: bool,
    /// Letters that the mail server refused after the dot since it last took one.
    pub refused: AtomicU32,
    /// The language that its owner is told in why a letter could not be made.
    pub lang: Lang,
    /// A run whose message cannot be used fails each delivery with this sentence.
    pub composer: Result<Composer, String>,
    /// Where bounces return to, if not to the sender.
    pub returns: Option<ReturnPath>,
}

/// Where connections take their jobs.
pub struct Queue {
    batches: Mutex<mpsc::Receiver<Vec<Job>>>,
    ready: std::sync::Mutex<VecDeque<Job>>,
}

impl Queue {
    pub fn new(batches: mpsc::Receiver<Vec<Job>>) -> Self {
        Self { batches: Mutex::new(batches), ready: std::sync::Mutex::default() }
    }

    /// What has been left over.
    pub async fn rest(&self) -> Vec<Job> {
        let mut rest: Vec<Job> = self.ready().drain(..).collect();
        let mut batches = self.batches.lock().await;
        while let Ok(batch) = batches.try_recv() {
            rest.extend(batch);
        }
        rest
    }

    /// The next job, if there are more than `others` besides that nobody has to wait for, and it has done no harm before.
    /// Only the last ones of all are left to whoever is free first: a batch that is on its way counts.
    pub fn at_hand(&self, others: usize) -> Option<Job> {
        let mut ready = self.ready();
        // Who waits for a batch holds the lock: then there is none.
        if ready.len() <= others
            && let Ok(mut batches) = self.batches.try_lock()
            && let Ok(batch) = batches.try_recv()
        {
            ready.extend(batch);
        }
        let spare = ready.len() > others && ready.front().is_some_and(|job| job.claimed.crashes == 0);
        if spare { ready.pop_front() } else { None }
    }

    fn ready(&self) -> std::sync::MutexGuard<'_, VecDeque<Job>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next job, once there is one; none when nothing more will come.
    pub async fn next(&self) -> Option<Job> {
        loop {
            if let Some(job) = self.ready().pop_front() {
                return Some(job);
            }
            let mut batches = self.batches.lock().await;
            // Another connection may have waited for the same batch.
            if self.ready().is_empty() {
                let batch = batches.recv().await?;
                self.ready().extend(batch);
            }
        }
    }
}

impl Engine {
    pub(super) async fn feed(
        &self,
        mailing: Option<i64>,
        sender: mpsc::Sender<Vec<Job>>,
        connections: usize,
    ) -> DbResult<()> {
        let fewest = (connections * FEWEST_PER_CONNECTION).clamp(1, MOST);
        let mut batch = fewest;
        let mut works = HashMap::<i64, Arc<RunWork>>::new();
        let mut sender_now = settings::sender(&self.db, &self.config.from).await?;
        while !self.stop.is_cancelled() {
            failpoint::panic("feed");
            let mut found = false;
            self.relays.refresh().await?;
            if self.relays.workers() > connections {
                return Ok(());
            }
            let letters_from = settings::sender(&self.db, &self.config.from).await?;
            if letters_from != sender_now {
                sender_now = letters_from;
                works.clear();
            }
            for run in runs::open_runs(&self.db, mailing).await? {
                let now = self.clock.now();
                if run.blocked || now >= run.end_at {
                    let reason = match () {
                        () if run.blocked => "owner_blocked",
                        () if run.disabled => "disabled",
                        () => "ended",
                    };
                    self.end_run(&run, reason, now).await?;
                    continue;
                }
                if run.stopped || self.relays.closed_until(now).is_some() {
                    continue;
                }
                if MassMail::of(&self.config.site, self.relays.catching()).refuses(run.letters) {
                    let mut tx = self.db.begin().await?;
                    mailings::pause_any(&mut tx, run.mailing_id, PauseReason::NoPublicAddress, "", now).await?;
                    tx.commit().await?;
                    self.tally.paused(run.mailing_id);
                    tracing::warn!(mailing = run.mailing_id, "paused: mass mail needs VESTNIK_PUBLIC_URL with https");
                    continue;
                }
                // Its owner may have changed the policy.
                works.retain(|id, work| *id != run.id || work.hold == run.hold);
                let work = works.entry(run.id).or_insert_with(|| Arc::new(self.prepare(&run, &sender_now))).clone();
                let lease = self.lease_word();
                let mut limit = i64::try_from(batch).unwrap_or(i64::MAX);
                // No letter leaves before its arm is durable, which a claim comes before.
                let mut tx = self.db.begin_in_order().await?;
                if let Some(most) = run.letters_max {
                    claims::lock(&mut tx, run.id).await?;
                    limit = limit.min(limits::letters_left(&mut tx, run.owner_id, most, now).await?);
                }
                let until = now + self.lease(batch, connections);
                let claimed = claims::claim(&mut tx, run.id, &lease, until, now, limit).await?;
                claims::forget(&mut tx, run.id, &lease).await?;
                tx.commit().await?;
                if claimed.is_empty() {
                    continue;
                }
                found = true;
                let claimed = self.without_those_who_left(&run, &lease, claimed, now).await?;
                let job = |claimed: Claimed| {
                    let ticket = Ticket {
                        id: claimed.id,
                        run: run.id,
                        lease: lease.clone(),
                        was_deferred: claimed.was_deferred(),
                    };
                    let sender = work.returns.as_ref().map(|paths| paths.bounce(claimed.id));
                    Job { run: work.clone(), claimed, ticket, sender }
                };
                failpoint::panic("claimed");
                let began = Instant::now();
                if sender.send(claimed.into_iter().map(job).collect()).await.is_err() {
                    return Ok(());
                }
                let waited = began.elapsed();
                if waited < BATCH_LASTS {
                    batch = (batch * 2).min(MOST);
                } else if waited > BATCH_LASTS * 4 {
                    batch = (batch / 2).max(fewest);
                }
            }
            if !found {
                return Ok(());
            }
        }
        Ok(())
    }

    /// What of a claim may be sent. The rest has its outcome.
    async fn without_those_who_left(
        &self,
        run: &OpenRun,
        lease: &str,
        mut claimed: Vec<Claimed>,
        now: DateTime<Utc>,
    ) -> DbResult<Vec<Claimed>> {
        let whose = (run.owner_id, run.snapshot.topic);
        let addresses = claimed.iter().map(|claimed| (claimed.id, claimed.email.as_str()));
        let left = suppressions::among(&self.db, whose, run.opened_at, now, addresses).await?;
        if !left.is_empty() {
            let mut left: HashMap<i64, String> = left.into_iter().collect();
            let mut out = Vec::with_capacity(left.len());
            claimed.retain(|claimed| match left.remove(&claimed.id) {
                Some(reason) => {
                    out.push((claimed.id, reason, claimed.was_deferred()));
                    false
                }
                None => true,
            });
            let mut tx = self.db.begin().await?;
            suppressions::leave_out_claimed(&mut tx, (run.id, lease), &out, now).await?;
            tx.commit().await?;
        }
        Ok(claimed)
    }

    /// A lease outlives the deadlines of all that may stand before a delivery in the queue.
    fn lease(&self, batch: usize, connections: usize) -> TimeDelta {
        let timeouts = &self.config.timeouts;
        let one = timeouts.connect + timeouts.greeting + timeouts.delivery();
        // Each connection may have one in hand, and some that come next.
        let queue = u32::try_from(batch * AHEAD / connections.max(1) + 1 + MOST_AHEAD).unwrap_or(u32::MAX);
        TimeDelta::from_std(one.saturating_mul(queue) + LEASE_SPARE).unwrap_or(TimeDelta::days(7))
    }

    pub(super) fn prepare(&self, run: &OpenRun, sender: &Sender) -> RunWork {
        let parts = RunParts {
            from: Mailbox { name: &run.snapshot.from_name, address: sender.email.as_str() },
            reply_to: &run.snapshot.reply_to,
            subject: &run.snapshot.subject,
            preheader: &run.snapshot.preheader,
            body: &run.snapshot.body,
            look: run.snapshot.look.as_ref(),
            lang: run.snapshot.lang,
            run_id: run.id,
            secret: self.config.secret.expose_secret().as_bytes(),
            dkim: self.config.dkim.as_ref(),
            leaving: LeavingParts {
                tokens: &self.config.tokens,
                site: &self.config.site,
                returns: self.config.returns.as_ref(),
                words: &locales::text(run.snapshot.lang, "leaving.link"),
                owner: run.owner_id,
                mailing: run.mailing_id,
                topic: run.snapshot.topic,
            },
        };
        let lang = run.snapshot.lang;
        let composer = Composer::new(&parts).map_err(|error| why_not_made(&error, lang));
        RunWork {
            mailing: run.mailing_id,
            hold: run.hold,
            refused: AtomicU32::new(0),
            lang,
            composer,
            returns: self.config.returns.clone(),
        }
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
}

/// Why a letter cannot be made, in the words that stand at the field where a message is written.
pub(super) fn why_not_made(error: &ComposeError, lang: Lang) -> String {
    match error {
        ComposeError::Template(TemplateError { field, problem }) => {
            let field = locales::text(lang, &format!("messages.{field}"));
            let args: [(&str, &dyn Display); 2] = [("name", &problem.detail), ("line", &problem.line)];
            format!("{field}: {}", locales::text_with(lang, &problem.key, &args))
        }
        ComposeError::Address { .. } | ComposeError::Build(_) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(ids: std::ops::Range<i64>, run: &Arc<RunWork>) -> Vec<Job> {
        let job = |id| {
            let claimed = Claimed {
                id,
                run_id: 1,
                client_id: id,
                email: String::new(),
                full_name: String::new(),
                comment: String::new(),
                attempts: 0,
                unknown: 0,
                crashes: i64::from(id == 5),
            };
            let ticket = Ticket { id, run: 1, lease: String::new(), was_deferred: false };
            Job { run: run.clone(), claimed, ticket, sender: None }
        };
        ids.map(job).collect()
    }

    #[tokio::test]
    async fn all_but_the_last_are_at_hand_across_batches() {
        let run = RunWork {
            mailing: 1,
            hold: false,
            refused: AtomicU32::new(0),
            lang: Lang::En,
            composer: Err(String::new()),
            returns: None,
        };
        let (run, (sender, receiver)) = (Arc::new(run), mpsc::channel(2));
        let queue = Queue::new(receiver);
        let at_hand = || queue.at_hand(2).map(|job| job.claimed.id);
        assert_eq!(at_hand(), None);
        sender.send(batch(0..3, &run)).await.unwrap();
        sender.send(batch(3..9, &run)).await.unwrap();
        assert_eq!(queue.next().await.unwrap().claimed.id, 0);
        assert_eq!([at_hand(), at_hand(), at_hand(), at_hand()], [Some(1), Some(2), Some(3), Some(4)]);
        assert_eq!(at_hand(), None, "the next one has done harm");
        assert_eq!(queue.next().await.unwrap().claimed.id, 5);
        assert_eq!((at_hand(), at_hand()), (Some(6), None), "two are left, and no batch comes");
    }
}
