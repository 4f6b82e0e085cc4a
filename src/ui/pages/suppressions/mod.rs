//! The ledger of addresses that the reader's mailings leave out.

mod import;
mod list;
mod new;
mod panel;
mod show;

pub use import::{SuppressionsImportPage, SuppressionsImportShowPage};
pub use list::SuppressionsPage;
pub use new::SuppressionNewPage;
pub use panel::SuppressionPanel;
pub use show::SuppressionPage;

use crate::domain::suppression::Reason;
use crate::ui::i18n::t;

/// A reason in words.
pub fn reason_word(reason: Reason) -> String {
    t(&format!("suppressions.reason_{}", reason.as_str()))
}

/// The page above.
fn above() -> Vec<(String, String)> {
    vec![(t("suppressions.title"), "/suppressions".to_owned())]
}
