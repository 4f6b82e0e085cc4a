//! How long letters take to leave at the limits that there are.

use super::relay::{LimitUse, Limits, Span};
use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};

/// What a mail server may take, and how much of it is used now.
#[derive(Clone, Debug, Default)]
pub struct Capacity {
    pub limits: Limits,
    pub uses: Vec<LimitUse>,
}

/// Letters that an owner may send on a day (UTC), and how many of today's are used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Daily {
    pub limit: i64,
    pub used: i64,
}

/// When the last of so many letters leaves that begin to leave at `start`; none where no limit slows them, for then the mail
/// servers alone decide. What is used up `now` counts for what begins at once.
pub fn last_leaves(
    n: i64,
    (start, now): (DateTime<Utc>, DateTime<Utc>),
    relays: &[Capacity],
    daily: Option<Daily>,
) -> Option<DateTime<Utc>> {
    if n <= 0 {
        return None;
    }
    let at_once = start <= now;
    // Whether all together have room so many seconds later; never where one takes whatever the others do not.
    let has_room = |elapsed: i64| {
        let room: Option<i64> = relays.iter().map(|relay| relay.room(elapsed, at_once)).sum();
        room.is_some_and(|room| room >= n)
    };
    let by_relays = has_room(LONGEST).then(|| {
        let (mut low, mut high) = (0, LONGEST);
        while low < high {
            let middle = low + (high - low) / 2;
            if has_room(middle) { high = middle } else { low = middle + 1 }
        }
        TimeDelta::seconds(low)
    });
    let by_relays = by_relays.and_then(|wait| start.checked_add_signed(wait));
    let by_day = daily.and_then(|Daily { limit, used }| {
        if limit <= 0 {
            return None;
        }
        let today = if start.date_naive() == now.date_naive() { limit.saturating_sub(used).max(0) } else { limit };
        let days = n.saturating_sub(today).max(0).checked_add(limit - 1)? / limit;
        let day = start.date_naive().checked_add_days(Days::new(u64::try_from(days).ok()?))?;
        Some(if days == 0 { start } else { day.and_time(NaiveTime::MIN).and_utc() })
    });
    by_relays.into_iter().chain(by_day).max()
}

/// Seconds that anybody looks ahead: a hundred years.
const LONGEST: i64 = 100 * 366 * 86_400;

impl Capacity {
    /// Letters that it takes within so many seconds, by the tightest of its limits; none where it has none. What is used up now
    /// counts where they begin `at_once`.
    fn room(&self, elapsed: i64, at_once: bool) -> Option<i64> {
        let rooms = Span::ALL.into_iter().filter_map(|span| {
            let limit = self.limits.of(span).filter(|limit| *limit > 0)?;
            let used = self.uses.iter().find(|of| of.span == span).map_or(0, |of| of.used);
            let before = if at_once { used.min(limit) } else { 0 };
            // As many again with each window that has passed. Few enough that those of all can be added up.
            let most = limit.saturating_mul(elapsed / span.seconds() + 1).saturating_sub(before);
            Some(most.min(i64::MAX / 1024))
        });
        rooms.min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn relay(second: Option<i64>, hour: Option<i64>, used: i64) -> Capacity {
        let uses = hour.map(|limit| LimitUse { span: Span::Hour, used, limit }).into_iter().collect();
        Capacity { limits: Limits { second, hour, day: None }, uses }
    }

    fn last(n: i64, relays: &[Capacity], daily: Option<Daily>) -> Option<String> {
        let start = at("2026-11-23T10:00:00Z");
        last_leaves(n, (start, start), relays, daily).map(|at| at.format("%dT%H:%M:%S").to_string())
    }

    #[test]
    fn the_tightest_limit_decides() {
        let (slow, hourly, free) = (relay(Some(2), None, 0), relay(None, Some(100), 40), Capacity::default());
        for (n, relays, daily, expected) in [
            (120, vec![slow.clone()], None, Some("23T10:00:59")),
            (60, vec![hourly.clone()], None, Some("23T10:00:00")),
            (61, vec![hourly.clone()], None, Some("23T11:00:00")),
            (160, vec![hourly.clone()], None, Some("23T11:00:00")),
            (161, vec![hourly.clone()], None, Some("23T12:00:00")),
            (161, vec![hourly.clone(), hourly.clone()], None, Some("23T11:00:00")),
            (161, vec![hourly.clone(), slow.clone()], None, Some("23T10:00:50")),
            (1_000_000, vec![hourly.clone(), free.clone()], None, None),
            (1_000_000, vec![free.clone()], None, None),
            (10, vec![], Some(Daily { limit: 10, used: 0 }), Some("23T10:00:00")),
            (11, vec![], Some(Daily { limit: 10, used: 0 }), Some("24T00:00:00")),
            (11, vec![slow], Some(Daily { limit: 10, used: 10 }), Some("25T00:00:00")),
            (0, vec![hourly.clone()], None, None),
            (i64::MIN, vec![hourly.clone()], None, None),
            (i64::MAX, vec![hourly], Some(Daily { limit: 10, used: 0 }), None),
        ] {
            assert_eq!(last(n, &relays, daily).as_deref(), expected, "{n} {relays:?} {daily:?}");
        }
    }

    /// Each has another kind of limit: both slow it.
    #[test]
    fn limits_of_different_spans_add_up() {
        let daily = Capacity { limits: Limits { second: None, hour: None, day: Some(1000) }, uses: Vec::new() };
        let start = at("2026-11-23T10:00:00Z");
        let last = last_leaves(1_000_000, (start, start), &[relay(None, Some(100), 0), daily], None).unwrap();
        // 3400 a day.
        assert_eq!((last - start).num_days(), 294);
    }

    #[test]
    fn what_is_used_now_is_free_again_later() {
        let (start, now) = (at("2026-11-24T10:00:00Z"), at("2026-11-23T10:00:00Z"));
        let relays = [relay(None, Some(100), 100)];
        assert_eq!(last_leaves(100, (start, now), &relays, None), Some(start));
        assert_eq!(last_leaves(100, (now, now), &relays, None), Some(now + TimeDelta::hours(1)));
        let daily = Some(Daily { limit: 10, used: 10 });
        assert_eq!(last_leaves(10, (start, now), &[], daily), Some(start));
    }
}
