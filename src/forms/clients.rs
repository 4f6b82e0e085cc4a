//! Clients: one, several at once, and the start of an import.

use super::{Check, from_garde, is_email, is_line, is_text};
use crate::api::error::FieldErrors;
use crate::domain::client::{COMMENT_MAX, FULL_NAME_MAX};
use crate::domain::import::{Duplicates, Encoding, Layout};
use garde::Validate;
use serde::{Deserialize, Serialize};

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
    #[garde(custom(is_text(COMMENT_MAX)))]
    #[serde(default)]
    pub comment: String,
    /// `domain::version` of what was stored when the form was opened; empty: whatever is stored is changed.
    #[garde(skip)]
    #[serde(default)]
    pub version: String,
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
    /// Of these only those who get no letters.
    #[serde(default)]
    pub left_out: bool,
    /// How many clients the reader was told `all` are.
    #[serde(default)]
    pub n: i64,
    /// Which ones those were: `domain::page::Whole::mark`.
    #[serde(default)]
    pub mark: i64,
    #[serde(default)]
    pub q: String,
}

/// The joining of all doubles.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct JoinForm {
    /// How many the reader was told there are.
    #[serde(default)]
    pub n: i64,
    /// Which ones those were: `domain::page::Whole::mark`.
    #[serde(default)]
    pub mark: i64,
}

/// What a column's select sends when no column holds the thing.
pub const NO_COLUMN: &str = "none";

/// The start of an import, or a look at what it would do: how the file is read, and what becomes of
/// addresses that are known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct ImportStart {
    pub id: i64,
    /// A column from 0, or empty while none is chosen.
    #[serde(default)]
    pub email: String,
    #[serde(default)]
    pub full_name: String,
    /// Joined behind the column of the name.
    #[serde(default)]
    pub middle_name: String,
    #[serde(default)]
    pub last_name: String,
    #[serde(default)]
    pub comment: String,
    /// The first line names no columns.
    #[serde(default)]
    pub first_is_data: bool,
    #[serde(default)]
    pub encoding: Encoding,
    #[serde(default)]
    pub duplicates: Duplicates,
}

impl ImportStart {
    pub fn layout(&self) -> Layout {
        Layout {
            email: self.email.parse().ok(),
            full_name: self.full_name.parse().ok(),
            middle_name: self.middle_name.parse().ok(),
            last_name: self.last_name.parse().ok(),
            comment: self.comment.parse().ok(),
            header: !self.first_is_data,
            encoding: self.encoding,
        }
    }

    /// Reads the form from a page's address; none if it is not there.
    pub fn from_query(id: i64, get: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let field = |name: &str| get(&format!("form[{name}]"));
        Some(Self {
            id,
            email: field("email")?,
            full_name: field("full_name").unwrap_or_default(),
            middle_name: field("middle_name").unwrap_or_default(),
            last_name: field("last_name").unwrap_or_default(),
            comment: field("comment").unwrap_or_default(),
            first_is_data: field("first_is_data").is_some_and(|value| value == "true"),
            encoding: field("encoding").and_then(|text| Encoding::parse(&text)).unwrap_or_default(),
            duplicates: match field("duplicates").as_deref() {
                Some("update") => Duplicates::Update,
                _ => Duplicates::Skip,
            },
        })
    }
}

impl Check for ImportStart {
    fn check(&self) -> FieldErrors {
        let mut errors = FieldErrors::default();
        if self.email.parse::<usize>().is_err() {
            errors.push("email", "error.import.choose_email");
        }
        for (field, value) in [
            ("full_name", &self.full_name),
            ("middle_name", &self.middle_name),
            ("last_name", &self.last_name),
            ("comment", &self.comment),
        ] {
            match value.parse::<usize>() {
                Ok(_) if *value == self.email => errors.push(field, "error.import.same_column"),
                Ok(_) => {}
                Err(_) if value.is_empty() || value == NO_COLUMN => {}
                Err(_) => errors.push(field, "error.import.column"),
            }
        }
        errors
    }
}
