//! Log-in.

use crate::domain::email::EmailAddress;
use crate::forms::accounts::LogInForm;
use crate::server::db::Db;
use crate::server::db::users::{self, User};
use crate::server::services::throttle::{self, Act, Key};
use crate::server::services::{Error, Result, checked, passwords};
use chrono::{DateTime, Utc};
use std::net::IpAddr;

/// Checks an address and a password.
///
/// # Errors
/// [`Error::Invalid`] on the form as a whole when they do not match (the same for an unknown
/// address), when the address waits for confirmation, or when the user is blocked; the last two only
/// to somebody who knows the password. [`Error::RateLimited`] after several tries for the account or
/// from the peer.
pub async fn log_in(db: &Db, form: &LogInForm, peer: IpAddr, now: DateTime<Utc>) -> Result<User> {
    checked(form)?;
    let email = EmailAddress::parse(&form.email).map_err(|error| Error::field("email", error.key()))?;
    let keys = [Key::account(Act::LogIn, &email.key()), Key::peer(Act::LogInFrom, peer)];
    throttle::take(db, &keys, now).await?;
    let user = users::by_email(db, &email.key()).await?;
    let hash = user.as_ref().map(|user| user.password_hash.as_str());
    let same = passwords::verify(&form.password, hash).await?;
    let user = user.filter(|_| same).ok_or_else(|| Error::field("", "error.login.mismatch"))?;
    may_enter(&user)?;
    let renewed =
        if passwords::is_outdated(&user.password_hash) { Some(passwords::hash(&form.password).await?) } else { None };
    let mut tx = db.begin().await?;
    if let Some(hash) = renewed {
        users::renew_hash(&mut tx, user.id, &user.password_hash, &hash).await?;
    }
    throttle::succeeded(&mut tx, &keys).await?;
    tx.commit().await?;
    Ok(user)
}

/// Whether somebody whose password is right may come in.
///
/// # Errors
/// [`Error::Invalid`] on the form as a whole if the address waits for confirmation or the user is blocked.
pub fn may_enter(user: &User) -> Result<()> {
    if user.confirmed_at.is_none() {
        return Err(Error::field("", "error.login.unconfirmed"));
    }
    if user.blocked_at.is_some() {
        return Err(Error::field("", "error.login.blocked"));
    }
    Ok(())
}
