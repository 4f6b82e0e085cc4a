//! Mailings and their runs.

use super::audience::{Audience, AudienceSize};
use super::check::Finding;
use super::oversight::{Owner, Stopped};
use super::page::Page;
use super::returned::ReturnedCounts;
use super::schedule::{Occurrence, Period};
use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};

/// Longest title, in characters.
pub const TITLE_MAX: usize = 200;

/// Where a mailing stands. Beside it, it may be paused by its owner or disabled by a manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailingStatus {
    /// No run has been opened yet.
    Created,
    /// A run has been opened, and more may follow.
    Running,
    /// Nothing will be sent any more.
    Finished,
}

impl MailingStatus {
    pub const ALL: [Self; 3] = [Self::Created, Self::Running, Self::Finished];

    /// The word in the database, on the wire and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Finished => "finished",
        }
    }

    /// Reads [`MailingStatus::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// A mailing as a list shows it: its status, or what keeps it from going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailingState {
    Running,
    Created,
    Paused,
    Disabled,
    Finished,
}

impl MailingState {
    pub const ALL: [Self; 5] = [Self::Running, Self::Created, Self::Paused, Self::Disabled, Self::Finished];

    /// The word in addresses and the key of its text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Created => "created",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
            Self::Finished => "finished",
        }
    }

    /// Reads [`MailingState::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// What is finished stays so; being disabled weighs more than being paused.
    pub fn of(status: MailingStatus, paused: bool, disabled: bool) -> Self {
        match status {
            MailingStatus::Finished => Self::Finished,
            _ if disabled => Self::Disabled,
            _ if paused => Self::Paused,
            MailingStatus::Running => Self::Running,
            MailingStatus::Created => Self::Created,
        }
    }
}

/// The order of a list of mailings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MailingSort {
    #[default]
    Created,
    Title,
    /// By the next run; those without one come last.
    Next,
}

/// What becomes of a delivery whose outcome SMTP cannot tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoubtPolicy {
    /// Send again: a client may get two.
    #[default]
    Resend,
    /// Never send again: shown as unknown until somebody decides.
    Hold,
}

impl DoubtPolicy {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Resend => "resend",
            Self::Hold => "hold",
        }
    }

    /// Reads [`DoubtPolicy::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Resend, Self::Hold].into_iter().find(|policy| policy.as_str() == text)
    }
}

/// What a run came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Deliveries are still due.
    Open,
    /// Every delivery is final.
    Done,
    /// Nothing was opened; the reason says why.
    Skipped,
}

impl RunState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done => "done",
            Self::Skipped => "skipped",
        }
    }

    /// Reads [`RunState::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Open, Self::Done, Self::Skipped].into_iter().find(|state| state.as_str() == text)
    }
}

/// Why a run was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// The service was down for longer than the grace.
    Missed,
    /// The previous run was still sending.
    Overlap,
    /// The audience was empty.
    Empty,
}

impl SkipReason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missed => "missed",
            Self::Overlap => "overlap",
            Self::Empty => "empty",
        }
    }
}

/// Why the service itself paused a mailing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PauseReason {
    /// The mail server does not take the sender.
    SenderRefused,
    /// The mail server refused many letters in a row.
    LettersRefused,
    /// Many of its first letters came back, from addresses that do not exist.
    LettersReturned,
    /// Many readers called it spam.
    Complaints,
    /// It is mass mail, and its readers could not leave.
    NoPublicAddress,
}

impl PauseReason {
    pub const ALL: [Self; 5] =
        [Self::SenderRefused, Self::LettersRefused, Self::LettersReturned, Self::Complaints, Self::NoPublicAddress];

    /// The word in the database and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SenderRefused => "sender_refused",
            Self::LettersRefused => "letters_refused",
            Self::LettersReturned => "letters_returned",
            Self::Complaints => "complaints",
            Self::NoPublicAddress => "no_public_address",
        }
    }
}

/// Deliveries of a run by state. The sum of all is the run's total.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Pending, claimed and armed: not tried yet, or being tried.
    pub waiting: i64,
    pub deferred: i64,
    pub sent: i64,
    pub failed: i64,
    pub unknown: i64,
    pub not_sent: i64,
}

impl Counts {
    pub fn total(&self) -> i64 {
        self.waiting + self.deferred + self.finals()
    }

