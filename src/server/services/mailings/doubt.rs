//! Deciding on deliveries whose fate the mail server never told.

use super::super::{Actor, Error, Result, checked};
use crate::domain::delivery::Verdict;
use crate::forms::decisions::DecisionForm;
use crate::server::db::Db;
use crate::server::db::decisions::{self, Saying};
use chrono::{DateTime, Utc};

/// Applies a verdict to one delivery, or to all unknown ones of a run, and returns how many it moved.
/// What has arrived is sent, with a reason of its own; what is to be sent again waits for the engine,
/// which the caller wakes. Record, states and counters change together or not at all.
///
/// # Errors
/// [`Error::NotFound`] if it is not the actor's; [`Error::Conflict`] if somebody was quicker, if more
/// have come since the reader was told how many there are, and for what may not be sent any more.
pub async fn decide(db: &Db, actor: &Actor, form: &DecisionForm, now: DateTime<Utc>) -> Result<i64> {
    checked(form)?;
    let verdict = Verdict::parse(&form.verdict).unwrap_or(Verdict::Arrived);
    let mut tx = db.begin().await?;
    let found = decisions::lock(&mut tx, actor.id, form.mailing, form.run, form.delivery).await?;
    let doubtful = found.ok_or(Error::NotFound)?;
    if form.delivery == 0 && doubtful.unknown != form.n {
        return Err(Error::Conflict("error.list_changed"));
    }
    if verdict == Verdict::Resend {
        if doubtful.disabled {
            return Err(Error::Conflict("error.doubt.disabled"));
        }
        if doubtful.end_at <= now {
            return Err(Error::Conflict("error.doubt.over"));
        }
    }
    let saying = Saying { verdict, user: actor.id, name: &actor.name, at: now };
    let moved = decisions::decide(&mut tx, doubtful.run_id, form.delivery, saying).await?;
    if moved == 0 {
        return Err(Error::Conflict("error.doubt.decided"));
    }
    tx.commit().await?;
    Ok(moved)
}

#[cfg(test)]
#[path = "doubt_tests.rs"]
mod tests;
