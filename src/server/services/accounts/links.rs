//! Links in letters: each works once, for a while.

use crate::server::db::Db;
use crate::server::db::tokens::{self as links, TokenKind};
use crate::server::db::users::{self, User};
use crate::server::services::{Error, Result, tokens};
use chrono::{DateTime, Utc};

/// A link that still works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Usable {
    pub id: i64,
    pub user_id: i64,
    /// What the link is about.
    pub data: String,
    pub created_at: DateTime<Utc>,
}

/// Looks a link up without using it.
pub(super) async fn usable(db: &Db, kind: TokenKind, token: &str, now: DateTime<Utc>) -> Result<Usable> {
    let found = links::find(db, kind, &tokens::hash(token)).await?;
    let link = found.ok_or(Error::Conflict("error.link.unknown"))?;
    if link.used_at.is_some() {
        return Err(Error::Conflict("error.link.used"));
    }
    if link.expires_at <= now {
        return Err(Error::Conflict("error.link.expired"));
    }
    let user_id = link.user_id.ok_or(Error::Conflict("error.link.unknown"))?;
    Ok(Usable { id: link.id, user_id, data: link.data, created_at: link.created_at })
}

/// Whose account a link is about. Nothing of somebody who is blocked changes, not by a link either.
pub(super) async fn owner(db: &Db, link: &Usable) -> Result<User> {
    let user = users::by_id(db, link.user_id).await?.ok_or(Error::Conflict("error.link.unknown"))?;
    if user.blocked_at.is_some() {
        return Err(Error::field("", "error.login.blocked"));
    }
    Ok(user)
}

/// Whether a link still works, for the page that it opens.
///
/// # Errors
/// [`Error::Conflict`] says whether the link is unknown, used or too old.
pub async fn check_link(db: &Db, kind: TokenKind, token: &str, now: DateTime<Utc>) -> Result<()> {
    usable(db, kind, token, now).await.map(drop)
}
