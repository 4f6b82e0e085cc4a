//! Opening runs: what is due is opened, caught up or recorded as skipped, each mailing in one
//! transaction with the step of its `next_at`, so that two schedulers open one run.

use super::Engine;
use crate::domain::mailing::{MailingStatus, SkipReason};
use crate::server::db::mailings::Mailing;
use crate::server::db::{DbResult, Tx, mailings, runs};
use crate::server::schedule::{Due, Schedule, due, parse_zone};
use chrono::{DateTime, Utc};
use std::sync::atomic::Ordering;

/// Mailings opened before deliveries get their turn.
const AT_ONCE: i64 = 100;

impl Engine {
    /// Opens what is due, of one mailing or of all.
    ///
    /// # Errors
    /// Database errors; what had been opened until then stays.
    pub async fn open_due(&self, mailing: Option<i64>) -> DbResult<()> {
        let now = self.clock.now();
        for id in mailings::due(&self.db, now, AT_ONCE).await? {
            if mailing.is_some_and(|only| only != id) {
                continue;
            }
            let mut tx = self.db.begin().await?;
            let opened = open_one(&mut tx, id, now).await?;
            tx.commit().await?;
            if opened {
                self.tally.opened.fetch_add(1, Ordering::Relaxed);
            }
        }
        let mut tx = self.db.begin().await?;
        mailings::finish_over(&mut tx, now).await?;
        tx.commit().await
    }
}

async fn open_one(tx: &mut Tx, id: i64, now: DateTime<Utc>) -> DbResult<bool> {
    let Some(mailing) = mailings::lock(tx, id).await? else { return Ok(false) };
    // Another scheduler may have been quicker, its owner may have paused it.
    let Some(next_at) = mailing.next_at.filter(|next_at| *next_at <= now && !mailing.is_stopped()) else {
        return Ok(false);
    };
    let Some(zone) = parse_zone(&mailing.zone) else {
        tracing::error!(mailing = id, zone = mailing.zone, "a stored zone is unknown; the mailing is finished");
        mailings::advance(tx, id, None, MailingStatus::Finished).await?;
        return Ok(false);
    };
    let schedule = Schedule { start: mailing.start_local, zone, end: mailing.end_at, period: mailing.period };
    let (opened, next) = match due(&schedule, next_at, now) {
        Due::None { next } => (false, next),
        Due::Missed { occurrence, next } => {
            runs::skip(tx, id, occurrence.utc, SkipReason::Missed, now).await?;
            (false, next)
        }
        Due::Open { occurrence, next } => (open_run(tx, &mailing, occurrence.utc, now).await?, next),
    };
    let status = match (opened, next) {
        // A run whose every address is suppressed is closed already.
        (_, None) if !runs::is_open(tx, id).await? => MailingStatus::Finished,
        (true, _) => MailingStatus::Running,
        _ => mailing.status,
    };
    mailings::advance(tx, id, next, status).await?;
    Ok(opened)
}

/// Opens one run with its snapshot; false if it was recorded as skipped instead.
async fn open_run(tx: &mut Tx, mailing: &Mailing, occurrence: DateTime<Utc>, now: DateTime<Utc>) -> DbResult<bool> {
    if runs::is_open(tx, mailing.id).await? {
        runs::skip(tx, mailing.id, occurrence, SkipReason::Overlap, now).await?;
        return Ok(false);
    }
    let snapshot = runs::snapshot(tx, mailing.id).await?;
    let Some(run) = runs::open(tx, mailing.id, occurrence, &snapshot, now).await? else { return Ok(false) };
    if runs::fill(tx, run, (mailing.owner_id, snapshot.topic), &mailing.audience, now).await? == 0 {
        runs::turn_into_skip(tx, run, SkipReason::Empty, now).await?;
        return Ok(false);
    }
    runs::close(tx, run, now).await?;
    Ok(true)
}
