//! The engine: opens runs when they are due, delivers, and records what became of each delivery.
//! `service.rs` alone waits for work.

mod breaker;
mod decide;
mod deliver;
mod feed;
mod letters;
#[cfg(test)]
mod letters_tests;
mod lock;
mod open;
mod recorder;
mod recover;
pub mod relays;
mod service;
#[cfg(test)]
mod tests;
mod thread;
mod wake;
mod watch;

pub use lock::{EngineLock, LockError};
pub use service::{BEATS, serve, serve_letters};
pub use wake::{Pulse, Wake, ring_others};

use crate::domain::delivery::DeliveryState;
use crate::domain::email::EmailAddress;
use crate::server::clock::SharedClock;
use crate::server::db::{Db, DbError};
use crate::server::mail::delivery_token::DeliveryTokens;
use crate::server::mail::dkim::Signer;
use crate::server::mail::return_path::ReturnPath;
use crate::server::mail::timeouts::Timeouts;
use crate::server::supervisor::Supervisor;
use chrono::TimeDelta;
use recorder::Recorder;
use relays::Pool;
use secrecy::SecretString;
use std::collections::BTreeSet;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use thread::Lanes;
use tokio_util::sync::CancellationToken;

/// Threads for connections. About as much work again is done elsewhere: in the database, on the record, by a mail server
/// beside us. Signing costs more than all of it.
fn lanes(signs: bool) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    if signs { cores } else { cores.div_ceil(2) }
}

/// What an engine works with.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    pub timeouts: Timeouts,
    /// The address that letters come from, unless the settings name another.
    pub from: EmailAddress,
    /// Keys the Message-IDs.
    pub secret: SecretString,
    /// Waits between tries; the last one repeats.
    pub retry: Vec<Duration>,
    /// Signs letters, where there is a key.
    pub dkim: Option<Arc<Signer>>,
    /// Where bounces return to; without it, to the address that letters come from.
    pub returns: Option<ReturnPath>,
    /// Of the links by which people leave.
    pub tokens: DeliveryTokens,
    /// Where those lead: the service's public address, without a trailing slash.
    pub site: String,
    /// Where notes are kept if the database is no file.
    pub data_dir: Option<PathBuf>,
}

/// One engine. Cheap to clone; all clones share the recorder and the relays.
#[derive(Clone)]
pub struct Engine {
    db: Db,
    clock: SharedClock,
    config: Arc<EngineConfig>,
    recorder: Recorder,
    relays: Pool,
    tally: Arc<Tally>,
    stop: CancellationToken,
    supervisor: Supervisor,
    wake: Wake,
    takeover: TimeDelta,
    /// Where connections to mail servers are driven.
    lanes: Arc<Lanes>,
    /// Read by deliveries in hand beside others, written by one that has to be alone.
    alone: Arc<tokio::sync::RwLock<()>>,
}

/// A process that has shown no sign of life for so long is taken for dead.
pub const TAKEOVER: Duration = Duration::from_secs(30);

/// What has been done since the engine was made.
#[derive(Debug, Default)]
struct Tally {
    opened: AtomicU64,
    sent: AtomicU64,
    deferred: AtomicU64,
    failed: AtomicU64,
    unknown: AtomicU64,
    put_back: AtomicU64,
    /// Mailings that were paused: several connections may find the same reason.
    paused: Mutex<BTreeSet<i64>>,
}

/// A summary for people and for `--json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// Runs opened.
    pub opened: u64,
    pub sent: u64,
    /// Attempts after which the delivery will be tried again.
    pub deferred: u64,
    pub failed: u64,
    pub unknown: u64,
    /// Deliveries put back without an attempt, because the mail server could not be reached.
    pub put_back: u64,
    /// Mailings that were paused, because the mail server refuses their sender or their letters.
    pub paused: u64,
    /// The mail server's last trouble, if it is in trouble now.
    pub relay_trouble: Option<String>,
}

impl Engine {
    /// Makes an engine and starts its recorder.
    pub fn new(db: Db, clock: SharedClock, config: EngineConfig, relays: Pool, stop: CancellationToken) -> Self {
        let wake = Wake::default();
        let lanes = Lanes::start("vestnik-send", lanes(config.dkim.is_some()));
        let supervisor = Supervisor::new(stop.clone());
        let recorder =
            Recorder::start(db.clone(), clock.clone(), wake.process(), config.data_dir.as_deref(), &supervisor);
        Self {
            recorder,
            supervisor,
            db,
            clock,
            config: Arc::new(config),
            relays,
            tally: Arc::default(),
            stop,
            lanes: Arc::new(lanes),
            alone: Arc::default(),
            wake,
            takeover: TimeDelta::from_std(TAKEOVER).unwrap_or(TimeDelta::MAX),
        }
    }

    /// Sets after how long without a sign of life a process is taken for dead.
    #[must_use]
    pub fn with_takeover(mut self, takeover: Duration) -> Self {
        self.takeover = TimeDelta::from_std(takeover).unwrap_or(self.takeover);
        self
    }

    /// The bell, the pulse and the name of this engine.
    pub fn wake(&self) -> Wake {
        self.wake.clone()
    }

    /// Watches over the tasks of this engine, and over whatever else must not end before the service does.
    pub fn supervisor(&self) -> Supervisor {
        self.supervisor.clone()
    }

    /// Opens what is due, then delivers until nothing is left to claim now; of one mailing or of all.
    ///
    /// # Errors
    /// Database errors; what had been recorded until then stays.
    pub async fn pass(&self, mailing: Option<i64>) -> Result<(), DbError> {
        self.open_due(mailing).await?;
        self.deliver_all(mailing).await
    }

    /// Durable commits of records so far.
    pub fn commits(&self) -> u64 {
        self.recorder.commits()
    }

    /// What this engine has done so far.
    pub fn summary(&self) -> Summary {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Summary {
            opened: read(&self.tally.opened),
            sent: read(&self.tally.sent),
            deferred: read(&self.tally.deferred),
            failed: read(&self.tally.failed),
            unknown: read(&self.tally.unknown),
            put_back: read(&self.tally.put_back),
            paused: self.tally.all_paused().len() as u64,
            relay_trouble: self.relays.trouble(),
        }
    }
}

impl Tally {
    /// Attempts on record.
    fn settled(&self) -> u64 {
        [&self.sent, &self.deferred, &self.failed, &self.unknown].map(|n| n.load(Ordering::Relaxed)).iter().sum()
    }

    fn all_paused(&self) -> MutexGuard<'_, BTreeSet<i64>> {
        self.paused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn paused(&self, mailing: i64) {
        self.all_paused().insert(mailing);
    }

    fn add(&self, state: DeliveryState) {
        let counter = match state {
            DeliveryState::Sent => &self.sent,
            DeliveryState::Deferred => &self.deferred,
            DeliveryState::Failed => &self.failed,
            DeliveryState::Unknown => &self.unknown,
            DeliveryState::Pending | DeliveryState::Claimed | DeliveryState::Armed | DeliveryState::NotSent => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
