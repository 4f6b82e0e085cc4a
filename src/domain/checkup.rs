//! What the doctor found out about how email leaves, as its page shows it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    Good,
    /// Worth knowing.
    Note,
    /// Some receivers will mind.
    Warning,
    /// Letters will be refused or lost.
    Bad,
}

impl Level {
    /// The worst one first.
    pub const ALL: [Self; 4] = [Self::Bad, Self::Warning, Self::Note, Self::Good];

    /// The word for it in keys of texts.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Bad => "bad",
        }
    }
}

/// A DNS record to paste.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Without a final dot.
    pub name: String,
    pub kind: String,
    pub value: String,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub level: Level,
    /// What was looked at, such as `spf`: the end of the key `doctor.check_spf`.
    pub check: String,
    /// The sentence is that of `doctor.{check}_{key}`.
    pub key: String,
    /// What stands in the sentence, by name.
    pub args: Vec<(String, String)>,
    pub record: Option<Record>,
}

/// The latest examination.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkup {
    /// One is under way; what is shown is of the one before.
    pub running: bool,
    /// When the latest one ended; `None` before the first.
    pub at: Option<DateTime<Utc>>,
    /// The latest one came to no end in time, or failed; what is shown is of the one before.
    pub failed: bool,
    /// The worst first.
    pub findings: Vec<Finding>,
}

impl Checkup {
    /// How many findings are so bad.
    #[must_use]
    pub fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }
}
