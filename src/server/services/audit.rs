//! Reading the audit log, and proving that nobody changed it.

use super::{Actor, Result, paging};
use crate::domain::audit::{Act, AuditLine};
use crate::domain::page::Page;
use crate::server::db::audit::Entry;
use crate::server::db::users::User;
use crate::server::db::{Db, audit, audit_chain};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Lines taken at a time while the chain is made or walked.
const BATCH: i64 = 500;
/// How long a line waits for its place in the chain, at most.
const SEAL_EVERY: Duration = Duration::from_secs(1);

/// What walking the chain found.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every line is as it was written; `head` is the newest line's hash.
    Whole { lines: u64, head: String },
    /// The first line that does not fit what stands before it.
    Broken { id: i64 },
    /// The chain is whole, but does not hold the hash that was asked for: its end was cut off.
    Cut { lines: u64 },
}

/// An entry that an actor makes about a target; the rest is empty.
pub fn entry<'a>(actor: &'a Actor, act: Act, target_id: impl Into<Option<i64>>, target: &'a str) -> Entry<'a> {
    Entry {
        actor_id: Some(actor.id),
        actor: &actor.email,
        act,
        target_id: target_id.into(),
        target,
        reason: "",
        before: "",
        after: "",
        address: &actor.address,
    }
}

/// An entry that people make about their own account.
pub fn own<'a>(user: &'a User, act: Act, address: &'a str) -> Entry<'a> {
    let (actor_id, target_id) = (Some(user.id), Some(user.id));
    let (actor, target) = (user.email.as_str(), user.email.as_str());
    Entry { actor_id, actor, act, target_id, target, reason: "", before: "", after: "", address }
}

/// An entry about an account, if there is one, by somebody who has not proven to be its owner. What they
/// typed is not kept: it may be a password in the wrong field.
pub fn tried<'a>(user: Option<&'a User>, act: Act, address: &'a str) -> Entry<'a> {
    let target = user.map_or("", |user| &user.email);
    let target_id = user.map(|user| user.id);
    Entry { actor_id: None, actor: "", act, target_id, target, reason: "", before: "", after: "", address }
}

/// A page of the log, newest first.
///
/// # Errors
/// Database errors.
pub async fn list(db: &Db, search: &str, act: &str, after: &str) -> Result<Page<AuditLine>> {
    let act = Act::parse(act);
    let rows = audit::list(db, search, act, paging::before(Some(after)), paging::FETCH).await?;
    Ok(paging::by_id(rows, audit::count(db, search, act).await?, |line| line.id))
}

/// Ties lines that wait into the chain.
///
/// # Errors
/// Database errors; a later call goes on.
pub async fn seal(db: &Db) -> Result<()> {
    while audit_chain::is_waiting(db).await? {
        let mut tx = db.begin().await?;
        let sealed = audit_chain::seal(&mut tx, BATCH).await?;
        tx.commit().await?;
        if sealed == 0 {
            break;
        }
    }
    Ok(())
}

/// Seals what is written, until the service stops.
pub async fn keep_sealing(db: Db, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = seal(&db).await {
            tracing::error!(%error, "lines of the audit log could not be tied together; it is tried again");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(SEAL_EVERY) => {}
        }
    }
}

/// Walks the whole chain, after tying what waits into it. `head`, if given, is a hash noted earlier that must
/// be among the links.
///
/// # Errors
/// Database errors.
pub async fn verify(db: &Db, head: Option<&str>) -> Result<Verdict> {
    seal(db).await?;
    let (mut after, mut previous, mut lines, mut seen) = (0, String::new(), 0, head.is_none());
    loop {
        let links = audit_chain::links(db, (after, &previous), BATCH).await?;
        for link in &links {
            if !link.fits {
                return Ok(Verdict::Broken { id: link.line });
            }
            lines += 1;
            seen |= head == Some(link.hash.as_str());
            previous.clone_from(&link.hash);
            after = link.seq;
        }
        if links.is_empty() {
            break;
        }
    }
    Ok(match audit_chain::stray(db).await? {
        Some(id) => Verdict::Broken { id },
        None if seen => Verdict::Whole { lines, head: previous },
        None => Verdict::Cut { lines },
    })
}