    /// Clients whom the run did not reach, as far as is known.
    pub fn left_out(&self) -> i64 {
        self.failed + self.unknown + self.not_sent
    }

    /// Deliveries that will not change any more.
    pub fn finals(&self) -> i64 {
        self.sent + self.failed + self.unknown + self.not_sent
    }
}

/// One occurrence of a mailing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    pub id: i64,
    pub occurrence: DateTime<Utc>,
    pub state: RunState,
    /// A [`SkipReason`] word, or empty.
    pub reason: String,
    pub opened_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
    pub counts: Counts,
}

/// A mailing in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MailingRow {
    pub id: i64,
    pub title: String,
    pub status: MailingStatus,
    pub paused: bool,
    /// Why the service paused it, as a [`PauseReason`] word, and what the mail server said; empty if its
    /// owner did.
    pub paused_because: (String, String),
    /// A manager's reason, if the mailing is disabled.
    pub disabled: Option<String>,
    pub period: Period,
    pub zone: String,
    /// The wall time at which the window starts, in `zone`.
    pub start_local: NaiveDateTime,
    pub end_at: DateTime<Utc>,
    pub next_at: Option<DateTime<Utc>>,
    pub audience: Audience,
    /// Clients in a hand-picked audience. Others are counted when a run opens.
    pub picked: Option<i64>,
    pub last_run: Option<Run>,
    /// Clients whom its runs did not reach: failed, unknown or not sent.
    pub left_out: i64,
}

/// The reader's mailings, and how many the search finds in each state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MailingList {
    pub page: Page<MailingRow>,
    pub counts: Vec<(MailingState, i64)>,
}

/// A mailing's own page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MailingDetail {
    /// Whose it is, where it is not the reader's own: they may look at it and stop it.
    pub owner: Option<Owner>,
    /// Which manager disabled it, and why.
    pub stopped: Option<Stopped>,
    /// Why its open run waits for another day.
    pub held: Option<Held>,
    pub row: MailingRow,
    /// The name of what it is about, where it is about one topic.
    pub topic: Option<String>,
    pub audience_size: AudienceSize,
    pub policy: DoubtPolicy,
    pub message_id: i64,
    pub message_subject: String,
    pub next: Vec<Occurrence>,
    pub runs: Vec<Run>,
    /// What came back of its letters, of all runs.
    pub returned: ReturnedCounts,
    /// And of each of `runs`, by its id; runs of which nothing came back are left out.
    pub returned_runs: Vec<(i64, ReturnedCounts)>,
}

/// Why the rest of a run waits: its owner's letters of the day are used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Letters a day.
    pub limit: i64,
    /// When it goes on.
    pub until: DateTime<Utc>,
}

/// What changes on a mailing's page while it is open; sent as a server-sent event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MailingLive {
    pub status: MailingStatus,
    pub paused: bool,
    pub disabled: bool,
    pub next_at: Option<DateTime<Utc>>,
    pub run: Option<Run>,
    /// Why that run waits for another day.
    pub held: Option<Held>,
    /// Deliveries that became final per second, over the last seconds.
    pub rate: f64,
    pub now: DateTime<Utc>,
}

/// What a review shows beside the mailing itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewBeside {
    pub sender_name: String,
    pub sender_email: String,
    pub reply_to: String,
    /// When the last letter leaves at the present limits; none where no limit slows them.
    pub last_at: Option<DateTime<Utc>>,
    /// That is not before the end, so that some would get nothing.
    pub late: bool,
    /// No mail server can be used now: nothing leaves until somebody acts.
    pub stuck: bool,
}

/// What a mailing would do, shown before it is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// As it would be stored.
    pub title: String,
    pub message_subject: String,
    pub audience: Audience,
    /// The name of what it is about, where it is about one topic.
    pub topic: Option<String>,
    /// Clients whom it would be for now.
    pub audience_size: AudienceSize,
    /// The first run opens as soon as the mailing is saved.
    pub starts_now: bool,
    /// Wall time in `zone`.
    pub start_local: NaiveDateTime,
    /// None for one that runs until it is stopped.
    pub end_local: Option<NaiveDateTime>,
    pub zone: String,
    pub period: Period,
    pub policy: DoubtPolicy,
    /// At most five.
    pub next: Vec<Occurrence>,
    /// What to mend or to look at before it starts, the worst first.
    pub findings: Vec<Finding>,
}
