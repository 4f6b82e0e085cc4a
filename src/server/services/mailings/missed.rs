//! Sending a mailing once more, to exactly those whom its last run did not reach.

use super::super::{Actor, Error, Result};
use super::mine;
use crate::domain::mailing::{MailingStatus, RunState};
use crate::domain::mass_mail::MassMail;
use crate::forms::mailings::MissedForm;
use crate::server::db::{Db, mailings, runs};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// A run for those who were missed ends so long before the mailing's next one, which would be passed over while it sends. Letters
/// on their way then have an answer by that.
const MARGIN: TimeDelta = TimeDelta::minutes(5);
/// Where less time is left until then, the next run may as well reach them.
const ROOM: TimeDelta = TimeDelta::minutes(15);

/// How many clients the newest run of the actor's mailing missed who would get a letter now; none while it still sends, and
/// of an older run: whom that one missed a later one may have reached.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn missed(db: &Db, actor: &Actor, id: i64, run: i64, now: DateTime<Utc>) -> Result<i64> {
    let mailing = mine(db, actor, id).await?;
    let last = runs::current(db, &[id]).await?.pop().map(|(_, run)| run);
    let fits = last.is_some_and(|last| last.id == run && last.state == RunState::Done);
    if !fits || mailing.disabled_at.is_some() {
        return Ok(0);
    }
    Ok(runs::count_missed(db, (actor.id, mailing.topic), run, now).await?)
}

/// Opens another run of the mailing, for exactly those whom the newest one missed, with the message as it is now. Returns how
/// many they are. The caller wakes the engine.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] if there are not as many as the reader was told, while a run sends or is about to
/// begin, and for a mailing that is stopped or whose time is over.
pub async fn send_to_missed(
    db: &Db,
    actor: &Actor,
    form: &MissedForm,
    mass: MassMail,
    now: DateTime<Utc>,
) -> Result<i64> {
    let n = missed(db, actor, form.mailing, form.run, now).await?;
    if n == 0 || n != form.n {
        return Err(Error::Conflict("error.list_changed"));
    }
    if mass.refuses(n) {
        return Err(Error::Conflict("error.missed.no_public_address"));
    }
    let mut tx = db.begin().await?;
    let mailing = mailings::lock(&mut tx, form.mailing).await?.ok_or(Error::NotFound)?;
    if mailing.is_stopped() {
        return Err(Error::Conflict("error.missed.stopped"));
    }
    if mailing.end_at <= now {
        return Err(Error::Conflict("error.missed.over"));
    }
    if mailing.next_at.is_some_and(|next| next - now < ROOM) {
        return Err(Error::Conflict("error.missed.soon"));
    }
    // Somebody else may have been quicker, and have sent to them already.
    if runs::is_open(&mut tx, mailing.id).await? || runs::newest(&mut tx, mailing.id).await? != Some(form.run) {
        return Err(Error::Conflict("error.list_changed"));
    }
    let snapshot = runs::snapshot(&mut tx, mailing.id).await?;
    let occurrence = now.trunc_subsecs(6);
    let run = runs::open(&mut tx, mailing.id, occurrence, &snapshot, now).await?;
    let run = run.ok_or(Error::Conflict("error.list_changed"))?;
    // Whoever has left since they were counted is on record, and makes them fewer.
    if runs::fill_missed(&mut tx, run, (actor.id, snapshot.topic), form.run, now).await? != n {
        return Err(Error::Conflict("error.list_changed"));
    }
    if let Some(next) = mailing.next_at {
        runs::ends_before(&mut tx, run, next - MARGIN).await?;
    }
    mailings::advance(&mut tx, mailing.id, mailing.next_at, MailingStatus::Running).await?;
    tx.commit().await?;
    Ok(n)
}

#[cfg(test)]
#[path = "missed_tests.rs"]
mod tests;
