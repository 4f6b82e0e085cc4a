//! Limits at work: an engine takes a few letters' worth of permission from the database at a time, so
//! that all engines on one database keep a limit together and a restart forgets nothing.
//!
//! Permission counts as used from the moment it is taken until the letter is done, and from then on
//! for the whole second, hour or day. Whenever the mail server takes the letter in between, no window
//! of that width sees more letters than the limit.

use super::window::{self, Window};
use crate::domain::relay::{LimitUse, Limits, Span};
use crate::server::clock::SharedClock;
use crate::server::db::{Db, DbResult, relay_usage};
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Handle;

/// What a dead engine had taken counts as used after this.
const HOLD: TimeDelta = TimeDelta::minutes(10);
/// Most letters' worth taken at once, and which part of the smallest limit.
const AT_ONCE: i64 = 40;
const PART: i64 = 20;
/// A limit that lets the next letter through this soon is waited for; with a longer one, letters go by
/// another relay or back into the queue.
pub const PATIENCE: TimeDelta = TimeDelta::seconds(2);
/// The wait after a database error.
const AFTER_ERROR: TimeDelta = TimeDelta::seconds(1);

/// What may be handed to one relay.
pub struct Allowance {
    db: Db,
    clock: SharedClock,
    relay: i64,
    /// This one among all that hold something.
    holder: String,
    limits: Limits,
    counts: Mutex<Counts>,
    /// One refill at a time.
    refilling: tokio::sync::Mutex<()>,
    /// Where the database is asked.
    runtime: Handle,
}

#[derive(Debug, Default)]
struct Counts {
    free: i64,
    under_way: i64,
    /// When letters were done that are not recorded yet.
    done: Vec<DateTime<Utc>>,
    /// The limits are used up until then.
    until: Option<DateTime<Utc>>,
    /// The database knows of a hold of ours.
    held: bool,
}

/// Permission for one letter. Dropped, it counts as used.
pub struct Grant(Option<Arc<Allowance>>);

impl Grant {
    /// The letter did not go out after all.
    pub fn unused(mut self) {
        if let Some(allowance) = self.0.take() {
            let mut counts = allowance.counts();
            counts.under_way -= 1;
            counts.free += 1;
        }
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        if let Some(allowance) = self.0.take() {
            let now = allowance.clock.now();
            let mut counts = allowance.counts();
            counts.under_way -= 1;
            counts.done.push(now);
        }
    }
}

impl Allowance {
    /// For one relay; the database is asked on the runtime given.
    pub fn new(db: Db, clock: SharedClock, relay: i64, limits: Limits, runtime: Handle) -> Self {
        let holder = format!("{:016x}", rand::random::<u64>());
        let refilling = tokio::sync::Mutex::default();
        Self { db, clock, relay, holder, limits, counts: Mutex::default(), refilling, runtime }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Until when the limits are used up, as far as was seen; a wait that is short enough to be waited
    /// for does not count.
    pub fn used_up_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.counts().until.filter(|until| *until > now + PATIENCE)
    }

    /// Takes permission for one letter, or says when there may be some.
    ///
    /// # Errors
    /// The instant from which on it is worth another try.
    pub async fn take(self: &Arc<Self>) -> Result<Grant, DateTime<Utc>> {
        if !self.limits.any() {
            return Ok(Grant(None));
        }
        loop {
            if let Some(grant) = self.take_free() {
                return Ok(grant);
            }
            let _one = self.refilling.lock().await;
            // Somebody else may have refilled while this one waited.
            if let Some(grant) = self.take_free() {
                return Ok(grant);
            }
            let now = self.clock.now();
            if let Some(until) = self.counts().until.filter(|until| *until > now) {
                return Err(until);
            }
            // The database's connections belong to this runtime, whichever the letters are sent on.
            let whole = Arc::clone(self);
            let recorded = self.runtime.spawn(async move { whole.record(true).await });
            let trouble = match recorded.await {
                Ok(Ok(None)) => continue,
                Ok(Ok(Some(until))) => {
                    self.counts().until = Some(until);
                    return Err(until);
                }
                Ok(Err(error)) => error.to_string(),
                Err(error) => error.to_string(),
            };
            tracing::error!(relay = self.relay, trouble, "the limits of a relay cannot be read; it waits");
            return Err(now + AFTER_ERROR);
        }
    }

    fn take_free(self: &Arc<Self>) -> Option<Grant> {
        let mut counts = self.counts();
        (counts.free > 0).then(|| {
            counts.free -= 1;
            counts.under_way += 1;
            Grant(Some(Arc::clone(self)))
        })
    }

    /// Gives back what is not needed now and records what was used.
    ///
    /// # Errors
    /// Database errors; what was used stays to be recorded.
    pub async fn rest(&self) -> DbResult<()> {
        let _one = self.refilling.lock().await;
        let idle = {
            let mut counts = self.counts();
            counts.free = 0;
            !counts.held && counts.done.is_empty()
        };
        if idle { Ok(()) } else { self.record(false).await.map(drop) }
    }

    /// Records what was used and, with `more`, takes new permission; if there is none, says when
    /// there will be some.
    async fn record(&self, more: bool) -> DbResult<Option<DateTime<Utc>>> {
        let now = self.clock.now();
        let done = std::mem::take(&mut self.counts().done);
        let result = self.record_at(now, &done, more).await;
        if result.is_err() {
            self.counts().done.extend(done);
        }
        result
    }

