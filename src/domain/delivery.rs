//! Deliveries and attempts: what became of each client in a run.

use super::returned::Returned;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Where a delivery stands (see docs/engine.md for the transitions).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Not tried yet.
    Pending,
    /// Taken by an engine, under a lease; nothing of it has been sent.
    Claimed,
    /// About to be handed over: after a crash its outcome is in doubt.
    Armed,
    Sent,
    /// To be tried again later.
    Deferred,
    Failed,
    /// Handed over without an answer, and held for a decision.
    Unknown,
    NotSent,
}

impl DeliveryState {
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::Claimed,
        Self::Armed,
        Self::Sent,
        Self::Deferred,
        Self::Failed,
        Self::Unknown,
        Self::NotSent,
    ];

    /// The word in the database, on the wire and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Claimed => "claimed",
            Self::Armed => "armed",
            Self::Sent => "sent",
            Self::Deferred => "deferred",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::NotSent => "not_sent",
        }
    }

    /// Reads [`DeliveryState::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether nothing more happens to the delivery by itself.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Sent | Self::Failed | Self::Unknown | Self::NotSent)
    }
}

/// How far an attempt came: the SMTP command whose reply, or lack of one, ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The letter could not be made.
    Compose,
    Connect,
    Greeting,
    Ehlo,
    Starttls,
    Auth,
    Mail,
    Rcpt,
    Data,
    /// While the body was written.
    Body,
    /// After the final dot.
    Dot,
}

impl Stage {
    pub const ALL: [Self; 11] = [
        Self::Compose,
        Self::Connect,
        Self::Greeting,
        Self::Ehlo,
        Self::Starttls,
        Self::Auth,
        Self::Mail,
        Self::Rcpt,
        Self::Data,
        Self::Body,
        Self::Dot,
    ];

    /// The word in the database, on the wire and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Compose => "compose",
            Self::Connect => "connect",
            Self::Greeting => "greeting",
            Self::Ehlo => "ehlo",
            Self::Starttls => "starttls",
            Self::Auth => "auth",
            Self::Mail => "mail",
            Self::Rcpt => "rcpt",
            Self::Data => "data",
            Self::Body => "body",
            Self::Dot => "dot",
        }
    }

    /// Reads [`Stage::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == text)
    }
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptStatus {
    Sent,
    /// The server asked to try again, or the connection failed before the letter was handed over.
    Deferred,
    /// The server refused for good.
    Failed,
    /// Handed over, and no answer came.
    Unknown,
}

impl AttemptStatus {
    pub const ALL: [Self; 4] = [Self::Sent, Self::Deferred, Self::Failed, Self::Unknown];

    /// The word in the database, on the wire and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Deferred => "deferred",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// Reads [`AttemptStatus::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// One try to deliver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// From 1 within its delivery.
    pub number: i64,
    pub at: DateTime<Utc>,
    /// Duration in milliseconds.
    pub ms: i64,
    pub stage: Stage,
    pub status: AttemptStatus,
    /// `host:port` of the mail server.
    pub relay: String,
    /// SMTP reply code, if a reply came.
    pub code: Option<i32>,
    /// Enhanced status code (RFC 3463), if the reply had one.
    pub enhanced: Option<String>,
    /// The server's text, or a sentence of ours where the server said nothing.
    pub reply: String,
}

/// One client in one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryRow {
    pub id: i64,
    pub email: String,
    pub full_name: String,
    pub state: DeliveryState,
    /// Why a final state was reached without the server's word: `ended`, `removed` and so on.
    pub reason: String,
    pub attempts: i64,
    pub last_at: Option<DateTime<Utc>>,
    pub last_code: Option<i32>,
    pub last_reply: String,
    /// What the last reply means, or that none came: a word of `vestnik_reports::Meaning`, the second half of the locale
    /// keys `outcome.…`. Empty for what was sent, and where no mail server is to blame.
    pub meaning: String,
    /// Not told to the browser: a manager looks on who has no clients of the owner's.
    #[serde(skip)]
    pub client_id: i64,
    /// When it is tried again, if deferred.
    pub due_at: Option<DateTime<Utc>>,
}

/// What somebody says of a delivery whose fate is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The letter is known to have come.
    Arrived,
    /// It may not have come: send it again.
    Resend,
}

impl Verdict {
    pub const ALL: [Self; 2] = [Self::Arrived, Self::Resend];

    /// The word in the database and in forms.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Arrived => "arrived",
            Self::Resend => "resend",
        }
    }

    /// Reads [`Verdict::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == text)
    }
}

/// A verdict on record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub verdict: Verdict,
    pub at: DateTime<Utc>,
    /// The name of who decided, as it was then.
    pub by: String,
}

/// A delivery's own page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryDetail {
    /// Whether the mailing is the reader's, who may decide on it.
    pub own: bool,
    /// The client, as far as the reader has them still.
    pub client: Option<i64>,
    pub mailing_title: String,
    pub zone: String,
    pub row: DeliveryRow,
    /// In order.
    pub attempts: Vec<Attempt>,
    /// In order.
    pub decisions: Vec<Decision>,
    /// What came back after a mail server had taken it, in order.
    pub returned: Vec<Returned>,
}
