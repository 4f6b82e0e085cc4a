//! What to open now, what was missed, and when to look again.

use super::occurrences::Schedule;
use super::zone::wall_time;
use crate::domain::schedule::{Occurrence, Period};
use chrono::{DateTime, TimeDelta, Utc};

/// How late a run may still be opened after the service was down.
pub fn grace(period: Period) -> TimeDelta {
    match period {
        Period::Daily => TimeDelta::hours(6),
        Period::Once | Period::Weekly | Period::Monthly => TimeDelta::hours(24),
    }
}

/// What a mailing's stored `next_at` means now. `next` is always the `next_at` to store: `None` when
/// nothing will ever come again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// Nothing to open or to record.
    None { next: Option<DateTime<Utc>> },
    /// Open a run for this occurrence, on time or as the one catch-up run.
    Open { occurrence: Occurrence, next: Option<DateTime<Utc>> },
    /// Too late, or the window is over: record a skipped run for this occurrence, the newest missed.
    Missed { occurrence: Occurrence, next: Option<DateTime<Utc>> },
}

/// Applies the catch-up rule: of all occurrences from `next_at` to `now` at most the latest is opened,
/// and only within its [`grace`] and inside the window.
///
/// `next_at` itself counts as an occurrence even if the schedule has none there: the first run of a
/// mailing that was created inside its window is off the grid, and so is an instant stored before
/// the zone's rules changed. A `next_at` outside the window (the window was edited) does not.
pub fn due(schedule: &Schedule, next_at: DateTime<Utc>, now: DateTime<Utc>) -> Due {
    // Also the clock that stepped back: what is stored stays, so that nothing fires twice.
    if next_at > now {
        return Due::None { next: (next_at < schedule.end).then_some(next_at) };
    }
    let next = schedule.first_after(now).map(|(_, occurrence)| occurrence.utc);
    let latest = schedule.last_until(now).map(|(_, occurrence)| occurrence).filter(|last| last.utc >= next_at);
    let stored = || {
        let local = wall_time(schedule.zone, next_at);
        schedule.contains(next_at).then_some(Occurrence { local, utc: next_at, moved: false })
    };
    let Some(occurrence) = latest.or_else(stored) else { return Due::None { next } };
    let in_time = now.signed_duration_since(occurrence.utc) <= grace(schedule.period);
    if in_time && now < schedule.end { Due::Open { occurrence, next } } else { Due::Missed { occurrence, next } }
}

/// How a mailing that is created now begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstRun {
    /// Open the first run at once, with `at` as its occurrence.
    pub run_now: bool,
    /// The first run's occurrence: now, or the start that lies ahead.
    pub at: DateTime<Utc>,
    /// The occurrence after the first run, on the anchor's grid.
    pub next: Option<DateTime<Utc>>,
}

/// The first run of a mailing created at `now`: at once inside the window, at its start if that lies
/// ahead, `None` if the window is over or empty.
pub fn first_run(schedule: &Schedule, now: DateTime<Utc>) -> Option<FirstRun> {
    let at = now.max(schedule.start_at());
    let next = schedule.first_after(at).map(|(_, occurrence)| occurrence.utc);
    schedule.contains(at).then_some(FirstRun { run_now: at == now, at, next })
}
