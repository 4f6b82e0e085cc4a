//! What managers and administrators submit about others.

use super::{Check, from_garde, is_filled, is_line};
use crate::api::error::FieldErrors;
use crate::domain::oversight::REASON_MAX;
use crate::domain::user::Role;
use garde::Validate;
use serde::{Deserialize, Serialize};

/// A user or a mailing that is to be stopped, and why.
#[derive(Clone, Debug, Default, Deserialize, Serialize, Validate)]
pub struct StopForm {
    #[garde(skip)]
    pub id: i64,
    #[garde(custom(is_filled), custom(is_line(REASON_MAX)))]
    pub reason: String,
}

/// A user or a mailing that may go on.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct ReleaseForm {
    pub id: i64,
}

/// A user's new role.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct RoleForm {
    pub id: i64,
    /// A [`Role`] word.
    pub role: String,
}

impl Check for StopForm {
    fn check(&self) -> FieldErrors {
        from_garde(self)
    }
}

impl Check for RoleForm {
    fn check(&self) -> FieldErrors {
        match Role::parse(&self.role) {
            Some(_) => FieldErrors::default(),
            None => FieldErrors::one("role", "error.role.unknown"),
        }
    }
}
