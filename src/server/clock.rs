//! The time. Nothing else reads the system's clock, so that tests can set it.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// A source of the current instant, in whole microseconds: what PostgreSQL can keep.
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> DateTime<Utc>;

    /// Waits until this clock shows the instant.
    fn until(&self, at: DateTime<Utc>) -> Waiting<'_>;
}

/// A wait that ends when a clock shows some instant.
pub type Waiting<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// A clock that is passed around.
pub type SharedClock = Arc<dyn Clock>;

/// Cuts to microseconds, so that an instant compares equal after a trip through a database.
pub fn to_micros(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(at)
}

/// The machine's clock.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        to_micros(Utc::now())
    }

    fn until(&self, at: DateTime<Utc>) -> Waiting<'_> {
        Box::pin(async move {
            // Again, should the system's clock have been set back meanwhile.
            while let Ok(wait) = (at - self.now()).to_std()
                && !wait.is_zero()
            {
                tokio::time::sleep(wait).await;
            }
        })
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock {
    now: Mutex<DateTime<Utc>>,
    moved: Notify,
}

impl ManualClock {
    pub fn new(now: DateTime<Utc>) -> Arc<Self> {
        Arc::new(Self { now: Mutex::new(to_micros(now)), moved: Notify::new() })
    }

    pub fn set(&self, now: DateTime<Utc>) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = to_micros(now);
        self.moved.notify_waiters();
    }

    pub fn advance(&self, by: TimeDelta) {
        let now = self.now() + by;
        self.set(now);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn until(&self, at: DateTime<Utc>) -> Waiting<'_> {
        Box::pin(async move {
            loop {
                let mut moved = std::pin::pin!(self.moved.notified());
                // From here on no move is missed.
                moved.as_mut().enable();
                if self.now() >= at {
                    return;
                }
                moved.await;
            }
        })
    }
}
