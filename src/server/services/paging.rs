//! Keyset pages: what they are ordered by, and the cursor that the next one begins at.

use crate::domain::page::{PAGE_SIZE, Page};
use crate::server::db::Key;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// How many rows to ask for: one more than a page shows, to know whether there is a next one.
pub const FETCH: i64 = PAGE_SIZE + 1;

/// Reads a cursor that is a mere id. One that is not ours starts from the newest.
pub fn before(cursor: Option<&str>) -> Option<i64> {
    cursor.and_then(|cursor| cursor.parse().ok())
}

/// Writes a cursor.
pub fn encode(key: &Key) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::json!([key.text, key.id]).to_string())
}

/// Reads a cursor. One that is not ours starts from the beginning.
pub fn decode(cursor: &str) -> Option<Key> {
    let (text, id) = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    Some(Key { text, id })
}

/// Reads `title`, or `-title` for downwards, against the columns that a list knows; the newest come
/// first where nothing known is said.
pub fn order<S: Copy + Default>(sort: &str, columns: &[(&str, S)]) -> (S, bool) {
    let (name, descending) = sort.strip_prefix('-').map_or((sort, false), |name| (name, true));
    let known = columns.iter().find(|(known, _)| *known == name);
    known.map_or((S::default(), true), |(_, column)| (*column, descending))
}

/// Makes a page of up to [`FETCH`] rows.
pub fn by_key<T>(rows: Vec<T>, total: i64, key: impl Fn(&T) -> Key) -> Page<T> {
    cut(rows, total, |row| encode(&key(row)))
}

/// Makes a page of up to [`FETCH`] rows whose cursor is a mere id.
pub fn by_id<T>(rows: Vec<T>, total: i64, id: impl Fn(&T) -> i64) -> Page<T> {
    cut(rows, total, |row| id(row).to_string())
}

fn cut<T>(mut rows: Vec<T>, total: i64, cursor: impl Fn(&T) -> String) -> Page<T> {
    let size = usize::try_from(PAGE_SIZE).unwrap_or(usize::MAX);
    let more = rows.len() > size;
    rows.truncate(size);
    let next = rows.last().filter(|_| more).map(cursor);
    Page { rows, next, total, mark: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_survive_and_foreign_ones_are_none() {
        let key = Key { text: "осень, \"2\"".to_owned(), id: 7 };
        assert_eq!(decode(&encode(&key)), Some(key));
        for bad in ["", "7", "!!", "W10"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_newest_come_first_unless_a_known_column_is_named() {
        let columns = [("title", 1), ("next", 2)];
        assert_eq!(order("title", &columns), (1, false));
        assert_eq!(order("-next", &columns), (2, true));
        for unknown in ["", "-", "id", "-id"] {
            assert_eq!(order::<i32>(unknown, &columns), (0, true), "{unknown}");
        }
    }
}
