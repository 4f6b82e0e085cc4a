//! Invitations: an administrator lets an address make itself an account with a role.

use super::letters::{Origin, Own, Subject, enqueue};
use super::{Actor, Error, Result, accounts, audit, checked, paging, settings, tokens};
use crate::domain::audit::Act;
use crate::domain::email::EmailAddress;
use crate::domain::lang::Lang;
use crate::domain::page::Page;
use crate::domain::settings::{InvitationRow, Invited, Registration};
use crate::domain::user::{Permission, Role};
use crate::forms::accounts::AccountForm;
use crate::forms::settings::InviteForm;
use crate::server::db::audit::Entry;
use crate::server::db::invitations::{self, Invitation, NewInvitation};
use crate::server::db::users::{self, User};
use crate::server::db::{self, Db};
use crate::server::mail::markdown;
use chrono::{DateTime, TimeDelta, Utc};
use std::net::IpAddr;

/// How long an invitation can be followed.
const INVITED_FOR: TimeDelta = TimeDelta::days(7);

/// A page of open invitations, newest first.
///
/// # Errors
/// [`Error::Forbidden`] for whom it is not.
pub async fn list(db: &Db, actor: &Actor, after: &str, now: DateTime<Utc>) -> Result<Page<InvitationRow>> {
    actor.needs(Permission::Settings)?;
    let open = invitations::open(db, paging::before(Some(after)), paging::FETCH).await?;
    let rows = open.into_iter().map(|invitation| {
        let Invitation { id, email, role, invited_by, created_at, expires_at, .. } = invitation;
        InvitationRow { id, email, role, by: invited_by, created_at, expires_at, expired: expires_at <= now }
    });
    Ok(paging::by_id(rows.collect(), invitations::count_open(db).await?, |row| row.id))
}

/// Invites an address. An open invitation to it stops working.
///
/// # Errors
/// [`Error::Invalid`] by field, also for an address that has an account; [`Error::Conflict`] while nobody
/// may register.
pub async fn invite(db: &Db, origin: Origin<'_>, actor: &Actor, form: &InviteForm, now: DateTime<Utc>) -> Result<()> {
    actor.needs(Permission::Settings)?;
    checked(form)?;
    let email = EmailAddress::parse(&form.email).map_err(|error| Error::field("email", error.key()))?;
    let role = Role::parse(&form.role).ok_or_else(|| Error::field("role", "error.role.unknown"))?;
    if settings::registration(db).await? == Registration::Closed {
        return Err(Error::Conflict("error.registration.closed"));
    }
    if accounts::find(db, &email).await?.is_some() {
        return Err(Error::field("email", "error.invitation.account"));
    }
    let (token, hash) = tokens::link();
    let expires_at = now + INVITED_FOR;
    let invited_by = if actor.name.is_empty() { &actor.email } else { &actor.name };
    let new = NewInvitation {
        email: email.as_str(),
        email_key: &accounts::account_key(&email),
        role,
        hash: &hash,
        invited_by,
        inviter_id: actor.id,
        expires_at,
    };
    let link = format!("{}/invitation?token={token}", origin.site);
    let by = markdown::escape(invited_by);
    let args = [("link", link.as_str()), ("by", by.as_str())];
    let own =
        Own { subject: Subject::Invited, name: "", email: email.as_str(), lang: actor.lang, args: &args, expires_at };
    let mut tx = db.begin().await?;
    actor.hold(&mut tx, actor.id).await?;
    invitations::replace(&mut tx, &new, now).await?;
    enqueue(&mut tx, origin, &own, now).await?;
    let entry = audit::entry(actor, Act::InvitationSent, None, email.as_str());
    db::audit::append(&mut tx, &Entry { after: role.as_str(), ..entry }, now).await?;
    Ok(tx.commit().await?)
}

/// Takes an open invitation back.
///
/// # Errors
/// [`Error::NotFound`], also for one that has been followed.
pub async fn revoke(db: &Db, actor: &Actor, id: i64, now: DateTime<Utc>) -> Result<()> {
    actor.needs(Permission::Settings)?;
    let mut tx = db.begin().await?;
    actor.hold(&mut tx, actor.id).await?;
    let email = invitations::revoke(&mut tx, id).await?.ok_or(Error::NotFound)?;
    db::audit::append(&mut tx, &audit::entry(actor, Act::InvitationRevoked, None, &email), now).await?;
    Ok(tx.commit().await?)
}

async fn usable(db: &Db, token: &str, now: DateTime<Utc>) -> Result<Invitation> {
    let found = invitations::find(db, &tokens::hash(token)).await?;
    let invitation = found.ok_or(Error::Conflict("error.invitation.unknown"))?;
    if invitation.used_at.is_some() {
        return Err(Error::Conflict("error.link.used"));
    }
    if invitation.expires_at <= now {
        return Err(Error::Conflict("error.invitation.expired"));
    }
    if settings::registration(db).await? == Registration::Closed {
        return Err(Error::Conflict("error.registration.closed"));
    }
    let inviter = match invitation.inviter_id {
        Some(id) => users::by_id(db, id).await?,
        None => None,
    };
    if inviter.is_none_or(|inviter| Actor::prove(&inviter, Permission::Settings).is_err()) {
        return Err(Error::Conflict("error.invitation.unknown"));
    }
    Ok(invitation)
}

/// What the link of an invitation leads to.
///
/// # Errors
/// [`Error::Conflict`] says whether the link is unknown, used or too old, or nobody may register now.
pub async fn look(db: &Db, token: &str, now: DateTime<Utc>) -> Result<Invited> {
    let Invitation { email, role, invited_by, .. } = usable(db, token, now).await?;
    Ok(Invited { email, role, by: invited_by })
}

/// Follows an invitation: makes the account, whose address the letter has confirmed.
///
/// # Errors
/// As [`look`]; [`Error::Invalid`] by field, and the link goes on working.
pub async fn accept(db: &Db, form: &AccountForm, lang: Lang, peer: IpAddr, now: DateTime<Utc>) -> Result<User> {
    let invitation = usable(db, &form.token, now).await?;
    let account = accounts::Account::of(&form.register(&invitation.email)).await?;
    let mut tx = db.begin().await?;
    // Whoever invited may just be losing the right to.
    let inviter = match invitation.inviter_id {
        Some(id) => db::oversight::lock_user(&mut tx, id).await?,
        None => None,
    };
    if !inviter.is_some_and(|inviter| inviter.role.may(Permission::Settings) && !inviter.blocked) {
        return Err(Error::Conflict("error.invitation.unknown"));
    }
    if !invitations::use_up(&mut tx, invitation.id, now).await? {
        return Err(Error::Conflict("error.link.used"));
    }
    let id = match account.insert(&mut tx, (invitation.role, lang), Some(peer), now).await {
        Err(error) if error.is_duplicate() => return Err(Error::Conflict("error.email.taken")),
        other => other?,
    };
    tx.commit().await?;
    users::by_id(db, id).await?.ok_or(Error::NotFound)
}

#[cfg(test)]
#[path = "invitations_tests.rs"]
mod tests;
