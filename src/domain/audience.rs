//! Who gets a mailing.

use serde::{Deserialize, Serialize};

/// The clients of a mailing, resolved when a run opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Audience {
    /// Every client of the owner.
    All,
    /// Every client of the owner that the search finds at the time of the run.
    Search { text: String },
    /// Hand-picked clients, kept as a selection.
    Picked { selection: i64 },
}
