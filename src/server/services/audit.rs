//! Reading the audit log, and proving that nobody changed it.

use super::{Actor, Result, paging};
use crate::domain::audit::{Act, AuditLine};
use crate::domain::page::Page;
use crate::server::db::audit::Entry;
use crate::server::db::{Db, audit};

/// Lines read at a time while the chain is walked.
const BATCH: i64 = 1000;

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
pub fn entry<'a>(actor: &'a Actor, act: Act, target_id: i64, target: &'a str) -> Entry<'a> {
    Entry {
        actor_id: Some(actor.id),
        actor: &actor.email,
        act,
        target_id: Some(target_id),
        target,
        reason: "",
        before: "",
        after: "",
        address: &actor.address,
    }
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

/// Walks the whole chain. `head`, if given, is a hash noted earlier that must be among the lines.
///
/// # Errors
/// Database errors.
pub async fn verify(db: &Db, head: Option<&str>) -> Result<Verdict> {
    let (mut after, mut lines, mut previous, mut seen) = (0, 0, String::new(), head.is_none());
    loop {
        let links = audit::links(db, after, BATCH).await?;
        for link in &links {
            if link.previous != previous || link.computed() != link.hash {
                return Ok(Verdict::Broken { id: link.id });
            }
            lines += 1;
            seen |= head == Some(link.hash.as_str());
            previous.clone_from(&link.hash);
            after = link.id;
        }
        if links.is_empty() {
            return Ok(if seen { Verdict::Whole { lines, head: previous } } else { Verdict::Cut { lines } });
        }
    }
}
