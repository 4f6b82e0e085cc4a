//! Import of clients from CSV: what its pages show.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What to do with a line whose address the owner already has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duplicates {
    #[default]
    Skip,
    Update,
}

/// Which column of the file (from 0) holds what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    pub email: usize,
    pub full_name: Option<usize>,
    pub comment: Option<usize>,
}

/// A line that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineProblem {
    /// From 1, the header included.
    pub line: i64,
    /// The locale key of the sentence.
    pub key: String,
    /// What stood there, shortened.
    pub value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportState {
    /// Uploaded; its owner chooses the columns.
    Uploaded,
    Running,
    Done,
    /// Ended early; what had been taken stays, and the reason says where it ended.
    Failed,
}

impl ImportState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Uploaded => "uploaded",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    /// Reads [`ImportState::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Uploaded, Self::Running, Self::Done, Self::Failed].into_iter().find(|state| state.as_str() == text)
    }
}

/// How far an import has come. Lines are counted without the header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportCounts {
    pub lines: i64,
    pub added: i64,
    pub updated: i64,
    pub skipped: i64,
    pub faulty: i64,
    /// Bytes read so far, for progress.
    pub bytes: i64,
}

/// An import as its page shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    pub id: i64,
    pub file_name: String,
    /// Bytes.
    pub size: i64,
    pub state: ImportState,
    /// A locale key, if it failed.
    pub reason: String,
    pub counts: ImportCounts,
    /// The first faulty lines.
    pub problems: Vec<LineProblem>,
    pub created_at: DateTime<Utc>,
}

/// The first lines of an uploaded file, and what is wrong in them under a mapping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportPreview {
    pub import: Import,
    pub header: Vec<String>,
    pub mapping: Mapping,
    /// The first lines, cells as in the file.
    pub lines: Vec<Vec<String>>,
    pub problems: Vec<LineProblem>,
}
