//! How many connections a relay bears: few at first, one more for each round of successes, half as
//! many after trouble. Pure.

/// Connections at the start.
const FIRST: f64 = 5.0;

/// The connections to one relay.
#[derive(Clone, Debug, PartialEq)]
pub struct Concurrency {
    limit: f64,
    most: usize,
    open: usize,
}

impl Concurrency {
    /// `most` is what the relay's settings allow.
    pub fn new(most: usize) -> Self {
        let most = most.max(1);
        Self { limit: FIRST.min(most as f64), most, open: 0 }
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

    /// The server took a letter. True if that makes room for one more connection.
    pub fn succeeded(&mut self) -> bool {
        let before = self.allowed();
        self.limit = (self.limit + 1.0 / self.limit).min(self.most as f64);
        self.allowed() > before
    }

    /// A connection failed, or broke.
    pub fn failed(&mut self) {
        self.limit = (self.limit / 2.0).max(1.0);
    }

    /// The server turned a new connection away while `others` are at work: so many it bears.
    pub fn crowded(&mut self, others: usize) {
        self.limit = self.limit.min(others.max(1) as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn starts_at_five_and_grows_by_one_for_each_round_of_successes() {
        let mut all = Concurrency::new(20);
        assert_eq!(all.allowed(), 5);
        assert_eq!((0..6).filter(|_| all.take()).count(), 5);
        // 1/5 + 1/5.2 + …: a little more than five successes for the sixth place.
        let grew: Vec<bool> = (0..6).map(|_| all.succeeded()).collect();
        assert_eq!(grew, [false, false, false, false, false, true]);
        assert!(all.take() && !all.take());
        for _ in 0..500 {
            all.succeeded();
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
        all.crowded(3);
        assert_eq!(all.allowed(), 3);
        all.crowded(0);
        assert_eq!(all.allowed(), 1);
    }

    proptest! {
        #[test]
        fn stays_between_one_and_what_is_allowed(most in 1_usize..50, steps in proptest::collection::vec(0_u8..5, 0..300)) {
            let mut all = Concurrency::new(most);
            let mut held = 0;
            for step in steps {
                match step {
                    0 => { all.succeeded(); }
                    1 => all.failed(),
                    2 => all.crowded(held),
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
