//! Mail servers, for administrators: the list with its live state, the form, the test.

mod edit;
mod form;
mod list;
mod row;
mod test;

pub use edit::{RelayEditPage, RelayNewPage};
pub use list::RelaysPage;
pub use test::RelayTestPage;

use crate::domain::relay::{Fault, RelayState};
use crate::ui::components::badge::{BAD, CALM, GOOD, WAIT, badge};
use crate::ui::components::icon::Icon;
use crate::ui::i18n::{t, t_with};
use leptos::prelude::*;

/// The way up from a mail server's own pages.
fn above() -> Vec<(String, String)> {
    vec![(t("relays.title"), "/relays".to_owned())]
}

/// What is wrong, in the reader's words.
pub fn fault_text(fault: &Fault) -> String {
    t_with(&fault.key(), &[("stage", &fault.stage_word()), ("detail", &fault.detail)])
}

/// How a relay is, as a badge.
fn state_badge(state: RelayState) -> AnyView {
    let (symbol, colour) = match state {
        RelayState::Ready => (Icon::Check, GOOD),
        RelayState::Resting => (Icon::Clock, WAIT),
        RelayState::Paused => (Icon::Alert, BAD),
        RelayState::Limited => (Icon::Pause, WAIT),
        RelayState::Off => (Icon::Ban, CALM),
    };
    badge(t(&format!("relays.state_{}", state.as_str())), symbol, colour)
}
