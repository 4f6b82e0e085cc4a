//! The audit log: who did what to whom, and why.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

macro_rules! acts {
    ($($act:ident = $word:literal),* $(,)?) => {
        /// What was done.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Act {
            $($act),*
        }

        impl Act {
            pub const ALL: &'static [Self] = &[$(Self::$act),*];

            /// The word in the database, on the wire and in exports.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$act => $word),*
                }
            }
        }
    };
}

acts! {
    LoggedIn = "logged_in",
    LogInRefused = "log_in_refused",
    LogInThrottled = "log_in_throttled",
    LoggedOutElsewhere = "logged_out_elsewhere",
    LoggedOutEverywhere = "logged_out_everywhere",
    AccountRegistered = "account_registered",
    AccountConfirmed = "account_confirmed",
    NameChanged = "name_changed",
    EmailChanged = "email_changed",
    EmailRevoked = "email_revoked",
    PasswordChanged = "password_changed",
    PasswordReset = "password_reset",
    DataExported = "data_exported",
    AccountDeleted = "account_deleted",
    TotpOn = "totp_on",
    TotpOff = "totp_off",
    UserBlocked = "user_blocked",
    UserUnblocked = "user_unblocked",
    MailingDisabled = "mailing_disabled",
    MailingEnabled = "mailing_enabled",
    RoleChanged = "role_changed",
    LimitsChanged = "limits_changed",
    InvitationSent = "invitation_sent",
    InvitationRevoked = "invitation_revoked",
    SettingsChanged = "settings_changed",
    RelayAdded = "relay_added",
    RelayChanged = "relay_changed",
    RelayPaused = "relay_paused",
    RelayResumed = "relay_resumed",
    RelayRemoved = "relay_removed",
    SuppressionAdded = "suppression_added",
    SuppressionLifted = "suppression_lifted",
    SuppressionsImportStarted = "suppressions_import_started",
    SuppressionsImported = "suppressions_imported",
    SuppressionsImportLifted = "suppressions_import_lifted",
}

impl Act {
    /// What the target's number names.
    pub fn target(self) -> Target {
        match self {
            Self::MailingDisabled | Self::MailingEnabled => Target::Mailing,
            Self::InvitationSent | Self::InvitationRevoked => Target::Invitation,
            Self::SettingsChanged => Target::Setting,
            Self::RelayAdded | Self::RelayChanged | Self::RelayPaused | Self::RelayResumed | Self::RelayRemoved => {
                Target::Relay
            }
            Self::LoggedIn
            | Self::LogInRefused
            | Self::LogInThrottled
            | Self::LoggedOutElsewhere
            | Self::LoggedOutEverywhere
            | Self::AccountRegistered
            | Self::AccountConfirmed
            | Self::NameChanged
            | Self::EmailChanged
            | Self::EmailRevoked
            | Self::PasswordChanged
            | Self::PasswordReset
            | Self::DataExported
            | Self::AccountDeleted
            | Self::TotpOn
            | Self::TotpOff
            | Self::UserBlocked
            | Self::UserUnblocked
            | Self::RoleChanged
            | Self::LimitsChanged
            // Whose ledger it is: the address in it goes with the account.
            | Self::SuppressionAdded
            | Self::SuppressionLifted
            | Self::SuppressionsImportStarted
            | Self::SuppressionsImported
            | Self::SuppressionsImportLifted => Target::User,
        }
    }

    /// Reads [`Act::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|act| act.as_str() == text)
    }
}

/// What an act is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    User,
    Mailing,
    /// An address that has no account; there is no number.
    Invitation,
    Relay,
    /// There is no number.
    Setting,
}

/// Why a log-in was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Address and password do not match.
    Password,
    /// The code of the second factor is wrong.
    Code,
    /// The address waits for confirmation.
    Unconfirmed,
    /// The account is blocked.
    Blocked,
}

impl Refusal {
    pub const ALL: [Self; 4] = [Self::Password, Self::Code, Self::Unconfirmed, Self::Blocked];

    /// The reason in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Code => "code",
            Self::Unconfirmed => "unconfirmed",
            Self::Blocked => "blocked",
        }
    }
}

/// Most lines that a page counts; there are millions.
pub const COUNTED: i64 = 10_000;

/// Who acts where nobody is logged in but whoever has the machine, as it stands on record.
pub const COMMAND_LINE: &str = "command line";

/// A line of the log. Texts are as they were at the time; those about somebody whose account is gone are
/// empty, and the ids stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditLine {
    pub id: i64,
    pub at: DateTime<Utc>,
    pub actor_id: Option<i64>,
    /// The actor's address, or the command line; empty for nobody known, and when the account is gone.
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
