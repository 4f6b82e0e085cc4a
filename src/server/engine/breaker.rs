//! The breaker: after the mail server could not be reached, nobody knocks again for a while.

use chrono::{DateTime, TimeDelta, Utc};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The first wait after a failed connection; it doubles up to [`LONGEST`].
const FIRST: TimeDelta = TimeDelta::seconds(1);
const LONGEST: TimeDelta = TimeDelta::seconds(60);

/// Whether the mail server may be tried, shared by all connections.
#[derive(Debug, Default)]
pub struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    until: DateTime<Utc>,
    wait: TimeDelta,
    trouble: String,
}

impl Breaker {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the mail server may be tried again, if not now.
    pub fn closed_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.state().open.as_ref().map(|open| open.until).filter(|until| *until > now)
    }

    /// A connection failed. Several that fail at once count as one. Returns when to try again.
    pub fn trip(&self, trouble: String, now: DateTime<Utc>) -> DateTime<Utc> {
        let mut state = self.state();
        match &mut state.open {
            Some(open) if open.until > now => open.until,
            Some(open) => {
                open.wait = (open.wait * 2).min(LONGEST);
                open.until = now + open.wait;
                open.trouble = trouble;
                open.until
            }
            None => {
                let until = now + FIRST;
                state.open = Some(Open { until, wait: FIRST, trouble });
                until
            }
        }
    }

    /// The mail server did its work.
    pub fn reset(&self) {
        self.state().open = None;
    }

    /// What is wrong with the mail server, as far as is known.
    pub fn trouble(&self) -> Option<String> {
        self.state().open.as_ref().map(|open| open.trouble.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_longer_each_time_and_forgets_after_a_success() {
        let breaker = Breaker::default();
        let start = DateTime::from_timestamp(1_000_000, 0).unwrap();
        assert_eq!(breaker.closed_until(start), None);
        assert_eq!(breaker.trip("refused".into(), start), start + FIRST);
        assert_eq!(breaker.trip("refused".into(), start), start + FIRST, "two at once are one");
        let mut now = start + FIRST;
        assert_eq!(breaker.closed_until(now), None);
        assert_eq!(breaker.trip("refused".into(), now), now + TimeDelta::seconds(2));
        for _ in 0..20 {
            now += LONGEST;
            breaker.trip("refused".into(), now);
        }
        assert_eq!(breaker.closed_until(now), Some(now + LONGEST));
        assert_eq!(breaker.trouble().as_deref(), Some("refused"));
        breaker.reset();
        assert_eq!((breaker.closed_until(now), breaker.trouble()), (None, None));
    }
}
