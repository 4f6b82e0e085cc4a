//! Clients under two spellings of one address: shown, and joined.

use crate::domain::client::Double;
use crate::domain::page::{Page, Whole};
use crate::server::db::{Db, doubles};
use crate::server::services::chosen::AT_ONCE;
use crate::server::services::{Actor, Error, Result, paging};
use chrono::{DateTime, Utc};

/// How many of the actor's clients are doubles of others.
///
/// # Errors
/// Database errors.
pub async fn count(db: &Db, actor: &Actor) -> Result<i64> {
    Ok(doubles::count(db, actor.id).await?)
}

/// A page of the actor's doubles, the oldest first.
///
/// # Errors
/// Database errors.
pub async fn list(db: &Db, actor: &Actor, after: &str) -> Result<Page<Double>> {
    let after = paging::before(Some(after)).unwrap_or(0);
    let rows = doubles::list(db, actor.id, after, paging::FETCH).await?;
    let whole = doubles::whole(db, actor.id).await?;
    Ok(paging::by_id(rows, whole.total, |double| double.goes.id).of(whole))
}

/// Joins all of the actor's doubles with the clients that stay, and returns how many went.
///
/// # Errors
/// [`Error::Conflict`] if they are others than those that the reader was `told`; database errors, after which what is joined
/// already stays so.
pub async fn join(db: &Db, actor: &Actor, told: Whole, now: DateTime<Utc>) -> Result<u64> {
    if doubles::whole(db, actor.id).await? != told {
        return Err(Error::Conflict("error.list_changed"));
    }
    let mut joined = 0;
    loop {
        let mut tx = db.begin().await?;
        let some = doubles::join(&mut tx, actor.id, i64::try_from(AT_ONCE).unwrap_or(i64::MAX), now).await?;
        tx.commit().await?;
        if some == 0 {
            return Ok(joined);
        }
        joined += some;
    }
}
