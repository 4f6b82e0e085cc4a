//! Registration, confirmation, log-in.

use super::{Error, Result, checked, passwords, tokens};
use crate::domain::email::EmailAddress;
use crate::domain::lang::Lang;
use crate::domain::user::Role;
use crate::forms::accounts::{LogInForm, RegisterForm};
use crate::server::db::tokens::TokenKind;
use crate::server::db::users::{self, NewUser, User};
use crate::server::db::{self, Db};
use crate::server::schedule::parse_zone;
use chrono::{DateTime, TimeDelta, Utc};

/// How long a link in a confirmation letter works.
pub const CONFIRM_FOR: TimeDelta = TimeDelta::hours(48);
/// How long the one-time link of the first start works; a new start prints a new one.
const SETUP_FOR: TimeDelta = TimeDelta::hours(24);

/// What registration came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Registered {
    /// The administrator of the first start, confirmed at once.
    Admin { id: i64 },
    /// Waits for the link in the letter that goes to the address.
    Unconfirmed { email: String, name: String, token: String },
    /// Somebody has the address already: they get a letter that says so, and whoever asked sees the
    /// same page as for a new address.
    Taken { email: String, name: String },
}

/// Makes the one-time link's token when there is no user yet.
///
/// # Errors
/// Database errors.
pub async fn offer_setup(db: &Db, now: DateTime<Utc>) -> Result<Option<String>> {
    let mut tx = db.begin().await?;
    if users::any_in(&mut tx).await? {
        return Ok(None);
    }
    let (token, hash) = tokens::link();
    db::tokens::replace(&mut tx, TokenKind::Setup, None, &hash, now + SETUP_FOR, now).await?;
    tx.commit().await?;
    Ok(Some(token))
}

/// Registers somebody: with a valid set-up token the first administrator, otherwise a user who has
/// to confirm the address.
///
/// # Errors
/// [`Error::Invalid`] for a form that its rules refuse; [`Error::Conflict`] for a set-up link that is
/// unknown, used or too old.
pub async fn register(db: &Db, form: &RegisterForm, lang: Lang, now: DateTime<Utc>) -> Result<Registered> {
    checked(form)?;
    let email = EmailAddress::parse(&form.email).map_err(|error| Error::field("email", error.key()))?;
    let hash = passwords::hash(&form.password).await?;
    let new = NewUser {
        email: email.as_str(),
        email_key: &email.key(),
        name: form.name.trim(),
        password_hash: &hash,
        role: if form.setup.is_empty() { Role::User } else { Role::Admin },
        zone: parse_zone(&form.zone).map_or("UTC", |zone| zone.name()),
        lang,
        confirmed_at: (!form.setup.is_empty()).then_some(now),
        now,
    };
    if form.setup.is_empty() { register_user(db, &new).await } else { register_admin(db, &new, &form.setup).await }
}

async fn register_user(db: &Db, new: &NewUser<'_>) -> Result<Registered> {
    if let Some(user) = users::by_email(db, new.email_key).await? {
        return Ok(match user.confirmed_at {
            Some(_) => Registered::Taken { email: user.email, name: user.name },
            None => unconfirmed(db, &user, new.now).await?,
        });
    }
    let mut tx = db.begin().await?;
    let id = match users::insert(&mut tx, new).await {
        Err(error) if error.is_duplicate() => {
            return Ok(Registered::Taken { email: new.email.to_owned(), name: new.name.to_owned() });
        }
        other => other?,
    };
    let (token, hash) = tokens::link();
    db::tokens::replace(&mut tx, TokenKind::Confirm, Some(id), &hash, new.now + CONFIRM_FOR, new.now).await?;
    tx.commit().await?;
    Ok(Registered::Unconfirmed { email: new.email.to_owned(), name: new.name.to_owned(), token })
}

/// A new link for somebody who has not confirmed yet; the old one stops working.
async fn unconfirmed(db: &Db, user: &User, now: DateTime<Utc>) -> Result<Registered> {
    let (token, hash) = tokens::link();
    let mut tx = db.begin().await?;
    db::tokens::replace(&mut tx, TokenKind::Confirm, Some(user.id), &hash, now + CONFIRM_FOR, now).await?;
    tx.commit().await?;
    Ok(Registered::Unconfirmed { email: user.email.clone(), name: user.name.clone(), token })
}

