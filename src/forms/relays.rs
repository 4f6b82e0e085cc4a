//! Mail servers, as an administrator types them.

use super::{Check, is_line};
use crate::api::error::FieldErrors;
use crate::domain::relay::{
    CONNECTIONS, CONNECTIONS_MAX, HOST_MAX, Limits, NAME_MAX, RelaySettings, TlsMode, USER_MAX,
};
use garde::Validate;
use serde::{Deserialize, Serialize};

/// A relay, new (`id` 0) or changed. Numbers are texts, so that a wrong one is told at its field.
#[derive(Clone, Default, Deserialize, Serialize, Validate)]
pub struct RelayForm {
    #[garde(skip)]
    #[serde(default)]
    pub id: i64,
    #[garde(custom(super::is_filled), custom(is_line(NAME_MAX)))]
    pub name: String,
    #[garde(custom(super::is_filled), custom(is_line(HOST_MAX)))]
    pub host: String,
    #[garde(skip)]
    #[serde(default)]
    pub port: String,
    #[garde(skip)]
    #[serde(default)]
    pub tls: String,
    #[garde(custom(is_line(USER_MAX)))]
    #[serde(default)]
    pub user: String,
    /// Empty keeps the stored one.
    #[garde(custom(is_line(USER_MAX)))]
    #[serde(default)]
    pub password: String,
    #[garde(skip)]
    #[serde(default)]
    pub connections: String,
    #[garde(skip)]
    #[serde(default)]
    pub second: String,
    #[garde(skip)]
    #[serde(default)]
    pub hour: String,
    #[garde(skip)]
    #[serde(default)]
    pub day: String,
    #[garde(skip)]
    #[serde(default)]
    pub priority: String,
    #[garde(skip)]
    #[serde(default)]
    pub enabled: bool,
    /// `domain::version` of what was stored when the form was opened; empty: whatever is stored is changed.
    #[garde(skip)]
    #[serde(default)]
    pub version: String,
}

impl std::fmt::Debug for RelayForm {
    /// The password stays out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RelayForm").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}

/// A number of letters; none if the field is empty.
fn limit(text: &str) -> Result<Option<i64>, &'static str> {
    match text.trim() {
        "" => Ok(None),
        text => text.parse().ok().filter(|n| *n > 0).map(Some).ok_or("error.relay.limit"),
    }
}

/// A number within bounds, or what stands for an empty field.
fn number<T: std::str::FromStr + PartialOrd>(text: &str, empty: T, least: T, most: T) -> Option<T> {
    match text.trim() {
        "" => Some(empty),
        text => text.parse().ok().filter(|n| *n >= least && *n <= most),
    }
}

impl RelayForm {
    /// What the form says; `has_password` is left to the caller. Numbers that are wrong count as
    /// empty: [`Check::check`] tells of them.
    pub fn settings(&self) -> RelaySettings {
        let tls = TlsMode::parse(&self.tls).unwrap_or_default();
        let usual = match tls {
            TlsMode::Implicit => 465,
            _ if self.user.is_empty() => 25,
            _ => 587,
        };
        let of = |text: &str| limit(text).unwrap_or_default();
        RelaySettings {
            id: self.id,
            name: self.name.trim().to_owned(),
            host: self.host.trim().to_owned(),
            port: number(&self.port, usual, 1, u16::MAX).unwrap_or(usual),
            tls,
            user: self.user.clone(),
            has_password: false,
            connections: number(&self.connections, CONNECTIONS, 1, CONNECTIONS_MAX).unwrap_or(CONNECTIONS),
            limits: Limits { second: of(&self.second), hour: of(&self.hour), day: of(&self.day) },
            priority: number(&self.priority, 0, -1_000_000, 1_000_000).unwrap_or(0),
            enabled: self.enabled,
        }
    }
}

impl Check for RelayForm {
    fn check(&self) -> FieldErrors {
        let mut errors = super::from_garde(self);
        if number::<u16>(&self.port, 25, 1, u16::MAX).is_none() {
            errors.push("port", "error.relay.port");
        }
        if !self.tls.is_empty() && TlsMode::parse(&self.tls).is_none() {
            errors.push("tls", "error.relay.tls");
        }
        if number(&self.connections, CONNECTIONS, 1, CONNECTIONS_MAX).is_none() {
            errors.push("connections", "error.relay.connections");
        }
        for (field, text) in [("second", &self.second), ("hour", &self.hour), ("day", &self.day)] {
            if let Err(key) = limit(text) {
                errors.push(field, key);
            }
        }
        if number(&self.priority, 0, -1_000_000, 1_000_000).is_none() {
            errors.push("priority", "error.relay.priority");
        }
        if self.user.is_empty() && !self.password.is_empty() {
            errors.push("user", "error.relay.user");
        }
        errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> RelayForm {
        RelayForm { name: "Main".into(), host: "mail.example.org".into(), tls: "required".into(), ..Default::default() }
    }

    #[test]
    fn each_wrong_field_is_named() {
        let none = form().check();
        assert!(none.is_empty(), "{none:?}");
        for (field, wrong) in [
            ("name", RelayForm { name: " ".into(), ..form() }),
            ("host", RelayForm { host: "a\nb".into(), ..form() }),
            ("port", RelayForm { port: "70000".into(), ..form() }),
            ("port", RelayForm { port: "0".into(), ..form() }),
            ("tls", RelayForm { tls: "maybe".into(), ..form() }),
            ("connections", RelayForm { connections: "1001".into(), ..form() }),
            ("second", RelayForm { second: "0".into(), ..form() }),
            ("hour", RelayForm { hour: "many".into(), ..form() }),
            ("day", RelayForm { day: "-1".into(), ..form() }),
            ("priority", RelayForm { priority: "first".into(), ..form() }),
            ("user", RelayForm { password: "x".into(), ..form() }),
        ] {
            let errors = wrong.check();
            let fields: Vec<&str> = errors.0.iter().map(|error| error.field.as_str()).collect();
            assert_eq!(fields, [field]);
        }
    }

    #[test]
    fn empty_numbers_mean_what_is_usual() {
        let port = |tls: &str, user: &str| RelayForm { tls: tls.into(), user: user.into(), ..form() }.settings().port;
        assert_eq!((port("required", ""), port("required", "anna"), port("implicit", "anna")), (25, 587, 465));
        let settings = RelayForm { hour: " 500 ".into(), ..form() }.settings();
        assert_eq!((settings.connections, settings.limits.hour, settings.limits.day), (CONNECTIONS, Some(500), None));
        assert!(!format!("{:?}", RelayForm { password: "hidden".into(), ..form() }).contains("hidden"));
    }
}
