//! A mailing's own page.

use super::super::{Actor, Error, Result, topics};
use super::list::rows;
use super::{audience_size, visible};
use crate::domain::mailing::{Held, MailingDetail, MailingLive, Run, RunState};
use crate::domain::oversight::{Owner, Stopped};
use crate::server::db::mailings::Mailing;
use crate::server::db::{Db, limits, messages, returns, runs, users};
use crate::server::schedule::{Schedule, parse_zone};
use chrono::{DateTime, Utc};

/// Future runs that a mailing's page shows.
const NEXT: usize = 5;
/// Runs that a mailing's page shows.
const RUNS: i64 = 50;

/// A mailing's own page.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn detail(db: &Db, actor: &Actor, id: i64, now: DateTime<Utc>) -> Result<MailingDetail> {
    let mailing = visible(db, actor, id).await?;
    let message = messages::get(db, mailing.owner_id, mailing.message_id).await?.ok_or(Error::NotFound)?;
    let runs = runs::of_mailing(db, id, RUNS).await?;
    let next = match (parse_zone(&mailing.zone), mailing.next_at) {
        (Some(zone), Some(at)) => {
            let (start, end, period) = (mailing.start_local, mailing.end_at, mailing.period);
            Schedule { start, zone, end, period }.upcoming(at, NEXT)
        }
        _ => Vec::new(),
    };
    let owner = match mailing.owner_id == actor.id {
        true => None,
        false => users::by_id(db, mailing.owner_id).await?.map(|user| Owner { id: user.id, email: user.email }),
    };
    let stopped = mailing.disabled_at.map(|at| Stopped {
        at,
        by: mailing.disabled_by.clone(),
        reason: mailing.disabled_reason.clone(),
    });
    let row = rows(db, vec![mailing.clone()]).await?.pop().ok_or(Error::NotFound)?;
    let held = held(db, &mailing, row.last_run.as_ref(), now).await?;
    let ids: Vec<i64> = runs.iter().map(|run| run.id).collect();
    Ok(MailingDetail {
        owner,
        stopped,
        held,
        topic: topics::name(db, mailing.owner_id, mailing.topic).await?,
        audience_size: audience_size(db, (mailing.owner_id, mailing.topic), &mailing.audience, now).await?,
        policy: mailing.policy,
        message_id: mailing.message_id,
        message_subject: super::super::messages::shown(&message.subject, actor.lang),
        row,
        next,
        runs,
        returned: returns::counts(db, id, None).await?,
        returned_runs: returns::by_run(db, &ids).await?,
    })
}

/// What changes on a mailing's page. The rate is for the caller to know, who has seen it before.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn live(db: &Db, actor: &Actor, id: i64, now: DateTime<Utc>) -> Result<MailingLive> {
    let mailing = visible(db, actor, id).await?;
    let run = runs::current(db, &[id]).await?.pop().map(|(_, run)| run);
    let held = held(db, &mailing, run.as_ref(), now).await?;
    Ok(MailingLive {
        status: mailing.status,
        paused: mailing.paused_at.is_some(),
        disabled: mailing.disabled_at.is_some(),
        next_at: mailing.next_at,
        run,
        held,
        rate: 0.0,
        now,
    })
}

/// Why an open run waits for another day, if it does.
async fn held(db: &Db, mailing: &Mailing, run: Option<&Run>, now: DateTime<Utc>) -> Result<Option<Held>> {
    let waits = run.is_some_and(|run| run.state == RunState::Open && run.counts.waiting + run.counts.deferred > 0);
    if !waits || mailing.is_stopped() { Ok(None) } else { Ok(limits::held(db, mailing.owner_id, now).await?) }
}
