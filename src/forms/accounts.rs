//! Registration and log-in.

use super::{Check, from_garde, is_email, is_filled, is_line};
use crate::api::error::FieldErrors;
use garde::Validate;
use serde::{Deserialize, Serialize};

/// Fewest characters of a password (NIST SP 800-63B 5.1.1.2 asks for 8 at least).
pub const PASSWORD_MIN: usize = 10;
/// Most characters of a password: long enough for any phrase, short enough to hash.
pub const PASSWORD_MAX: usize = 256;
/// Longest name of a user, in characters.
pub const NAME_MAX: usize = 100;

fn is_password<C>(value: &str, _: &C) -> garde::Result {
    match value.chars().count() {
        0 => Err(garde::Error::new("error.required")),
        n if n < PASSWORD_MIN => Err(garde::Error::new("error.password.short")),
        n if n > PASSWORD_MAX => Err(garde::Error::new("error.too_long")),
        _ => Ok(()),
    }
}

/// A new account: the administrator's or anybody's.
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
    /// The token of the set-up link, when the first administrator is made.
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

impl Check for RegisterForm {
    fn check(&self) -> FieldErrors {
        from_garde(self)
    }
}

impl Check for LogInForm {
    fn check(&self) -> FieldErrors {
        from_garde(self)
    }
}

// Passwords must not reach a log through `{:?}`.
impl std::fmt::Debug for RegisterForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegisterForm").field("email", &self.email).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for LogInForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogInForm").field("email", &self.email).finish_non_exhaustive()
    }
}
