//! The occurrences of one schedule.

use super::zone::{resolve, wall_time};
use crate::domain::schedule::{Occurrence, Period};
use chrono::{DateTime, Datelike, Days, Months, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;

/// A window and a period. The window is `[start, end)`: nothing happens at `end` itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The anchor: wall time of the first occurrence in `zone`.
    pub start: NaiveDateTime,
    pub zone: Tz,
    pub end: DateTime<Utc>,
    pub period: Period,
}

impl Schedule {
    /// The instant at which the window opens.
    pub fn start_at(&self) -> DateTime<Utc> {
        resolve(self.zone, self.start).0
    }

    /// Whether an instant lies in the window `[start, end)`.
    pub fn contains(&self, at: DateTime<Utc>) -> bool {
        self.start_at() <= at && at < self.end
    }

    /// The occurrence `n` periods after the anchor.
    ///
    /// `None` outside the window, past what chrono can count to, and where a whole day is missing
    /// from the calendar (Pacific/Apia, 30 December 2011) and this occurrence would fall on the very
    /// instant of the next: that instant belongs to the next alone, so no two are ever equal.
    pub fn nth(&self, n: u32) -> Option<Occurrence> {
        self.slot(n).filter(|occurrence| !self.gives_way(n, occurrence))
    }

    /// The first occurrence at `at` or later, with its number.
    pub fn next_from(&self, at: DateTime<Utc>) -> Option<(u32, Occurrence)> {
        self.slots_around(at).find(|(_, occurrence)| occurrence.utc >= at)
    }

    /// The first occurrence later than `at`, with its number.
    pub fn first_after(&self, at: DateTime<Utc>) -> Option<(u32, Occurrence)> {
        self.slots_around(at).find(|(_, occurrence)| occurrence.utc > at)
    }

    /// At most `count` occurrences, from the first at `at` or later.
    pub fn upcoming(&self, at: DateTime<Utc>, count: usize) -> Vec<Occurrence> {
        self.slots_around(at)
            .map(|(_, occurrence)| occurrence)
            .skip_while(|occurrence| occurrence.utc < at)
            .take(count)
            .collect()
    }

    /// The last occurrence at `at` or earlier, with its number.
    pub fn last_until(&self, at: DateTime<Utc>) -> Option<(u32, Occurrence)> {
        // Not beyond the end, where no slot is left to begin the search from.
        self.slots_around(at.min(self.end)).take_while(|(_, occurrence)| occurrence.utc <= at).last()
    }

    /// The occurrences from a few before `at` on; the first of them is earlier than `at` unless
    /// the schedule begins later.
    fn slots_around(&self, at: DateTime<Utc>) -> impl Iterator<Item = (u32, Occurrence)> {
        (self.number_before(at)..=u32::MAX)
            .map_while(|n| self.slot(n).map(|occurrence| (n, occurrence)))
            .filter(|(n, occurrence)| !self.gives_way(*n, occurrence))
    }

    /// A number close below those of the occurrences at `at`, found by counting days or months.
    fn number_before(&self, at: DateTime<Utc>) -> u32 {
        // No zone is a whole day from UTC, so what is a day earlier on paper is earlier in fact.
        let Some(before) = at.naive_utc().checked_sub_signed(TimeDelta::days(1)) else { return 0 };
        let days = before.signed_duration_since(self.start).num_days();
        let months = |wall: NaiveDateTime| i64::from(wall.year()) * 12 + i64::from(wall.month());
        let n = match self.period {
            Period::Once => 0,
            Period::Daily => days,
            Period::Weekly => days / 7,
            // The month before, as the day in the same month may still be ahead.
            Period::Monthly => months(before) - months(self.start) - 1,
        };
        u32::try_from(n.max(0)).unwrap_or(u32::MAX)
    }

    /// The `n`th occurrence if it is in the window, be it on the same instant as the next or not.
    fn slot(&self, n: u32) -> Option<Occurrence> {
        self.unbounded(n).filter(|occurrence| occurrence.utc < self.end)
    }

    /// The `n`th occurrence, were there no end.
    fn unbounded(&self, n: u32) -> Option<Occurrence> {
        let asked = match self.period {
            Period::Once => (n == 0).then_some(self.start)?,
            Period::Daily => self.start.checked_add_days(Days::new(u64::from(n)))?,
            Period::Weekly => self.start.checked_add_days(Days::new(7 * u64::from(n)))?,
            // Clamps to the month's last day.
            Period::Monthly => self.start.checked_add_months(Months::new(n))?,
        };
        let clamped = self.period == Period::Monthly && asked.day() != self.start.day();
        let (utc, skipped) = resolve(self.zone, asked);
        Some(Occurrence { local: wall_time(self.zone, utc), utc, moved: clamped || skipped })
    }

    /// Whether the next occurrence falls on the same instant: see [`Schedule::nth`].
    fn gives_way(&self, n: u32, occurrence: &Occurrence) -> bool {
        n.checked_add(1).and_then(|next| self.unbounded(next)).is_some_and(|next| next.utc <= occurrence.utc)
    }
}
