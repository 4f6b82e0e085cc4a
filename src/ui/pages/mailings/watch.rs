//! The list of mailings follows what happens. It asks for no more than the rows it shows, at most once
//! at a time, seldom while nothing runs, and not at all while nobody looks at the page.

use crate::api::mailings::look_at_mailings;
use crate::domain::mailing::{MailingRow, MailingState, RunState};
use crate::ui::live::look_again;
use leptos::prelude::*;
use std::collections::HashMap;
use std::time::Duration;

/// Time between two looks while something runs. Seldom or not, a server that is gone is noticed within four seconds:
/// by the look that fails, or by the turn that finds the one before unanswered.
const LOOK: Duration = Duration::from_millis(1_250);
/// Looks that are left out while nothing does.
const IDLE: u32 = 2;

/// The rows of the page as they were last seen.
#[derive(Clone, Copy)]
pub struct Watch {
    rows: RwSignal<HashMap<i64, MailingRow>>,
    /// The last look was not answered.
    pub lost: RwSignal<bool>,
    ids: StoredValue<Vec<i64>>,
}

impl Watch {
    /// Starts to look, for as long as the page is open.
    pub fn start() -> Self {
        let watch =
            Self { rows: RwSignal::new(HashMap::new()), lost: RwSignal::new(false), ids: StoredValue::new(Vec::new()) };
        let due = move |turn: u32| {
            let idle = !watch.runs() && !turn.is_multiple_of(IDLE);
            !idle && !watch.ids.with_value(Vec::is_empty)
        };
        let take = move |rows: Vec<MailingRow>| {
            watch.rows.try_set(rows.into_iter().map(|row| (row.id, row)).collect());
        };
        look_again(LOOK, watch.lost, due, move || look_at_mailings(watch.ids.get_value()), take);
        watch
    }

    /// The page shows these rows from now on.
    pub fn show(self, rows: &[MailingRow]) {
        self.ids.set_value(rows.iter().map(|row| row.id).collect());
        self.rows.set(rows.iter().map(|row| (row.id, row.clone())).collect());
    }

    /// A row as it was last seen.
    pub fn row(self, first: MailingRow) -> Memo<MailingRow> {
        Memo::new(move |_| self.rows.with(|rows| rows.get(&first.id).unwrap_or(&first).clone()))
    }

    fn runs(self) -> bool {
        self.rows.with_untracked(|rows| {
            rows.values().any(|row| {
                let state = MailingState::of(row.status, row.paused, row.disabled.is_some());
                let open = row.last_run.as_ref().is_some_and(|run| run.state == RunState::Open);
                open && state == MailingState::Running
            })
        })
    }
}
