//! Single cases with dates that anybody can look up.

use super::*;
use crate::domain::schedule::Period;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

fn wall(text: &str) -> NaiveDateTime {
    text.parse().unwrap()
}

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn schedule(period: Period, start: &str, zone: &str, end: &str) -> Schedule {
    Schedule { start: wall(start), zone: parse_zone(zone).unwrap(), end: utc(end), period }
}

/// `local utc moved` of the first occurrences.
fn first(period: Period, start: &str, zone: &str, count: usize) -> Vec<(String, String, bool)> {
    schedule(period, start, zone, "2100-01-01T00:00:00Z")
        .upcoming(DateTime::<Utc>::MIN_UTC, count)
        .into_iter()
        .map(|o| (o.local.format("%m-%d %H:%M").to_string(), o.utc.format("%m-%d %H:%M").to_string(), o.moved))
        .collect()
}

fn rows(expected: &[(&str, &str, bool)]) -> Vec<(String, String, bool)> {
    expected.iter().map(|(local, utc, moved)| ((*local).to_owned(), (*utc).to_owned(), *moved)).collect()
}

#[test]
fn zones_are_known_by_their_iana_name() {
    assert_eq!(parse_zone("Europe/Moscow"), Some(chrono_tz::Europe::Moscow));
    for wrong in ["", "Mars/Olympus", "Europe/", " UTC", "+03:00"] {
        assert_eq!(parse_zone(wrong), None, "{wrong:?}");
    }
}

#[test]
fn a_skipped_time_is_the_first_valid_one_after_it() {
    for (zone, asked, at) in [
        ("Europe/Berlin", "2026-03-29T02:30:00", "2026-03-29T01:00:00Z"),
        ("Europe/Berlin", "2026-03-29T02:00:00", "2026-03-29T01:00:00Z"),
        ("America/New_York", "2026-03-08T02:59:59", "2026-03-08T07:00:00Z"),
        ("Australia/Lord_Howe", "2026-10-04T02:10:00", "2026-10-03T15:30:00Z"),
        ("Pacific/Apia", "2011-12-30T10:00:00", "2011-12-30T10:00:00Z"),
        ("Africa/Cairo", "2026-04-24T00:15:00", "2026-04-23T22:00:00Z"),
        ("America/Sao_Paulo", "2018-11-04T00:00:00", "2018-11-04T03:00:00Z"),
    ] {
        assert_eq!(resolve(parse_zone(zone).unwrap(), wall(asked)), (utc(at), true), "{zone} {asked}");
    }
}

#[test]
fn a_time_that_exists_twice_is_the_first() {
    for (zone, asked, at) in [
        ("Europe/Berlin", "2026-10-25T02:30:00", "2026-10-25T00:30:00Z"),
        ("America/New_York", "2026-11-01T01:30:00", "2026-11-01T05:30:00Z"),
        ("Australia/Lord_Howe", "2026-04-05T01:45:00", "2026-04-04T14:45:00Z"),
        ("Africa/Cairo", "2026-10-29T23:30:00", "2026-10-29T20:30:00Z"),
        ("America/Sao_Paulo", "2019-02-16T23:30:00", "2019-02-17T01:30:00Z"),
    ] {
        assert_eq!(resolve(parse_zone(zone).unwrap(), wall(asked)), (utc(at), false), "{zone} {asked}");
    }
}

#[test]
fn daily_keeps_the_wall_time_over_a_clock_change() {
    assert_eq!(
        first(Period::Daily, "2026-03-28T02:30:00", "Europe/Berlin", 3),
        rows(&[
            ("03-28 02:30", "03-28 01:30", false),
            ("03-29 03:00", "03-29 01:00", true),
            ("03-30 02:30", "03-30 00:30", false)
        ])
    );
    assert_eq!(
        first(Period::Daily, "2026-10-31T01:30:00", "America/New_York", 3),
        rows(&[
            ("10-31 01:30", "10-31 05:30", false),
            ("11-01 01:30", "11-01 05:30", false),
            ("11-02 01:30", "11-02 06:30", false)
        ])
    );
}

#[test]
fn weekly_keeps_the_wall_time_over_a_clock_change() {
    assert_eq!(
        first(Period::Weekly, "2026-10-21T09:00:00", "Europe/Berlin", 2),
        rows(&[("10-21 09:00", "10-21 07:00", false), ("10-28 09:00", "10-28 08:00", false)])
    );
}

