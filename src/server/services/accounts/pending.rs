//! What is begun under an account and waits: links in letters, log-ins that are half done, requests under way,
//! invitations. It ends with the password, role or block under which it was begun.

use crate::server::db::{Db, DbResult, Tx, invitations, sessions, tokens, users};
use crate::server::services::{Error, Result};

/// Begins a new epoch of an account, in the transaction that changes its password, role or block: all that was begun
/// before ends. Returns the epoch, in which whoever asks may come in anew.
///
/// # Errors
/// Database errors.
pub async fn end_all(tx: &mut Tx, user: i64) -> DbResult<i64> {
    // The user's row first: a log-in that is about to be stored waits for it, or is found below.
    let epoch = users::next_epoch(tx, user).await?;
    sessions::end_all(tx, user, None).await?;
    tokens::forget_all(tx, user).await?;
    users::forget_draft_totp(tx, user).await?;
    invitations::forget_of(tx, user).await?;
    Ok(epoch)
}

/// The same, but whoever is in stays in, to be told what has happened.
///
/// # Errors
/// Database errors.
pub async fn end_all_but_sessions(tx: &mut Tx, user: i64) -> DbResult<()> {
    let epoch = users::next_epoch(tx, user).await?;
    sessions::carry_over(tx, user, epoch).await?;
    tokens::forget_all(tx, user).await?;
    users::forget_draft_totp(tx, user).await?;
    invitations::forget_of(tx, user).await
}

/// Asks, inside a transaction, whether an account is still in the epoch in which something was checked. Neither it nor
/// `other` changes until the transaction ends.
///
/// # Errors
/// [`Error::Unauthenticated`] if not: what was checked holds no longer.
pub async fn still(tx: &mut Tx, (user, epoch): (i64, i64), other: i64) -> Result<()> {
    let epochs = users::lock_epochs(tx, [user, other]).await?;
    if epochs.contains(&(user, epoch)) { Ok(()) } else { Err(Error::Unauthenticated) }
}

/// Makes room for a session of somebody who was let in, unless what was checked holds no longer.
///
/// # Errors
/// As [`still`].
pub async fn admit(db: &Db, user: &users::User) -> Result<()> {
    let mut tx = db.begin().await?;
    still(&mut tx, (user.id, user.epoch), user.id).await?;
    sessions::make_room(&mut tx, user.id).await?;
    Ok(tx.commit().await?)
}

#[cfg(test)]
#[path = "pending_tests.rs"]
mod tests;
