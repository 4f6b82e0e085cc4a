//! Keyset pages of lists that are ordered by id, newest first.

use crate::domain::page::{PAGE_SIZE, Page};

/// How many rows to ask for: one more than a page shows, to know whether there is a next one.
pub const FETCH: i64 = PAGE_SIZE + 1;

/// Reads a cursor. One that is not ours starts from the newest.
pub fn before(cursor: Option<&str>) -> Option<i64> {
    cursor.and_then(|cursor| cursor.parse().ok())
}

/// Makes a page of up to [`FETCH`] rows.
pub fn by_id<T>(mut rows: Vec<T>, total: i64, id: impl Fn(&T) -> i64) -> Page<T> {
    let size = usize::try_from(PAGE_SIZE).unwrap_or(usize::MAX);
    let more = rows.len() > size;
    rows.truncate(size);
    let next = rows.last().filter(|_| more).map(|row| id(row).to_string());
    Page { rows, next, total }
}
