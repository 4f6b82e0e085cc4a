//! Choosing clients one by one for a mailing that is being made.

use super::super::{Actor, Error, Result, clients as all_clients};
use crate::domain::client::Client;
use crate::domain::page::Page;
use crate::forms::picks::Picks;
use crate::server::db::Db;
use crate::server::db::selections::{self, Which};
use chrono::{DateTime, Utc};

/// A selection to begin with: a copy of the given one (0: empty), since that one may be a mailing's
/// already, and what is not saved must not change it.
///
/// # Errors
/// Database errors.
pub async fn begin(db: &Db, actor: &Actor, from: i64, now: DateTime<Utc>) -> Result<i64> {
    let mut tx = db.begin().await?;
    let id = selections::copy(&mut tx, actor.id, from, now).await?;
    tx.commit().await?;
    Ok(id)
}

/// A page of the actor's clients, each with whether the selection holds it.
///
/// # Errors
/// Database errors.
pub async fn choices(
    db: &Db,
    actor: &Actor,
    selection: i64,
    search: &str,
    after: &str,
) -> Result<Page<(Client, bool)>> {
    let listing = all_clients::Listing::new(search, "", after);
    let (clients, page) = all_clients::list(db, actor, &listing).await?.taken();
    let ids: Vec<i64> = clients.iter().map(|client| client.id).collect();
    let members = selections::members(db, actor.id, selection, &ids).await?;
    let rows = clients.into_iter().map(|client| {
        let member = members.contains(&client.id);
        (client, member)
    });
    Ok(page.with_rows(rows.collect()))
}

/// Changes a selection and returns how many clients it holds now.
///
/// # Errors
/// [`Error::Conflict`] if a mailing has it already, or if it is not the actor's.
pub async fn change(db: &Db, actor: &Actor, picks: &Picks) -> Result<i64> {
    let Picks { selection, shown, ids, all, q } = picks;
    let mut tx = db.begin().await?;
    if !selections::is_free(&mut tx, actor.id, *selection).await? {
        return Err(Error::Conflict("error.selection.used"));
    }
    match all.as_str() {
        "put" => selections::put(&mut tx, actor.id, *selection, Which::Found(q)).await?,
        "take" => selections::take(&mut tx, actor.id, *selection, Which::Found(q)).await?,
        _ => {
            let out: Vec<i64> = shown.iter().copied().filter(|id| !ids.contains(id)).collect();
            selections::take(&mut tx, actor.id, *selection, Which::Ids(&out)).await?;
            selections::put(&mut tx, actor.id, *selection, Which::Ids(ids)).await?;
        }
    }
    tx.commit().await?;
    Ok(selections::count(db, actor.id, *selection).await?)
}

#[cfg(test)]
#[path = "pick_tests.rs"]
mod tests;
