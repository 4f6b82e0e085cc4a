//! The breaker: after a relay could not be reached, nobody knocks for a while, then one connection
//! alone, the probe. It counts connections and handshakes only; what is said about a letter is the
//! letter's affair. Pure.

use chrono::{DateTime, TimeDelta, Utc};

/// The first wait after a failed connection; it doubles up to [`LONGEST`].
const FIRST: TimeDelta = TimeDelta::seconds(1);
const LONGEST: TimeDelta = TimeDelta::seconds(60);

/// What the breaker says to somebody who wants to connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Connect.
    Free,
    /// Connect, alone: [`Breaker::begin_probe`] first.
    Probe,
    /// Another one is probing.
    Probing,
    /// Not before this instant.
    Closed(DateTime<Utc>),
}

/// Whether a relay may be connected to.
#[derive(Clone, Debug, Default)]
pub struct Breaker {
    open: Option<Open>,
    probing: bool,
}

#[derive(Clone, Debug)]
struct Open {
    until: DateTime<Utc>,
    wait: TimeDelta,
}

impl Breaker {
    /// For a relay of which nothing is known yet: the first connection goes alone, so that a wrong
    /// password is not tried many times at once.
    pub fn untested() -> Self {
        Self { open: Some(Open { until: DateTime::<Utc>::MIN_UTC, wait: TimeDelta::zero() }), probing: false }
    }

    /// Whether nothing is known yet.
    pub fn is_untested(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.wait.is_zero())
    }

    /// Whether a connection may be tried.
    pub fn access(&self, now: DateTime<Utc>) -> Access {
        match &self.open {
            None => Access::Free,
            Some(open) if open.until > now => Access::Closed(open.until),
            Some(_) if self.probing => Access::Probing,
            Some(_) => Access::Probe,
        }
    }

    /// Somebody tries the one connection that [`Access::Probe`] allows.
    pub fn begin_probe(&mut self) {
        self.probing = true;
    }

    /// A connection came about, greeted and authenticated.
    pub fn connected(&mut self) {
        *self = Self::default();
    }

    /// A connection failed. Several that fail at once count as one. Returns when to try again.
    pub fn failed(&mut self, now: DateTime<Utc>) -> DateTime<Utc> {
        let wait = match &self.open {
            // A straggler that had begun before.
            Some(open) if open.until > now => return open.until,
            Some(open) => (open.wait * 2).clamp(FIRST, LONGEST),
            None => FIRST,
        };
        self.probing = false;
        self.open = Some(Open { until: now + wait, wait });
        now + wait
    }

    /// The probe ended without an answer, as at a stop: another one may try.
    pub fn abandoned(&mut self) {
        self.probing = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn start() -> DateTime<Utc> {
        DateTime::from_timestamp(1_000_000, 0).unwrap()
    }

    #[test]
    fn waits_longer_each_time_and_forgets_after_a_connection() {
        let mut breaker = Breaker::default();
        assert_eq!(breaker.access(start()), Access::Free);
        assert_eq!(breaker.failed(start()), start() + FIRST);
        assert_eq!(breaker.failed(start()), start() + FIRST, "two at once are one");
        assert_eq!(breaker.access(start()), Access::Closed(start() + FIRST));
        let mut now = start();
        for seconds in [2, 4, 8, 16, 32, 60, 60, 60] {
            let Access::Closed(until) = breaker.access(now) else { panic!("open") };
            now = until;
            assert_eq!(breaker.access(now), Access::Probe);
            breaker.begin_probe();
            assert_eq!(breaker.failed(now), now + TimeDelta::seconds(seconds));
        }
        breaker.connected();
        assert_eq!(breaker.access(now), Access::Free);
        assert_eq!(breaker.failed(now), now + FIRST);
    }

    #[test]
    fn an_untested_relay_is_tried_by_one() {
        let mut breaker = Breaker::untested();
        assert_eq!((breaker.access(start()), breaker.is_untested()), (Access::Probe, true));
        breaker.begin_probe();
        assert_eq!(breaker.access(start()), Access::Probing);
        assert_eq!(breaker.failed(start()), start() + FIRST);
        assert!(!breaker.is_untested());
        breaker.connected();
        assert_eq!((breaker.access(start()), breaker.is_untested()), (Access::Free, false));
    }

    #[test]
    fn one_probes_at_a_time() {
        let mut breaker = Breaker::default();
        let now = breaker.failed(start());
        breaker.begin_probe();
        assert_eq!(breaker.access(now), Access::Probing);
        breaker.abandoned();
        assert_eq!(breaker.access(now), Access::Probe);
    }

    proptest! {
        /// Whatever happens, nobody waits longer than a minute, and between two failures that opened
        /// it there is at least the first wait.
        #[test]
        fn waits_stay_within_bounds(steps in proptest::collection::vec((0_u8..4, 0_i64..90), 0..200)) {
            let (mut breaker, mut now) = (Breaker::default(), start());
            for (step, seconds) in steps {
                now += TimeDelta::seconds(seconds);
                match (step, breaker.access(now)) {
                    (0, Access::Free | Access::Probe) => { breaker.begin_probe(); breaker.failed(now); }
                    (1, Access::Free | Access::Probe) => { breaker.begin_probe(); breaker.connected(); }
                    (2, _) => { breaker.failed(now); }
                    (3, Access::Probe) => { breaker.begin_probe(); breaker.abandoned(); }
                    _ => {}
                }
                if let Access::Closed(until) = breaker.access(now) {
                    prop_assert!(until > now && until <= now + LONGEST);
                }
                prop_assert_ne!(breaker.access(now), Access::Probing);
            }
        }
    }
}
