//! The texts as the browser has fetched them: those of the page's language.

use super::Texts;
use crate::domain::lang::Lang;
use std::sync::OnceLock;

static TEXTS: OnceLock<Texts> = OnceLock::new();

/// Takes the texts before anything is shown: the files of one language as a single JSON object.
pub fn take(json: &str) {
    // The build wrote it. Without it keys are shown, which beats a page that does not come alive.
    let _ = TEXTS.set(serde_json::from_str(json).unwrap_or_default());
}

pub(super) fn texts(_: Lang) -> &'static Texts {
    TEXTS.get_or_init(Texts::default)
}
