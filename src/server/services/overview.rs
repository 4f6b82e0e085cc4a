//! The overview: the first page after the log-in, of one's own or of all owners.

use super::{Actor, Result};
use crate::domain::email::EmailAddress;
use crate::domain::overview::{Attention, Coming, DAYS, Named, NamedRun, Overview, RUNNING, Step};
use crate::domain::relay::{RelayState, RelaysReport};
use crate::domain::user::{Permission, Role};
use crate::server::db::mailings::Mailing;
use crate::server::db::{Db, limits, mailings, overview, settings};
use crate::server::schedule::{Schedule, parse_zone};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use std::collections::HashMap;

/// Runs to come, runs that are over, and things to see to of one kind that are shown.
const LINES: i64 = 6;
/// Letters that wait for longer than this are late.
pub const LATE: TimeDelta = TimeDelta::hours(1);

/// What the page needs to know of the service.
#[derive(Clone, Debug)]
pub struct Service<'a> {
    /// Letters are caught on this machine.
    pub catching: bool,
    /// The address that the service was started with.
    pub from: &'a EmailAddress,
    /// The mail servers, for those who may know of them.
    pub relays: Option<RelaysReport>,
}

/// The whole page; `all` shows all owners.
///
/// # Errors
/// [`Error::Forbidden`](super::Error::Forbidden) for all owners, for whom it is not.
pub async fn overview(db: &Db, actor: &Actor, all: bool, service: Service<'_>, now: DateTime<Utc>) -> Result<Overview> {
    let owner = owner(actor, all)?;
    let done = overview::done(db, actor.id).await?;
    let steps = if all { Vec::new() } else { steps(db, actor, &done, &service).await? };
    Ok(Overview {
        all,
        oversees: actor.role.may(Permission::Oversee),
        steps,
        message: done.message,
        running: overview::running(db, owner, RUNNING).await?,
        next: next(db, owner).await?,
        attention: attention(db, owner, service.relays, now).await?,
        last: overview::last(db, owner, LINES).await?,
        days: days(db, owner, now).await?,
    })
}

/// The runs under way as they are now.
///
/// # Errors
/// As [`overview`].
pub async fn running(db: &Db, actor: &Actor, all: bool) -> Result<Vec<NamedRun>> {
    Ok(overview::running(db, owner(actor, all)?, RUNNING).await?)
}

/// Whether a page is of all owners, as its address says (`own` or `all`), or where it says nothing: managers are there for them.
pub fn is_of_all(of: &str, actor: &Actor) -> bool {
    of == "all" || of.is_empty() && actor.role == Role::Manager
}

/// Whose mailings a page shows: of all owners none.
///
/// # Errors
/// [`Error::Forbidden`](super::Error::Forbidden) for all owners, for whom it is not.
pub(super) fn owner(actor: &Actor, all: bool) -> Result<Option<i64>> {
    if all {
        actor.needs(Permission::Oversee)?;
    }
    Ok((!all).then_some(actor.id))
}

/// What a new owner has done of what they have to; nothing once it is all.
async fn steps(db: &Db, actor: &Actor, done: &overview::Done, service: &Service<'_>) -> Result<Vec<(Step, bool)>> {
    let mut steps = Vec::new();
    if actor.role.may(Permission::Settings) {
        let sender = settings::sender(db, service.from).await?.email;
        // That is what the service is started with where nobody says otherwise; nobody could answer to it.
        let is_real = !sender.as_str().ends_with("@localhost.localdomain");
        steps.extend([(Step::Relay, !service.catching), (Step::Sender, is_real)]);
    }
    steps.extend([
        (Step::Clients, done.clients),
        (Step::Message, done.message.is_some()),
        (Step::Test, done.tested),
        (Step::Mailing, done.mailings),
    ]);
    Ok(if steps.iter().all(|(_, done)| *done) { Vec::new() } else { steps })
}

