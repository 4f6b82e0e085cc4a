//! Writing the journal: what comes is gathered into frames, each is made durable, and many at a time are handed to what
//! carries them over.

use super::journal::{Journal, JournalError};
use super::notes::Notes;
use super::record::{Entry, Frame};
use super::{FIRST_WAIT, LONGEST_WAIT, Message, Progress, Step, Wish};
use crate::server::clock::SharedClock;
use crate::server::db::Db;
use crate::server::failpoint;
use crate::server::metrics;
use crate::server::supervisor::Supervisor;
use futures::FutureExt;
use std::collections::{HashSet, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout_at;

/// What the supervisor calls it.
const NAME: &str = "record";
/// Most entries in one frame.
const FRAME: usize = 500;
/// How long what nobody waits for may stand before it is written. In a row of letters the next one's arm comes sooner
/// and takes the last one's outcome along in its commit; without a wait each letter would cost two.
const LINGER: Duration = Duration::from_millis(2);
/// How long an arm waits, at most, for those of other connections that are about to come: a frame costs much the same,
/// however many letters it arms. It is looked for them this often.
const GATHER: Duration = Duration::from_micros(400);
const SLICE: Duration = Duration::from_micros(50);
/// The same where no letter's turn is there yet.
const GATHER_AHEAD: Duration = Duration::from_millis(1);
const SLICE_AHEAD: Duration = Duration::from_micros(200);
/// While so many letters are under way, what they come to is looked for again and again for so long after the last of it:
/// on a virtual machine, to be woken by another thread takes both of them longer.
const WATCHED: usize = 4;
const WATCH: Duration = Duration::from_millis(1);
/// How long what is durable may stand before it is carried over into the tables, and how many entries may: in one
/// transaction, which keeps other writers waiting.
const FOLLOW: Duration = Duration::from_millis(100);
const BATCH: usize = 2000;
/// Most entries that may be in the journal and not in the tables: then sending waits.
const BEHIND: usize = 8000;

/// Writes the journal.
pub struct Writer {
    pub db: Db,
    pub clock: SharedClock,
    pub id: Arc<str>,
    pub steps: mpsc::UnboundedSender<Step>,
    pub progress: Arc<Progress>,
    pub commits: Arc<AtomicU64>,
    pub notes: Option<Arc<Notes>>,
    pub supervisor: Supervisor,
}

/// What the writer has in hand. A panic takes none of it along.
#[derive(Default)]
struct Work {
    journal: Option<Journal>,
    /// What has come and is in no frame yet.
    messages: VecDeque<Message>,
    next: Next,
    written: Written,
}

/// What is durable and not handed over yet.
#[derive(Default)]
struct Written {
    frames: Vec<Frame>,
    /// In all frames.
    entries: usize,
    /// Since when the first one stands.
    since: Option<Instant>,
}

/// The frame that is being gathered.
#[derive(Default)]
pub(super) struct Next {
    /// Since when its first entry stands.
    since: Option<Instant>,
    entries: Vec<Entry>,
    wishes: Vec<Option<Wish>>,
    /// How many of them are arms.
    arms: usize,
    /// Whether a letter's turn is there.
    urgent: bool,
    /// Whether one was there for the frame before.
    was_urgent: bool,
    /// Armed and without an outcome yet: what these letters' connections do next is to arm another.
    under_way: HashSet<i64>,
}

impl Next {
    pub(super) fn add(&mut self, entry: Entry, wish: Option<Wish>) {
        if entry.is_arm() {
            self.under_way.insert(entry.ticket.id);
        } else {
            self.under_way.remove(&entry.ticket.id);
        }
        self.since.get_or_insert_with(Instant::now);
        self.arms += usize::from(wish.is_some());
        self.urgent |= wish.as_ref().is_some_and(|wish| !wish.ahead);
        self.entries.push(entry);
        self.wishes.push(wish);
    }

    /// Begins another frame; returns what was in this one.
    pub(super) fn clear(&mut self) -> Vec<Entry> {
        self.wishes.clear();
        (self.since, self.arms, self.was_urgent, self.urgent) = (None, 0, self.urgent, false);
        std::mem::take(&mut self.entries)
    }

    /// How long it may wait for others.
    fn patience(&self) -> Duration {
        if self.urgent { GATHER } else { GATHER_AHEAD }
    }

    /// How often it is looked for what comes.
    fn slice(&self) -> Duration {
        if self.urgent || self.was_urgent { SLICE } else { SLICE_AHEAD }
    }

    /// Whether others are worth waiting for: more letters are under way than wait here.
    pub(super) fn may_grow(&self) -> bool {
        self.arms > 0 && self.under_way.len() > 2 * self.arms && self.entries.len() < FRAME
    }
}

/// Takes what is there.
fn drain(receiver: &mut mpsc::UnboundedReceiver<Message>, messages: &mut VecDeque<Message>) {
    while messages.len() < FRAME
        && let Ok(message) = receiver.try_recv()
    {
        messages.push_back(message);
    }
}

impl Writer {
    /// Works until nothing more can come, and ends the journal if all of it is in the tables.
    pub async fn run(self, mut receiver: mpsc::UnboundedReceiver<Message>) {
        let mut work = Work::default();
        while AssertUnwindSafe(self.work(&mut receiver, &mut work)).catch_unwind().await.is_err() {
            if !self.supervisor.ended(NAME).await {
                return;
            }
            // What was under way on the connection has no end any more.
            if let Some(journal) = &mut work.journal
                && let Err(error) = journal.reconnect(&self.db).await
            {
                tracing::error!(%error, "the database cannot be reached");
            }
        }
        if let Some(mut journal) = work.journal {
            let (done, flushed) = oneshot::channel();
            if self.steps.send(Step::Flush(done)).is_ok() && flushed.await.is_ok() {
                if let Some(notes) = &self.notes {
                    notes.close();
                }
                journal.release(self.progress.applied.load(Ordering::Acquire));
                journal.close();
            }
        }
    }

    /// Works until nothing more can come.
    async fn work(&self, receiver: &mut mpsc::UnboundedReceiver<Message>, work: &mut Work) {
        while self.receive(receiver, work).await {
            let begun = Instant::now();
            loop {
                self.gather(work).await;
                if !work.next.may_grow() || begun.elapsed() >= work.next.patience() {
                    break;
                }
                // This thread has nothing else to do, and no timer of the runtime is so short.
                std::thread::sleep(work.next.slice());
                drain(receiver, &mut work.messages);
            }
            if work.next.entries.len() >= FRAME || work.next.arms > 0 {
                self.write(work).await;
            }
        }
        self.write(work).await;
        self.hand_over(&mut work.written);
    }

    /// Puts what has come into the next frame.
    async fn gather(&self, work: &mut Work) {
        loop {
            if let Some(Message::Flush(_)) = work.messages.front() {
                self.write(work).await;
                self.hand_over(&mut work.written);
            }
            match work.messages.pop_front() {
                Some(Message::Entry(entry, wish)) => work.next.add(entry, wish),
                // Nobody carries over any more when the runtime is being shut down.
                Some(Message::Flush(done)) => drop(self.steps.send(Step::Flush(done))),
                None => return,
            }
        }
    }

    /// Waits for messages, and writes and hands over what is due meanwhile. False when nothing more can come.
    async fn receive(&self, receiver: &mut mpsc::UnboundedReceiver<Message>, work: &mut Work) -> bool {
        let begun = Instant::now();
        while work.next.under_way.len() >= WATCHED && begun.elapsed() < WATCH {
            drain(receiver, &mut work.messages);
            if !work.messages.is_empty() {
                return true;
            }
            std::thread::sleep(work.next.slice());
        }
        loop {
            if !work.messages.is_empty() {
                return true;
            }
            let to_write = work.next.since.map(|since| since + LINGER);
            let to_hand_over = work.written.since.map(|since| since + FOLLOW);
            let received = receiver.recv();
            let received = match to_write.into_iter().chain(to_hand_over).min() {
                Some(due) => timeout_at(due.into(), received).await,
                None => Ok(received.await),
            };
            if let Ok(received) = received {
                let more = received.is_some();
                work.messages.extend(received);
                drain(receiver, &mut work.messages);
                return more;
            }
            if to_write.is_some_and(|due| due <= Instant::now()) {
                self.write(work).await;
            }
            if to_hand_over.is_some_and(|due| due <= Instant::now()) {
                self.hand_over(&mut work.written);
            }
        }
    }

    /// Makes entries durable however long it takes, answers who waits, and hands them on.
    async fn write(&self, Work { journal, next, written, .. }: &mut Work) {
        if next.entries.is_empty() {
            return;
        }
        failpoint::panic("write");
        self.room().await;
        let mut wait = FIRST_WAIT;
        let mut down = None;
        let (seq, may_leave) = loop {
            let begun = Instant::now();
            let error = match self.try_write(journal, &next.entries).await {
                Ok(written) => {
                    metrics::commit(begun.elapsed());
                    break written;
                }
                Err(error) => error,
            };
            tracing::error!(%error, "the record cannot be written; sending waits");
            down.get_or_insert_with(|| self.supervisor.mark_down(NAME));
            self.hand_over(written);
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
            // The next try finds out whether it still works.
            if let Some(journal) = journal
                && let Err(error) = journal.reconnect(&self.db).await
            {
                tracing::error!(%error, "the database cannot be reached");
            }
        };
        self.commits.fetch_add(1, Ordering::Relaxed);
        failpoint::panic("written");
        for ((entry, wish), may_leave) in next.entries.iter().zip(&mut next.wishes).zip(may_leave) {
            if !may_leave {
                // No outcome need ever come of it.
                next.under_way.remove(&entry.ticket.id);
            }
            if let Some(Wish { done, .. }) = wish.take() {
                // Who asked may be gone; what is recorded stays recorded.
                let _ = done.send(may_leave);
            }
        }
        let entries = next.clear();
        self.progress.behind.fetch_add(entries.len(), Ordering::Relaxed);
        written.since.get_or_insert_with(Instant::now);
        written.entries += entries.len();
        written.frames.push(Frame { seq, entries });
        if written.entries >= BATCH || written.since.is_some_and(|since| since.elapsed() >= FOLLOW) {
            self.hand_over(written);
        }
    }

    /// Gives what is written to the task that carries it over.
    fn hand_over(&self, written: &mut Written) {
        let Written { frames, .. } = std::mem::take(written);
        if !frames.is_empty() {
            // If nobody carries over any more, the journal keeps it for the next start.
            let _ = self.steps.send(Step::Frames(frames));
        }
    }

    async fn try_write(
        &self,
        journal: &mut Option<Journal>,
        entries: &[Entry],
    ) -> Result<(i64, Vec<bool>), JournalError> {
        let journal = match journal {
            Some(journal) => journal,
            None => journal.insert(Journal::create(&self.db, &self.id, &self.clock).await?),
        };
        journal.release(self.progress.applied.load(Ordering::Acquire));
        journal.append(entries, &self.clock).await
    }

    /// Waits until the tables are not too far behind.
    async fn room(&self) {
        loop {
            let changed = self.progress.changed.notified();
            if self.progress.behind.load(Ordering::Relaxed) < BEHIND {
                return;
            }
            changed.await;
        }
    }
}
