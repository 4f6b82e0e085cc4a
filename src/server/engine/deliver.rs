//! Delivering: the feeder claims, and each connection takes the next delivery when it is free.

use super::Engine;
use super::decide::{Decision, Tries, decide};
use super::feed::{Job, Queue, RunWork, why_not_made};
use super::recorder::{Arming, Entry, MOST_AHEAD, Place, Record};
use super::relays::{Handed, Session};
use crate::domain::delivery::{Attempt, AttemptStatus, DeliveryState, Stage};
use crate::domain::mailing::PauseReason;
use crate::server::db::claims::Claimed;
use crate::server::db::{DbResult, Tx, mailings, processes};
use crate::server::failpoint;
use crate::server::mail::classify::{Outcome, OutcomeKind};
use crate::server::mail::compose::{Composer, Letter, Which};
use crate::server::mail::smtp::Parcel;
use crate::server::mail::template::Recipient;
use crate::server::metrics;
use chrono::{DateTime, Utc};
use futures::FutureExt;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::{RwLockReadGuard, RwLockWriteGuard, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Letters refused after the dot, one after the other, after which the mailing is paused.
pub(super) const REFUSED_IN_A_ROW: u32 = 50;

/// How long an arm is good that was asked for before its letter's turn: so long may letters leave after their mailing was
/// stopped. Later it is asked for once more. Others take no process for dead in so short a time.
const ARMED_AHEAD: Duration = Duration::from_millis(100);
/// How many letters all connections together arm ahead: they keep the mail server busy while the disk, or the thread that
/// waits for it, takes some milliseconds.
const LETTERS_AHEAD: usize = 80;
/// Bytes of letters after which a connection makes no more of them ahead.
const MADE_AHEAD: usize = 128 << 10;
/// The sentence in the record of a letter whose making panicked.
const BROKEN: &str = "Vestnik could not make the letter because of a fault of its own; its log tells more";
/// Where a letter takes longer, each connection arms one ahead.
const QUICK: Duration = Duration::from_millis(20);

impl Engine {
    /// Delivers until nothing is left to claim now, of one mailing or of all.
    ///
    /// # Errors
    /// Database errors; what had been recorded until then stays.
    pub async fn deliver_all(&self, mailing: Option<i64>) -> DbResult<()> {
        let mut barren = 0;
        loop {
            self.relays.refresh().await?;
            let connections = self.relays.workers();
            let (settled, put_back) = (self.tally.settled(), self.tally.put_back.load(Ordering::Relaxed));
            self.deliver_round(mailing, connections).await?;
            barren = if self.tally.settled() == settled { barren + 1 } else { 0 };
            // What went back after the last claim is taken now. Where nothing at all could be done, each round finds a
            // server that bears fewer connections, or that none can be used.
            let went_back = self.tally.put_back.load(Ordering::Relaxed) > put_back;
            let useless = barren > connections || self.relays.closed_until(self.clock.now()).is_some();
            let more = self.relays.workers() > connections;
            if self.stop.is_cancelled() || !(more || went_back && !useless) {
                return Ok(());
            }
        }
    }

    /// Delivers over so many connections at most, until nothing more can be claimed or there may be more of them.
    async fn deliver_round(&self, mailing: Option<i64>, connections: usize) -> DbResult<()> {
        let (sender, receiver) = mpsc::channel(1);
        let queue = Arc::new(Queue::new(receiver));
        let mut workers = JoinSet::new();
        let fed_out = CancellationToken::new();
        for number in 0..connections {
            let round = Round { queue: queue.clone(), connections, fed_out: fed_out.clone() };
            workers.spawn_on(self.clone().work(number, round), self.lanes.of(number));
        }
        // A panic must not cut the letters off that are under way.
        let fed = AssertUnwindSafe(self.feed(mailing, sender, connections)).catch_unwind().await;
        fed_out.cancel();
        let mut strays = false;
        while let Some(ended) = workers.join_next().await {
            strays |= ended.is_err();
        }
        // What nobody had a place for.
        for job in queue.rest().await {
            self.put_back(&job, self.clock.now());
        }
        self.recorder.flush().await;
        self.relays.rest().await;
        if strays {
            self.give_back_strays().await?;
        }
        fed.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// Delivers over one connection until the round is over.
    async fn work(self, number: usize, round: Round) {
        let session = || self.relays.session(self.stop.clone());
        let mut hand = Hand::new(session(), number, depth(round.connections));
        while AssertUnwindSafe(self.work_with(&mut hand, &round)).catch_unwind().await.is_err() {
            self.let_go(&mut hand).await;
            // What was said last on the connection is not known.
            hand.session = session();
            if !self.supervisor.ended("connection").await {
                break;
            }
        }
        hand.session.leave().await;
    }

    async fn work_with(&self, hand: &mut Hand, Round { queue, connections, fed_out }: &Round) {
        loop {
            let next = if let Some(next) = hand.coming.pop_front() {
                next
            } else {
                // Without a place at a relay it leaves the letters to those that have one.
                tokio::select! {
                    biased;
                    () = hand.session.placed() => {}
                    () = fed_out.cancelled() => break,
                }
                let Some(job) = queue.next().await else { break };
                Coming::from(job)
            };
            if self.stop.is_cancelled() {
                self.put_back(&next.job, self.clock.now());
            } else {
                // What is left at the end goes to whoever is free first.
                self.deliver(hand, next, |others| queue.at_hand(others * connections)).await;
            }
        }
    }

    /// Sees to the letters that a connection had in hand when a panic ended its work: one that may have left is in
    /// doubt, all others are as before.
    async fn let_go(&self, hand: &mut Hand) {
        let now = self.clock.now();
        if let Some(job) = hand.in_hand.take() {
            let record = match std::mem::take(&mut hand.handed_over) {
                true => self.settle(&job, Handed::cut_off(), now, Duration::ZERO).await,
                false => self.put_back_at(now),
            };
            self.recorder.give(Entry { ticket: job.ticket, record });
        }
        for coming in hand.coming.drain(..) {
            self.put_back(&coming.job, now);
        }
    }

    /// Delivers one letter. Before, it sees to those that come next, as far as they are at hand.
    async fn deliver(&self, hand: &mut Hand, this: Coming, at_hand: impl Fn(usize) -> Option<Job>) {
        let Some(_turn) = self.stop.run_until_cancelled(self.turn_for(&this.job)).await else {
            return self.put_back(&this.job, self.clock.now());
        };
        let at = self.clock.now();
        let begun = Instant::now();
        let Coming { job, letter, arming } = this;
        let Hand { session, place, depth, quick, coming, in_hand, handed_over } = hand;
        let job = &*in_hand.insert(job);
        let handed = match letter.unwrap_or_else(|| self.make(job)) {
            Ok(letter) => {
                if self.stop.run_until_cancelled(session.ready()).await != Some(true) {
                    // Those that come next go the same way, unless a place is free by then. Nothing is claimed again until
                    // a relay can be used.
                    self.put_back(job, self.clock.now());
                    *in_hand = None;
                    return;
                }
                // The record is written while the next letter is made.
                let ahead = arming.filter(|(asked, _)| asked.elapsed() < ARMED_AHEAD && !job.run.is_refused());
                let arming = ahead.map_or_else(|| self.recorder.arm(&job.ticket), |(_, arming)| arming);
                if job.claimed.crashes == 0 {
                    let depth = if *quick { *depth } else { 1 };
                    self.look_ahead(depth, coming, at_hand);
                }
                *handed_over = true;
                failpoint::panic("hand over");
                let arm = async || {
                    if arming.granted().await { Ok(()) } else { Err("the letter may not leave any more") }
                };
                let (handed, stopped) = {
                    let next = coming.front().and_then(Coming::parcel);
                    let mut sent = pin!(session.send(letter.parcel(job.sender()), next, arm));
                    tokio::select! {
                        biased;
                        handed = &mut sent => (handed, false),
                        // The end of the grace must not find them armed.
                        () = self.stop.cancelled(), if !coming.is_empty() => {
                            let now = self.clock.now();
                            coming.iter().for_each(|coming| self.put_back(&coming.job, now));
                            (sent.await, true)
                        }
                    }
                };
                if stopped {
                    coming.clear();
                }
                *quick = begun.elapsed() < QUICK;
                handed
            }
            Err(error) => {
                // No note: nothing can be in doubt, and those of letters that left are still needed.
                let record = self.settle(job, Handed::not_made(error), at, begun.elapsed()).await;
                self.recorder.give(Entry { ticket: job.ticket.clone(), record });
                *in_hand = None;
                return;
            }
        };
        let record = self.settle(job, handed, at, begun.elapsed()).await;
        let entry = Entry { ticket: job.ticket.clone(), record };
        if coming.iter().any(|coming| coming.arming.is_some()) && !self.recorder.keep(place, &entry) {
            // Then they are armed once more, behind this one's outcome.
            coming.iter_mut().for_each(|coming| coming.arming = None);
        }
        self.recorder.give(entry);
        (*in_hand, *handed_over) = (None, false);
    }

    /// Makes the letters that come next, and arms them while the one before them is under way, so that no connection waits
    /// for the disk. What a crash leaves armed is in doubt, too, although it cannot have left: so nothing is armed ahead
    /// where doubtful letters are held for somebody to decide.
    fn look_ahead(&self, depth: usize, coming: &mut VecDeque<Coming>, at_hand: impl Fn(usize) -> Option<Job>) {
        let depth = if self.recorder.arms_ahead() { depth } else { 0 };
        let mut size = coming.iter().map(Coming::size).sum::<usize>();
        while (coming.is_empty() || (coming.len() < depth && size < MADE_AHEAD))
            && let Some(job) = at_hand(coming.len() + 1)
        {
            let next = Coming { letter: Some(self.make(&job)), ..job.into() };
            size += next.size();
            coming.push_back(next);
        }
        for next in coming.iter_mut().filter(|next| next.arming.is_none()).take(depth) {
            if !next.job.run.hold && next.parcel().is_some() {
                next.arming = Some((Instant::now(), self.recorder.arm_ahead(&next.job.ticket)));
            }
        }
    }

    /// Makes a letter. One that panics fails like any that cannot be made, and takes no other along.
    fn make(&self, job: &Job) -> Result<Letter, String> {
        failpoint::reach("compose", &job.claimed.email);
        let Claimed { email, full_name, comment, client_id, .. } = &job.claimed;
        let which = Which { client: *client_id, delivery: job.claimed.id };
        let compose = |composer: &Composer| {
            failpoint::panic(email);
            composer
                .compose(&Recipient { email, full_name, comment }, which, self.clock.now())
                .map_err(|error| why_not_made(&error, job.run.lang))
        };
        match &job.run.composer {
            Ok(composer) => {
                catch_unwind(AssertUnwindSafe(|| compose(composer))).unwrap_or_else(|_| Err(BROKEN.to_owned()))
            }
            Err(error) => Err(error.clone()),
        }
    }

    fn put_back(&self, job: &Job, due_at: DateTime<Utc>) {
        self.recorder.give(Entry { ticket: job.ticket.clone(), record: self.put_back_at(due_at) });
    }

    fn put_back_at(&self, due_at: DateTime<Utc>) -> Record {
        self.tally.put_back.fetch_add(1, Ordering::Relaxed);
        Record::PutBack { due_at }
    }

    /// What is to be recorded of a letter.
    async fn settle(&self, job: &Job, handed: Handed, at: DateTime<Utc>, took: Duration) -> Record {
        let Handed { outcome, relay } = handed;
        let number = job.claimed.attempts + 1;
        let jitter = rand::random::<f64>() * 2.0 - 1.0;
        let tries = Tries { all: number, unknown: job.claimed.unknown };
        let decision = decide(outcome.kind, tries, job.run.hold, &self.config.retry, jitter);
        let Decision::Settle { status, state, reason, wait } = decision else {
            return self.put_back_at(self.clock.now());
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
        self.tally.add(state);
        metrics::attempt(status);
        Record::Settle { attempt, state, reason: reason.into(), due_at }
    }

    /// Nobody else of this mailing would get through.
    async fn pause(&self, mailing: i64, why: PauseReason, outcome: &Outcome) {
        let reply = outcome.reply.as_ref().map(|reply| format!("{} {}", reply.code, reply.text)).unwrap_or_default();
        let (words, now) = (reply.clone(), self.clock.now());
        let paused = self.write(move |mut tx| async move {
            mailings::pause_any(&mut tx, mailing, why, &words, now).await?;
            tx.commit().await
        });
        match paused.await {
            Ok(()) => {
                self.tally.paused(mailing);
                tracing::warn!(mailing, why = why.as_str(), reply, "the mailing is paused");
            }
            Err(error) => tracing::error!(mailing, error, "a mailing that cannot go on cannot be paused"),
        }
    }

    /// Writes to the database from a lane: the database's connections belong to the runtime of the engine.
    async fn write<W, F>(&self, work: W) -> Result<(), String>
    where
        W: FnOnce(Tx) -> F + Send + 'static,
        F: Future<Output = DbResult<()>> + Send,
    {
        let db = self.db.clone();
        let written = self.lanes.home().spawn(async move { work(db.begin().await?).await });
        match written.await {
            Ok(written) => written.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
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
        let (id, lease) = (job.ticket.id, job.ticket.lease.clone());
        let counted = self.write(move |mut tx| async move {
            processes::in_hand(&mut tx, id, &lease).await?;
            tx.commit().await
        });
        if let Err(error) = counted.await {
            tracing::error!(delivery = job.ticket.id, error, "a suspect delivery could not be marked");
        }
    }
}

/// How many letters each of so many connections arms ahead.
fn depth(connections: usize) -> usize {
    (LETTERS_AHEAD / connections.max(1)).clamp(1, MOST_AHEAD)
}

/// What a connection delivers next.
struct Coming {
    job: Job,
    /// If it is made: the letter, or why there can be none.
    letter: Option<Result<Letter, String>>,
    /// The arm that was asked for already, and since when.
    arming: Option<(Instant, Arming)>,
}

impl From<Job> for Coming {
    fn from(job: Job) -> Self {
        Self { job, letter: None, arming: None }
    }
}

impl Coming {
    fn parcel(&self) -> Option<Parcel<'_>> {
        let letter = self.letter.as_ref()?.as_ref().ok()?;
        Some(letter.parcel(self.job.sender()))
    }

    /// Bytes of the letter.
    fn size(&self) -> usize {
        self.parcel().map_or(0, |parcel| parcel.bytes.len())
    }
}

/// What all connections of a round share.
struct Round {
    queue: Arc<Queue>,
    connections: usize,
    /// Nothing more is claimed.
    fed_out: CancellationToken,
}

/// A connection to a relay, where it notes what became of its letters, and those that come next.
struct Hand {
    session: Session,
    place: Place,
    /// How many of them are armed at once.
    depth: usize,
    /// Whether the last letter left in no time.
    quick: bool,
    coming: VecDeque<Coming>,
    /// The letter that is being delivered.
    in_hand: Option<Job>,
    /// Whether it may have left.
    handed_over: bool,
}

impl Hand {
    fn new(session: Session, number: usize, depth: usize) -> Self {
        let place = Place::new(number);
        Self { session, place, depth, quick: false, coming: VecDeque::new(), in_hand: None, handed_over: false }
    }
}

/// The right to have a delivery in hand.
enum Turn<'a> {
    Among(#[expect(dead_code, reason = "held while it lives")] RwLockReadGuard<'a, ()>),
    Alone(#[expect(dead_code, reason = "held while it lives")] RwLockWriteGuard<'a, ()>),
}

impl Job {
    /// The address for MAIL FROM.
    fn sender(&self) -> &str {
        self.sender.as_deref().unwrap_or_else(|| self.run.sender())
    }
}

impl RunWork {
    /// The address for MAIL FROM of letters that have none of their own.
    fn sender(&self) -> &str {
        self.composer.as_ref().map_or("", Composer::sender)
    }

    /// Whether the mail server has refused so many letters, one after the other, that the mailing is paused.
    fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed) >= REFUSED_IN_A_ROW
    }

    /// Whether what became of a letter says that the others would fare no better.
    fn reason_to_pause(&self, outcome: &Outcome) -> Option<PauseReason> {
        match (outcome.stage, outcome.kind) {
            (_, OutcomeKind::SenderRefused) => {
                let for_good = outcome.reply.as_ref().is_some_and(|reply| reply.code >= 500);
                for_good.then_some(PauseReason::SenderRefused)
            }
            // Those that are put off are the relay's matter.
            (Stage::Dot, OutcomeKind::Refused) => {
                let refused = self.refused.fetch_add(1, Ordering::Relaxed) + 1;
                // So many more if somebody has it go on meanwhile.
                refused.is_multiple_of(REFUSED_IN_A_ROW).then_some(PauseReason::LettersRefused)
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
use super::recorder::Ticket;
#[cfg(test)]
use crate::server::db::runs::OpenRun;

#[cfg(test)]
impl Engine {
    async fn job(&self, run: &OpenRun, claimed: Claimed, lease: &str) -> Job {
        let ticket =
            Ticket { id: claimed.id, run: run.id, lease: lease.to_owned(), was_deferred: claimed.was_deferred() };
        let sender = crate::server::db::settings::sender(&self.db, &self.config.from).await.unwrap();
        Job { run: Arc::new(self.prepare(run, &sender)), claimed, ticket, sender: None }
    }

    fn hand(&self) -> Hand {
        Hand::new(self.relays.session(self.stop.clone()), 0, 1)
    }

    /// One claimed delivery over a connection of its own.
    pub(super) async fn deliver_one(&self, run: &OpenRun, claimed: Claimed, lease: &str) {
        let job = self.job(run, claimed, lease).await;
        self.deliver(&mut self.hand(), job.into(), |_| None).await;
        self.recorder.flush().await;
    }

    /// Two, one after the other over the same connection, the second of them armed ahead; `made` says whether the first
    /// letter could be made.
    pub(super) async fn deliver_two(&self, run: &OpenRun, made: Result<(), &str>, both: [Claimed; 2], lease: &str) {
        let [first, second] = both;
        let first = self.job(run, first, lease).await;
        let second = self.job(run, second, lease).await;
        let letter = Some(made.map_err(str::to_owned).and_then(|()| self.make(&first)));
        let mut hand = self.hand();
        assert!(self.recorder.arms_ahead());
        let arming = Some((Instant::now(), self.recorder.arm_ahead(&second.ticket)));
        hand.coming.push_back(Coming { letter: Some(self.make(&second)), job: second, arming });
        self.deliver(&mut hand, Coming { letter, ..first.into() }, |_| None).await;
        let second = hand.coming.pop_front().unwrap();
        self.deliver(&mut hand, second, |_| None).await;
        self.recorder.flush().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::lang::Lang;
    use std::sync::atomic::AtomicU32;

    #[test]
    fn each_row_of_refused_letters_is_a_reason_to_pause() {
        let run = RunWork {
            mailing: 1,
            hold: false,
            refused: AtomicU32::new(0),
            lang: Lang::En,
            composer: Err(String::new()),
            returns: None,
        };
        let after_dot = |kind| {
            let outcome =
                Outcome { stage: Stage::Dot, kind, reply: None, note: String::new(), connection_usable: true };
            run.reason_to_pause(&outcome).is_some()
        };
        let refuse = |n| (1..=n).filter(|_| after_dot(OutcomeKind::Refused)).count();
        assert_eq!((refuse(REFUSED_IN_A_ROW - 1), run.is_refused()), (0, false));
        assert_eq!((refuse(1), run.is_refused()), (1, true));
        // Somebody has it go on, and nothing is better.
        assert_eq!(refuse(REFUSED_IN_A_ROW), 1);
        after_dot(OutcomeKind::Sent);
        assert_eq!((refuse(REFUSED_IN_A_ROW - 1), run.is_refused()), (0, false));
    }
}
