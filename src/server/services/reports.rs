//! The report over all of an owner's mailings.

mod count;

use super::{Actor, Error, Result};
use crate::domain::report::{Report, Tally};
use crate::server::db::Db;
use crate::server::db::tallies::{self, Period};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

/// Days of a report that asks for none.
const DAYS: i64 = 30;
/// Longest report, in days.
const DAYS_MAX: i64 = 366;
/// Most frequent replies that are shown.
const REPLIES: i64 = 20;
/// Mailings that are shown.
const MAILINGS: i64 = 50;

/// Attempts between two days (UTC, both included); the last 30 days where none are given. Large runs
/// that were not counted yet are counted meanwhile, and the report says how many.
///
/// # Errors
/// [`Error::Invalid`] for a day that is not one, a range that ends before it begins, and more than a
/// year.
pub async fn report(db: &Db, actor: &Actor, from: &str, to: &str, now: DateTime<Utc>) -> Result<Report> {
    let period = period(actor, from, to, now)?;
    let rest = count::most(db, actor.id, now).await?;
    let days = tallies::days(db, period).await?;
    let mailings = tallies::mailings(db, period, MAILINGS).await?;
    let all = tallies::count_mailings(db, period).await?;
    let replies = tallies::replies(db, period, REPLIES).await?;
    // Only now, so that all figures are of one and the same moment.
    let counting = rest.missing();
    rest.start(db, now);
    let mut total = Tally::default();
    for (_, day) in &days {
        total.add(day);
    }
    let more_mailings = all.saturating_sub(i64::try_from(mailings.len()).unwrap_or(i64::MAX));
    Ok(Report { from: period.from, to: period.to, total, days, mailings, more_mailings, replies, counting })
}

/// A day of a report as a file: the day, and each mailing that had attempts on it.
pub type Day = (NaiveDate, Vec<(i64, String, Tally)>);

/// The days of a report one after another, for a file: everything is counted first, however long it
/// takes.
///
/// # Errors
/// As [`report`].
pub async fn days(db: &Db, actor: &Actor, from: &str, to: &str, now: DateTime<Utc>) -> Result<Vec<NaiveDate>> {
    let period = period(actor, from, to, now)?;
    count::all(db, actor.id, now).await?;
    Ok(tallies::days(db, period).await?.into_iter().map(|(day, _)| day).collect())
}

/// Every mailing of one of those days.
///
/// # Errors
/// Database errors.
pub async fn day_of(db: &Db, owner: i64, day: NaiveDate) -> Result<Day> {
    Ok((day, tallies::mailings(db, Period { owner, from: day, to: day }, i64::MAX).await?))
}

fn period(actor: &Actor, from: &str, to: &str, now: DateTime<Utc>) -> Result<Period> {
    let to = day("to", to)?.unwrap_or_else(|| now.date_naive());
    let from = day("from", from)?.unwrap_or_else(|| to - TimeDelta::days(DAYS - 1));
    let days = to.signed_duration_since(from).num_days();
    if days < 0 {
        return Err(Error::field("to", "error.window.order"));
    }
    if days >= DAYS_MAX {
        return Err(Error::field("from", "error.range.long"));
    }
    Ok(Period { owner: actor.id, from, to })
}

fn day(field: &str, text: &str) -> Result<Option<NaiveDate>> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    // A year beyond these would not survive the arithmetic around it.
    let day = text.trim().parse::<NaiveDate>().ok().filter(|day| (1970..=9999).contains(&chrono::Datelike::year(day)));
    day.map(Some).ok_or_else(|| Error::field(field, "error.moment"))
}

#[cfg(test)]
mod tests;
