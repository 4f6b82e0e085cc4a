//! Clients: the recipients that a user keeps.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Longest full name, in characters.
pub const FULL_NAME_MAX: usize = 200;
/// Longest comment, in characters.
pub const COMMENT_MAX: usize = 2_000;

/// A client as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    pub id: i64,
    pub email: String,
    pub full_name: String,
    pub comment: String,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// The column that a list of clients is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientSort {
    #[default]
    Created,
    Email,
    FullName,
}

/// What a search compares: the three texts, in lower case (SQLite's LOWER knows ASCII only).
pub fn search_text(email: &str, full_name: &str, comment: &str) -> String {
    format!("{email}\n{full_name}\n{comment}").to_lowercase()
}

/// One of an owner's clients whose address another one has in another spelling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Double {
    pub goes: Client,
    /// The one that it is joined with.
    pub stays: Client,
}

/// Gives a client what it lacks of another one's texts: the name, if it has none, and the comment behind its own, as far as
/// there is room. Says whether that changes it.
pub fn join_texts(stays: &mut Client, goes: &Client) -> bool {
    let name = stays.full_name.is_empty() && !goes.full_name.is_empty();
    if name {
        stays.full_name.clone_from(&goes.full_name);
    }
    let joined = match stays.comment.as_str() {
        comment if comment.contains(&goes.comment) => None,
        "" => Some(goes.comment.clone()),
        comment => Some(format!("{comment}\n{}", goes.comment)),
    };
    let joined = joined.filter(|text| text.chars().count() <= COMMENT_MAX);
    let comment = joined.is_some();
    stays.comment = joined.unwrap_or_else(|| std::mem::take(&mut stays.comment));
    name || comment
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(full_name: &str, comment: &str) -> Client {
        Client {
            id: 1,
            email: "a@example.org".to_owned(),
            full_name: full_name.to_owned(),
            comment: comment.to_owned(),
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn texts_are_joined_and_none_is_overwritten() {
        let long = "x".repeat(COMMENT_MAX);
        for (stays, goes, joined) in [
            (("", ""), ("Ann", "met in May"), Some(("Ann", "met in May"))),
            (("Ann", "fair"), ("Ann Lee", "met in May"), Some(("Ann", "fair\nmet in May"))),
            (("Ann", "met in May"), ("", "May"), None),
            (("Ann", &long), ("Ann", "more"), None),
        ] {
            let mut client_that_stays = client(stays.0, stays.1);
            let changed = join_texts(&mut client_that_stays, &client(goes.0, goes.1));
            let (full_name, comment) = joined.unwrap_or(stays);
            assert_eq!((changed, client_that_stays), (joined.is_some(), client(full_name, comment)));
        }
    }
}
