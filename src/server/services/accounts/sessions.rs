//! Browsers that are logged in.

use crate::domain::account::{SessionRow, device};
use crate::domain::audit::Act;
use crate::server::db::{self, Db, sessions};
use crate::server::services::{Actor, Error, Result, audit};
use chrono::{DateTime, Utc};

/// The actor's sessions, the one that asks first, then by last use.
///
/// # Errors
/// Database errors.
pub async fn own_sessions(
    db: &Db,
    actor: &Actor,
    current: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Vec<SessionRow>> {
    let mut rows: Vec<SessionRow> = sessions::of_user(db, actor.id, now)
        .await?
        .into_iter()
        .map(|(id, visit)| SessionRow {
            current: current == Some(id.as_str()),
            id,
            agent: device(&visit.agent),
            address: visit.address,
            began: visit.began,
            seen: visit.seen,
        })
        .collect();
    rows.sort_by_key(|row| (!row.current, std::cmp::Reverse(row.seen)));
    Ok(rows)
}

/// Ends one of the actor's sessions.
///
/// # Errors
/// [`Error::NotFound`] if there is none, or it is another's.
pub async fn end_session(db: &Db, actor: &Actor, id: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    if !sessions::end(&mut tx, actor.id, id).await? {
        return Err(Error::NotFound);
    }
    Ok(tx.commit().await?)
}

/// Ends all of the actor's sessions, or all but one.
///
/// # Errors
/// Database errors.
pub async fn end_sessions(db: &Db, actor: &Actor, keep: Option<&str>, now: DateTime<Utc>) -> Result<()> {
    let mut tx = db.begin().await?;
    sessions::end_all(&mut tx, actor.id, keep).await?;
    let act = if keep.is_some() { Act::LoggedOutElsewhere } else { Act::LoggedOutEverywhere };
    db::audit::append(&mut tx, &audit::entry(actor, act, actor.id, &actor.email), now).await?;
    Ok(tx.commit().await?)
}
