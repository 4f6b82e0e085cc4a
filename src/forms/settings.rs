//! What administrators submit about the service: its settings, limits of a user, invitations.

use super::{Check, from_garde, is_email, is_line};
use crate::api::error::FieldErrors;
use crate::domain::email::EmailAddress;
use crate::domain::settings::{Registration, SENDER_NAME_MAX, Settings, UserLimits};
use crate::domain::user::Role;
use garde::Validate;
use serde::{Deserialize, Serialize};

/// The service's settings. Numbers are texts, so that a wrong one is told at its field.
#[derive(Clone, Debug, Default, Deserialize, Serialize, Validate)]
pub struct SettingsForm {
    #[garde(custom(is_line(SENDER_NAME_MAX)))]
    #[serde(default)]
    pub sender_name: String,
    /// Empty for the address that the service was started with.
    #[garde(skip)]
    #[serde(default)]
    pub sender_email: String,
    /// A [`Registration`] word.
    #[garde(skip)]
    pub registration: String,
    #[garde(skip)]
    #[serde(default)]
    pub clients: String,
    #[garde(skip)]
    #[serde(default)]
    pub letters: String,
    /// `domain::version` of what was stored when the form was opened; empty: whatever is stored is changed.
    #[garde(skip)]
    #[serde(default)]
    pub version: String,
}

/// Limits of one user; empty ones follow the settings.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct LimitsForm {
    pub id: i64,
    #[serde(default)]
    pub clients: String,
    #[serde(default)]
    pub letters: String,
}

/// Somebody who is to get an account.
#[derive(Clone, Debug, Default, Deserialize, Serialize, Validate)]
pub struct InviteForm {
    #[garde(custom(is_email))]
    pub email: String,
    /// A [`Role`] word.
    #[garde(custom(is_role))]
    pub role: String,
}

/// An invitation, for what is done to it as it is.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct InvitationId {
    pub id: i64,
}

fn is_role<C>(value: &str, _: &C) -> garde::Result {
    Role::parse(value).map(drop).ok_or_else(|| garde::Error::new("error.role.unknown"))
}

/// A number; none if the field is empty.
fn limit(text: &str) -> Result<Option<i64>, &'static str> {
    match text.trim() {
        "" => Ok(None),
        text => text.parse().ok().filter(|n| *n >= 0).map(Some).ok_or("error.limit"),
    }
}

fn limits(clients: &str, letters: &str) -> UserLimits {
    UserLimits { clients: limit(clients).unwrap_or_default(), letters: limit(letters).unwrap_or_default() }
}

fn check_limits(errors: &mut FieldErrors, clients: &str, letters: &str) {
    for (field, text) in [("clients", clients), ("letters", letters)] {
        if let Err(key) = limit(text) {
            errors.push(field, key);
        }
    }
}

impl SettingsForm {
    /// What the form says; what is wrong counts as usual: [`Check::check`] tells of it.
    pub fn settings(&self) -> Settings {
        Settings {
            sender_name: self.sender_name.trim().to_owned(),
            sender_email: self.sender_email.trim().to_owned(),
            registration: Registration::parse(&self.registration).unwrap_or_default(),
            limits: limits(&self.clients, &self.letters),
        }
    }
}

impl LimitsForm {
    /// What the form says.
    pub fn limits(&self) -> UserLimits {
        limits(&self.clients, &self.letters)
    }
}

impl Check for SettingsForm {
    fn check(&self) -> FieldErrors {
        let mut errors = from_garde(self);
        let email = self.sender_email.trim();
        if !email.is_empty()
            && let Err(error) = EmailAddress::parse(email)
        {
            errors.push("sender_email", error.key());
        }
        if Registration::parse(&self.registration).is_none() {
            errors.push("registration", "error.choice");
        }
        check_limits(&mut errors, &self.clients, &self.letters);
        errors
    }
}

impl Check for LimitsForm {
    fn check(&self) -> FieldErrors {
        let mut errors = FieldErrors::default();
        check_limits(&mut errors, &self.clients, &self.letters);
        errors
    }
}

impl Check for InviteForm {
    fn check(&self) -> FieldErrors {
        from_garde(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wrong_field_is_named() {
        let form = || SettingsForm { registration: "open".into(), ..SettingsForm::default() };
        assert!(form().check().is_empty());
        for (field, wrong) in [
            ("sender_name", SettingsForm { sender_name: "a\nb".into(), ..form() }),
            ("sender_email", SettingsForm { sender_email: "nobody".into(), ..form() }),
            ("registration", SettingsForm { registration: "maybe".into(), ..form() }),
            ("clients", SettingsForm { clients: "-1".into(), ..form() }),
            ("letters", SettingsForm { letters: "many".into(), ..form() }),
        ] {
            let fields: Vec<String> = wrong.check().0.into_iter().map(|error| error.field).collect();
            assert_eq!(fields, [field]);
        }
        let limits = LimitsForm { id: 1, clients: " 500 ".into(), letters: String::new() }.limits();
        assert_eq!(limits, UserLimits { clients: Some(500), letters: None });
    }
}
