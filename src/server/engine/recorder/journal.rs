//! Where records become durable first: a file on SQLite, a table on PostgreSQL.

use super::file::FileJournal;
use super::packed;
use super::record::Entry;
use crate::server::clock::SharedClock;
use crate::server::db::journals::{self, MayLeave};
use crate::server::db::{Conn, Db, DbError};
use std::io;
use std::time::{Duration, Instant};

#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error("the journal beside the database: {0}")]
    File(#[from] io::Error),
    #[error("other processes took this one for dead; it waits for its next sign of life")]
    Struck,
    #[error("a record cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// An engine's journal, open for writing.
pub struct Journal {
    id: String,
    conn: Conn,
    /// On SQLite.
    file: Option<FileJournal>,
    seq: i64,
    /// What might leave, when that was last asked.
    free: MayLeave,
    asked: Instant,
}

/// How long an answer is good on SQLite, where nobody else takes a lease over: a mailing that is paused, or
/// somebody who has left, may have letters armed for so long. To ask for each frame took as long as to write it.
const ASK_AGAIN: Duration = Duration::from_millis(20);

impl Journal {
    /// Makes the journal of this name.
    ///
    /// # Errors
    /// What the database or the file system says.
    pub async fn create(db: &Db, id: &str, clock: &SharedClock) -> Result<Self, JournalError> {
        let file = db.file().map(|database| FileJournal::create(&database, id)).transpose()?;
        let mut conn = db.connect().await?;
        if let Conn::Postgres(conn) = &mut conn {
            journals::enter(conn, id, clock.now()).await?;
        }
        Ok(Self { id: id.to_owned(), conn, file, seq: 0, free: MayLeave::default(), asked: Instant::now() })
    }

    /// Makes entries durable, together and before it returns, and says for each whether the letter may
    /// leave; that matters for [`super::Record::Arm`] alone. After an error the same entries may be given again.
    ///
    /// # Errors
    /// What the database or the file system says.
    pub async fn append(&mut self, entries: &[Entry], clock: &SharedClock) -> Result<(i64, Vec<bool>), JournalError> {
        let records = packed::pack(entries)?;
        let mut leases: Vec<&str> = entries.iter().filter(|entry| entry.is_arm()).map(Entry::lease).collect();
        leases.sort_unstable();
        leases.dedup();
        let (seq, now) = (self.seq + 1, clock.now());
        let is_free = |lease: &&str| self.free.is_free(lease);
        let known = leases.is_empty() || (self.asked.elapsed() < ASK_AGAIN && leases.iter().all(is_free));
        match (&mut self.conn, &mut self.file) {
            (_, Some(file)) if known => file.append(seq, records.as_bytes())?,
            (conn, Some(file)) => {
                let asked = Instant::now();
                // The question is with SQLite's thread when this one goes to the disk.
                let (free, written) = futures::future::join(journals::may_leave(conn, &leases, now), async {
                    file.append(seq, records.as_bytes())
                })
                .await;
                written?;
                (self.free, self.asked) = (free?, asked);
            }
            (Conn::Postgres(conn), None) => {
                let free = journals::append(conn, &self.id, seq, &records, &leases, now).await?;
                self.free = free.ok_or(JournalError::Struck)?;
            }
            (Conn::Sqlite(_), None) => {}
        }
        self.seq = seq;
        let may_leave = |entry: &Entry| self.free.allows(entry.lease(), entry.ticket.id);
        Ok((seq, entries.iter().map(may_leave).collect()))
    }

    /// Entries up to this frame are in the tables.
    pub fn release(&mut self, seq: i64) {
        if let Some(file) = &mut self.file {
            file.release(seq);
        }
    }

    /// Opens a new connection, after the old one failed.
    ///
    /// # Errors
    /// What the database says.
    pub async fn reconnect(&mut self, db: &Db) -> Result<(), JournalError> {
        self.conn = db.connect().await?;
        Ok(())
    }

    /// Ends it; nothing stays of one that is in the tables.
    pub fn close(self) {
        if let Some(file) = self.file {
            file.close();
        }
    }
}
