//! Deleting an account: at once nobody can use it; what was theirs goes in the background, batch by batch.

use super::{end_all, notice, prove_password, still};
use crate::domain::account::OwnCounts;
use crate::domain::audit::Act;
use crate::domain::user::Role;
use crate::forms::accounts::PasswordForm;
use crate::server::db::audit::Entry;
use crate::server::db::audit_erasing::{Of, erase};
use crate::server::db::{self, Db, erasing, own_data};
use crate::server::services::letters::{Origin, Subject};
use crate::server::services::{Actor, Error, Result, checked, import};
use chrono::{DateTime, Utc};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Rows that go in one transaction.
const BATCH: i64 = 500;
/// Time between two looks for accounts that are to be emptied.
const LOOK: Duration = Duration::from_secs(5);

/// How much an account holds.
///
/// # Errors
/// Database errors.
pub async fn own_counts(db: &Db, actor: &Actor) -> Result<OwnCounts> {
    let (clients, messages, mailings, deliveries) = own_data::counts(db, actor.id).await?;
    Ok(OwnCounts { clients, messages, mailings, deliveries })
}

/// Deletes the actor's account: ends its sessions, stops its mailings, and frees its address. The log keeps
/// what was done, with nothing but the number of who did it.
///
/// # Errors
/// [`Error::Invalid`] for a wrong password; [`Error::Conflict`] for the last administrator.
pub async fn delete_account(
    db: &Db,
    origin: Origin<'_>,
    actor: &Actor,
    form: &PasswordForm,
    now: DateTime<Utc>,
) -> Result<()> {
    checked(form)?;
    let user = prove_password(db, actor, "password", &form.password, now).await?;
    let mut tx = db.begin().await?;
    if user.role == Role::Admin && !erasing::is_other_admin(&mut tx, user.id).await? {
        return Err(Error::Conflict("error.delete.last_admin"));
    }
    still(&mut tx, (user.id, user.epoch), user.id).await?;
    let (actor_id, target_id) = (Some(user.id), Some(user.id));
    let act = Act::AccountDeleted;
    let entry =
        Entry { actor_id, actor: "", act, target_id, target: "", reason: "", before: "", after: "", address: "" };
    db::audit::append(&mut tx, &entry, now).await?;
    notice(&mut tx, origin, &user, Subject::Deleted, &[], now).await?;
    erase(&mut tx, Of::Invited(&user.email), 0, BATCH).await?;
    end_all(&mut tx, user.id).await?;
    erasing::mark(&mut tx, user.id, &user.email_key, now).await?;
    Ok(tx.commit().await?)
}

/// Empties deleted accounts until the service stops.
pub async fn keep_emptying(db: Db, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = empty_all(&db, &stop).await {
            tracing::error!(%error, "a deleted account could not be emptied; it is tried again");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// Empties all accounts that are deleted. Cut short, it goes on where it was the next time.
///
/// # Errors
/// Database errors.
pub async fn empty_all(db: &Db, stop: &CancellationToken) -> Result<()> {
    for user in erasing::marked(db).await? {
        if !empty(db, user, stop).await? {
            break;
        }
    }
    Ok(())
}

/// Empties one account; false if it was cut short, or another process is at it.
async fn empty(db: &Db, user: i64, stop: &CancellationToken) -> Result<bool> {
    while let Some(run) = erasing::a_run(db, user).await? {
        let Some(mut tx) = turn(db, stop).await? else { return Ok(false) };
        erasing::delete_of_run(&mut tx, run, BATCH).await?;
        tx.commit().await?;
    }
    loop {
        let Some(mut tx) = turn(db, stop).await? else { return Ok(false) };
        let mailings = erasing::mailings(&mut tx, user, BATCH).await?;
        for mailing in &mailings {
            let (mut after, of) = (0, Of::Mailing(*mailing));
            while let Some(last) = erase(&mut tx, of, after, BATCH).await? {
                after = last;
            }
            db::mailings::delete(&mut tx, user, *mailing).await?;
        }
        tx.commit().await?;
        if mailings.is_empty() {
            break;
        }
    }
    for file in erasing::files(db, user).await? {
        import::remove(&file).await;
    }
    for part in erasing::PARTS {
        loop {
            let Some(mut tx) = turn(db, stop).await? else { return Ok(false) };
            let rows = erasing::delete_part(&mut tx, part, user, BATCH).await?;
            tx.commit().await?;
            if rows == 0 {
                break;
            }
        }
    }
    for of in [Of::Actor(user), Of::User(user)] {
        let mut after = 0;
        loop {
            let Some(mut tx) = turn(db, stop).await? else { return Ok(false) };
            let last = erase(&mut tx, of, after, BATCH).await?;
            tx.commit().await?;
            let Some(last) = last else { break };
            after = last;
        }
    }
    let Some(mut tx) = turn(db, stop).await? else { return Ok(false) };
    erasing::delete_user(&mut tx, user).await?;
    tx.commit().await?;
    Ok(true)
}

/// A transaction for one batch; none when it is time to stop, or another process empties accounts.
async fn turn(db: &Db, stop: &CancellationToken) -> Result<Option<db::Tx>> {
    if stop.is_cancelled() {
        return Ok(None);
    }
    let mut tx = db.begin().await?;
    Ok(erasing::is_mine(&mut tx).await?.then_some(tx))
}

#[cfg(test)]
#[path = "erase_tests.rs"]
mod tests;
