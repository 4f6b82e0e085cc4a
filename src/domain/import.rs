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

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    Clients,
    /// The ledger of addresses that are left out.
    Suppressions,
}

impl Goal {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Clients => "clients",
            Self::Suppressions => "suppressions",
        }
    }
}

/// How a file's text is written as bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoding {
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "utf-16le")]
    Utf16Le,
    #[serde(rename = "utf-16be")]
    Utf16Be,
    #[serde(rename = "windows-1251")]
    Windows1251,
    #[serde(rename = "windows-1252")]
    Windows1252,
}

impl Encoding {
    pub const ALL: [Self; 5] = [Self::Utf8, Self::Utf16Le, Self::Utf16Be, Self::Windows1251, Self::Windows1252];

    /// The word in forms and addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Windows1251 => "windows-1251",
            Self::Windows1252 => "windows-1252",
        }
    }

    /// Reads [`Encoding::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|encoding| encoding.as_str() == text)
    }
}

/// How a file is to be read: which column (from 0) holds what, and whether the first line names them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// None while nobody has said and nothing shows it.
    pub email: Option<usize>,
    pub full_name: Option<usize>,
    /// Joined behind [`Layout::full_name`], which is then the first name.
    pub middle_name: Option<usize>,
    /// The same, behind both.
    pub last_name: Option<usize>,
    pub comment: Option<usize>,
    pub header: bool,
    pub encoding: Encoding,
}

impl Layout {
    /// The columns that a client's name is joined of, in order.
    pub fn names(&self) -> impl Iterator<Item = usize> {
        [self.full_name, self.middle_name, self.last_name].into_iter().flatten()
    }

    /// The same file for its addresses alone.
    #[must_use]
    pub fn addresses(self) -> Self {
        Self { full_name: None, middle_name: None, last_name: None, comment: None, ..self }
    }

    /// Whether nothing but addresses is taken.
    pub fn is_addresses(&self) -> bool {
        self.names().chain(self.comment).next().is_none()
    }

    /// The columns (from 0) with a name that nothing is taken from; none where the first line names no columns.
    pub fn unused(&self, columns: &[String]) -> Vec<String> {
        if !self.header {
            return Vec::new();
        }
        let used: Vec<usize> = self.names().chain(self.email).chain(self.comment).collect();
        let left = columns.iter().enumerate().filter(|(at, name)| !used.contains(at) && !name.is_empty());
        left.map(|(_, name)| name.clone()).collect()
    }
}

/// What an import would do with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    New,
    /// The owner has the address, or a line before this one does.
    Known,
    Faulty,
    /// Nobody can say before the column of the addresses is chosen.
    Open,
}

/// One of the first lines of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstLine {
    pub fate: Fate,
    /// As in the file, shortened.
    pub cells: Vec<String>,
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
    /// The whole line, each cell shortened.
    #[serde(default)]
    pub cells: Vec<String>,
    /// What a client would be made of: address, name and comment, as they stand there. None where that is not known, or too
    /// long for a link.
    #[serde(default)]
    pub fields: Option<Box<[String; 3]>>,
}

impl LineProblem {
    /// A problem with a line of which nothing more is said.
    pub fn new(line: i64, key: &str, value: &str) -> Self {
        let value = value.chars().take(CELL_SHOWN).collect();
        Self { line, key: key.to_owned(), value, cells: Vec::new(), fields: None }
    }
}

/// Longest piece of a cell that is shown, in characters.
pub const CELL_SHOWN: usize = 100;

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

/// Addresses of a file that an import names of those that mailings leave out.
pub const SUPPRESSED_NAMED: usize = 5;

/// How far an import has come. Lines are counted without the header.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportCounts {
    pub lines: i64,
    pub added: i64,
    pub updated: i64,
    pub skipped: i64,
    pub faulty: i64,
    /// Lines with addresses that the owner's mailings leave out, whatever became of the client.
    #[serde(default)]
    pub suppressed: i64,
    /// The first of these addresses, at most [`SUPPRESSED_NAMED`].
    #[serde(default)]
    pub suppressed_first: Vec<String>,
    /// Bytes read so far, for progress.
    pub bytes: i64,
}

impl ImportCounts {
    /// Counts lines that are done with, stored and not, and how far the file has been read.
    pub fn took(&mut self, stored: usize, faulty: usize, bytes: i64) {
        self.lines += i64::try_from(stored + faulty).unwrap_or(i64::MAX);
        self.faulty += i64::try_from(faulty).unwrap_or(i64::MAX);
        self.bytes = bytes;
    }
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
    /// Why its addresses are to be left out; empty for clients.
    #[serde(default)]
    pub why: String,
}

/// How the first lines of a file fare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outlook {
    pub lines: i64,
    pub new: i64,
    pub known: i64,
    pub faulty: i64,
    /// Others follow, which nobody has looked at.
    #[serde(default)]
    pub more: bool,
    /// Lines of the whole file that can be taken; none where that was not counted.
    #[serde(default)]
    pub takeable: Option<i64>,
}

/// An import, and while it waits to be started the beginning of its file, and what is wrong in it, under a
/// layout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportPreview {
    pub import: Import,
    /// Largest file that is taken, in bytes.
    pub max_size: i64,
    /// The cells of the file's first line, whether they are names or data.
    pub columns: Vec<String>,
    pub layout: Layout,
    pub lines: Vec<FirstLine>,
    pub outlook: Outlook,
    pub problems: Vec<LineProblem>,
    /// The lines that were not taken can be had as a file.
    pub faulty_kept: bool,
    /// The file is an export of a ledger, whose reasons and dates are kept.
    #[serde(default)]
    pub is_ledger: bool,
    /// Entries of the ledger that came with it and are still there.
    #[serde(default)]
    pub entries: i64,
}
