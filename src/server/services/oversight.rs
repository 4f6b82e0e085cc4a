//! What managers do: see every user and mailing, block users, disable mailings, and edit nothing.
//! Each act and its line in the audit log are one transaction.

pub mod mailings;

use super::letters::{self, Origin, Own};
use super::{Actor, Error, Result, accounts, audit, checked, paging};
use crate::domain::audit::Act;
use crate::domain::oversight::{Stopped, UserRow, UserState};
use crate::domain::page::Page;
use crate::domain::user::{Permission, Role};
use crate::forms::oversight::{RoleForm, StopForm};
use crate::server::db::oversight::{self as rows, Stoppable, Subject, UserFilter};
use crate::server::db::{self, Db, Tx};
use crate::server::mail::markdown;
use chrono::{DateTime, TimeDelta, Utc};

/// How long a letter about a block or a stop is worth sending.
const LETTER_FOR: TimeDelta = TimeDelta::days(3);

/// A page of users, newest first.
///
/// # Errors
/// [`Error::Forbidden`] for whom it is not.
pub async fn users(
    db: &Db,
    actor: &Actor,
    search: &str,
    role: &str,
    state: &str,
    after: &str,
) -> Result<Page<UserRow>> {
    actor.needs(Permission::Oversee)?;
    let filter = UserFilter { search, role: Role::parse(role), state: UserState::parse(state) };
    let found = rows::users(db, &filter, paging::before(Some(after)), paging::FETCH).await?;
    Ok(paging::by_id(found, rows::count_users(db, &filter).await?, |user| user.id))
}

/// One user with figures.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Forbidden`] for whom it is not.
pub async fn user(db: &Db, actor: &Actor, id: i64) -> Result<UserRow> {
    actor.needs(Permission::Oversee)?;
    rows::user(db, id).await?.ok_or(Error::NotFound)
}

/// Blocks a user: from now on no request of theirs is served, and nothing more of their mailings leaves.
///
/// # Errors
/// [`Error::Invalid`] without a reason; [`Error::Conflict`] for an administrator, for oneself, and for
/// somebody who is blocked already.
pub async fn block(db: &Db, origin: Origin<'_>, actor: &Actor, form: &StopForm, now: DateTime<Utc>) -> Result<()> {
    actor.needs(Permission::Oversee)?;
    checked(form)?;
    let mut tx = db.begin().await?;
    actor.hold(&mut tx, form.id).await?;
    let subject = subject(&mut tx, form.id).await?;
    if form.id == actor.id {
        return Err(Error::Conflict("error.block.self"));
    }
    if subject.role == Role::Admin {
        return Err(Error::Conflict("error.block.admin"));
    }
    if subject.blocked {
        return Err(Error::Conflict("error.block.already"));
    }
    let stopped = stopped(actor, &form.reason, now);
    rows::set_stopped(&mut tx, Stoppable::User, form.id, Some(&stopped)).await?;
    accounts::end_all_but_sessions(&mut tx, form.id).await?;
    tell(&mut tx, origin, &subject, letters::Subject::Blocked, "", &stopped).await?;
    let entry = audit::entry(actor, Act::UserBlocked, form.id, &subject.email);
    db::audit::append(&mut tx, &db::audit::Entry { reason: &stopped.reason, ..entry }, now).await?;
    Ok(tx.commit().await?)
}

/// Lets a blocked user in again. What was not sent meanwhile stays so.
///
/// # Errors
/// [`Error::Conflict`] if nobody has blocked them.
pub async fn unblock(db: &Db, actor: &Actor, id: i64, now: DateTime<Utc>) -> Result<()> {
    actor.needs(Permission::Oversee)?;
    let mut tx = db.begin().await?;
    actor.hold(&mut tx, id).await?;
    let subject = subject(&mut tx, id).await?;
    if !subject.blocked {
        return Err(Error::Conflict("error.block.not"));
    }
    rows::set_stopped(&mut tx, Stoppable::User, id, None).await?;
    accounts::end_all_but_sessions(&mut tx, id).await?;
    db::audit::append(&mut tx, &audit::entry(actor, Act::UserUnblocked, id, &subject.email), now).await?;
    Ok(tx.commit().await?)
}

