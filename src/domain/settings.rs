//! What an administrator decides for the whole service, and limits for single users.

use super::user::Role;
use super::version::version;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Longest name of the sender, in characters.
pub const SENDER_NAME_MAX: usize = 100;
/// The name under which the service writes where nobody has chosen another.
pub const SENDER_NAME: &str = "Vestnik";

/// Who may make an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Registration {
    /// Anybody who has an address.
    #[default]
    Open,
    /// Who was invited.
    Invitation,
    /// Nobody; open invitations wait.
    Closed,
}

impl Registration {
    pub const ALL: [Self; 3] = [Self::Open, Self::Invitation, Self::Closed];

    /// The word in the database and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Invitation => "invitation",
            Self::Closed => "closed",
        }
    }

    /// Reads [`Registration::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|registration| registration.as_str() == text)
    }
}

/// What a user may have at most; none is no limit, or for a single user what the settings say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserLimits {
    pub clients: Option<i64>,
    /// Letters of all the user's mailings on one day (UTC).
    pub letters: Option<i64>,
}

/// A setting, as it is named in the database and in the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Setting {
    SenderName,
    SenderEmail,
    Registration,
    ClientsMax,
    LettersMax,
}

impl Setting {
    pub const ALL: [Self; 5] =
        [Self::SenderName, Self::SenderEmail, Self::Registration, Self::ClientsMax, Self::LettersMax];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::SenderName => "sender_name",
            Self::SenderEmail => "sender_email",
            Self::Registration => "registration",
            Self::ClientsMax => "clients_max",
            Self::LettersMax => "letters_max",
        }
    }
}

/// The settings that are stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Of the service's own letters; empty for [`SENDER_NAME`]. Mailings bear their owner's name.
    pub sender_name: String,
    /// Where all letters come from; empty for the one that the service was started with.
    pub sender_email: String,
    pub registration: Registration,
    pub limits: UserLimits,
}

impl Settings {
    /// The state that a form of them was opened on.
    pub fn version(&self) -> String {
        let texts = Setting::ALL.map(|setting| self.text(setting));
        version(&texts.each_ref().map(String::as_str))
    }

    /// A setting's stored text; empty for none.
    pub fn text(&self, setting: Setting) -> String {
        let number = |limit: Option<i64>| limit.map(|n| n.to_string()).unwrap_or_default();
        match setting {
            Setting::SenderName => self.sender_name.clone(),
            Setting::SenderEmail => self.sender_email.clone(),
            Setting::Registration => self.registration.as_str().to_owned(),
            Setting::ClientsMax => number(self.limits.clients),
            Setting::LettersMax => number(self.limits.letters),
        }
    }
}

/// What the page of settings shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsPage {
    pub settings: Settings,
    /// The address that the service was started with.
    pub started_with: String,
}

/// An invitation that nobody has followed yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationRow {
    pub id: i64,
    pub email: String,
    pub role: Role,
    /// Who invited.
    pub by: String,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// It is too late for it.
    pub expired: bool,
}

/// What the link of an invitation leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invited {
    pub email: String,
    pub role: Role,
    pub by: String,
}
