//! The overview follows what runs: it asks for the runs alone, at most once at a time, seldom while nothing runs, and not at
//! all while nobody looks at the page. When another run begins or one ends, the whole page is asked for.

use crate::api::error::AppError;
use crate::api::overview::look_at_runs;
use crate::domain::mailing::{Counts, Run};
use crate::domain::overview::{NamedRun, Overview};
use crate::ui::live::look_again;
use leptos::prelude::*;
use std::collections::HashMap;
use std::time::Duration;
use web_sys::js_sys::Date;

/// Time between two looks while something runs.
const LOOK: Duration = Duration::from_secs(2);
/// Looks of which one is made while nothing does.
const IDLE: u32 = 5;

/// A run's figures, and the letters a second since the look before.
type Seen = (Counts, f64);

/// The runs of the page as they were last seen.
#[derive(Clone, Copy)]
pub struct Watch {
    runs: RwSignal<HashMap<i64, Seen>>,
    /// The last look was not answered.
    pub lost: RwSignal<bool>,
    /// Runs that the page shows.
    ids: StoredValue<Vec<i64>>,
    all: StoredValue<bool>,
    /// When the last look was answered, in milliseconds.
    at: StoredValue<f64>,
}

impl Watch {
    /// Starts to look, for as long as the page is open.
    pub fn start(page: Resource<Result<Overview, AppError>>) -> Self {
        let watch = Self {
            runs: RwSignal::new(HashMap::new()),
            lost: RwSignal::new(false),
            ids: StoredValue::new(Vec::new()),
            all: StoredValue::new(false),
            at: StoredValue::new(0.0),
        };
        let due = move |turn: u32| !watch.ids.with_value(Vec::is_empty) || turn.is_multiple_of(IDLE);
        let take = move |runs| {
            if watch.take(runs) {
                page.refetch();
            }
        };
        look_again(LOOK, watch.lost, due, move || look_at_runs(watch.all.get_value()), take);
        watch
    }

    /// The page shows these runs from now on.
    pub fn show(self, overview: &Overview) {
        self.all.set_value(overview.all);
        self.ids.set_value(overview.running.iter().map(|of| of.run.id).collect());
    }

    /// A run's figures as they were last seen.
    pub fn run(self, first: Run) -> Memo<Seen> {
        Memo::new(move |_| self.runs.with(|runs| runs.get(&first.id).copied().unwrap_or((first.counts, 0.0))))
    }

    /// Takes what a look has seen. True if these are not the runs of the page.
    fn take(self, runs: Vec<NamedRun>) -> bool {
        let now = Date::now();
        let Some(before) = self.at.try_get_value() else { return false };
        let ids: Vec<i64> = runs.iter().map(|of| of.run.id).collect();
        self.at.set_value(now);
        self.runs.update(|seen| {
            let see = |NamedRun { run, .. }: NamedRun| {
                let rate = seen
                    .get(&run.id)
                    .map_or(0.0, |(counts, _)| rate(run.counts.finals() - counts.finals(), now - before));
                (run.id, (run.counts, rate))
            };
            *seen = runs.into_iter().map(see).collect();
        });
        self.ids.with_value(|shown| *shown != ids)
    }
}

/// Letters a second.
fn rate(letters: i64, milliseconds: f64) -> f64 {
    if milliseconds > 0.0 { letters as f64 * 1000.0 / milliseconds } else { 0.0 }
}

/// How a run goes on.
#[derive(Debug, PartialEq)]
pub struct Pace {
    /// Letters a second.
    pub rate: f64,
    /// What those need that wait for their first try.
    pub seconds: Option<i64>,
    /// Letters that wait for another try.
    pub later: i64,
}

impl Pace {
    /// None while nothing leaves.
    pub fn of(counts: &Counts, rate: f64) -> Option<Self> {
        let seconds = (counts.waiting > 0).then(|| (counts.waiting as f64 / rate).ceil() as i64);
        (rate > 0.0).then_some(Self { rate, seconds, later: counts.deferred })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_is_that_of_the_last_look() {
        let counts = Counts { waiting: 218, deferred: 3, ..Counts::default() };
        assert_eq!(Pace::of(&counts, rate(4, 2_000.0)), Some(Pace { rate: 2.0, seconds: Some(109), later: 3 }));
        assert_eq!(Pace::of(&counts, rate(0, 2_000.0)), None);
        assert_eq!(rate(5, 0.0), 0.0);
    }
}
