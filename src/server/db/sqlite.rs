//! Addresses of SQLite files.

use super::{DbError, DbResult, postgres};
use sqlx::sqlite::SqliteConnectOptions;
use std::path::Path;
use std::str::FromStr;

/// Reads a `sqlite:` address.
///
/// # Errors
/// [`DbError::Scheme`] if it is none; [`DbError::Address`] if no database that lasts can be there.
pub fn options(url: &str) -> DbResult<SqliteConnectOptions> {
    let rest = url.strip_prefix("sqlite:").ok_or(DbError::Scheme)?;
    let wrong = |why: String| Err(DbError::Address(why));
    let (name, words) = rest.split_once('?').unwrap_or((rest, ""));
    let words: Vec<_> = url::form_urlencoded::parse(words.as_bytes()).collect();
    // Every connection would have a database of its own, and none would outlive the process.
    if name.contains(":memory:") || words.iter().any(|(name, value)| name == "mode" && value == "memory") {
        return wrong("a database in memory would forget everything: name a file".to_owned());
    }
    let read_only = |(name, value): (&str, &str)| matches!((name, value), ("mode", "ro") | ("immutable", "true" | "1"));
    if words.iter().any(|(name, value)| read_only((name, value))) {
        return wrong("the database must not be read-only".to_owned());
    }
    let options = match SqliteConnectOptions::from_str(url) {
        Ok(options) => options,
        Err(error) => return wrong(postgres::cause(&error)),
    };
    let file = options.get_filename();
    if file.as_os_str().is_empty() {
        return wrong("names no file".to_owned());
    }
    if file.is_dir() {
        return wrong(format!("{} is a folder: name a file", file.display()));
    }
    match file.parent() {
        Some(folder) if folder != Path::new("") && !folder.is_dir() => {
            wrong(format!("there is no folder {}", folder.display()))
        }
        _ => Ok(options),
    }
}
