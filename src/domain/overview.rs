//! The first page after the log-in: what runs, what comes, what needs somebody.

use super::mailing::{Held, Run};
use super::relay::RelayState;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// Days whose letters are shown, today included.
pub const DAYS: i64 = 90;

/// What a new owner does one after another. The first two are for administrators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Give Vestnik a mail server.
    Relay,
    /// Say who letters come from.
    Sender,
    Clients,
    Message,
    /// Send a letter to oneself.
    Test,
    Mailing,
}

impl Step {
    pub const ALL: [Self; 6] = [Self::Relay, Self::Sender, Self::Clients, Self::Message, Self::Test, Self::Mailing];

    /// The second half of the locale keys `overview.step_…`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Sender => "sender",
            Self::Clients => "clients",
            Self::Message => "message",
            Self::Test => "test",
            Self::Mailing => "mailing",
        }
    }
}

/// A mailing as a line of the overview names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    pub id: i64,
    pub title: String,
    pub zone: String,
    /// The owner's address where all owners are shown; empty otherwise.
    pub owner: String,
}

/// A run with its mailing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedRun {
    pub mailing: Named,
    pub run: Run,
}

/// A run to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coming {
    pub mailing: Named,
    pub at: DateTime<Utc>,
}

/// What somebody must see to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Attention {
    /// Nobody knows whether so many letters of a run arrived.
    Unknown { mailing: Named, run: i64, n: i64 },
    /// `reason` is a [`PauseReason`](super::mailing::PauseReason) word where the service paused it; empty if its owner did.
    Paused { mailing: Named, reason: String },
    /// By a manager, with their reason.
    Disabled { mailing: Named, reason: String },
    /// An owner's letters of the day are used up; `owner` as in [`Named`].
    Limit { owner: String, held: Held },
    /// A mail server that does not send as it should.
    Relay { id: i64, name: String, state: RelayState },
    /// Letters that could have left an hour ago, and since when.
    Late { since: DateTime<Utc> },
}

/// The page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overview {
    /// Over all owners, as managers see it.
    pub all: bool,
    /// The reader may see all owners.
    pub oversees: bool,
    /// Each with whether it is done; empty once all are.
    pub steps: Vec<(Step, bool)>,
    /// The reader's newest message, for a test letter.
    pub message: Option<i64>,
    /// At most [`RUNNING`].
    pub running: Vec<NamedRun>,
    pub next: Vec<Coming>,
    pub attention: Vec<Attention>,
    /// The newest run of each mailing that is over, the newest first.
    pub last: Vec<NamedRun>,
    /// Letters that left, for each of the last [`DAYS`] days (UTC), the oldest first.
    pub days: Vec<(NaiveDate, i64)>,
}

/// Runs under way that are shown, the newest.
pub const RUNNING: i64 = 8;
