//! Clients chosen one by one for a mailing that is being made.

use serde::{Deserialize, Serialize};

/// A change of a selection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Picks {
    pub selection: i64,
    /// The clients of the page; those that are not in `ids` are taken out.
    #[serde(default)]
    pub shown: Vec<i64>,
    #[serde(default)]
    pub ids: Vec<i64>,
    /// All that the search finds instead: `put` or `take`.
    #[serde(default)]
    pub all: String,
    #[serde(default)]
    pub q: String,
}
