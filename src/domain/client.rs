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

/// What becomes of a client's texts when its double is joined with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JoinedTexts {
    /// The one that stays is changed.
    pub changed: bool,
    /// The double has another name, which goes into the comment.
    pub name_to_comment: bool,
    /// Something finds no room in the comment.
    pub lost: bool,
}

/// Gives a client what it lacks of another one's texts: the name if it has none, else into the comment; and the comment behind
/// its own, as far as there is room.
pub fn join_texts(stays: &mut Client, goes: &Client) -> JoinedTexts {
    let mut joined = JoinedTexts::default();
    let mut more = vec![&goes.comment];
    if stays.full_name.is_empty() {
        joined.changed = !goes.full_name.is_empty();
        stays.full_name.clone_from(&goes.full_name);
    } else if !stays.full_name.to_lowercase().contains(&goes.full_name.to_lowercase()) {
        joined.name_to_comment = true;
        more.insert(0, &goes.full_name);
    }
    for text in more {
        if stays.comment.contains(text) {
            continue;
        }
        let between = if stays.comment.is_empty() { "" } else { "\n" };
        if stays.comment.chars().count() + between.len() + text.chars().count() > COMMENT_MAX {
            joined.lost = true;
            continue;
        }
        stays.comment = format!("{}{between}{text}", stays.comment);
        joined.changed = true;
    }
    joined
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
            (("Ann", "fair"), ("Ann Lee", "met in May"), Some(("Ann", "fair\nAnn Lee\nmet in May"))),
            (("Ann Lee", ""), ("ann", ""), None),
            (("Ann Lee", "Ann K."), ("Ann K.", ""), None),
            (("Ann", &long[1..]), ("Boris", ""), None),
            (("Ann", "met in May"), ("", "May"), None),
            (("Ann", &long), ("Ann", "more"), None),
        ] {
            let mut client_that_stays = client(stays.0, stays.1);
            let JoinedTexts { changed, .. } = join_texts(&mut client_that_stays, &client(goes.0, goes.1));
            let (full_name, comment) = joined.unwrap_or(stays);
            assert_eq!((changed, client_that_stays), (joined.is_some(), client(full_name, comment)));
        }
        let told = |stays: (&str, &str), goes: (&str, &str)| {
            let joined = join_texts(&mut client(stays.0, stays.1), &client(goes.0, goes.1));
            (joined.name_to_comment, joined.lost)
        };
        assert_eq!(told(("Ann", ""), ("Boris", "")), (true, false));
        assert_eq!(told(("Ann", &long), ("Boris", "")), (true, true));
        assert_eq!(told(("Ann", &long), ("ANN", "more")), (false, true));
        assert_eq!(told(("", "fair"), ("Boris", "met")), (false, false));
    }
}
