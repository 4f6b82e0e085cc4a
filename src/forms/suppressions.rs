//! What people submit about the ledger of addresses that are left out.

use super::{Check, from_garde, is_email, is_filled, is_line};
use crate::api::error::FieldErrors;
use garde::Validate;
use serde::{Deserialize, Serialize};

/// Longest reason for making or lifting an entry, in characters.
pub const REASON_MAX: usize = 500;

/// An entry that is to be lifted, and why: that is kept in the audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Validate)]
pub struct LiftForm {
    #[garde(skip)]
    pub id: i64,
    #[garde(custom(is_filled), custom(is_line(REASON_MAX)))]
    pub reason: String,
    /// The client on whose page it stands, to go back to; 0 for none.
    #[garde(skip)]
    #[serde(default)]
    pub client: i64,
}

impl Check for LiftForm {
    fn check(&self) -> FieldErrors {
        from_garde(self)
    }
}

/// An address that is to be left out from now on, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Validate)]
pub struct AddForm {
    #[garde(custom(is_email))]
    pub email: String,
    #[garde(custom(is_filled), custom(is_line(REASON_MAX)))]
    pub reason: String,
}

impl Check for AddForm {
    fn check(&self) -> FieldErrors {
        from_garde(self)
    }
}

/// Why the addresses of a file are to be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Validate)]
pub struct ImportForm {
    #[garde(custom(is_filled), custom(is_line(REASON_MAX)))]
    pub reason: String,
}

impl Check for ImportForm {
    fn check(&self) -> FieldErrors {
        from_garde(self)
    }
}
