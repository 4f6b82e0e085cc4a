//! Users, what they may do, and what a page may know of them.

use super::oversight::Stopped;
use super::relay::Fault;
use super::settings::Registration;
use serde::{Deserialize, Serialize};

/// What a user is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    User,
    Manager,
    Editor,
    Admin,
}

impl Role {
    pub const ALL: [Self; 4] = [Self::User, Self::Manager, Self::Editor, Self::Admin];

    /// The word in the database, on the wire and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Manager => "manager",
            Self::Editor => "editor",
            Self::Admin => "admin",
        }
    }

    /// Reads [`Role::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// Whether this role includes the permission.
    pub fn may(self, permission: Permission) -> bool {
        match permission {
            Permission::Own => true,
            Permission::Blog => matches!(self, Self::Editor | Self::Admin),
            Permission::Oversee => matches!(self, Self::Manager | Self::Admin),
            Permission::Outbox | Permission::Settings => self == Self::Admin,
        }
    }
}

/// What a server function asks for before it does anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Permission {
    /// Own clients, messages and mailings.
    Own,
    /// The posts of the blog, everybody's.
    Blog,
    /// Every user and mailing, to see and to stop.
    Oversee,
    /// Letters caught by the built-in mail server.
    Outbox,
    /// The service's settings.
    Settings,
}

/// The colours of the interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The word in the cookie `theme` and in links.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// Reads [`Theme::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.as_str() == text)
    }

    /// The stylesheet's name for it; none follows the system.
    pub fn data_theme(self) -> Option<&'static str> {
        match self {
            Self::System => None,
            Self::Light => Some("vestnik-light"),
            Self::Dark => Some("vestnik-dark"),
        }
    }
}

/// The user whose page it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    pub id: i64,
    pub email: String,
    pub name: String,
    pub role: Role,
    /// IANA name; times are shown in it.
    pub zone: String,
    pub confirmed: bool,
}

/// What every page needs to know of the service and its reader.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub me: Option<Me>,
    /// Who is logged in has been blocked: they are nobody here but a reader who is told so.
    pub blocked: Option<Stopped>,
    /// The service's own address, for somebody who is blocked and wants to ask; empty for others.
    pub contact: String,
    /// Who may make an account, for those who have none.
    pub registration: Registration,
    /// Letters are caught on this machine and shown in the Outbox.
    pub catching: bool,
    /// This reader may open the Outbox.
    pub outbox: bool,
    /// Mail servers that somebody must see to, with their names; empty for those who may not.
    pub alerts: Vec<(String, Fault)>,
}
