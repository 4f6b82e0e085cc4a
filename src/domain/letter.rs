//! Letters caught by the built-in mail server, as the Outbox shows them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterRow {
    pub id: i64,
    pub at: DateTime<Utc>,
    pub from: String,
    pub to: String,
    pub subject: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    pub row: LetterRow,
    pub headers: Vec<(String, String)>,
    pub text: String,
    /// There is HTML to show, at an address of its own.
    pub has_html: bool,
    /// Web addresses in it, each once, in order: the frame that shows the letter may not open them.
    pub links: Vec<String>,
    /// As it came, lossy UTF-8.
    pub source: String,
}
