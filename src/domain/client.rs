//! Clients: the recipients that a user keeps.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Longest full name, in characters.
pub const FULL_NAME_MAX: usize = 200;
/// Longest comment, in characters.
pub const COMMENT_MAX: usize = 2_000;

/// A client as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    pub id: i64,
    pub email: String,
    pub full_name: String,
    pub comment: String,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// The column that a list of clients is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientSort {
    #[default]
    Created,
    Email,
    FullName,
}

/// What a search compares: the three texts, in lower case (SQLite's LOWER knows ASCII only).
pub fn search_text(email: &str, full_name: &str, comment: &str) -> String {
    format!("{email}\n{full_name}\n{comment}").to_lowercase()
}
