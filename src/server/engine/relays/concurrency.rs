//! How many connections a relay bears: few at first, one more for each round of successes, half as
//! many after trouble. A number that it turned out to bear is kept for a while. Pure.

use chrono::{DateTime, TimeDelta, Utc};

/// Connections at the start.
const FIRST: f64 = 5.0;
/// How long no more connections are opened than the relay bore. It doubles each time that one more was turned away.
const KEPT: TimeDelta = TimeDelta::seconds(10);
const KEPT_MOST: TimeDelta = TimeDelta::hours(1);

/// The connections to one relay.
#[derive(Clone, Debug, PartialEq)]
pub struct Concurrency {
    limit: f64,
    most: usize,
    open: usize,
    borne: Option<Borne>,
}

/// How many the relay bore when it turned one more away.
#[derive(Clone, Debug, PartialEq)]
struct Borne {
    most: usize,
    until: DateTime<Utc>,
    kept: TimeDelta,
}

impl Concurrency {
    /// `most` is what the relay's settings allow.
    pub fn new(most: usize) -> Self {
        let most = most.max(1);
        Self { limit: FIRST.min(most as f64), most, open: 0, borne: None }
    }

    /// Connections that may be open now.
    pub fn allowed(&self) -> usize {
        // Sums of 1/N fall short of the next whole number by what rounding loses.
        ((self.limit + 1e-6) as usize).clamp(1, self.most)
    }

    pub fn open(&self) -> usize {
        self.open
    }

    /// Takes a place for one more connection; false if all are taken.
    pub fn take(&mut self) -> bool {
        let free = self.open < self.allowed();
        self.open += usize::from(free);
        free
    }

    /// Gives a place back.
    pub fn give(&mut self) {
        self.open = self.open.saturating_sub(1);
    }

    /// A connection came about: if it is one more than the relay bore, it bears more.
    pub fn connected(&mut self) {
        self.borne.take_if(|borne| self.open > borne.most);
    }

    /// The server took a letter. True if that makes room for one more connection.
    pub fn succeeded(&mut self, now: DateTime<Utc>) -> bool {
        let before = self.allowed();
        let most = match &self.borne {
            Some(borne) if now < borne.until => borne.most,
            // One alone finds out.
            Some(borne) => borne.most + 1,
            None => self.most,
        };
        let limit = (self.limit + 1.0 / self.limit).min(self.most.min(most) as f64);
        self.limit = self.limit.max(limit);
        self.allowed() > before
    }

    /// A connection failed, or broke.
    pub fn failed(&mut self) {
        self.limit = (self.limit / 2.0).max(1.0);
    }

    /// The server turned a new connection away while `others` are at work: so many it bears.
    pub fn crowded(&mut self, others: usize, now: DateTime<Utc>) {
        let most = others.max(1);
        let kept = match &self.borne {
            // Several that are turned away at once are one.
            Some(borne) if now < borne.until => borne.kept,
            Some(borne) => (borne.kept * 2).min(KEPT_MOST),
            None => KEPT,
        };
        self.borne = Some(Borne { most, until: now + kept, kept });
        self.limit = self.limit.min(most as f64);
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
    fn starts_at_five_and_grows_by_one_for_each_round_of_successes() {
        let mut all = Concurrency::new(20);
        assert_eq!(all.allowed(), 5);
        assert_eq!((0..6).filter(|_| all.take()).count(), 5);
        // 1/5 + 1/5.2 + …: a little more than five successes for the sixth place.
        let grew: Vec<bool> = (0..6).map(|_| all.succeeded(start())).collect();
        assert_eq!(grew, [false, false, false, false, false, true]);
        assert!(all.take() && !all.take());
        for _ in 0..500 {
            all.succeeded(start());
        }
        assert_eq!(all.allowed(), 20, "never above what the settings allow");
        assert_eq!(Concurrency::new(2).allowed(), 2);
    }

    #[test]
    fn trouble_halves_and_never_stops_it_altogether() {
        let mut all = Concurrency::new(20);
        let allowed: Vec<usize> = (0..5)
            .map(|_| {
                all.failed();
                all.allowed()
            })
            .collect();
        assert_eq!(allowed, [2, 1, 1, 1, 1]);
    }

    #[test]
    fn a_server_that_turns_the_fourth_away_bears_three() {
        let mut all = Concurrency::new(20);
        all.crowded(3, start());
        assert_eq!(all.allowed(), 3);
        all.crowded(0, start());
        assert_eq!(all.allowed(), 1);
    }

    /// Letters sent one after the other; one more connection is opened as soon as it may be, and turned away.
    #[test]
    fn the_number_that_a_server_bears_is_kept_longer_each_time() {
        let (mut all, mut now) = (Concurrency::new(10), start());
        assert!(all.take() && all.take());
        all.give();
        all.crowded(1, now);
        let mut turned_away = 0;
        for _ in 0..36_000 {
            now += TimeDelta::milliseconds(100);
            if all.succeeded(now) {
                assert!(all.take());
                all.give();
                all.crowded(1, now);
                turned_away += 1;
            }
        }
        // After 10 s, 20 s, 40 s and so on within an hour.
        assert_eq!((turned_away, all.allowed()), (8, 1));
        // In the end it bears more.
        now += KEPT_MOST;
        assert!(all.succeeded(now) && all.take());
        all.connected();
        for _ in 0..100 {
            all.succeeded(now);
        }
        assert_eq!(all.allowed(), 10);
    }

    proptest! {
        #[test]
        fn stays_between_one_and_what_is_allowed(most in 1_usize..50, steps in proptest::collection::vec(0_u8..5, 0..300)) {
            let mut all = Concurrency::new(most);
            let mut held = 0;
            for step in steps {
                match step {
                    0 => { all.succeeded(start()); }
                    1 => all.failed(),
                    2 => all.crowded(held, start()),
                    3 => held += usize::from(all.take()),
                    _ if held > 0 => { all.give(); held -= 1; }
                    _ => {}
                }
                prop_assert!((1..=most).contains(&all.allowed()));
                prop_assert_eq!(all.open(), held);
                prop_assert!(held <= most);
            }
        }
    }
}
