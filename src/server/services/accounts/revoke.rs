//! Taking back what somebody else may have changed who knows the password: each such change is told to the owner, with a
//! link that stops or undoes it.

use super::links::{owner, usable};
use super::{account_key, end_all, notice};
use crate::domain::audit::Act;
use crate::domain::email::EmailAddress;
use crate::server::db::audit::Entry;
use crate::server::db::tokens::{self as links, TokenKind};
use crate::server::db::users::{self, User};
use crate::server::db::{self, Db, Tx, recovery_codes};
use crate::server::mail::markdown;
use crate::server::services::letters::{Origin, Subject};
use crate::server::services::{Error, Result, audit, tokens};
use chrono::{DateTime, TimeDelta, Utc};
use std::net::IpAddr;

/// How long a change can be taken back: not everybody reads letters each day.
const REVOKE_FOR: TimeDelta = TimeDelta::days(7);
/// What a link is about that ends a second factor; no address is written so.
const FACTOR: &str = "totp";

/// What is changed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change<'a> {
    /// The account moves, or has moved, to this address.
    Email(&'a EmailAddress),
    /// A second factor is switched on.
    Factor,
}

/// Writes to the address that an account has, or had, with a link that takes the change back. It stands beside those
/// of earlier letters: whoever changes an account on and on cannot end them.
pub(super) async fn tell_owner(
    tx: &mut Tx,
    origin: Origin<'_>,
    user: &User,
    change: Change<'_>,
    subject: Subject,
    now: DateTime<Utc>,
) -> Result<()> {
    let (data, new) = match change {
        Change::Email(new) => (user.email.as_str(), markdown::escape(new.as_str())),
        Change::Factor => (FACTOR, String::new()),
    };
    let (token, hash) = tokens::link();
    links::add(tx, TokenKind::Revoke, Some(user.id), (&hash, data), now + REVOKE_FOR, now).await?;
    let link = format!("{}/account/revoke?token={token}", origin.site);
    notice(tx, origin, user, subject, &[("email", &new), ("link", &link)], now).await
}

/// Follows such a link. The account has its address again, or keeps it; a second factor that was switched on since the
/// letter was written is off; and everybody is logged out, for whoever made the change knows the password. The owner
/// sets a new one by letter.
///
/// # Errors
/// [`Error::Conflict`] says whether the link is unknown, used or too old, or the address taken meanwhile;
/// [`Error::Invalid`] for a blocked user.
pub async fn revoke_change(db: &Db, token: &str, peer: IpAddr, now: DateTime<Utc>) -> Result<()> {
    let link = usable(db, TokenKind::Revoke, token, now).await?;
    let user = owner(db, &link).await?;
    let factor = users::totp(db, user.id).await?.and_then(|totp| totp.since);
    let address = peer.to_string();
    let mut tx = db.begin().await?;
    if !links::use_up(&mut tx, link.id, now).await? {
        return Err(Error::Conflict("error.link.used"));
    }
    if link.data != FACTOR {
        let old = EmailAddress::parse(&link.data).map_err(|error| Error::Internal(error.to_string()))?;
        match users::set_email(&mut tx, &user, old.as_str(), &account_key(&old)).await {
            Err(error) if error.is_duplicate() => return Err(Error::Conflict("error.email.taken")),
            other => other?,
        }
        let entry = audit::own(&user, Act::EmailRevoked, &address);
        db::audit::append(&mut tx, &Entry { before: &user.email, after: old.as_str(), ..entry }, now).await?;
    }
    if factor.is_some_and(|since| since >= link.created_at) {
        users::end_totp(&mut tx, user.id).await?;
        recovery_codes::forget(&mut tx, user.id).await?;
        db::audit::append(&mut tx, &audit::own(&user, Act::TotpOff, &address), now).await?;
    }
    end_all(&mut tx, user.id).await?;
    // What was written later, perhaps to an address that is not the owner's, leads no way back.
    links::forget_later(&mut tx, TokenKind::Revoke, user.id, link.id).await?;
    Ok(tx.commit().await?)
}
