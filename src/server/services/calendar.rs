//! The calendar: every run of a month, past and to come, of one's own mailings or of all owners.

use super::overview::{named, owner, upcoming};
use super::{Actor, Error, Result};
use crate::domain::calendar::{A_DAY, Calendar, Day, Entry, days_of, months_away, parse_month};
use crate::domain::user::Permission;
use crate::server::db::mailings::Mailing;
use crate::server::db::{Db, mailings, overview};
use crate::server::schedule::{parse_zone, resolve, wall_time};
use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
use std::collections::{BTreeMap, HashMap};

/// Mailings to come, and runs that have begun, that are looked at.
const MOST: i64 = 10_000;
/// Runs of one mailing in a month: one a day, one more where a clock is put back, and one off its grid.
const OF_ONE: usize = 33;

/// A month (`2026-12`; the present one for anything else) in the actor's zone, and all runs of a `day` (`2026-12-05`).
///
/// # Errors
/// [`Error::Forbidden`](super::Error::Forbidden) for all owners, for whom it is not.
pub async fn calendar(
    db: &Db,
    actor: &Actor,
    all: bool,
    (month, day): (&str, &str),
    now: DateTime<Utc>,
) -> Result<Calendar> {
    let owner = owner(actor, all)?;
    let zone = parse_zone(&actor.zone).unwrap_or(Tz::UTC);
    let today = wall_time(zone, now).date();
    let chosen: Option<NaiveDate> = day.parse().ok();
    let asked = parse_month(day).or_else(|| parse_month(month));
    let month = asked.unwrap_or_else(|| today.with_day(1).unwrap_or(today));
    let midnight = |day: NaiveDate| resolve(zone, day.and_time(NaiveTime::MIN)).0;
    let (from, to) = (midnight(month), midnight(months_away(month, 1)));
    let (mut entries, cut) = entries(db, owner, (from, to)).await?;
    entries.sort_by_key(|entry| (entry.at, entry.mailing.id));
    let mut by_day: BTreeMap<NaiveDate, Vec<Entry>> = BTreeMap::new();
    for mut entry in entries {
        let wall = wall_time(zone, entry.at);
        entry.time = wall.format("%H:%M").to_string();
        by_day.entry(wall.date()).or_default().push(entry);
    }
    let chosen = chosen.filter(|day| day.with_day(1) == Some(month)).map(|date| Day {
        date,
        entries: by_day.get(&date).cloned().unwrap_or_default(),
        more: 0,
    });
    let days = days_of(month).map(|date| {
        let mut entries = by_day.remove(&date).unwrap_or_default();
        let more = i64::try_from(entries.len().saturating_sub(A_DAY)).unwrap_or(i64::MAX);
        entries.truncate(A_DAY);
        Day { date, entries, more }
    });
    let days = days.collect();
    let oversees = actor.role.may(Permission::Oversee);
    Ok(Calendar { all, oversees, month, today, zone: zone.name().to_owned(), days, chosen, cut })
}

/// Runs that have begun, and those to come, between two instants; and whether there are more than were looked at.
async fn entries(
    db: &Db,
    owner: Option<i64>,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> Result<(Vec<Entry>, bool)> {
    let begun = overview::begun(db, owner, (from, to), MOST).await?;
    let next = overview::next(db, owner, Some(to), MOST).await?;
    let cut = [begun.len(), next.len()].into_iter().any(|n| i64::try_from(n).is_ok_and(|n| n >= MOST));
    let mut entries: Vec<Entry> = begun
        .into_iter()
        .map(|of| Entry {
            mailing: of.mailing,
            at: of.run.occurrence,
            time: String::new(),
            run: Some((of.run.id, of.run.state.as_str().to_owned())),
        })
        .collect();
    let owners: HashMap<i64, String> = next.into_iter().collect();
    let mut ids: Vec<i64> = owners.keys().copied().collect();
    ids.sort_unstable();
    let mailings = mailings::by_ids(db, &ids).await?;
    // Thousands of times in as many zones take longer than a thread that answers requests should be kept.
    let coming = tokio::task::spawn_blocking(move || {
        let of = |mailing| coming(mailing, &owners, (from, to));
        mailings.into_iter().flat_map(of).collect::<Vec<_>>()
    });
    entries.extend(coming.await.map_err(|error| Error::Internal(error.to_string()))?);
    Ok((entries, cut))
}

/// A mailing's runs to come between two instants.
fn coming(mailing: Mailing, owners: &HashMap<i64, String>, (from, to): (DateTime<Utc>, DateTime<Utc>)) -> Vec<Entry> {
    let times = upcoming(&mailing, Some(from), OF_ONE).into_iter().filter(|at| *at < to);
    let named = named(mailing, owners);
    times.map(|at| Entry { mailing: named.clone(), at, time: String::new(), run: None }).collect()
}

#[cfg(test)]
#[path = "calendar_tests.rs"]
mod tests;
