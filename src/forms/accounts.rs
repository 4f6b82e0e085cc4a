//! Registration, log-in, and what people change about their accounts.

use super::{Check, from_garde, is_email, is_filled, is_line};
use crate::api::error::FieldErrors;
use crate::domain::account::Notice;
use crate::domain::lang::Lang;
use crate::domain::user::Theme;
use garde::Validate;
use serde::{Deserialize, Serialize};

/// Fewest characters of a password (NIST SP 800-63B 5.1.1.2 asks for 8 at least).
pub const PASSWORD_MIN: usize = 10;
/// Most characters of a password: long enough for any phrase, short enough to hash.
pub const PASSWORD_MAX: usize = 256;
/// Longest name of a user, in characters.
pub const NAME_MAX: usize = 100;
/// Longest code that is looked at.
const CODE_MAX: usize = 40;
/// Longest zone name that is looked at.
const ZONE_MAX: usize = 64;

fn is_password<C>(value: &str, _: &C) -> garde::Result {
    match value.chars().count() {
        0 => Err(garde::Error::new("error.required")),
        n if n < PASSWORD_MIN => Err(garde::Error::new("error.password.short")),
        n if n > PASSWORD_MAX => Err(garde::Error::new("error.too_long")),
        _ => Ok(()),
    }
}

fn is_lang<C>(value: &str, _: &C) -> garde::Result {
    Lang::parse(value).map(drop).ok_or_else(|| garde::Error::new("error.choice"))
}

fn is_theme<C>(value: &str, _: &C) -> garde::Result {
    Theme::parse(value).map(drop).ok_or_else(|| garde::Error::new("error.choice"))
}

/// A new account with its address: the first administrator's, or one that the command line makes.
#[derive(Clone, Default, Deserialize, Serialize, Validate)]
pub struct RegisterForm {
    #[garde(custom(is_filled), custom(is_line(NAME_MAX)))]
    pub name: String,
    #[garde(custom(is_email))]
    pub email: String,
    #[garde(custom(is_password))]
    pub password: String,
    /// IANA zone, from the browser where it runs scripts.
    #[garde(skip)]
    #[serde(default)]
    pub zone: String,
    /// The token of the set-up link.
    #[garde(skip)]
    #[serde(default)]
    pub setup: String,
}

/// A log-in.
#[derive(Clone, Default, Deserialize, Serialize, Validate)]
pub struct LogInForm {
    #[garde(custom(is_email))]
    pub email: String,
    #[garde(custom(is_filled))]
    pub password: String,
    /// Where to go afterwards: a path on this service.
    #[garde(skip)]
    #[serde(default)]
    pub next: String,
}

/// An address that a letter is asked for.
#[derive(Clone, Debug, Default, Deserialize, Serialize, Validate)]
pub struct AddressForm {
    #[garde(custom(is_email))]
    pub email: String,
}

/// A new password, by the link of a letter.
#[derive(Clone, Default, Deserialize, Serialize, Validate)]
pub struct ResetForm {
    #[garde(skip)]
    pub token: String,
    #[garde(custom(is_password))]
    pub password: String,
}

/// An account by the link of a letter, which knows the address: somebody was invited, or has asked for one.
#[derive(Clone, Default, Deserialize, Serialize, Validate)]
pub struct AccountForm {
    #[garde(skip)]
    pub token: String,
    #[garde(custom(is_filled), custom(is_line(NAME_MAX)))]
    pub name: String,
    #[garde(custom(is_password))]
    pub password: String,
    /// IANA zone, from the browser where it runs scripts.
    #[garde(skip)]
    #[serde(default)]
    pub zone: String,
}

impl AccountForm {
    /// The same as a registration of the address.
    pub fn register(&self, email: &str) -> RegisterForm {
        let Self { name, password, zone, .. } = self.clone();
        RegisterForm { name, email: email.to_owned(), password, zone, setup: String::new() }
    }
}

/// What everybody may change about themselves.
#[derive(Clone, Debug, Default, Deserialize, Serialize, Validate)]
pub struct ProfileForm {
    #[garde(custom(is_filled), custom(is_line(NAME_MAX)))]
    pub name: String,
    /// A [`Lang`] word.
    #[garde(custom(is_lang))]
    pub lang: String,
    /// A [`Theme`] word.
    #[garde(custom(is_theme))]
    pub theme: String,
    /// An IANA name.
    #[garde(custom(is_filled), custom(is_line(ZONE_MAX)))]
    pub zone: String,
}

/// What somebody wants to be told by letter; a box that is not ticked sends nothing.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct NoticesForm {
    #[serde(default)]
    pub run_ended: bool,
    #[serde(default)]
    pub paused: bool,
    #[serde(default)]
    pub limit: bool,
    #[serde(default)]
    pub relay: bool,
}

impl NoticesForm {
    pub fn wants(&self, notice: Notice) -> bool {
        match notice {
            Notice::RunEnded => self.run_ended,
            Notice::Paused => self.paused,
            Notice::Limit => self.limit,
            Notice::Relay => self.relay,
        }
    }
}

/// Another address, which has to be confirmed.
#[derive(Clone, Default, Deserialize, Serialize, Validate)]
pub struct NewEmailForm {
    #[garde(custom(is_email))]
    pub email: String,
    #[garde(custom(is_filled))]
    pub password: String,
}

/// Another password.
#[derive(Clone, Default, Deserialize, Serialize, Validate)]
pub struct NewPasswordForm {
    #[garde(custom(is_filled))]
    pub old_password: String,
    #[garde(custom(is_password))]
    pub new_password: String,
}

/// The password once more, before what only the owner may do.
#[derive(Clone, Default, Deserialize, Serialize, Validate)]
pub struct PasswordForm {
    #[garde(custom(is_filled))]
    pub password: String,
}

/// A code of the second factor, or a recovery code.
#[derive(Clone, Default, Deserialize, Serialize, Validate)]
pub struct CodeForm {
    #[garde(custom(is_filled), custom(is_line(CODE_MAX)))]
    pub code: String,
}

macro_rules! checks {
    ($($form:ty),* $(,)?) => {
        $(impl Check for $form {
            fn check(&self) -> FieldErrors {
                from_garde(self)
            }
        })*
    };
}

checks!(
    RegisterForm,
    LogInForm,
    AddressForm,
    ResetForm,
    ProfileForm,
    NewEmailForm,
    NewPasswordForm,
    PasswordForm,
    CodeForm
);

/// Passwords and tokens must not reach a log through `{:?}`.
macro_rules! hides_all_but_email {
    ($($form:ident),* $(,)?) => {
        $(impl std::fmt::Debug for $form {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($form)).field("email", &self.email).finish_non_exhaustive()
            }
        })*
    };
}

hides_all_but_email!(RegisterForm, LogInForm, NewEmailForm);

macro_rules! hides_all {
    ($($form:ident),* $(,)?) => {
        $(impl std::fmt::Debug for $form {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($form)).finish_non_exhaustive()
            }
        })*
    };
}

hides_all!(ResetForm, AccountForm, NewPasswordForm, PasswordForm, CodeForm);
