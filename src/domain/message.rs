//! Messages: what is written once and sent to many.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Longest subject, in characters.
pub const SUBJECT_MAX: usize = 500;
/// Longest body, in characters.
pub const BODY_MAX: usize = 200_000;

/// A message as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub id: i64,
    pub subject: String,
    pub body: String,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// Mailings that use it.
    pub mailings: i64,
}

/// A message in a list, without its body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRow {
    pub id: i64,
    pub subject: String,
    pub updated_at: DateTime<Utc>,
    /// Mailings that use it.
    pub mailings: i64,
}

/// The order of a list of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MessageSort {
    #[default]
    Created,
    Subject,
    Updated,
}

/// A message filled in for one client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    pub subject: String,
    pub html: String,
    pub text: String,
}

/// Why a template cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateProblem {
    /// The locale key of the sentence.
    pub key: String,
    /// The name or the piece of text that the sentence speaks of.
    pub detail: String,
    /// The line, from 1, where it stands.
    pub line: u32,
}
