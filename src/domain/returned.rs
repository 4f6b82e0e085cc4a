//! What came back for a letter after a mail server had taken it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A report about a letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    pub id: i64,
    pub at: DateTime<Utc>,
    /// A word such as `no_address`; its sentence is `mailings.returned_…`.
    pub class: String,
    /// Such as `5.1.1`, or empty.
    pub status: String,
    /// What the other mail server said, in one line.
    pub diagnostic: String,
    /// Whether what came can still be read as it came.
    pub readable: bool,
}

/// How many letters came back, each counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnedCounts {
    pub returned: i64,
    pub complained: i64,
}
