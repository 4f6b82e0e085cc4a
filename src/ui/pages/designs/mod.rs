//! Designs: how one's letters look.

mod edit;
mod list;

pub use edit::{DesignEditPage, DesignNewPage};
pub use list::DesignsPage;

use crate::ui::i18n::t;

/// The way up from a design's own pages.
fn above() -> Vec<(String, String)> {
    vec![(t("messages.title"), "/messages".to_owned()), (t("designs.title"), "/designs".to_owned())]
}
