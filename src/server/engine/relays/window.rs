//! Limits as sliding windows: never more than N letters in *any* second, hour or day, not only in
//! those that begin at a full hour. A window is kept as buckets, and a bucket counts until its last
//! instant has left the window, so the limit is never exceeded, and undershot by a bucket at most. A
//! bucket of tokens would either let twice as many through at its start or hand out less than what
//! the mail server allows. Pure.

use crate::domain::relay::Span;
use chrono::{DateTime, TimeDelta, Utc};

/// The width of the window, in microseconds.
fn width(span: Span) -> i64 {
    span.seconds() * 1_000_000
}

/// The width of a bucket: a hundredth of a second, a minute, a quarter of an hour.
fn grain(span: Span) -> i64 {
    match span {
        Span::Second => 10_000,
        Span::Hour => 60_000_000,
        Span::Day => 900_000_000,
    }
}

/// The bucket of an instant.
pub fn bucket(span: Span, at: DateTime<Utc>) -> i64 {
    at.timestamp_micros().div_euclid(grain(span))
}

/// The oldest bucket that counts now.
pub fn oldest(span: Span, now: DateTime<Utc>) -> i64 {
    // It counts while its end is later than the window's beginning.
    (now.timestamp_micros() - width(span)).div_euclid(grain(span))
}

/// When a bucket stops to count.
fn leaves(span: Span, bucket: i64) -> DateTime<Utc> {
    let micros = (bucket + 1) * grain(span) + width(span);
    DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// What has been sent, by bucket, in any order.
#[derive(Clone, Debug, Default)]
pub struct Window<'a>(pub &'a [(i64, i64)]);

impl Window<'_> {
    /// Letters that count now.
    pub fn used(&self, span: Span, now: DateTime<Utc>) -> i64 {
        let oldest = oldest(span, now);
        self.0.iter().filter(|(bucket, _)| *bucket >= oldest).map(|(_, n)| n).sum()
    }

    /// When there will be room for one more, if `held` are promised to letters under way.
    pub fn free_at(&self, span: Span, limit: i64, held: i64, now: DateTime<Utc>) -> DateTime<Utc> {
        let mut used = self.used(span, now) + held;
        let oldest = oldest(span, now);
        let mut buckets: Vec<_> = self.0.iter().filter(|(bucket, _)| *bucket >= oldest).collect();
        buckets.sort_unstable();
        for (bucket, n) in buckets {
            if used < limit {
                break;
            }
            used -= n;
            if used < limit {
                return leaves(span, *bucket);
            }
        }
        // Letters under way take all of it: they will be done soon, and then count from their end on.
        now + if used < limit { TimeDelta::zero() } else { TimeDelta::milliseconds(100) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(micros: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(1_700_000_000_000_000 + micros).unwrap()
    }

    #[test]
    fn a_letter_counts_for_the_whole_span_and_a_bucket_more_at_most() {
        for span in Span::ALL {
            let sent = [(bucket(span, at(0)), 3)];
            let window = Window(&sent);
            assert_eq!(window.used(span, at(width(span) - 1)), 3, "{span:?}");
            assert_eq!(window.used(span, at(width(span) + grain(span))), 0, "{span:?}");
            let free = window.free_at(span, 3, 0, at(1));
            assert_eq!((window.used(span, free - TimeDelta::microseconds(1)), window.used(span, free)), (3, 0));
            assert_eq!(window.free_at(span, 4, 0, at(1)), at(1), "there is room");
            assert_eq!(window.free_at(span, 4, 1, at(1)), free, "what is under way counts");
        }
    }

    proptest! {
        /// Send whenever there is room, at any instants: no window of the span's width, wherever it
        /// begins, holds more than the limit.
        #[test]
        fn no_window_holds_more_than_the_limit(
            which in 0_usize..3,
            limit in 1_i64..8,
            pauses in proptest::collection::vec(0.0_f64..0.3, 1..200),
        ) {
            let span = Span::ALL[which];
            let (mut now, mut buckets, mut sent) = (at(0), Vec::<(i64, i64)>::new(), Vec::new());
            for pause in pauses {
                now += TimeDelta::microseconds((pause * width(span) as f64) as i64);
                if Window(&buckets).used(span, now) < limit {
                    buckets.push((bucket(span, now), 1));
                    sent.push(now);
                } else {
                    let free = Window(&buckets).free_at(span, limit, 0, now);
                    prop_assert!(free > now);
                    prop_assert!(Window(&buckets).used(span, free) < limit);
                }
            }
            for first in &sent {
                let end = *first + TimeDelta::microseconds(width(span));
                let within = sent.iter().filter(|at| *at >= first && **at < end).count();
                prop_assert!(within as i64 <= limit, "{within} in one {span:?}");
            }
        }
    }
}
