//! The list of mailings follows what happens. It asks for no more than the rows it shows, at most once
//! at a time, seldom while nothing runs, and not at all while nobody looks at the page.

use crate::api::error::AppError;
use crate::api::mailings::look_at_mailings;
use crate::domain::mailing::{MailingRow, MailingState, RunState};
use leptos::prelude::*;
use leptos::task::spawn_local;
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
        Effect::new(move |_| {
            let (turn, asking) = (StoredValue::new(0_u32), StoredValue::new(false));
            let look = move || {
                turn.update_value(|turn| *turn = turn.wrapping_add(1));
                let idle = !watch.runs() && !turn.get_value().is_multiple_of(IDLE);
                let ids = watch.ids.get_value();
                if asking.get_value() {
                    if !watch.lost.get_untracked() {
                        watch.lost.set(true);
                    }
                    return;
                }
                if idle || ids.is_empty() || document().hidden() {
                    return;
                }
                asking.set_value(true);
                spawn_local(async move {
                    let rows = look_at_mailings(ids).await;
                    // The page may have been left meanwhile.
                    asking.try_set_value(false);
                    // A refusal is an answer.
                    let away =
                        matches!(rows, Err(AppError::Network(_) | AppError::Unavailable | AppError::Internal { .. }));
                    if watch.lost.try_get_untracked().is_some_and(|lost| lost != away) {
                        watch.lost.set(away);
                    }
                    // What could not be asked now is asked again soon.
                    if let Ok(rows) = rows {
                        watch.rows.try_set(rows.into_iter().map(|row| (row.id, row)).collect());
                    }
                });
            };
            let handle = set_interval_with_handle(look, LOOK);
            on_cleanup(move || {
                if let Ok(handle) = handle {
                    handle.clear();
                }
            });
        });
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
