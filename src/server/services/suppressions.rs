//! The ledger of addresses that a user's mailings leave out, for its owner.

mod columns;
mod import;
mod preview;

use super::{Actor, Error, Result, audit, checked, clients, paging};
use crate::domain::audit::{Act, COMMAND_LINE};
use crate::domain::client::Client;
use crate::domain::email::EmailAddress;
use crate::domain::page::Page;
use crate::domain::suppression::{NO_TOPIC, Reason, Source, Suppression};
use crate::forms::suppressions::{AddForm, LiftForm};
use crate::server::db::audit::Entry;
use crate::server::db::suppressions::{self, Added, Filter, NewEntry};
use crate::server::db::{self, Db, clients as rows};
use chrono::{DateTime, Utc};
pub use columns::{HEAD, record};
pub use import::{Destination, end, import, lift_import, note, start};
pub use preview::show_import;

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

/// A page of the actor's clients, each with why mailings leave it out, if they do.
///
/// # Errors
/// Database errors.
pub async fn mark(
    db: &Db,
    actor: &Actor,
    page: Page<Client>,
    now: DateTime<Utc>,
) -> Result<Page<(Client, Option<Reason>)>> {
    let (clients, page) = page.taken();
    let why = suppressions::why(db, actor.id, clients.iter().map(|client| client.email.as_str()), now).await?;
    Ok(page.with_rows(clients.into_iter().zip(why).collect()))
}

/// Which entries of a ledger are meant, as a page's address says it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Listing<'a> {
    /// Part of the address.
    pub search: &'a str,
    /// A word of [`Reason`], or empty for all.
    pub reason: &'a str,
    /// Those, too, that have ended by themselves.
    pub ended: bool,
}

impl<'a> Listing<'a> {
    pub fn filter(&self, now: DateTime<Utc>) -> Filter<'a> {
        Filter { search: self.search, reason: Reason::parse(self.reason), at: (!self.ended).then_some(now) }
    }
}

/// A page of the actor's ledger, the newest first.
///
/// # Errors
/// Database errors.
pub async fn list(
    db: &Db,
    actor: &Actor,
    listing: &Listing<'_>,
    after: &str,
    now: DateTime<Utc>,
) -> Result<Page<Suppression>> {
    let filter = listing.filter(now);
    let before = paging::before(Some(after)).unwrap_or(i64::MAX);
    let rows = suppressions::list(db, actor.id, &filter, before, paging::FETCH).await?;
    let rows = rows.into_iter().map(|entry| entry.at(now)).collect();
    Ok(paging::by_id(rows, suppressions::count(db, actor.id, &filter).await?, |row| row.id))
}

/// One entry of the actor's ledger.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(db: &Db, actor: &Actor, id: i64, now: DateTime<Utc>) -> Result<Suppression> {
    Ok(suppressions::get(db, actor.id, id).await?.ok_or(Error::NotFound)?.at(now))
}

/// A line of the audit log about the actor's ledger; on the command line nobody has proven to be the actor.
fn noted<'a>(actor: &'a Actor, source: Source, act: Act, target: &'a str) -> Entry<'a> {
    let entry = audit::entry(actor, act, actor.id, target);
    if source == Source::CommandLine { Entry { actor_id: None, actor: COMMAND_LINE, ..entry } } else { entry }
}

/// Leaves an address out of all that the actor sends, in open runs too. `source` says where that was asked.
///
/// # Errors
/// [`Error::Invalid`] for what the form's rules refuse, and for an address that was entered by hand before.
pub async fn add(db: &Db, actor: &Actor, source: Source, form: &AddForm, now: DateTime<Utc>) -> Result<()> {
    checked(form)?;
    let email = EmailAddress::parse(&form.email).map_err(|error| Error::field("email", error.key()))?;
    let reason = form.reason.trim();
    let new = NewEntry {
        owner: actor.id,
        email: &email,
        topic: NO_TOPIC,
        reason: Reason::ByHand,
        source,
        since: now,
        until: None,
        evidence: reason,
        actor: if source == Source::CommandLine { COMMAND_LINE } else { &actor.email },
        delivery: None,
    };
    let mut tx = db.begin().await?;
    if suppressions::add(&mut tx, &new).await? == Added::Known {
        return Err(Error::field("email", "error.suppression.known"));
    }
    let line = noted(actor, source, Act::SuppressionAdded, email.as_str());
    let line = Entry { reason, after: new.reason.as_str(), ..line };
    db::audit::append(&mut tx, &line, now).await?;
    Ok(tx.commit().await?)
}

/// Lets an address get letters again, from the next run on. Each entry singly, and never without saying why. `source` says where
/// that was asked.
///
/// # Errors
/// [`Error::Invalid`] without a reason, [`Error::NotFound`] if the actor has no such entry.
pub async fn lift(db: &Db, actor: &Actor, source: Source, form: &LiftForm, now: DateTime<Utc>) -> Result<()> {
    checked(form)?;
    let entry = get(db, actor, form.id, now).await?;
    let mut tx = db.begin().await?;
    if !suppressions::lift(&mut tx, actor.id, entry.id).await? {
        return Err(Error::NotFound);
    }
    let line = noted(actor, source, Act::SuppressionLifted, &entry.email);
    let line = Entry { reason: form.reason.trim(), before: entry.reason.as_str(), ..line };
    db::audit::append(&mut tx, &line, now).await?;
    Ok(tx.commit().await?)
}

/// Gives addresses beyond ASCII that were stored before they were found by keys theirs, once: what is ASCII the migrations folded.
///
/// # Errors
/// Database errors; a later call goes on.
pub async fn fold_addresses(db: &Db) -> Result<()> {
    /// What is noted of it.
    const FOLDED: &str = "addresses folded";
    const FORMER: &str = "former addresses folded";
    if db::facts::get(db, FORMER).await?.is_none() {
        loop {
            let mut tx = db.begin().await?;
            let some = db::addressees::fold(&mut tx, BATCH).await?;
            tx.commit().await?;
            if some == 0 {
                break;
            }
        }
        db::facts::keep(db, FORMER, "1").await?;
    }
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
