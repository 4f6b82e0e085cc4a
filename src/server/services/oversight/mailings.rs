//! Mailings of all owners, as managers see them.

use super::super::{Actor, Result, mailings, paging};
use crate::domain::mailing::MailingRow;
use crate::domain::oversight::OverseenMailing;
use crate::domain::page::Page;
use crate::domain::user::Permission;
use crate::server::db::oversight::{self as rows, MailingFilter};
use crate::server::db::{self, Db};
use std::collections::HashMap;

/// A page of all mailings, newest first.
///
/// # Errors
/// [`super::Error::Forbidden`] for whom it is not.
pub async fn list(db: &Db, actor: &Actor, filter: &MailingFilter<'_>, after: &str) -> Result<Page<OverseenMailing>> {
    actor.needs(Permission::Oversee)?;
    let found = rows::mailings(db, filter, paging::before(Some(after)), paging::FETCH).await?;
    let page = paging::by_id(found, rows::count_mailings(db, filter).await?, |owned| owned.id);
    let ids: Vec<i64> = page.rows.iter().map(|owned| owned.id).collect();
    let stored = mailings::rows(db, db::mailings::by_ids(db, &ids).await?).await?;
    let mut known: HashMap<i64, MailingRow> = stored.into_iter().map(|row| (row.id, row)).collect();
    // One that was deleted between the two reads is left out.
    let (owned, page) = page.taken();
    let rows = owned.into_iter().filter_map(|owned| {
        let row = known.remove(&owned.id)?;
        let rows::Owned { owner_id, owner_email, owner_name, .. } = owned;
        Some(OverseenMailing { row, owner_id, owner_email, owner_name })
    });
    Ok(page.with_rows(rows.collect()))
}
