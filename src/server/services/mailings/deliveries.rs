//! What became of each client in a run.

use super::super::{Actor, Error, Result, paging};
use super::visible;
use crate::domain::delivery::{DeliveryDetail, DeliveryRow, DeliveryState};
use crate::domain::page::Page;
use crate::server::db::{Db, attempts, clients, decisions, deliveries, returns, runs};

/// A run of a mailing that the actor may look at: the given one, or the current one for 0. None if the mailing
/// has had no run yet.
///
/// # Errors
/// [`Error::NotFound`] if the actor may not look at the mailing or the run is not the mailing's.
pub async fn run_of(db: &Db, actor: &Actor, id: i64, run: i64) -> Result<Option<i64>> {
    visible(db, actor, id).await?;
    if run == 0 {
        return Ok(runs::current(db, &[id]).await?.pop().map(|(_, run)| run.id));
    }
    if runs::belongs(db, id, run).await? { Ok(Some(run)) } else { Err(Error::NotFound) }
}

/// A page of a run's deliveries; `run` 0 is the current run.
///
/// # Errors
/// As [`run_of`].
pub async fn deliveries(
    db: &Db,
    actor: &Actor,
    id: i64,
    run: i64,
    state: Option<DeliveryState>,
    search: &str,
    after: i64,
) -> Result<Page<DeliveryRow>> {
    let Some(run) = run_of(db, actor, id, run).await? else {
        return Ok(Page { rows: Vec::new(), next: None, total: 0, mark: 0 });
    };
    let rows = deliveries::list(db, run, state, search, after, paging::FETCH).await?;
    Ok(paging::by_id(rows, deliveries::count(db, run, state, search).await?, |row| row.id))
}

/// A delivery with all its attempts.
///
/// # Errors
/// [`Error::NotFound`] if the delivery is not the mailing's or the actor may not look at it.
pub async fn delivery(db: &Db, actor: &Actor, id: i64, delivery: i64) -> Result<DeliveryDetail> {
    let mailing = visible(db, actor, id).await?;
    if deliveries::mailing_of(db, delivery).await? != Some(id) {
        return Err(Error::NotFound);
    }
    let row = deliveries::get(db, mailing.owner_id, delivery).await?.ok_or(Error::NotFound)?;
    let own = mailing.owner_id == actor.id;
    let client = if own { clients::get(db, actor.id, row.client_id).await?.map(|client| client.id) } else { None };
    Ok(DeliveryDetail {
        own,
        client,
        mailing_title: mailing.title,
        zone: mailing.zone,
        row,
        attempts: attempts::of_delivery(db, delivery).await?,
        decisions: decisions::of_delivery(db, delivery).await?,
        returned: returns::of_delivery(db, mailing.owner_id, delivery).await?,
    })
}
