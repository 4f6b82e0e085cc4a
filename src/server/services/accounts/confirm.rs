//! Confirming that an address is one's own.

use crate::domain::lang::Lang;
use crate::server::db::tokens::{self as links, TokenKind};
use crate::server::db::{Db, Tx, users};
use crate::server::services::letters::{Origin, Own, Subject, enqueue};
use crate::server::services::{Error, Result, tokens};
use chrono::{DateTime, TimeDelta, Utc};

/// How long a link in a confirmation letter works.
const CONFIRM_FOR: TimeDelta = TimeDelta::hours(48);

/// Writes the letter with a new link to a user's (id, name, address); older links stop working.
pub(super) async fn ask_to_confirm(
    tx: &mut Tx,
    origin: Origin<'_>,
    (id, name, email): (i64, &str, &str),
    lang: Lang,
    now: DateTime<Utc>,
) -> Result<()> {
    let expires_at = now + CONFIRM_FOR;
    let (token, hash) = tokens::link();
    links::replace(tx, TokenKind::Confirm, Some(id), &hash, expires_at, now).await?;
    let link = format!("{}/confirm?token={token}", origin.site);
    let own = Own { subject: Subject::Confirm, name, email, lang, args: &[("link", &link)], expires_at };
    enqueue(tx, origin, &own, now).await
}

/// Follows the link of a confirmation letter and returns whose address it was.
///
/// # Errors
/// [`Error::Conflict`] says whether the link is unknown, used or too old.
pub async fn confirm(db: &Db, token: &str, now: DateTime<Utc>) -> Result<i64> {
    let found = links::find(db, TokenKind::Confirm, &tokens::hash(token)).await?;
    let token = found.ok_or(Error::Conflict("error.link.unknown"))?;
    if token.used_at.is_some() {
        return Err(Error::Conflict("error.link.used"));
    }
    if token.expires_at <= now {
        return Err(Error::Conflict("error.link.expired"));
    }
    let user = token.user_id.ok_or(Error::Conflict("error.link.unknown"))?;
    let mut tx = db.begin().await?;
    if !links::use_up(&mut tx, token.id, now).await? {
        return Err(Error::Conflict("error.link.used"));
    }
    users::confirm(&mut tx, user, now).await?;
    tx.commit().await?;
    Ok(user)
}
