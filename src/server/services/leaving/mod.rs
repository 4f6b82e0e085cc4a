//! Leaving: whoever has a letter, or their mail program, says that they want no more.
//!
//! What one click says (RFC 8058) is written many at a time, in the order in which it came. While the database is away it
//! goes into a [`journal`], so that it is recorded, and answered, whatever happens.

mod ask;
mod journal;
mod page;

use crate::domain::suppression::{NO_TOPIC, Reason, Source};
use crate::server::db::addressees::{self, Addressee};
use crate::server::db::suppressions::{self, NewEntry};
use crate::server::db::{Db, DbResult};
pub use ask::{may_ask, send_links};
use chrono::{DateTime, Utc};
use journal::Journal;
pub use page::{Change, Choice, State, change, show};
use std::path::Path;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// Requests that may wait before others are told to come again.
const WAITING: usize = 20_000;
/// Of them in one transaction.
const BATCH: usize = 200;
/// How long the database may take with them before they go into the journal.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two tries to carry the journal over.
const AGAIN: Duration = Duration::from_secs(1);

/// The delivery that test letters and previews name: nobody leaves by them.
pub const NO_DELIVERY: i64 = 0;

/// Somebody leaves by a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub delivery: i64,
    pub at: DateTime<Utc>,
    pub source: Source,
    /// What they say to it.
    pub evidence: String,
    /// Everything of the sender, whatever the letter was about.
    pub all: bool,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is in the database.
    Recorded,
    /// It is on the disk, and will be in the database.
    Noted,
    /// It is nowhere, and must come again.
    Lost,
}

type Waiting = (Request, oneshot::Sender<Taken>);

/// Where those who leave are written down. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Desk(mpsc::Sender<Waiting>);

/// What the desk's keeper has in hand.
#[derive(Debug)]
pub struct Keeper {
    db: Db,
    journal: Journal,
    requests: mpsc::Receiver<Waiting>,
    /// No one tries the database for those who wait before this.
    away_until: Option<tokio::time::Instant>,
}

impl Desk {
    /// A desk, and who writes down what comes to it; what the last one left in the folder's journal comes first.
    ///
    /// # Errors
    /// If the journal cannot be opened.
    pub fn open(db: Db, folder: &Path) -> std::io::Result<(Self, Keeper)> {
        let (sender, requests) = mpsc::channel(WAITING);
        Ok((Self(sender), Keeper { db, journal: Journal::open(folder)?, requests, away_until: None }))
    }

    /// Writes a request down, and says where once it is there.
    pub async fn leave(&self, request: Request) -> Taken {
        let (done, answer) = oneshot::channel();
        if self.0.send((request, done)).await.is_err() {
            return Taken::Lost;
        }
        answer.await.unwrap_or(Taken::Lost)
    }
}

impl Keeper {
    /// Works until the last desk is gone, or nobody comes any more after `closing`.
    pub async fn keep(mut self, closing: CancellationToken) {
        let mut batch: Vec<Waiting> = Vec::with_capacity(BATCH);
        loop {
            let waits = !self.journal.waiting().is_empty();
            let more = tokio::select! {
                biased;
                count = self.requests.recv_many(&mut batch, BATCH) => count > 0,
                () = closing.cancelled() => false,
                // What waits in the journal is tried even if nobody comes.
                () = tokio::time::sleep(AGAIN), if waits => true,
            };
            if !more {
                self.carry_over().await;
                return;
            }
            self.take(&mut batch).await;
        }
    }

    /// Writes a batch down, behind what waits in the journal, and answers.
    async fn take(&mut self, batch: &mut Vec<Waiting>) {
        let requests: Vec<Request> = batch.iter().map(|(request, _)| request.clone()).collect();
        let stored = self.carry_over().await && (requests.is_empty() || self.store(&requests).await);
        let done = match () {
            () if stored || requests.is_empty() => Taken::Recorded,
            () if self.note(&requests) => Taken::Noted,
            () => Taken::Lost,
        };
        for (_, answer) in batch.drain(..) {
            // Who asked may be gone; what is written stays written.
            let _ = answer.send(done);
        }
    }

    fn note(&mut self, requests: &[Request]) -> bool {
        let written = self.journal.append(requests);
        if let Err(error) = &written {
            tracing::error!(%error, "who leaves cannot be written down; they are told to come again");
        }
        written.is_ok()
    }

    /// Carries the journal over; false while the database is away.
    async fn carry_over(&mut self) -> bool {
        while !self.journal.waiting().is_empty() {
            let some: Vec<Request> = self.journal.waiting().iter().take(BATCH).cloned().collect();
            if !self.store(&some).await {
                return false;
            }
            if let Err(error) = self.journal.carried(some.len()) {
                tracing::warn!(%error, "the journal of those who leave cannot be emptied");
            }
        }
        true
    }

    /// Stores requests in the database; false if it is away.
    async fn store(&mut self, requests: &[Request]) -> bool {
        if self.away_until.is_some_and(|until| tokio::time::Instant::now() < until) {
            return false;
        }
        let stored = tokio::time::timeout(PATIENCE, store(&self.db, requests)).await;
        let error = match stored {
            Ok(Ok(())) => {
                self.away_until = None;
                return true;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        tracing::error!(error, "those who leave are kept in the data folder until the database is back");
        self.away_until = Some(tokio::time::Instant::now() + AGAIN);
        false
    }
}

async fn store(db: &Db, requests: &[Request]) -> DbResult<()> {
    let mut whose: Vec<(&Request, Addressee)> = Vec::with_capacity(requests.len());
    for request in requests {
        if let Some(addressee) = addressees::of(db, request.delivery).await? {
            whose.push((request, addressee));
        }
    }
    // Two processes lock the same rows in the same order.
    whose.sort_by_key(|(_, addressee)| addressee.delivery);
    let mut tx = db.begin().await?;
    for (request, addressee) in &whose {
        suppressions::add(&mut tx, &entry(request, addressee)).await?;
    }
    tx.commit().await
}

fn entry<'a>(request: &'a Request, addressee: &'a Addressee) -> NewEntry<'a> {
    NewEntry {
        owner: addressee.owner,
        email: &addressee.email,
        topic: if request.all { NO_TOPIC } else { addressee.topic },
        reason: Reason::Unsubscribed,
        source: request.source,
        since: request.at,
        until: None,
        evidence: &request.evidence,
        actor: "",
        delivery: Some(addressee.delivery),
    }
}
