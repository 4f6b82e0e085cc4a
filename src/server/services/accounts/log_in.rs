//! Log-in.

use super::{account_key, find};
use crate::domain::audit::{Act as Noted, Refusal};
use crate::domain::email::EmailAddress;
use crate::forms::accounts::LogInForm;
use crate::server::db::audit::Entry;
use crate::server::db::users::{self, User};
use crate::server::db::{self, Db};
use crate::server::services::devices::Visitor;
use crate::server::services::throttle::{self, Act, Key};
use crate::server::services::{Error, Result, audit, checked, passwords};
use chrono::{DateTime, Utc};

/// Checks an address and a password.
///
/// # Errors
/// [`Error::Invalid`] on the form as a whole when they do not match (the same for an unknown
/// address), when the address waits for confirmation, or when the user is blocked; the last two only
/// to somebody who knows the password. [`Error::RateLimited`] after several tries for the account from there, or
/// from the peer; others' tries keep nobody out whose browser was in before.
pub async fn log_in(db: &Db, form: &LogInForm, visitor: impl Into<Visitor>, now: DateTime<Utc>) -> Result<User> {
    let visitor: Visitor = visitor.into();
    checked(form)?;
    let email = EmailAddress::parse(&form.email).map_err(|error| Error::field("email", error.key()))?;
    let address = visitor.peer.to_string();
    let user = find(db, &email).await?;
    let device = user.as_ref().and_then(|user| visitor.known_to(user));
    let mut keys = throttle::tries(Act::LogIn, &account_key(&email), visitor.peer, device);
    if device.is_none() {
        keys.push(Key::peer(Act::LogInFrom, visitor.peer));
    }
    let mut tx = db.begin().await?;
    if throttle::take_in(&mut tx, &keys, now).await? {
        db::audit::append(&mut tx, &audit::tried(user.as_ref(), Noted::LogInThrottled, &address), now).await?;
    }
    tx.commit().await?;
    let hash = user.as_ref().map(|user| user.password_hash.as_str());
    let same = passwords::verify(&form.password, hash).await?;
    let Some(known) = user.as_ref().filter(|_| same) else {
        note_refusal(db, user.as_ref(), Refusal::Password, &address, now).await?;
        return Err(Error::field("", "error.login.mismatch"));
    };
    enter(db, known, &address, now).await?;
    let renewed =
        if passwords::is_outdated(&known.password_hash) { Some(passwords::hash(&form.password).await?) } else { None };
    let mut tx = db.begin().await?;
    if let Some(hash) = renewed {
        users::renew_hash(&mut tx, known.id, &known.password_hash, &hash).await?;
    }
    throttle::succeeded(&mut tx, &keys).await?;
    if !known.totp {
        db::audit::append(&mut tx, &audit::own(known, Noted::LoggedIn, &address), now).await?;
    }
    tx.commit().await?;
    Ok(known.clone())
}

/// Notes that a log-in was refused. There are as many lines as throttling lets tries through.
pub(super) async fn note_refusal(
    db: &Db,
    user: Option<&User>,
    why: Refusal,
    address: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let mut tx = db.begin().await?;
    let entry = Entry { reason: why.as_str(), ..audit::tried(user, Noted::LogInRefused, address) };
    db::audit::append(&mut tx, &entry, now).await?;
    Ok(tx.commit().await?)
}

/// The same as [`may_enter`], with a line in the audit log if not.
pub(super) async fn enter(db: &Db, user: &User, address: &str, now: DateTime<Utc>) -> Result<()> {
    let refused = may_enter(user);
    if refused.is_err() {
        let why = if user.confirmed_at.is_none() { Refusal::Unconfirmed } else { Refusal::Blocked };
        note_refusal(db, Some(user), why, address, now).await?;
    }
    refused
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