/// The first runs to come over all the mailings.
async fn next(db: &Db, owner: Option<i64>) -> Result<Vec<Coming>> {
    // What comes among the first so many is of a mailing whose next run is among them.
    let found = overview::next(db, owner, None, LINES).await?;
    let ids: Vec<i64> = found.iter().map(|(id, _)| *id).collect();
    let owners: HashMap<i64, String> = found.into_iter().collect();
    let lines = usize::try_from(LINES).unwrap_or(usize::MAX);
    let mut next: Vec<Coming> = Vec::new();
    for mailing in mailings::by_ids(db, &ids).await? {
        let times = upcoming(&mailing, None, lines);
        let named = named(mailing, &owners);
        next.extend(times.into_iter().map(|at| Coming { mailing: named.clone(), at }));
    }
    next.sort_by_key(|coming| (coming.at, coming.mailing.id));
    next.truncate(lines);
    Ok(next)
}

/// A mailing as a line names it; `owners` holds the addresses of theirs by its id.
pub(super) fn named(mailing: Mailing, owners: &HashMap<i64, String>) -> Named {
    let owner = owners.get(&mailing.id).cloned().unwrap_or_default();
    Named { id: mailing.id, title: mailing.title, zone: mailing.zone, owner }
}

/// A mailing's next runs, so many of those at or after `from` where one is given. The first may be off its grid
/// (`schedule::due`).
pub(super) fn upcoming(mailing: &Mailing, from: Option<DateTime<Utc>>, count: usize) -> Vec<DateTime<Utc>> {
    let (Some(first), Some(zone)) = (mailing.next_at, parse_zone(&mailing.zone)) else { return Vec::new() };
    let schedule = Schedule { start: mailing.start_local, zone, end: mailing.end_at, period: mailing.period };
    let from = from.unwrap_or(first);
    let rest = schedule.upcoming(first.max(from), count).into_iter().map(|occurrence| occurrence.utc);
    std::iter::once(first).chain(rest.filter(|at| *at > first)).filter(|at| *at >= from).take(count).collect()
}

async fn attention(
    db: &Db,
    owner: Option<i64>,
    relays: Option<RelaysReport>,
    now: DateTime<Utc>,
) -> Result<Vec<Attention>> {
    let mut attention = Vec::new();
    if let Some(report) = relays {
        let trouble = report
            .relays
            .into_iter()
            .filter(|relay| matches!(relay.live.state, RelayState::Resting | RelayState::Paused | RelayState::Limited));
        attention.extend(trouble.map(|relay| Attention::Relay {
            id: relay.settings.id,
            name: relay.settings.name,
            state: relay.live.state,
        }));
        let late = report.oldest_due.filter(|since| now - *since > LATE);
        attention.extend(late.map(|since| Attention::Late { since }));
    }
    attention.extend(match owner {
        Some(owner) => {
            let held = limits::held(db, owner, now).await?;
            held.map(|held| Attention::Limit { owner: String::new(), held }).into_iter().collect()
        }
        None => overview::used_up(db, now, LINES).await?,
    });
    attention.extend(overview::stopped(db, owner, LINES).await?);
    attention.extend(overview::unknown(db, owner, LINES).await?);
    Ok(attention)
}

/// Every day has its figure, also one on which nothing left.
async fn days(db: &Db, owner: Option<i64>, now: DateTime<Utc>) -> Result<Vec<(NaiveDate, i64)>> {
    let today = now.date_naive();
    let from = today - TimeDelta::days(DAYS - 1);
    let counted: HashMap<String, i64> = overview::days(db, owner, from).await?.into_iter().collect();
    let figure = |day: NaiveDate| (day, counted.get(&day.to_string()).copied().unwrap_or_default());
    Ok(from.iter_days().take_while(|day| *day <= today).map(figure).collect())
}

#[cfg(test)]
#[path = "overview_tests.rs"]
mod tests;
