//! A month with every run of it, past and to come.

use super::overview::Named;
use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// Runs of one day that the month shows; the day alone shows all.
pub const A_DAY: usize = 4;

/// A run in the calendar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub mailing: Named,
    pub at: DateTime<Utc>,
    /// The hour and minute in the reader's zone, such as `09:05`.
    pub time: String,
    /// The run, where it has begun or was passed over: its id and a `RunState` word.
    pub run: Option<(i64, String)>,
}

/// A day of the month, in the reader's zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    pub date: NaiveDate,
    pub entries: Vec<Entry>,
    /// Runs beyond those.
    pub more: i64,
}

/// A month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// Over all owners.
    pub all: bool,
    /// The reader may see all owners.
    pub oversees: bool,
    /// Its first day.
    pub month: NaiveDate,
    pub today: NaiveDate,
    pub zone: String,
    /// Every day of the month, in order.
    pub days: Vec<Day>,
    /// All runs of the day that was asked for.
    pub chosen: Option<Day>,
    /// There are more mailings than were looked at.
    pub cut: bool,
}

/// The first day of a month such as `2026-12`, and of the day itself for `2026-12-05`.
pub fn parse_month(text: &str) -> Option<NaiveDate> {
    let day = if text.len() == 7 { format!("{text}-01") } else { text.to_owned() };
    // A year beyond these would not survive the arithmetic around it.
    let day = day.parse::<NaiveDate>().ok().filter(|day| (1970..=9998).contains(&day.year()))?;
    day.with_day(1)
}

/// The first day of the month so many months away.
pub fn months_away(month: NaiveDate, months: i32) -> NaiveDate {
    let by = Months::new(months.unsigned_abs());
    let moved = if months < 0 { month.checked_sub_months(by) } else { month.checked_add_months(by) };
    moved.unwrap_or(month)
}

/// The days of a month.
pub fn days_of(month: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    let end = months_away(month, 1);
    month.iter_days().take_while(move |day| *day < end)
}

/// Days of the week before the month's first one, weeks beginning on Monday.
pub fn lead(month: NaiveDate) -> usize {
    usize::try_from(month.weekday().num_days_from_monday()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn months_are_read_and_counted() {
        assert_eq!(parse_month("2026-12"), Some(day("2026-12-01")));
        assert_eq!(parse_month("2026-12-05"), Some(day("2026-12-01")));
        for bad in ["", "2026", "2026-13", "9999-01", "0001-01", "x", "-2026-01"] {
            assert_eq!(parse_month(bad), None, "{bad}");
        }
        assert_eq!(months_away(day("2026-12-01"), 1), day("2027-01-01"));
        assert_eq!(months_away(day("2026-01-01"), -1), day("2025-12-01"));
        assert_eq!(days_of(day("2028-02-01")).count(), 29);
        assert_eq!((lead(day("2026-12-01")), lead(day("2026-06-01")), lead(day("2026-11-01"))), (1, 0, 6));
    }
}
