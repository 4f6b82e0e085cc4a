//! Stopping mailings, letting them go on, deleting them: one, or many at once.

use super::super::{Actor, Error, Result, chosen};
use super::mine;
use crate::domain::mailing::{MailingState, MailingStatus};
use crate::forms::chosen::Chosen;
use crate::server::db::mailings::Filter;
use crate::server::db::{self, Db, Tx};
use chrono::{DateTime, Utc};

/// Stops a mailing until it is resumed: nothing more of it leaves.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] if it is finished.
pub async fn pause(db: &Db, actor: &Actor, id: i64, now: DateTime<Utc>) -> Result<()> {
    set_paused(db, actor, id, Some(now)).await
}

/// Lets a paused mailing go on. The caller wakes the engine.
///
/// # Errors
/// As [`pause`].
pub async fn resume(db: &Db, actor: &Actor, id: i64) -> Result<()> {
    set_paused(db, actor, id, None).await
}

async fn set_paused(db: &Db, actor: &Actor, id: i64, at: Option<DateTime<Utc>>) -> Result<()> {
    if mine(db, actor, id).await?.status == MailingStatus::Finished {
        return Err(Error::Conflict("error.mailing_finished"));
    }
    let mut tx = db.begin().await?;
    db::mailings::set_paused(&mut tx, actor.id, id, at).await?;
    tx.commit().await?;
    Ok(())
}

/// Deletes a mailing with all its runs and their record.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn delete(db: &Db, actor: &Actor, id: i64, now: DateTime<Utc>) -> Result<()> {
    let mut tx = db.begin().await?;
    if !delete_one(&mut tx, actor, id, now).await? {
        return Err(Error::NotFound);
    }
    Ok(tx.commit().await?)
}

/// Deletes a mailing with its runs; whom its letters went to is kept, for those who leave by one of them years later.
async fn delete_one(tx: &mut Tx, actor: &Actor, id: i64, now: DateTime<Utc>) -> Result<bool> {
    db::addressees::keep(tx, actor.id, id, now).await?;
    Ok(db::mailings::delete(tx, actor.id, id).await?)
}

/// Pauses the chosen mailings that are not finished and returns how many it stopped.
///
/// # Errors
/// As [`chosen::ids`].
pub async fn pause_chosen(db: &Db, actor: &Actor, form: &Chosen, now: DateTime<Utc>) -> Result<u64> {
    set_paused_chosen(db, actor, form, Some(now)).await
}

/// Lets the chosen mailings that are paused go on and returns how many. The caller wakes the engine.
///
/// # Errors
/// As [`chosen::ids`].
pub async fn resume_chosen(db: &Db, actor: &Actor, form: &Chosen) -> Result<u64> {
    set_paused_chosen(db, actor, form, None).await
}

async fn set_paused_chosen(db: &Db, actor: &Actor, form: &Chosen, at: Option<DateTime<Utc>>) -> Result<u64> {
    let ids = ids(db, actor, form).await?;
    let mut changed = 0;
    let mut tx = db.begin().await?;
    for some in ids.chunks(chosen::AT_ONCE) {
        changed += db::mailings::set_paused_all(&mut tx, actor.id, some, at).await?;
    }
    tx.commit().await?;
    Ok(changed)
}

/// Deletes the chosen mailings and returns how many. Each goes in a transaction of its own, for one may
/// take millions of records with it, and whoever else writes must get in between.
///
/// # Errors
/// As [`chosen::ids`].
pub async fn delete_chosen(db: &Db, actor: &Actor, form: &Chosen, now: DateTime<Utc>) -> Result<u64> {
    let mut deleted = 0;
    for id in ids(db, actor, form).await? {
        let mut tx = db.begin().await?;
        deleted += u64::from(delete_one(&mut tx, actor, id, now).await?);
        tx.commit().await?;
    }
    Ok(deleted)
}

async fn ids(db: &Db, actor: &Actor, form: &Chosen) -> Result<Vec<i64>> {
    let filter = Filter { owner: actor.id, search: &form.q, state: MailingState::parse(&form.state) };
    chosen::ids(form, || async { Ok(db::mailings::ids(db, filter).await?) }).await
}
