//! Clients: one, several at once, and the start of an import.

use super::{Check, from_garde, is_email, is_line};
use crate::api::error::FieldErrors;
use crate::domain::client::{COMMENT_MAX, FULL_NAME_MAX};
use crate::domain::import::{Duplicates, Mapping};
use garde::Validate;
use serde::{Deserialize, Serialize};

fn is_comment<C>(value: &str, _: &C) -> garde::Result {
    if value.chars().count() > COMMENT_MAX { Err(garde::Error::new("error.too_long")) } else { Ok(()) }
}

/// A client, new (`id` 0) or changed.
#[derive(Clone, Debug, Default, Deserialize, Serialize, Validate)]
pub struct ClientForm {
    #[garde(skip)]
    #[serde(default)]
    pub id: i64,
    #[garde(custom(is_email))]
    pub email: String,
    #[garde(custom(is_line(FULL_NAME_MAX)))]
    #[serde(default)]
    pub full_name: String,
    #[garde(custom(is_comment))]
    #[serde(default)]
    pub comment: String,
}

impl Check for ClientForm {
    fn check(&self) -> FieldErrors {
        from_garde(self)
    }
}

/// Which clients: the ticked ones, or all that the search finds.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Chosen {
    #[serde(default)]
    pub ids: Vec<i64>,
    /// All that `q` finds; `ids` does not count then.
    #[serde(default)]
    pub all: bool,
    #[serde(default)]
    pub q: String,
}

/// What a column's select sends when no column holds the thing.
pub const NO_COLUMN: &str = "none";

/// The start of an import: which column (from 0) holds what.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct ImportStart {
    pub id: i64,
    pub email: usize,
    #[serde(default)]
    pub full_name: String,
    #[serde(default)]
    pub comment: String,
    #[serde(default)]
    pub duplicates: Duplicates,
}

impl ImportStart {
    pub fn mapping(&self) -> Mapping {
        Mapping { email: self.email, full_name: self.full_name.parse().ok(), comment: self.comment.parse().ok() }
    }
}

impl Check for ImportStart {
    fn check(&self) -> FieldErrors {
        let mut errors = FieldErrors::default();
        for (field, value) in [("full_name", &self.full_name), ("comment", &self.comment)] {
            match value.parse::<usize>() {
                Ok(column) if column == self.email => errors.push(field, "error.import.same_column"),
                Ok(_) => {}
                Err(_) if value.is_empty() || value == NO_COLUMN => {}
                Err(_) => errors.push(field, "error.import.column"),
            }
        }
        errors
    }
}