async fn register_admin(db: &Db, new: &NewUser<'_>, setup: &str) -> Result<Registered> {
    let found = db::tokens::find(db, TokenKind::Setup, &tokens::hash(setup)).await?;
    let token = found.filter(|token| token.used_at.is_none() && token.expires_at > new.now);
    let token = token.ok_or(Error::Conflict("error.setup.used"))?;
    let mut tx = db.begin().await?;
    if users::any_in(&mut tx).await? || !db::tokens::use_up(&mut tx, token.id, new.now).await? {
        return Err(Error::Conflict("error.setup.used"));
    }
    let id = users::insert(&mut tx, new).await?;
    tx.commit().await?;
    Ok(Registered::Admin { id })
}

/// Whether the set-up link may still make the administrator.
///
/// # Errors
/// Database errors.
pub async fn setup_is_open(db: &Db, setup: &str, now: DateTime<Utc>) -> Result<bool> {
    let found = db::tokens::find(db, TokenKind::Setup, &tokens::hash(setup)).await?;
    Ok(found.is_some_and(|token| token.used_at.is_none() && token.expires_at > now) && !users::any(db).await?)
}

/// Follows the link of a confirmation letter and returns whose address it was.
///
/// # Errors
/// [`Error::Conflict`] says whether the link is unknown, used or too old.
pub async fn confirm(db: &Db, token: &str, now: DateTime<Utc>) -> Result<i64> {
    let found = db::tokens::find(db, TokenKind::Confirm, &tokens::hash(token)).await?;
    let token = found.ok_or(Error::Conflict("error.link.unknown"))?;
    if token.used_at.is_some() {
        return Err(Error::Conflict("error.link.used"));
    }
    if token.expires_at <= now {
        return Err(Error::Conflict("error.link.expired"));
    }
    let user = token.user_id.ok_or(Error::Conflict("error.link.unknown"))?;
    let mut tx = db.begin().await?;
    if !db::tokens::use_up(&mut tx, token.id, now).await? {
        return Err(Error::Conflict("error.link.used"));
    }
    users::confirm(&mut tx, user, now).await?;
    tx.commit().await?;
    Ok(user)
}

/// Checks an address and a password.
///
/// # Errors
/// [`Error::Invalid`] on the form as a whole when they do not match (the same for an unknown
/// address), when the address waits for confirmation, or when the user is blocked; the last two only
/// to somebody who knows the password.
pub async fn log_in(db: &Db, form: &LogInForm) -> Result<User> {
    checked(form)?;
    let email = EmailAddress::parse(&form.email).map_err(|error| Error::field("email", error.key()))?;
    let user = users::by_email(db, &email.key()).await?;
    let hash = user.as_ref().map(|user| user.password_hash.as_str());
    let same = passwords::verify(&form.password, hash).await?;
    let user = user.filter(|_| same).ok_or_else(|| Error::field("", "error.login.mismatch"))?;
    if user.confirmed_at.is_none() {
        return Err(Error::field("", "error.login.unconfirmed"));
    }
    if user.blocked_at.is_some() {
        return Err(Error::field("", "error.login.blocked"));
    }
    Ok(user)
}

/// Makes a confirmed user of any role: for the command line.
///
/// # Errors
/// [`Error::Invalid`] for what the form's rules refuse and for an address that is taken.
pub async fn add(db: &Db, form: &RegisterForm, role: Role, lang: Lang, now: DateTime<Utc>) -> Result<i64> {
    checked(form)?;
    let email = EmailAddress::parse(&form.email).map_err(|error| Error::field("email", error.key()))?;
    let hash = passwords::hash(&form.password).await?;
    let new = NewUser {
        email: email.as_str(),
        email_key: &email.key(),
        name: form.name.trim(),
        password_hash: &hash,
        role,
        zone: parse_zone(&form.zone).map_or("UTC", |zone| zone.name()),
        lang,
        confirmed_at: Some(now),
        now,
    };
    let mut tx = db.begin().await?;
    let id = match users::insert(&mut tx, &new).await {
        Err(error) if error.is_duplicate() => return Err(Error::field("email", "error.email.taken")),
        other => other?,
    };
    tx.commit().await?;
    Ok(id)
}
