//! Group commit: what all connections want recorded is gathered and made durable together, first in a
//! journal (one small write), then, many rows at a time, in the tables.
//!
//! - Records become durable in the order in which they were given. A connection gives the outcome of one
//!   letter before it arms the next and waits for the arm alone, so at most one letter of each connection
//!   is ever in doubt.
//! - Where there are [`notes`] it arms the next letter while one is under way. What became of that one is
//!   noted before the next one leaves, so that this holds whatever ends the process.
//! - A letter is armed when the journal holds it, which is before its body is sent.
//! - What is in the journal goes into the tables exactly once: the transaction that carries it over also
//!   notes how far it came ([`apply`]). After a crash [`Recorder::recover`] goes on from there.

mod apply;
mod file;
mod journal;
mod notes;
mod packed;
mod record;
#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;
mod writer;

use super::thread::apart;
use crate::server::clock::SharedClock;
use crate::server::db::Db;
use apply::Applier;
use notes::Notes;
pub use notes::Place;
pub use record::{Entry, Frame, Record, Ticket};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot};
use writer::Writer;

/// Waits between tries while the database is in trouble.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What reaches the recording thread.
#[expect(clippy::large_enum_variant, reason = "nearly all are entries, and each would be allocated")]
enum Message {
    Entry(Entry, Option<oneshot::Sender<bool>>),
    /// Answered when all that came before is in the tables.
    Flush(oneshot::Sender<()>),
}

/// What reaches the task that carries over.
enum Step {
    Frames(Vec<Frame>),
    Flush(oneshot::Sender<()>),
}

/// How far the tables are behind the journal.
#[derive(Debug, Default)]
struct Progress {
    /// The last frame that is in the tables.
    applied: AtomicI64,
    /// Entries that are not.
    behind: AtomicUsize,
    changed: Notify,
}

/// The way to the record. Cheap to clone; the record ends with the last handle.
#[derive(Clone)]
pub struct Recorder {
    id: Arc<str>,
    sender: mpsc::UnboundedSender<Message>,
    commits: Arc<AtomicU64>,
    /// On SQLite.
    notes: Option<Arc<Notes>>,
}

/// An arm that was asked for.
pub struct Arming(oneshot::Receiver<bool>);

impl Arming {
    /// True once it is durable, and all that was given before; false if the lease is lost or the letter may not leave
    /// any more.
    pub async fn granted(self) -> bool {
        self.0.await.unwrap_or(false)
    }
}

impl Recorder {
    /// Starts the recording thread, and the task that carries over. The journal has the process's name.
    pub fn start(db: Db, clock: SharedClock, process: &str) -> Self {
        let id: Arc<str> = process.into();
        let (sender, receiver) = mpsc::unbounded_channel();
        let (steps, to_apply) = mpsc::unbounded_channel();
        let progress = Arc::<Progress>::default();
        let commits = Arc::<AtomicU64>::default();
        tokio::spawn(Applier::new(db.clone(), clock.clone(), id.clone(), progress.clone()).run(to_apply));
        let notes = db.file().map(|database| Arc::new(Notes::new(database, id.clone())));
        let recorder = Self { id: id.clone(), sender, commits: commits.clone(), notes: notes.clone() };
        apart("vestnik-record", Writer { db, clock, id, steps, progress, commits, notes }.run(receiver));
        recorder
    }

    /// Durable commits so far.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Records and does not wait: what is given later is not durable before this is.
    pub fn give(&self, entry: Entry) {
        self.send(Message::Entry(entry, None));
    }

    /// Records, and waits until it and all that was given before is in the tables.
    pub async fn record(&self, ticket: &Ticket, record: Record) {
        self.give(Entry { ticket: ticket.clone(), record });
        self.flush().await;
    }

    /// Asks for an arm, at once.
    pub fn arm(&self, ticket: &Ticket) -> Arming {
        let (done, answer) = oneshot::channel();
        self.send(Message::Entry(Entry { ticket: ticket.clone(), record: Record::Arm }, Some(done)));
        Arming(answer)
    }

    /// Whether a letter may be armed while the one before it is under way: then what becomes of that one must be
    /// [kept](Self::keep) before the other's turn.
    pub fn arms_ahead(&self) -> bool {
        self.notes.as_ref().is_some_and(|notes| notes.are_possible())
    }

    /// Keeps what is about to be [given](Self::give) where the end of this process cannot take it back, without waiting
    /// for the disk. False if that cannot be done.
    #[must_use]
    pub fn keep(&self, place: &mut Place, entry: &Entry) -> bool {
        let Some(notes) = &self.notes else { return false };
        let written = notes.write(place, entry);
        let warn = |error: &_| tracing::warn!(%error, "what became of a letter cannot be noted; its connection waits for the disk");
        written.inspect_err(warn).is_ok()
    }

    /// Waits until all that was given so far is in the tables.
    pub async fn flush(&self) {
        let (done, answer) = oneshot::channel();
        self.send(Message::Flush(done));
        // Without an answer the runtime is being shut down.
        let _ = answer.await;
    }

    fn send(&self, message: Message) {
        if self.sender.send(message).is_err() {
            tracing::error!("the recording thread is gone; nothing more is armed");
        }
    }
}
