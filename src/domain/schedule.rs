//! When a mailing is sent: the words; the computation is the server's (`server::schedule`).

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};

/// The end of a mailing that runs until somebody stops it, as it is stored.
pub const NO_END: DateTime<Utc> = DateTime::from_timestamp_secs(253_370_764_800).expect("the year 9999 is a date");
/// Days for which a mailing that runs once is sent where nobody says otherwise: mail servers that ask to come back have been
/// asked often by then.
pub const SINGLE_DAYS: i64 = 3;

/// How often a mailing runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    Once,
    Daily,
    Weekly,
    Monthly,
}

impl Period {
    pub const ALL: [Self; 4] = [Self::Once, Self::Daily, Self::Weekly, Self::Monthly];

    /// The word in the database, on the wire and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
        }
    }

    /// Reads [`Period::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|period| period.as_str() == text)
    }
}

/// One future run, in both times that a reader may think in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrence {
    /// The wall time in the mailing's zone.
    pub local: NaiveDateTime,
    pub utc: DateTime<Utc>,
    /// The wall time or day that was asked for does not exist, so that this is the nearest that
    /// does (31st in February, an hour that a clock change skips).
    pub moved: bool,
}
