//! The report over all of an owner's mailings.

use super::{Actor, Error, Result};
use crate::domain::report::{Report, Tally};
use crate::server::db::{Db, attempts};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};

/// Days of a report that asks for none.
const DAYS: i64 = 30;
/// Longest report, in days.
const DAYS_MAX: i64 = 366;
/// Most frequent replies that are shown.
const REPLIES: i64 = 20;

/// Attempts between two days (UTC, both included); the last 30 days where none are given.
///
/// # Errors
/// [`Error::Invalid`] for a day that is not one, a range that ends before it begins, and more than a
/// year.
pub async fn report(db: &Db, actor: &Actor, from: &str, to: &str, now: DateTime<Utc>) -> Result<Report> {
    let to = day("to", to)?.unwrap_or_else(|| now.date_naive());
    let from = day("from", from)?.unwrap_or_else(|| to - TimeDelta::days(DAYS - 1));
    let days = to.signed_duration_since(from).num_days();
    if days < 0 {
        return Err(Error::field("to", "error.window.order"));
    }
    if days >= DAYS_MAX {
        return Err(Error::field("from", "error.range.long"));
    }
    let end = to.checked_add_days(Days::new(1)).ok_or_else(|| Error::field("to", "error.moment"))?;
    let (begin, end) = (midnight(from), midnight(end));
    let (days, mailings) = attempts::tallies(db, actor.id, begin, end).await?;
    let replies = attempts::replies(db, actor.id, begin, end, REPLIES).await?;
    let total = days.iter().fold(Tally::default(), |sum, (_, day)| Tally {
        attempts: sum.attempts + day.attempts,
        sent: sum.sent + day.sent,
        deferred: sum.deferred + day.deferred,
        failed: sum.failed + day.failed,
        unknown: sum.unknown + day.unknown,
    });
    Ok(Report { from, to, total, days, mailings, replies })
}

fn day(field: &str, text: &str) -> Result<Option<NaiveDate>> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    // A year beyond these would not survive the arithmetic around it.
    let day = text.trim().parse::<NaiveDate>().ok().filter(|day| (1970..=9999).contains(&chrono::Datelike::year(day)));
    day.map(Some).ok_or_else(|| Error::field(field, "error.moment"))
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(chrono::NaiveTime::MIN).and_utc()
}