#[test]
fn a_day_missing_from_the_calendar_moves_to_its_end() {
    assert_eq!(
        first(Period::Daily, "2011-12-29T10:00:00", "Pacific/Apia", 3),
        rows(&[
            ("12-29 10:00", "12-29 20:00", false),
            ("12-31 00:00", "12-30 10:00", true),
            ("12-31 10:00", "12-30 20:00", false)
        ])
    );
}

#[test]
fn a_missing_day_at_midnight_gives_way_to_the_next() {
    assert_eq!(
        first(Period::Daily, "2011-12-29T00:00:00", "Pacific/Apia", 3),
        rows(&[
            ("12-29 00:00", "12-29 10:00", false),
            ("12-31 00:00", "12-30 10:00", false),
            ("01-01 00:00", "12-31 10:00", false)
        ])
    );
    let apia = schedule(Period::Daily, "2011-12-29T00:00:00", "Pacific/Apia", "2012-02-01T00:00:00Z");
    assert_eq!(apia.nth(1), None);
    assert_eq!(apia.next_from(utc("2011-12-30T10:00:00Z")).unwrap().0, 2);
    assert_eq!(apia.last_until(utc("2011-12-30T10:00:00Z")).unwrap().0, 2);
}

#[test]
fn monthly_is_clamped_and_comes_back_to_its_day() {
    assert_eq!(
        first(Period::Monthly, "2026-01-31T12:00:00", "UTC", 5),
        rows(&[
            ("01-31 12:00", "01-31 12:00", false),
            ("02-28 12:00", "02-28 12:00", true),
            ("03-31 12:00", "03-31 12:00", false),
            ("04-30 12:00", "04-30 12:00", true),
            ("05-31 12:00", "05-31 12:00", false),
        ])
    );
    assert_eq!(first(Period::Monthly, "2028-01-30T12:00:00", "UTC", 2)[1].0, "02-29 12:00");
    assert_eq!(
        first(Period::Monthly, "2028-02-29T12:00:00", "UTC", 13)[12],
        rows(&[("02-28 12:00", "02-28 12:00", true)])[0]
    );
}

#[test]
fn once_is_once() {
    let once = schedule(Period::Once, "2026-05-01T10:00:00", "UTC", "2026-06-01T00:00:00Z");
    assert_eq!(once.upcoming(DateTime::<Utc>::MIN_UTC, 5).len(), 1);
    assert_eq!(once.nth(1), None);
    assert_eq!(once.first_after(utc("2026-05-01T10:00:00Z")), None);
}

#[test]
fn the_end_itself_is_outside_and_the_start_inside() {
    let daily = schedule(Period::Daily, "2026-05-01T10:00:00", "UTC", "2026-05-03T10:00:00Z");
    assert_eq!(daily.upcoming(DateTime::<Utc>::MIN_UTC, 9).len(), 2);
    assert_eq!((daily.nth(1).is_some(), daily.nth(2)), (true, None));
    assert!(daily.contains(utc("2026-05-01T10:00:00Z")));
    assert!(!daily.contains(utc("2026-05-01T09:59:59Z")));
    assert!(!daily.contains(daily.end));
    assert_eq!(daily.last_until(utc("2090-01-01T00:00:00Z")).unwrap().0, 1);
}

#[test]
fn the_ends_of_time_do_not_panic() {
    for zone in chrono_tz::TZ_VARIANTS {
        for start in [NaiveDateTime::MIN, NaiveDateTime::MAX] {
            for period in Period::ALL {
                for end in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
                    let schedule = Schedule { start, zone, end, period };
                    for at in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
                        let _ = (schedule.next_from(at), schedule.first_after(at), schedule.last_until(at));
                        let _ = (schedule.upcoming(at, 2), first_run(&schedule, at), schedule.nth(u32::MAX));
                        for now in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
                            let _ = due(&schedule, at, now);
                        }
                    }
                }
            }
        }
    }
}

/// Daily at 10:00 UTC from 1 to 20 May 2026.
fn may() -> Schedule {
    schedule(Period::Daily, "2026-05-01T10:00:00", "UTC", "2026-05-20T00:00:00Z")
}

