//! Who gets a mailing.

use serde::{Deserialize, Serialize};

/// How many clients an audience holds, and how many of them get nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudienceSize {
    /// In all.
    pub clients: i64,
    /// Of them those who unsubscribed,
    pub left: i64,
    /// who complained,
    pub complained: i64,
    /// whose address sent letters back,
    pub returned: i64,
    /// and who are left out for another reason: by hand, or by a file.
    pub listed: i64,
}

impl AudienceSize {
    /// Clients who get nothing.
    #[must_use]
    pub fn left_out(&self) -> i64 {
        self.left + self.complained + self.returned + self.listed
    }

    /// Letters that a run would send.
    #[must_use]
    pub fn letters(&self) -> i64 {
        self.clients - self.left_out()
    }
}

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
