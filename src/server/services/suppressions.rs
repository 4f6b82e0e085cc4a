//! The ledger of addresses that a user's mailings leave out, for its owner.

use super::{Actor, Error, Result, audit, checked, clients, paging};
use crate::domain::audit::Act;
use crate::domain::email::EmailAddress;
use crate::domain::page::Page;
use crate::domain::suppression::Suppression;
use crate::forms::suppressions::LiftForm;
use crate::server::db::suppressions::{self, Filter};
use crate::server::db::{self, Db, clients as rows};
use chrono::{DateTime, Utc};

/// Clients whose address gets its key in one transaction.
const BATCH: i64 = 500;

/// Why a client gets nothing any more: every entry that holds.
///
/// # Errors
/// [`Error::NotFound`] if the actor has no such client.
pub async fn of_client(db: &Db, actor: &Actor, client: i64, now: DateTime<Utc>) -> Result<Vec<Suppression>> {
    let client = clients::get(db, actor, client).await?;
    let email = EmailAddress::parse(&client.email).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(suppressions::of_address(db, actor.id, &email, now).await?)
}

/// A page of the actor's ledger, the newest first.
///
/// # Errors
/// Database errors.
pub async fn list(db: &Db, actor: &Actor, filter: &Filter<'_>, after: &str) -> Result<Page<Suppression>> {
    let before = paging::before(Some(after)).unwrap_or(i64::MAX);
    let rows = suppressions::list(db, actor.id, filter, before, paging::FETCH).await?;
    Ok(paging::by_id(rows, suppressions::count(db, actor.id, filter).await?, |row| row.id))
}

/// Lets an address get letters again, from the next run on. Each entry singly, and never without saying why.
///
/// # Errors
/// [`Error::Invalid`] without a reason, [`Error::NotFound`] if the actor has no such entry.
pub async fn lift(db: &Db, actor: &Actor, form: &LiftForm, now: DateTime<Utc>) -> Result<()> {
    checked(form)?;
    let entry = suppressions::get(db, actor.id, form.id).await?.ok_or(Error::NotFound)?;
    let mut tx = db.begin().await?;
    if !suppressions::lift(&mut tx, actor.id, entry.id).await? {
        return Err(Error::NotFound);
    }
    let line = audit::entry(actor, Act::SuppressionLifted, actor.id, &entry.email);
    let line = db::audit::Entry { reason: form.reason.trim(), before: entry.reason.as_str(), ..line };
    db::audit::append(&mut tx, &line, now).await?;
    Ok(tx.commit().await?)
}

/// Gives addresses beyond ASCII that were stored before the ledger went by the address their keys, once: what is ASCII the
/// migration folded.
///
/// # Errors
/// Database errors; a later call goes on.
pub async fn fold_addresses(db: &Db) -> Result<()> {
    /// What is noted of it.
    const FOLDED: &str = "addresses folded";
    if db::facts::get(db, FOLDED).await?.is_some() {
        return Ok(());
    }
    loop {
        let mut tx = db.begin().await?;
        let some = rows::without_key(&mut tx, BATCH).await?;
        for (id, email) in &some {
            rows::set_key(&mut tx, *id, &db::address::key_of(email)).await?;
        }
        tx.commit().await?;
        if some.is_empty() {
            break;
        }
    }
    let mut tx = db.begin().await?;
    suppressions::fold(&mut tx).await?;
    tx.commit().await?;
    db::facts::keep(db, FOLDED, "1").await?;
    Ok(())
}

#[cfg(test)]
#[path = "suppressions_tests.rs"]
mod tests;
