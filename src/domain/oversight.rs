//! What managers see of users and mailings.

use super::mailing::MailingRow;
use super::settings::UserLimits;
use super::user::Role;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Longest reason for a block or a stop, in characters.
pub const REASON_MAX: usize = 500;

/// Who stopped somebody or something, when and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    pub at: DateTime<Utc>,
    pub by: String,
    pub reason: String,
}

/// Whose mailing it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    pub id: i64,
    pub email: String,
}

/// Which users a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserState {
    Active,
    Unconfirmed,
    Blocked,
}

impl UserState {
    pub const ALL: [Self; 3] = [Self::Active, Self::Unconfirmed, Self::Blocked];

    /// The word in queries and links.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Unconfirmed => "unconfirmed",
            Self::Blocked => "blocked",
        }
    }

    /// Reads [`UserState::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// A user as a manager sees them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRow {
    pub id: i64,
    pub email: String,
    pub name: String,
    pub role: Role,
    pub confirmed: bool,
    pub blocked: Option<Stopped>,
    pub created_at: DateTime<Utc>,
    pub clients: i64,
    pub messages: i64,
    pub mailings: i64,
    /// Mailings that are not finished.
    pub active: i64,
    /// Their own; none follows the settings.
    pub limits: UserLimits,
}

impl UserRow {
    pub fn state(&self) -> UserState {
        match (&self.blocked, self.confirmed) {
            (Some(_), _) => UserState::Blocked,
            (None, true) => UserState::Active,
            (None, false) => UserState::Unconfirmed,
        }
    }
}

/// A mailing as a manager sees it in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OverseenMailing {
    pub row: MailingRow,
    pub owner_id: i64,
    pub owner_email: String,
    pub owner_name: String,
}
