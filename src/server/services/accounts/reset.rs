//! A new password by the link of a letter.

use super::links::{owner, usable};
use super::{account_key, end_all, find, notice};
use crate::domain::audit::Act as Noted;
use crate::domain::email::EmailAddress;
use crate::forms::accounts::{AddressForm, ResetForm};
use crate::server::db::tokens::{self as links, TokenKind};
use crate::server::db::users::{self, User};
use crate::server::db::{self, Db};
use crate::server::services::letters::{Origin, Own, Subject, enqueue};
use crate::server::services::throttle::{self, Act, Key};
use crate::server::services::{Error, Result, audit, checked, passwords, tokens};
use chrono::{DateTime, TimeDelta, Utc};
use std::net::IpAddr;

/// How long a link works.
const RESET_FOR: TimeDelta = TimeDelta::hours(1);

/// Sends a link to whoever has the address; whether anybody does shows nowhere. Call it apart from the
/// answer, which would take longer otherwise for an address that somebody has.
///
/// # Errors
/// [`Error::RateLimited`] after several letters; database errors.
pub async fn send_reset(db: &Db, origin: Origin<'_>, form: &AddressForm, now: DateTime<Utc>) -> Result<()> {
    let email = EmailAddress::parse(&form.email).map_err(|error| Error::field("email", error.key()))?;
    throttle::take(db, &[Key::account(Act::Letter, &account_key(&email))], now).await?;
    let user = find(db, &email).await?;
    let Some(user) = user.filter(|user| user.blocked_at.is_none()) else { return Ok(()) };
    let expires_at = now + RESET_FOR;
    let (token, hash) = tokens::link();
    let link = format!("{}/reset?token={token}", origin.site);
    let args = &[("link", link.as_str())];
    // Before the address is confirmed, the name is what some visitor wrote.
    let name = if user.confirmed_at.is_some() { user.name.as_str() } else { "" };
    let own = Own { subject: Subject::Reset, name, email: &user.email, lang: user.lang, args, expires_at };
    let mut tx = db.begin().await?;
    links::replace(&mut tx, TokenKind::Reset, user.id, (&hash, ""), expires_at, now).await?;
    enqueue(&mut tx, origin, &own, now).await?;
    Ok(tx.commit().await?)
}

/// Sets the password by the link of a letter. It ends all that was begun under the old one, sessions too, and all
/// throttling of the account, and confirms the address, for the letter has arrived there.
///
/// # Errors
/// [`Error::Conflict`] says whether the link is unknown, used or too old; [`Error::Invalid`] refuses the
/// password, and the link goes on working, or a blocked user.
pub async fn reset(db: &Db, origin: Origin<'_>, form: &ResetForm, peer: IpAddr, now: DateTime<Utc>) -> Result<User> {
    let link = usable(db, TokenKind::Reset, &form.token, now).await?;
    checked(form)?;
    let user = owner(db, &link).await?;
    passwords::acceptable("password", &form.password, &user.email)?;
    let hash = passwords::hash(&form.password).await?;
    let mut tx = db.begin().await?;
    if !links::use_up(&mut tx, link.id, now).await? {
        return Err(Error::Conflict("error.link.used"));
    }
    users::set_password(&mut tx, user.id, &hash).await?;
    users::confirm(&mut tx, user.id, now).await?;
    let epoch = end_all(&mut tx, user.id).await?;
    throttle::forgive(&mut tx, &throttle::tries(Act::LogIn, &user.email_key, peer, None)).await?;
    let address = peer.to_string();
    db::audit::append(&mut tx, &audit::own(&user, Noted::PasswordReset, &address), now).await?;
    notice(&mut tx, origin, &user, Subject::PasswordChanged, &[], now).await?;
    tx.commit().await?;
    Ok(User { confirmed_at: user.confirmed_at.or(Some(now)), password_hash: hash, epoch, ..user })
}
