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

/// A report that names no letter of this service: it counts for nobody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmatched {
    pub id: i64,
    pub at: DateTime<Utc>,
    /// As [`Returned::class`].
    pub class: String,
    /// Whom it says it is about; may be empty.
    pub recipient: String,
    pub status: String,
    pub diagnostic: String,
}

/// How many letters came back, each counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnedCounts {
    pub returned: i64,
    pub complained: i64,
}

/// So many complaints of a thousand letters are a warning: large providers begin to turn senders away at three.
const COMPLAINTS_WARN_PER_MILLE: i64 = 1;

impl ReturnedCounts {
    /// Whether so many readers complained of what was sent that its sender should mind.
    pub fn warns(&self, sent: i64) -> bool {
        self.complained > 0 && self.complained * 1000 >= sent * COMPLAINTS_WARN_PER_MILLE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_complaint_of_a_thousand_letters_is_a_warning() {
        for (complained, sent, warns) in
            [(0, 0, false), (0, 10, false), (1, 10, true), (1, 1000, true), (1, 1001, false), (2, 1001, true)]
        {
            assert_eq!(ReturnedCounts { returned: 0, complained }.warns(sent), warns, "{complained} of {sent}");
        }
    }
}
