//! What people change of their own accounts.

use super::links::{owner, usable};
use super::revoke::{Change, tell_owner};
use super::{account_key, end_all, find, notice, prove_password, still};
use crate::domain::account::Profile;
use crate::domain::audit::Act;
use crate::domain::email::EmailAddress;
use crate::domain::lang::Lang;
use crate::domain::user::Theme;
use crate::forms::accounts::{NewEmailForm, NewPasswordForm, ProfileForm};
use crate::server::db::audit::Entry;
use crate::server::db::tokens::{self as links, TokenKind};
use crate::server::db::users::{self, User};
use crate::server::db::{self, Db};
use crate::server::schedule::parse_zone;
use crate::server::services::letters::{Origin, Own, Subject, enqueue};
use crate::server::services::{Actor, Error, Result, audit, checked, mailings, passwords, tokens};
use chrono::{DateTime, TimeDelta, Utc};
use std::net::IpAddr;

/// How long the link to a new address works.
const EMAIL_FOR: TimeDelta = TimeDelta::hours(48);

/// The actor's account.
///
/// # Errors
/// Database errors.
pub async fn profile(db: &Db, actor: &Actor) -> Result<Profile> {
    let user = users::by_id(db, actor.id).await?.ok_or(Error::NotFound)?;
    let (name, email, lang, theme, zone) = (user.name, user.email, user.lang, user.theme, user.zone);
    Ok(Profile { name, email, lang, theme, zone, zones: mailings::zones() })
}

/// Stores name, language, theme and zone; returns the two that the browser keeps as well.
///
/// # Errors
/// [`Error::Invalid`] for what the form's rules refuse and for an unknown zone.
pub async fn save_profile(db: &Db, actor: &Actor, form: &ProfileForm, now: DateTime<Utc>) -> Result<(Lang, Theme)> {
    checked(form)?;
    let zone = parse_zone(&form.zone).ok_or_else(|| Error::field("zone", "error.zone"))?;
    let (Some(lang), Some(theme)) = (Lang::parse(&form.lang), Theme::parse(&form.theme)) else {
        return Err(Error::field("", "error.choice"));
    };
    let before = users::by_id(db, actor.id).await?.ok_or(Error::NotFound)?;
    let user = User { name: form.name.trim().to_owned(), lang, theme, zone: zone.name().to_owned(), ..before.clone() };
    let mut tx = db.begin().await?;
    users::set_profile(&mut tx, &user).await?;
    if user.name != before.name {
        let entry = audit::own(&user, Act::NameChanged, &actor.address);
        db::audit::append(&mut tx, &Entry { before: &before.name, after: &user.name, ..entry }, now).await?;
    }
    tx.commit().await?;
    Ok((lang, theme))
}

/// Sends a link to a new address. Nothing changes before it is followed, and the old address is told how to stop it.
/// Where somebody has the new one, the letter tells them, and whoever asked sees the same.
///
/// # Errors
/// [`Error::Invalid`] for a wrong password or address; [`Error::RateLimited`].
pub async fn ask_new_email(
    db: &Db,
    origin: Origin<'_>,
    actor: &Actor,
    form: &NewEmailForm,
    now: DateTime<Utc>,
) -> Result<()> {
    checked(form)?;
    let email = EmailAddress::parse(&form.email).map_err(|error| Error::field("email", error.key()))?;
    let user = prove_password(db, actor, "password", &form.password, now).await?;
    if email.as_str() == user.email {
        return Err(Error::field("email", "error.email.same"));
    }
    let taken = find(db, &email).await?.filter(|other| other.id != user.id);
    let expires_at = now + EMAIL_FOR;
    let mut tx = db.begin().await?;
    still(&mut tx, (user.id, user.epoch), user.id).await?;
    if let Some(other) = taken {
        let link = format!("{}/login", origin.site);
        notice(&mut tx, origin, &other, Subject::Taken, &[("link", &link)], now).await?;
    } else {
        let (token, hash) = tokens::link();
        links::replace(&mut tx, TokenKind::Email, user.id, (&hash, email.as_str()), expires_at, now).await?;
        let link = format!("{}/account/email?token={token}", origin.site);
        let args = &[("link", link.as_str())];
        let own = Own {
            subject: Subject::NewEmail,
            // Nobody knows whose address it is: what a visitor calls themselves is no word for them.
            name: "",
            email: email.as_str(),
            lang: user.lang,
            args,
            expires_at,
        };
        enqueue(&mut tx, origin, &own, now).await?;
        tell_owner(&mut tx, origin, &user, Change::Email(&email), Subject::EmailAsked, now).await?;
    }
    Ok(tx.commit().await?)
}

/// Follows the link to a new address: from now on it is the account's. The old one is told, and how to take it back.
///
/// # Errors
/// [`Error::Conflict`] says whether the link is unknown, used or too old, or the address taken meanwhile;
/// [`Error::Invalid`] for a blocked user.
pub async fn take_new_email(db: &Db, origin: Origin<'_>, token: &str, peer: IpAddr, now: DateTime<Utc>) -> Result<()> {
    let link = usable(db, TokenKind::Email, token, now).await?;
    let email = EmailAddress::parse(&link.data).map_err(|error| Error::Internal(error.to_string()))?;
    let user = owner(db, &link).await?;
    let mut tx = db.begin().await?;
    if !links::use_up(&mut tx, link.id, now).await? {
        return Err(Error::Conflict("error.link.used"));
    }
    match users::set_email(&mut tx, &user, email.as_str(), &account_key(&email)).await {
        Err(error) if error.is_duplicate() => return Err(Error::Conflict("error.email.taken")),
        other => other?,
    }
    // A link that went to the old address must not open the account any more.
    links::forget_all(&mut tx, user.id).await?;
    let address = peer.to_string();
    let entry = audit::own(&user, Act::EmailChanged, &address);
    db::audit::append(&mut tx, &Entry { before: &user.email, after: email.as_str(), ..entry }, now).await?;
    tell_owner(&mut tx, origin, &user, Change::Email(&email), Subject::EmailChanged, now).await?;
    Ok(tx.commit().await?)
}

/// Changes the password and ends all that was begun under the old one, sessions too. Returns the user as they are now,
/// who may have a new session.
///
/// # Errors
/// [`Error::Invalid`] for a wrong old password or one that cannot be taken; [`Error::RateLimited`].
pub async fn change_password(
    db: &Db,
    origin: Origin<'_>,
    actor: &Actor,
    form: &NewPasswordForm,
    now: DateTime<Utc>,
) -> Result<User> {
    checked(form)?;
    passwords::acceptable("new_password", &form.new_password, &actor.email)?;
    let user = prove_password(db, actor, "old_password", &form.old_password, now).await?;
    let hash = passwords::hash(&form.new_password).await?;
    let mut tx = db.begin().await?;
    still(&mut tx, (user.id, user.epoch), user.id).await?;
    users::set_password(&mut tx, user.id, &hash).await?;
    let epoch = end_all(&mut tx, user.id).await?;
    db::audit::append(&mut tx, &audit::own(&user, Act::PasswordChanged, &actor.address), now).await?;
    notice(&mut tx, origin, &user, Subject::PasswordChanged, &[], now).await?;
    tx.commit().await?;
    Ok(User { password_hash: hash, epoch, ..user })
}
