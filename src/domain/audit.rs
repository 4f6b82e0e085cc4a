//! The audit log: who did what to whom, and why.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    UserBlocked,
    UserUnblocked,
    MailingDisabled,
    MailingEnabled,
    RoleChanged,
    SettingsChanged,
}

impl Act {
    pub const ALL: [Self; 6] = [
        Self::UserBlocked,
        Self::UserUnblocked,
        Self::MailingDisabled,
        Self::MailingEnabled,
        Self::RoleChanged,
        Self::SettingsChanged,
    ];

    /// The word in the database, on the wire and in exports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UserBlocked => "user_blocked",
            Self::UserUnblocked => "user_unblocked",
            Self::MailingDisabled => "mailing_disabled",
            Self::MailingEnabled => "mailing_enabled",
            Self::RoleChanged => "role_changed",
            Self::SettingsChanged => "settings_changed",
        }
    }

    /// Reads [`Act::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.as_str() == text)
    }
}

/// A line of the log. Texts are as they were at the time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditLine {
    pub id: i64,
    pub at: DateTime<Utc>,
    /// The actor's address, or the command line.
    pub actor: String,
    pub act: Act,
    pub target_id: Option<i64>,
    /// A user's address, a mailing's title, a setting's name.
    pub target: String,
    pub reason: String,
    /// The value that was changed, before and after; empty where nothing was.
    pub before: String,
    pub after: String,
    /// The network address that the request came from.
    pub address: String,
}
