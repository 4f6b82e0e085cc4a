//! When a relay asks for letter after letter to be sent later, it is the relay's matter and not the letters': it is left
//! alone for a while. Pure.

use chrono::{DateTime, TimeDelta, Utc};

/// Letters in a row, none being taken in between, that are to be tried later.
const ROW: u32 = 10;
/// The first rest; it doubles up to [`LONGEST`] until a letter is taken.
const FIRST: TimeDelta = TimeDelta::seconds(1);
const LONGEST: TimeDelta = TimeDelta::seconds(60);

/// How a relay bears letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rest {
    row: u32,
    wait: TimeDelta,
    until: Option<DateTime<Utc>>,
}

impl Rest {
    /// Until when nothing is handed over.
    pub fn until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.until.filter(|until| *until > now)
    }

    /// The relay did not take a letter for now. True if it rests from now on.
    pub fn put_off(&mut self, now: DateTime<Utc>) -> bool {
        // What was under way when the rest began says nothing new.
        if self.until(now).is_some() {
            return false;
        }
        self.row += 1;
        if self.row < ROW {
            return false;
        }
        self.row = 0;
        self.wait = (self.wait * 2).clamp(FIRST, LONGEST);
        self.until = Some(now + self.wait);
        true
    }

    /// The relay took a letter.
    pub fn took(&mut self) {
        (self.row, self.wait) = (0, TimeDelta::zero());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_longer_each_time_until_a_letter_is_taken() {
        let (mut rest, mut now) = (Rest::default(), DateTime::from_timestamp(1_000_000, 0).unwrap());
        let row = |rest: &mut Rest, now| (0..ROW).filter(|_| rest.put_off(now)).count();
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert_eq!((row(&mut rest, now), rest.until(now)), (1, Some(now + TimeDelta::seconds(seconds))));
            assert_eq!(row(&mut rest, now), 0, "stragglers");
            now += TimeDelta::seconds(seconds);
            assert_eq!(rest.until(now), None);
        }
        for _ in 0..ROW * 3 {
            rest.put_off(now);
            rest.took();
        }
        assert_eq!(rest.until(now), None, "letters that are taken break the row");
        assert_eq!((row(&mut rest, now), rest.until(now)), (1, Some(now + FIRST)));
    }
}
