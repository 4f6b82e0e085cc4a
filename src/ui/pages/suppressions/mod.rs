//! The ledger of addresses that the reader's mailings leave out.

mod import;
mod import_show;
mod list;
mod new;
mod panel;
mod show;

pub use import::SuppressionsImportPage;
pub use import_show::SuppressionsImportShowPage;
pub use list::SuppressionsPage;
pub use new::SuppressionNewPage;
pub use panel::SuppressionPanel;
pub use show::SuppressionPage;

use crate::domain::bidi::visible;
use crate::domain::suppression::Reason;
use crate::ui::components::badge::{BAD, CALM, WAIT, badge};
use crate::ui::components::icon::Icon;
use crate::ui::i18n::{t, t_with};
use leptos::prelude::*;

/// A reason in words.
pub fn reason_word(reason: Reason) -> String {
    t(&format!("suppressions.reason_{}", reason.as_str()))
}

/// That an entry is about one topic alone.
fn topic_word(name: &str) -> String {
    if name.is_empty() {
        t("suppressions.topic_gone")
    } else {
        t_with("suppressions.topic", &[("name", &visible(name))])
    }
}

/// A reason as a badge.
pub fn reason_badge(reason: Reason) -> AnyView {
    let (symbol, colour) = match reason {
        Reason::Complaint => (Icon::Alert, BAD),
        Reason::HardBounce | Reason::SoftBounces => (Icon::Cross, WAIT),
        Reason::Unsubscribed | Reason::ByHand | Reason::Imported => (Icon::Ban, CALM),
    };
    badge(reason_word(reason), symbol, colour)
}

/// The page above.
fn above() -> Vec<(String, String)> {
    vec![(t("suppressions.title"), "/suppressions".to_owned())]
}