/// `Due` as one line: the word, the occurrence's instant, the next.
fn outcome(schedule: &Schedule, next_at: &str, now: &str) -> String {
    let day = |at: DateTime<Utc>| at.format("%d %H:%M").to_string();
    let after = |next: Option<DateTime<Utc>>| next.map_or("-".to_owned(), day);
    match due(schedule, utc(next_at), utc(now)) {
        Due::None { next } => format!("none; {}", after(next)),
        Due::Open { occurrence, next } => format!("open {}; {}", day(occurrence.utc), after(next)),
        Due::Missed { occurrence, next } => format!("missed {}; {}", day(occurrence.utc), after(next)),
    }
}

#[test]
fn nothing_is_due_before_its_time() {
    assert_eq!(outcome(&may(), "2026-05-03T10:00:00Z", "2026-05-03T09:59:59Z"), "none; 03 10:00");
    // The clock stepped back behind runs that have been: the stored instant stays.
    assert_eq!(outcome(&may(), "2026-05-09T10:00:00Z", "2026-05-02T12:00:00Z"), "none; 09 10:00");
    assert_eq!(outcome(&may(), "2026-05-20T00:00:00Z", "2026-05-19T12:00:00Z"), "none; -");
}

#[test]
fn of_all_missed_only_the_latest_is_opened_within_its_grace() {
    assert_eq!(outcome(&may(), "2026-05-03T10:00:00Z", "2026-05-03T10:00:00Z"), "open 03 10:00; 04 10:00");
    assert_eq!(outcome(&may(), "2026-05-03T10:00:00Z", "2026-05-07T16:00:00Z"), "open 07 10:00; 08 10:00");
    assert_eq!(outcome(&may(), "2026-05-03T10:00:00Z", "2026-05-07T16:00:01Z"), "missed 07 10:00; 08 10:00");
}

#[test]
fn each_period_has_its_grace() {
    assert_eq!(grace(Period::Daily), TimeDelta::hours(6));
    for period in [Period::Once, Period::Weekly, Period::Monthly] {
        let schedule = Schedule { period, ..may() };
        assert!(outcome(&schedule, "2026-05-01T10:00:00Z", "2026-05-02T10:00:00Z").starts_with("open 01"));
        assert!(outcome(&schedule, "2026-05-01T10:00:00Z", "2026-05-02T10:00:01Z").starts_with("missed 01"));
    }
}

#[test]
fn nothing_opens_after_the_end() {
    let mut may = may();
    may.end = utc("2026-05-19T11:00:00Z");
    assert_eq!(outcome(&may, "2026-05-19T10:00:00Z", "2026-05-19T10:59:59Z"), "open 19 10:00; -");
    assert_eq!(outcome(&may, "2026-05-19T10:00:00Z", "2026-05-19T11:00:00Z"), "missed 19 10:00; -");
    assert_eq!(outcome(&may, "2026-05-19T11:00:00Z", "2026-05-19T12:00:00Z"), "none; -");
}

#[test]
fn a_stored_instant_off_the_grid_is_honoured_inside_the_window_only() {
    assert_eq!(outcome(&may(), "2026-05-03T12:34:00Z", "2026-05-03T12:34:00Z"), "open 03 12:34; 04 10:00");
    assert_eq!(outcome(&may(), "2026-05-03T12:34:00Z", "2026-05-04T10:00:00Z"), "open 04 10:00; 05 10:00");
    assert_eq!(outcome(&may(), "2026-04-20T10:00:00Z", "2026-04-20T10:00:00Z"), "none; 01 10:00");
    assert_eq!(outcome(&may(), "2026-04-20T10:00:00Z", "2026-05-01T10:00:00Z"), "open 01 10:00; 02 10:00");
}

#[test]
fn the_first_run_is_at_once_inside_the_window_and_at_the_start_before_it() {
    let run = |now| first_run(&may(), utc(now)).map(|run| (run.run_now, run.at, run.next));
    let (first, second) = (utc("2026-05-01T10:00:00Z"), utc("2026-05-02T10:00:00Z"));
    assert_eq!(run("2026-04-01T00:00:00Z"), Some((false, first, Some(second))));
    assert_eq!(run("2026-05-01T10:00:00Z"), Some((true, first, Some(second))));
    let inside = utc("2026-05-01T18:30:00Z");
    assert_eq!(run("2026-05-01T18:30:00Z"), Some((true, inside, Some(second))));
    assert_eq!(run("2026-05-19T18:30:00Z"), Some((true, utc("2026-05-19T18:30:00Z"), None)));
    assert_eq!(run("2026-05-20T00:00:00Z"), None);
    let empty = Schedule { end: first, ..may() };
    assert_eq!(first_run(&empty, utc("2026-04-01T00:00:00Z")), None);
}
