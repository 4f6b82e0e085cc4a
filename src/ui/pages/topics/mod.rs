//! Topics of the reader's mailings.

mod edit;
mod list;
mod panel;

pub use edit::{TopicEditPage, TopicNewPage};
pub use list::TopicsPage;
pub use panel::TopicsPanel;

use crate::ui::i18n::t;

/// The page above.
fn above() -> Vec<(String, String)> {
    vec![(t("topics.title"), "/topics".to_owned())]
}
