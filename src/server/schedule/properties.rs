//! What holds in every zone, checked with special regard to the days around clock changes.

use super::zone::wall_time;
use super::*;
use crate::domain::schedule::{Occurrence, Period};
use chrono::{DateTime, NaiveDateTime, Offset, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use proptest::prelude::*;

fn offset(zone: Tz, at: DateTime<Utc>) -> i32 {
    zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc()
}

/// The first instant with the offset that `to` has, if it is not yet that of `from`.
fn change_between(zone: Tz, from: DateTime<Utc>, to: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let (mut low, mut high) = (from.timestamp(), to.timestamp());
    let before = offset(zone, from);
    if before == offset(zone, to) {
        return None;
    }
    while high - low > 1 {
        let middle = low.midpoint(high);
        if offset(zone, DateTime::from_timestamp(middle, 0)?) == before { low = middle } else { high = middle }
    }
    DateTime::from_timestamp(high, 0)
}

/// The first clock change within about a year after an instant.
fn change_after(zone: Tz, from: DateTime<Utc>) -> Option<DateTime<Utc>> {
    (0..60).find_map(|week| change_between(zone, from + TimeDelta::weeks(week), from + TimeDelta::weeks(week + 1)))
}

/// The first instant whose wall time is `asked` or later, and no other.
fn assert_resolved(zone: Tz, asked: NaiveDateTime) {
    let (at, moved) = resolve(zone, asked);
    let local = wall_time(zone, at);
    assert!(local >= asked, "{zone} {asked}: {local} is before it");
    assert_eq!(moved, local != asked, "{zone} {asked}: {local}");
    let earlier = (1..=110).map(|quarter| TimeDelta::minutes(15 * quarter)).chain([TimeDelta::seconds(1)]);
    for step in earlier {
        let local = wall_time(zone, at - step);
        assert!(local < asked, "{zone} {asked}: {local} is {step} earlier");
    }
}

#[test]
fn wall_times_around_every_clock_change_of_every_zone_are_resolved() {
    let (begin, end) = (DateTime::UNIX_EPOCH, DateTime::from_timestamp(4_102_444_800, 0).unwrap());
    let mut changes = 0;
    for zone in TZ_VARIANTS {
        let mut from = begin;
        while from < end {
            let to = from + TimeDelta::weeks(2);
            if let Some(change) = change_between(zone, from, to) {
                changes += 1;
                let (before, after) = (wall_time(zone, change - TimeDelta::seconds(1)), wall_time(zone, change));
                for asked in [before, before + TimeDelta::seconds(1), after - TimeDelta::seconds(1), after] {
                    assert_resolved(zone, asked);
                }
            }
            from = to;
        }
    }
    assert!(changes > 10_000, "only {changes} changes were found");
}

#[derive(Clone, Debug)]
struct Case {
    schedule: Schedule,
    at: DateTime<Utc>,
}

fn instants() -> impl Strategy<Value = DateTime<Utc>> {
    (0..4_102_444_800_i64).prop_map(|second| DateTime::from_timestamp(second, 0).unwrap())
}

/// Half of the schedules begin up to three periods before a clock change of their zone.
fn cases() -> impl Strategy<Value = Case> {
    let near = proptest::option::of((-104..=104_i64, 0..=3_i64));
    let zone = proptest::sample::select(&TZ_VARIANTS[..]);
    let period = proptest::sample::select(&Period::ALL[..]);
    (zone, period, instants(), near, -1..=40_i64, -1..=41_i64, -90_000..=90_000_i64).prop_map(
        |(zone, period, from, near, length, place, jitter)| {
            let days = match period {
                Period::Once | Period::Daily => 1,
                Period::Weekly => 7,
                Period::Monthly => 30,
            };
            let start = near
                .and_then(|(quarters, periods)| {
                    let change = change_after(zone, from)? + TimeDelta::minutes(15 * quarters);
                    Some(wall_time(zone, change) - TimeDelta::days(days * periods))
                })
                .unwrap_or_else(|| wall_time(zone, from));
            // Every fourth window ends on the wall time of its occurrences, every fourth search is there.
            let place_on = |count: i64, exact: bool| {
                let day = resolve(zone, start + TimeDelta::days(days * count)).0;
                if exact { day } else { day + TimeDelta::seconds(jitter) }
            };
            let schedule = Schedule { start, zone, end: place_on(length, length % 4 == 0), period };
            Case { schedule, at: place_on(place, place % 4 == 0) }
        },
    )
}

/// All occurrences by trying every number from the anchor on.
fn scan(schedule: &Schedule) -> Vec<(u32, Occurrence)> {
    (0..60).filter_map(|n| schedule.nth(n).map(|occurrence| (n, occurrence))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn any_wall_time_is_resolved(zone in proptest::sample::select(&TZ_VARIANTS[..]), at in instants()) {
        assert_resolved(zone, at.naive_utc());
    }

    #[test]
    fn occurrences_increase_inside_the_window(Case { schedule, .. } in cases()) {
        let all = scan(&schedule);
        prop_assert!(all.windows(2).all(|pair| pair[0].1.utc < pair[1].1.utc), "{all:?}");
        for (n, occurrence) in &all {
            prop_assert!(schedule.contains(occurrence.utc), "{n} {occurrence:?}");
            prop_assert_eq!(wall_time(schedule.zone, occurrence.utc), occurrence.local);
            if !occurrence.moved {
                prop_assert_eq!(occurrence.local.num_seconds_from_midnight(), schedule.start.num_seconds_from_midnight());
            }
        }
    }

    #[test]
    fn a_window_with_an_instant_in_it_has_a_first_occurrence(Case { schedule, .. } in cases()) {
        let start = resolve(schedule.zone, schedule.start).0;
        let first = scan(&schedule).first().map(|(_, occurrence)| occurrence.utc);
        prop_assert_eq!(first, (start < schedule.end).then_some(start));
    }

    #[test]
    fn searches_agree_with_a_scan(Case { schedule, at } in cases()) {
        let all = scan(&schedule);
        let find = |wanted: &dyn Fn(&Occurrence) -> bool| all.iter().find(|(_, found)| wanted(found)).cloned();
        prop_assert_eq!(schedule.next_from(at), find(&|found| found.utc >= at));
        prop_assert_eq!(schedule.first_after(at), find(&|found| found.utc > at));
        prop_assert_eq!(schedule.last_until(at), all.iter().rfind(|(_, found)| found.utc <= at).cloned());
        let upcoming: Vec<_> = all.iter().map(|(_, found)| found.clone()).filter(|found| found.utc >= at).take(5).collect();
        prop_assert_eq!(schedule.upcoming(at, 5), upcoming);
    }

    #[test]
    fn searches_find_an_occurrence_however_far_from_the_anchor(Case { schedule, .. } in cases(), n in 0..u32::MAX) {
        let n = n % match schedule.period {
            Period::Once => 1,
            Period::Daily => 40_000,
            Period::Weekly => 6_000,
            Period::Monthly => 1_500,
        };
        let schedule = Schedule { end: DateTime::<Utc>::MAX_UTC, ..schedule };
        if let Some(occurrence) = schedule.nth(n) {
            let (at, found) = (occurrence.utc, Some((n, occurrence)));
            prop_assert_eq!(schedule.next_from(at), found.clone());
            prop_assert_eq!(schedule.first_after(at - TimeDelta::nanoseconds(1)), found.clone());
            prop_assert_eq!(schedule.last_until(at + TimeDelta::seconds(1)), found);
        }
    }

    #[test]
    fn what_is_due_lies_between_and_the_next_after_now(Case { schedule, at } in cases(), hours in -5..200_i64) {
        let now = at + TimeDelta::hours(hours);
        match due(&schedule, at, now) {
            Due::None { next } if at > now => prop_assert_eq!(next, (at < schedule.end).then_some(at)),
            Due::None { next } => {
                prop_assert!(next.is_none_or(|next| next > now));
                prop_assert!(!scan(&schedule).iter().any(|(_, found)| at <= found.utc && found.utc <= now));
            }
            Due::Open { occurrence, next } => {
                prop_assert!(at <= occurrence.utc && occurrence.utc <= now && schedule.contains(now));
                prop_assert!(next.is_none_or(|next| next > now));
            }
            Due::Missed { occurrence, next } => {
                prop_assert!(at <= occurrence.utc && occurrence.utc <= now && schedule.contains(occurrence.utc));
                prop_assert!(next.is_none_or(|next| next > now));
            }
        }
    }
}
