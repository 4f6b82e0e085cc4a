//! Keyset pages: a list is read from a cursor on, never by offset, so that page 10 000 costs what
//! page 1 costs.

use serde::{Deserialize, Serialize};

/// Rows on a page of any list.
pub const PAGE_SIZE: i64 = 50;

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    pub rows: Vec<T>,
    /// The cursor of the rows after these, if there are any; opaque to the reader.
    pub next: Option<String>,
    /// Rows that the filter finds in all.
    pub total: i64,
}