    async fn record_at(
        &self,
        now: DateTime<Utc>,
        done: &[DateTime<Utc>],
        more: bool,
    ) -> DbResult<Option<DateTime<Utc>>> {
        let mut tx = self.db.begin().await?;
        relay_usage::lock(&mut tx, self.relay).await?;
        let expired = relay_usage::take_expired(&mut tx, self.relay, &self.holder, now).await?;
        for span in Span::ALL {
            let mut buckets = std::collections::BTreeMap::<i64, i64>::new();
            for at in done {
                *buckets.entry(window::bucket(span, *at)).or_default() += 1;
            }
            if expired > 0 {
                *buckets.entry(window::bucket(span, now)).or_default() += expired;
            }
            for (bucket, n) in buckets {
                relay_usage::add(&mut tx, self.relay, span, bucket, n).await?;
            }
            relay_usage::forget(&mut tx, self.relay, span, window::oldest(span, now)).await?;
        }
        let ours = {
            let counts = self.counts();
            // Letters that were done since `done` was taken are counted here still.
            counts.free + counts.under_way + i64::try_from(counts.done.len()).unwrap_or(i64::MAX)
        };
        let mut granted = 0;
        let mut until = None;
        if more {
            let held = ours + relay_usage::held_by_others(&mut tx, self.relay, &self.holder).await?;
            granted = AT_ONCE;
            for (span, limit) in Span::ALL.into_iter().filter_map(|span| Some((span, self.limits.of(span)?))) {
                let buckets = relay_usage::since(&mut tx, self.relay, span, window::oldest(span, now)).await?;
                let window = Window(&buckets);
                let left = limit - held - window.used(span, now);
                granted = granted.min(left.max(0)).min((limit / PART).max(1));
                if left <= 0 {
                    until = until.max(Some(window.free_at(span, limit, held, now)));
                }
            }
        }
        relay_usage::hold(&mut tx, self.relay, &self.holder, ours + granted, now + HOLD).await?;
        tx.commit().await?;
        let mut counts = self.counts();
        counts.free += granted;
        counts.held = ours + granted > 0;
        Ok(until)
    }

    /// How much of the limits is used, by all engines.
    ///
    /// # Errors
    /// Database errors.
    pub async fn uses(&self) -> DbResult<Vec<LimitUse>> {
        let now = self.clock.now();
        let mut uses = Vec::new();
        for (span, limit) in Span::ALL.into_iter().filter_map(|span| Some((span, self.limits.of(span)?))) {
            let buckets = relay_usage::look(&self.db, self.relay, span, window::oldest(span, now)).await?;
            let unrecorded = i64::try_from(self.counts().done.len()).unwrap_or(0);
            uses.push(LimitUse { span, used: Window(&buckets).used(span, now) + unrecorded, limit });
        }
        Ok(uses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::clock::{Clock, ManualClock};

    fn start() -> DateTime<Utc> {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    fn allowance(db: &Db, clock: &Arc<ManualClock>, limits: Limits) -> Arc<Allowance> {
        Arc::new(Allowance::new(db.clone(), clock.clone(), 7, limits, Handle::current()))
    }

    async fn engines_share_a_limit_and_a_restart_forgets_nothing(db: Db) {
        let clock = ManualClock::new(start());
        let limits = Limits { hour: Some(50), ..Limits::default() };
        let (one, two) = (allowance(&db, &clock, limits), allowance(&db, &clock, limits));
        let (mut taken, mut grants) = (0, Vec::new());
        while let (Ok(a), b) = (one.take().await, two.take().await) {
            taken += 1 + usize::from(b.is_ok());
            grants.push((a, b));
        }
        assert_eq!(taken, 50, "never more than the limit, and all of it is used");
        // One of them did not go out; the others are done a minute later.
        clock.advance(TimeDelta::minutes(1));
        let (first, _) = grants.pop().unwrap();
        first.unused();
        drop(grants);
        one.rest().await.unwrap();
        two.rest().await.unwrap();
        let again = allowance(&db, &clock, limits);
        let back = again.take().await.expect("what did not go out can be used again");
        assert!(again.take().await.is_err());
        assert_eq!(again.uses().await.unwrap()[0].limit, 50);
        drop(back);
        again.rest().await.unwrap();
        assert_eq!(again.uses().await.unwrap()[0].used, 50);
        clock.advance(TimeDelta::minutes(59));
        let until = allowance(&db, &clock, limits).take().await.err().expect("the hour is not over");
        assert!(until > clock.now() && until <= clock.now() + TimeDelta::minutes(2), "{until}");
        clock.set(until);
        assert!(allowance(&db, &clock, limits).take().await.is_ok());
    }

    async fn what_a_dead_engine_took_counts_until_it_cannot_matter_any_more(db: Db) {
        let clock = ManualClock::new(start());
        let limits = Limits { day: Some(1), ..Limits::default() };
        let dead = allowance(&db, &clock, limits);
        let Ok(grant) = dead.take().await else { panic!("there was permission") };
        std::mem::forget(grant);
        let next = allowance(&db, &clock, limits);
        assert!(next.take().await.is_err());
        clock.advance(HOLD + TimeDelta::seconds(1));
        assert!(next.take().await.is_err(), "it may have gone out at the last moment");
        clock.advance(TimeDelta::days(1) + TimeDelta::hours(1));
        assert!(next.take().await.is_ok());
    }

    crate::server::db::testing::on_both!(
        engines_share_a_limit_and_a_restart_forgets_nothing,
        what_a_dead_engine_took_counts_until_it_cannot_matter_any_more,
    );
}
