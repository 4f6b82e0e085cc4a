//! Pages that ask anew while what they show goes on, and keep it on screen while their server is away.

use super::live::{LOOK, SILENCE};
use crate::api::error::AppError;
use leptos::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use web_sys::js_sys::Date;

/// What a page asks for, and whether the server has stopped answering.
pub struct Polled<T: Send + Sync + 'static> {
    loaded: Resource<Result<T, AppError>>,
    goes_on: fn(&T) -> bool,
    /// The last good answer. Browser only.
    last: StoredValue<Option<T>>,
    pub lost: RwSignal<bool>,
}

impl<T: Send + Sync + 'static> Clone for Polled<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Polled<T> {}

impl<T: std::fmt::Debug + Send + Sync + 'static> std::fmt::Debug for Polled<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Polled").field("last", &self.last).field("lost", &self.lost).finish_non_exhaustive()
    }
}

impl<T: Clone + Send + Sync + 'static> Polled<T> {
    /// The answer; while the server is away, and what it last said goes on, that.
    pub fn get(self) -> Option<Result<T, AppError>> {
        let answer = self.loaded.get()?;
        match answer {
            Err(error) if error.is_away() && self.waits() => Some(self.last.get_value().ok_or(error)),
            answer => Some(answer),
        }
    }

    /// What it last said goes on.
    fn waits(self) -> bool {
        self.last.with_value(|last| last.as_ref().is_some_and(self.goes_on))
    }
}

/// Asks for `loaded` anew while what it holds `goes_on`, and once a server that was away is back.
pub fn poll<T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static>(
    loaded: Resource<Result<T, AppError>>,
    every: Duration,
    goes_on: fn(&T) -> bool,
) -> Polled<T> {
    let polled = Polled { loaded, goes_on, last: StoredValue::new(None), lost: RwSignal::new(false) };
    let (asked, answered) = (StoredValue::new(false), StoredValue::new(0.0));
    Effect::new(move |_| {
        let Some(answer) = loaded.get() else { return };
        asked.set_value(false);
        answered.set_value(Date::now());
        let away = answer.as_ref().is_err_and(AppError::is_away);
        if !away {
            polled.last.set_value(answer.ok());
        }
        polled.lost.set(away && polled.waits());
    });
    Effect::new(move |_| {
        let look = move || {
            if !polled.waits() {
                return;
            }
            let silent = Date::now() - answered.get_value();
            if asked.get_value() {
                // Once lost it is so until there is an answer.
                if silent > SILENCE && !polled.lost.get_untracked() {
                    polled.lost.set(true);
                }
            } else if silent >= every.as_secs_f64() * 1000.0 {
                asked.set_value(true);
                loaded.refetch();
            }
        };
        if let Ok(handle) = set_interval_with_handle(look, LOOK) {
            on_cleanup(move || handle.clear());
        }
    });
    polled
}
