//! Messages: what is written once and sent to many.

use super::design::Choice;
use super::version::version;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Longest subject, in characters.
pub const SUBJECT_MAX: usize = 500;
/// Longest body, in characters.
pub const BODY_MAX: usize = 200_000;
/// Longest preheader, in characters; mail programs show about a hundred.
pub const PREHEADER_MAX: usize = 250;
/// Bytes of HTML above which Gmail shows the beginning of a letter alone.
pub const CLIPPED_FROM: usize = 102 * 1024;

/// A message as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub id: i64,
    pub subject: String,
    /// What mail programs show beside the subject.
    pub preheader: String,
    pub body: String,
    pub design: Choice,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// Mailings that use it.
    pub mailings: i64,
}

impl Message {
    /// Tells whether it was changed since a form was opened.
    pub fn version(&self) -> String {
        version(&[&self.subject, &self.preheader, &self.body, &self.design.to_string()])
    }
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
    pub preheader: String,
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