/// Gives a user another role, and ends all that was begun under the old one, sessions too: whoever holds one of before
/// has none with the new rights. An administrator always remains, the actor: nobody changes their own role, and an actor
/// whom somebody else demotes at the same time is too late ([`Actor::hold`]).
///
/// # Errors
/// [`Error::Invalid`] for an unknown role; [`Error::Conflict`] for one's own role; [`Error::Unauthenticated`] for an
/// actor who has just been demoted.
pub async fn give_role(db: &Db, actor: &Actor, form: &RoleForm, now: DateTime<Utc>) -> Result<()> {
    actor.needs(Permission::Settings)?;
    checked(form)?;
    let role = Role::parse(&form.role).ok_or_else(|| Error::field("role", "error.role.unknown"))?;
    let mut tx = db.begin().await?;
    actor.hold(&mut tx, form.id).await?;
    let subject = subject(&mut tx, form.id).await?;
    if form.id == actor.id {
        return Err(Error::Conflict("error.role.self"));
    }
    if subject.role == role {
        return Ok(());
    }
    rows::set_role(&mut tx, form.id, role).await?;
    accounts::end_all(&mut tx, form.id).await?;
    let entry = audit::entry(actor, Act::RoleChanged, form.id, &subject.email);
    let entry = db::audit::Entry { before: subject.role.as_str(), after: role.as_str(), ..entry };
    db::audit::append(&mut tx, &entry, now).await?;
    Ok(tx.commit().await?)
}

/// Writes to whom it concerns, in their language.
async fn tell(
    tx: &mut Tx,
    origin: Origin<'_>,
    to: &Subject,
    subject: letters::Subject,
    title: &str,
    stopped: &Stopped,
) -> Result<()> {
    let (title, by, reason) =
        (markdown::escape(title), markdown::escape(&stopped.by), markdown::escape(&stopped.reason));
    let args = [("title", title.as_str()), ("by", by.as_str()), ("reason", reason.as_str())];
    let own = Own {
        subject,
        name: &to.name,
        email: &to.email,
        lang: to.lang,
        args: &args,
        expires_at: stopped.at + LETTER_FOR,
    };
    letters::enqueue(tx, origin, &own, stopped.at).await
}

async fn subject(tx: &mut Tx, id: i64) -> Result<Subject> {
    rows::lock_user(tx, id).await?.ok_or(Error::NotFound)
}

fn stopped(actor: &Actor, reason: &str, now: DateTime<Utc>) -> Stopped {
    let by = if actor.name.is_empty() { &actor.email } else { &actor.name };
    Stopped { at: now, by: by.clone(), reason: reason.trim().to_owned() }
}

/// Disables a mailing: nothing more of it leaves until a manager enables it again.
///
/// # Errors
/// [`Error::Invalid`] without a reason; [`Error::NotFound`]; [`Error::Conflict`] if it is disabled.
pub async fn disable(db: &Db, origin: Origin<'_>, actor: &Actor, form: &StopForm, now: DateTime<Utc>) -> Result<()> {
    actor.needs(Permission::Oversee)?;
    checked(form)?;
    let mut tx = db.begin().await?;
    actor.hold(&mut tx, actor.id).await?;
    let mailing = db::mailings::lock(&mut tx, form.id).await?.ok_or(Error::NotFound)?;
    if mailing.disabled_at.is_some() {
        return Err(Error::Conflict("error.disable.already"));
    }
    let stopped = stopped(actor, &form.reason, now);
    rows::set_stopped(&mut tx, Stoppable::Mailing, form.id, Some(&stopped)).await?;
    let owner = subject(&mut tx, mailing.owner_id).await?;
    tell(&mut tx, origin, &owner, letters::Subject::Disabled, &mailing.title, &stopped).await?;
    let entry = audit::entry(actor, Act::MailingDisabled, form.id, &mailing.title);
    db::audit::append(&mut tx, &db::audit::Entry { reason: &stopped.reason, ..entry }, now).await?;
    Ok(tx.commit().await?)
}

/// Lets a disabled mailing go on. The caller wakes the engine.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] if nobody has disabled it.
pub async fn enable(db: &Db, actor: &Actor, id: i64, now: DateTime<Utc>) -> Result<()> {
    actor.needs(Permission::Oversee)?;
    let mut tx = db.begin().await?;
    actor.hold(&mut tx, actor.id).await?;
    let mailing = db::mailings::lock(&mut tx, id).await?.ok_or(Error::NotFound)?;
    if mailing.disabled_at.is_none() {
        return Err(Error::Conflict("error.disable.not"));
    }
    rows::set_stopped(&mut tx, Stoppable::Mailing, id, None).await?;
    db::audit::append(&mut tx, &audit::entry(actor, Act::MailingEnabled, id, &mailing.title), now).await?;
    Ok(tx.commit().await?)
}

#[cfg(test)]
mod tests;
