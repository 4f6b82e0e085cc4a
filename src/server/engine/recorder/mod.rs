//! Group commit: what all connections want recorded is gathered and made durable together, first in a
//! journal (one small write), then, many rows at a time, in the tables.
//!
//! - Records become durable in the order in which they were given. A connection gives the outcome of one
//!   letter before it arms the next and waits for the arm alone, so at most one letter of each connection
//!   is ever in doubt.
//! - Where there are [`notes`] it arms the letters that come next while one is under way. What became of that
//!   one is noted before the next one leaves, so that this holds whatever ends the process.
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
use crate::server::supervisor::Supervisor;
use apply::Applier;
use notes::Notes;
pub use notes::Place;
pub use record::{Entry, Frame, Record, Ticket};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot};
use writer::Writer;

/// Waits between tries while the database is in trouble.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Beside what notes are kept: the database, or something in a folder where that is no file.
fn beside(db: &Db, folder: Option<&Path>) -> Option<PathBuf> {
    db.file().or_else(|| folder.map(|folder| folder.join("vestnik")))
}

/// What reaches the recording thread.
#[expect(clippy::large_enum_variant, reason = "nearly all are entries, and each would be allocated")]
enum Message {
    Entry(Entry, Option<Wish>),
    /// Answered when all that came before is in the tables.
    Flush(oneshot::Sender<()>),
}

/// Who asked for an arm, and whether the letter's turn is only after another one.
struct Wish {
    done: oneshot::Sender<bool>,
    ahead: bool,
}

/// Most letters that one connection may arm ahead: each is a note that must be kept.
pub const MOST_AHEAD: usize = 16;

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
    /// Starts the recording thread, and the task that carries over. The journal has the process's name. Notes are kept
    /// beside the database's file; where it is none, in a folder, if there is one.
    pub fn start(db: Db, clock: SharedClock, process: &str, folder: Option<&Path>, supervisor: &Supervisor) -> Self {
        let id: Arc<str> = process.into();
        let (sender, receiver) = mpsc::unbounded_channel();
        let (steps, to_apply) = mpsc::unbounded_channel();
        let progress = Arc::<Progress>::default();
        let commits = Arc::<AtomicU64>::default();
        let applier = Applier::new(db.clone(), clock.clone(), id.clone(), progress.clone(), supervisor.clone());
        tokio::spawn(applier.run(to_apply));
        let notes = beside(&db, folder).map(|beside| Arc::new(Notes::new(beside, id.clone())));
        let recorder = Self { id: id.clone(), sender, commits: commits.clone(), notes: notes.clone() };
        let writer = Writer { db, clock, id, steps, progress, commits, notes, supervisor: supervisor.clone() };
        apart("vestnik-record", writer.run(receiver));
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

    /// Records, and waits until it and all that was given before is in the tables. False as in [`flush`](Self::flush).
    pub async fn record(&self, ticket: &Ticket, record: Record) -> bool {
        self.give(Entry { ticket: ticket.clone(), record });
        self.flush().await
    }

    /// Asks for the arm of a letter whose turn it is.
    pub fn arm(&self, ticket: &Ticket) -> Arming {
        self.ask(ticket, false)
    }

    /// Asks for the arm of a letter while one before it is under way. What becomes of that one must be
    /// [kept](Self::keep) before the turn of this one.
    pub fn arm_ahead(&self, ticket: &Ticket) -> Arming {
        self.ask(ticket, true)
    }

    fn ask(&self, ticket: &Ticket, ahead: bool) -> Arming {
        let (done, answer) = oneshot::channel();
        let entry = Entry { ticket: ticket.clone(), record: Record::Arm };
        self.send(Message::Entry(entry, Some(Wish { done, ahead })));
        Arming(answer)
    }

    /// Whether letters may be [armed ahead](Self::arm_ahead).
    pub fn arms_ahead(&self) -> bool {
        self.notes.as_ref().is_some_and(|notes| notes.are_possible())
    }

    /// Keeps what is about to be [given](Self::give) where the end of this process cannot take it back, without waiting
    /// for the disk. False if that cannot be done.
    #[must_use]
    pub fn keep(&self, place: &mut Place, entry: &Entry) -> bool {
        let Some(notes) = &self.notes else { return false };
        let Err(error) = notes.write(place, entry) else { return true };
        if notes.rest() {
            tracing::warn!(%error, "what becomes of letters cannot be noted; for a while sending is slower");
        }
        false
    }

    /// Waits until all that was given so far is in the tables. False if it will not be while this process lives: then
    /// nothing of it may be given back, or the next start could not carry over what is in the journal.
    pub async fn flush(&self) -> bool {
        let (done, answer) = oneshot::channel();
        self.send(Message::Flush(done));
        answer.await.is_ok()
    }

    fn send(&self, message: Message) {
        if self.sender.send(message).is_err() {
            tracing::error!("the recording thread is gone; nothing more is armed");
        }
    }
}
