//! Confirming that an address is one's own, which makes the account.

use super::links::{owner, usable};
use super::{Account, account_key, end_all, find};
use crate::domain::audit::Act as Noted;
use crate::domain::email::EmailAddress;
use crate::domain::lang::Lang;
use crate::forms::accounts::{AccountForm, AddressForm};
use crate::server::db::tokens::{self as links, TokenKind};
use crate::server::db::users::{self, User};
use crate::server::db::{self, Db, Tx};
use crate::server::services::letters::{Origin, Own, Subject, enqueue};
use crate::server::services::throttle::{self, Act, Key};
use crate::server::services::{Error, Result, audit, checked, tokens};
use chrono::{DateTime, TimeDelta, Utc};
use std::net::IpAddr;

/// How long a link in a confirmation letter works.
const CONFIRM_FOR: TimeDelta = TimeDelta::hours(48);

/// Writes the letter with a new link to a user's (id, address); older links stop working.
pub(super) async fn ask_to_confirm(
    tx: &mut Tx,
    origin: Origin<'_>,
    (id, email): (i64, &str),
    lang: Lang,
    now: DateTime<Utc>,
) -> Result<()> {
    let expires_at = now + CONFIRM_FOR;
    let (token, hash) = tokens::link();
    links::replace(tx, TokenKind::Confirm, id, (&hash, ""), expires_at, now).await?;
    let link = format!("{}/confirm?token={token}", origin.site);
    let own = Own { subject: Subject::Confirm, name: "", email, lang, args: &[("link", &link)], expires_at };
    enqueue(tx, origin, &own, now).await
}

/// Sends the confirmation letter again, if the address waits for one; whether it does shows nowhere.
///
/// # Errors
/// Database errors.
pub async fn send_confirmation(db: &Db, origin: Origin<'_>, form: &AddressForm, now: DateTime<Utc>) -> Result<()> {
    let email = EmailAddress::parse(&form.email).map_err(|error| Error::field("email", error.key()))?;
    throttle::take(db, &[Key::account(Act::Letter, &account_key(&email))], now).await?;
    let user = find(db, &email).await?;
    let Some(user) = user.filter(|user| user.confirmed_at.is_none() && user.blocked_at.is_none()) else {
        return Ok(());
    };
    let mut tx = db.begin().await?;
    ask_to_confirm(&mut tx, origin, (user.id, &user.email), user.lang, now).await?;
    Ok(tx.commit().await?)
}

/// Whether this peer may ask for a letter now.
///
/// # Errors
/// [`Error::Invalid`] for what is no address; [`Error::RateLimited`].
pub async fn may_ask(db: &Db, form: &AddressForm, peer: IpAddr, now: DateTime<Utc>) -> Result<()> {
    checked(form)?;
    throttle::take(db, &[Key::peer(Act::LetterFrom, peer)], now).await
}

/// Follows the link of a confirmation letter: the account is whose it reached, with the name and the password that they
/// choose now. What somebody else may have chosen before counts for nothing.
///
/// # Errors
/// [`Error::Conflict`] says whether the link is unknown, used or too old; [`Error::Invalid`] by field, and the link goes
/// on working, or for a blocked user.
pub async fn confirm(db: &Db, form: &AccountForm, peer: IpAddr, now: DateTime<Utc>) -> Result<User> {
    let link = usable(db, TokenKind::Confirm, &form.token, now).await?;
    let user = owner(db, &link).await?;
    let account = Account::of(&form.register(&user.email)).await?;
    let mut tx = db.begin().await?;
    if user.confirmed_at.is_some() || !links::use_up(&mut tx, link.id, now).await? {
        return Err(Error::Conflict("error.link.used"));
    }
    account.complete(&mut tx, &user).await?;
    users::confirm(&mut tx, user.id, now).await?;
    end_all(&mut tx, user.id).await?;
    let address = peer.to_string();
    db::audit::append(&mut tx, &audit::own(&user, Noted::AccountConfirmed, &address), now).await?;
    tx.commit().await?;
    users::by_id(db, user.id).await?.ok_or(Error::NotFound)
}
