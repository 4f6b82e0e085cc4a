//! Letters a second, over the last ten seconds. Pure.

use chrono::{DateTime, Utc};

const SECONDS: usize = 10;

/// Counts by second.
#[derive(Clone, Debug, Default)]
pub struct Rate {
    counts: [u64; SECONDS],
    /// The newest second that has been counted in.
    newest: i64,
}

impl Rate {
    /// One more letter.
    pub fn add(&mut self, now: DateTime<Utc>) {
        self.turn(now.timestamp());
        self.counts[slot(now.timestamp())] += 1;
    }

    /// Letters a second.
    pub fn per_second(&self, now: DateTime<Utc>) -> f64 {
        let mut view = self.clone();
        view.turn(now.timestamp());
        view.counts.iter().sum::<u64>() as f64 / SECONDS as f64
    }

    /// Forgets what is older than ten seconds.
    fn turn(&mut self, second: i64) {
        for past in (self.newest + 1..=second).rev().take(SECONDS) {
            self.counts[slot(past)] = 0;
        }
        self.newest = self.newest.max(second);
    }
}

fn slot(second: i64) -> usize {
    usize::try_from(second.rem_euclid(SECONDS as i64)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn is_that_of_the_last_ten_seconds() {
        let (mut rate, mut now) = (Rate::default(), DateTime::from_timestamp(1_000, 0).unwrap());
        assert_eq!(rate.per_second(now), 0.0);
        for _ in 0..40 {
            rate.add(now);
            now += TimeDelta::milliseconds(500);
        }
        assert_eq!(rate.per_second(now - TimeDelta::seconds(1)), 2.0);
        assert_eq!(rate.per_second(now + TimeDelta::seconds(4)), 1.0);
        assert_eq!(rate.per_second(now + TimeDelta::hours(1)), 0.0);
    }
}
