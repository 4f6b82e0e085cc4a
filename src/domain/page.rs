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
    /// Which ones those are, where all of them can be chosen at once: [`Whole::mark`].
    #[serde(default)]
    pub mark: i64,
}

impl<T> Page<T> {
    /// All rows of the list.
    pub fn whole(&self) -> Whole {
        Whole { total: self.total, mark: self.mark }
    }

    /// The same page of a list whose rows can all be chosen at once.
    #[must_use]
    pub fn of(self, whole: Whole) -> Self {
        Self { total: whole.total, mark: whole.mark, ..self }
    }

    /// The rows, and the page without them: for [`Page::with_rows`].
    #[must_use]
    pub fn taken(mut self) -> (Vec<T>, Self) {
        (std::mem::take(&mut self.rows), self)
    }

    /// The same page of other rows.
    #[must_use]
    pub fn with_rows<U>(self, rows: Vec<U>) -> Page<U> {
        Page { rows, next: self.next, total: self.total, mark: self.mark }
    }
}

/// All rows that a filter finds, so that whoever acts on all of them acts on those that they were told of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Whole {
    pub total: i64,
    /// The sum of their ids: another one if one row has gone and a new one has come.
    pub mark: i64,
}

impl Whole {
    /// These rows and others.
    #[must_use]
    pub fn and(self, more: Self) -> Self {
        Self { total: self.total + more.total, mark: self.mark.wrapping_add(more.mark) }
    }
}

impl From<(i64, i64)> for Whole {
    fn from((total, mark): (i64, i64)) -> Self {
        Self { total, mark }
    }
}

impl FromIterator<i64> for Whole {
    fn from_iter<I: IntoIterator<Item = i64>>(ids: I) -> Self {
        ids.into_iter().fold(Self::default(), |all, id| all.and((1, id).into()))
    }
}
