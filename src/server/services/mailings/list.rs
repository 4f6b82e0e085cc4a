//! The list of mailings.

use super::super::{Actor, Result, paging};
use crate::domain::audience::Audience;
use crate::domain::mailing::{MailingList, MailingRow, MailingSort, MailingState, Run};
use crate::domain::page::{PAGE_SIZE, Whole};
use crate::server::db::mailings::{self, Filter, Mailing};
use crate::server::db::{Db, runs, selections};
use std::collections::HashMap;

/// What a list shows: as the page's address says it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Listing<'a> {
    pub search: &'a str,
    pub state: Option<MailingState>,
    /// `title` or `next`, with `-` before it downwards; the newest first otherwise.
    pub sort: &'a str,
    /// The cursor of the page before, or empty.
    pub after: &'a str,
}

/// A page of the actor's mailings, and how many there are in each state.
///
/// # Errors
/// Database errors.
pub async fn list(db: &Db, actor: &Actor, listing: Listing<'_>) -> Result<MailingList> {
    let Listing { search, state, sort, after } = listing;
    let (sort, descending) = paging::order(sort, &[("title", MailingSort::Title), ("next", MailingSort::Next)]);
    let filter = Filter { owner: actor.id, search, state };
    let after = paging::decode(after);
    let found = mailings::list(db, filter, sort, descending, after.as_ref(), paging::FETCH).await?;
    let counts = mailings::counts(db, actor.id, search).await?;
    let shown = counts.iter().filter(|(of, _)| state.is_none_or(|state| state == *of)).map(|(_, whole)| whole);
    let whole = shown.fold(Whole::default(), |all, more| all.and(*more));
    let (found, page) = paging::by_key(found, whole.total, |mailing| mailing.key(sort)).of(whole).taken();
    let counts = counts.into_iter().map(|(state, whole)| (state, whole.total)).collect();
    Ok(MailingList { page: page.with_rows(rows(db, found).await?), counts })
}

/// Some of the actor's mailings as they are now: at most a page of them, others are left away.
///
/// # Errors
/// Database errors.
pub async fn look(db: &Db, actor: &Actor, ids: &[i64]) -> Result<Vec<MailingRow>> {
    let ids = &ids[..ids.len().min(usize::try_from(PAGE_SIZE).unwrap_or(usize::MAX))];
    rows(db, mailings::owned_by_ids(db, actor.id, ids).await?).await
}

/// Adds what a list shows beside the mailings, each by one query for all of them.
pub(in super::super) async fn rows(db: &Db, found: Vec<Mailing>) -> Result<Vec<MailingRow>> {
    let ids: Vec<i64> = found.iter().map(|mailing| mailing.id).collect();
    let mut last: HashMap<i64, Run> = runs::current(db, &ids).await?.into_iter().collect();
    let left_out: HashMap<i64, i64> = mailings::left_out(db, &ids).await?.into_iter().collect();
    let picked: Vec<i64> = found.iter().filter_map(selection).collect();
    let sizes: HashMap<i64, i64> = selections::sizes(db, &picked).await?.into_iter().collect();
    let row = |mailing: Mailing| {
        let picked = selection(&mailing).map(|id| sizes.get(&id).copied().unwrap_or(0));
        let left_out = left_out.get(&mailing.id).copied().unwrap_or(0);
        MailingRow {
            id: mailing.id,
            disabled: mailing.disabled_at.map(|_| mailing.disabled_reason),
            title: mailing.title,
            status: mailing.status,
            paused: mailing.paused_at.is_some(),
            paused_because: (mailing.paused_reason, mailing.paused_reply),
            period: mailing.period,
            zone: mailing.zone,
            start_local: mailing.start_local,
            end_at: mailing.end_at,
            next_at: mailing.next_at,
            audience: mailing.audience,
            picked,
            last_run: last.remove(&mailing.id),
            left_out,
        }
    };
    Ok(found.into_iter().map(row).collect())
}

fn selection(mailing: &Mailing) -> Option<i64> {
    match mailing.audience {
        Audience::Picked { selection } => Some(selection),
        Audience::All | Audience::Search { .. } => None,
    }
}
