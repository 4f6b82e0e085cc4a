//! Mailings: made, changed, stopped, looked at.

use super::{Actor, Error, Result, checked, paging};
use crate::api::error::FieldErrors;
use crate::domain::audience::Audience;
use crate::domain::delivery::{DeliveryDetail, DeliveryRow, DeliveryState};
use crate::domain::mailing::{
    DoubtPolicy, MailingDetail, MailingLive, MailingRow, MailingStatus, Review, Run, RunState,
};
use crate::domain::page::Page;
use crate::domain::schedule::Period;
use crate::forms::mailings::{MailingForm, Moment, NOW, parse_moment};
use crate::server::db::mailings::{Mailing, NewMailing};
use crate::server::db::{self, Db, attempts, clients, deliveries, messages, runs, selections};
use crate::server::schedule::{Schedule, first_run, parse_zone, resolve};
use chrono::{DateTime, NaiveDateTime, Timelike, Utc};
use chrono_tz::Tz;

/// Future runs that a page shows.
const NEXT: usize = 5;
/// Runs that a mailing's page shows.
const RUNS: i64 = 50;

/// A form whose every rule holds.
struct Plan {
    new: NewMailing,
    schedule: Schedule,
    subject: String,
    count: i64,
    starts_now: bool,
}

/// Makes a mailing and returns its id. The caller wakes the engine.
///
/// # Errors
/// [`Error::Invalid`] by field: an unknown zone, a window that ends before it starts or is over, an
/// empty audience, a message that is not the actor's.
pub async fn create(db: &Db, actor: &Actor, form: &MailingForm, now: DateTime<Utc>) -> Result<i64> {
    let plan = plan(db, actor, form, None, now).await?;
    let mut tx = db.begin().await?;
    let id = db::mailings::insert(&mut tx, actor.id, &plan.new, now).await.map_err(message_gone)?;
    tx.commit().await?;
    Ok(id)
}

/// Changes a mailing. Runs that were opened keep their message and their audience.
///
/// # Errors
/// As [`create`]; [`Error::NotFound`] if the actor has no such mailing.
pub async fn update(db: &Db, actor: &Actor, form: &MailingForm, now: DateTime<Utc>) -> Result<()> {
    let old = mine(db, actor, form.id).await?;
    let plan = plan(db, actor, form, Some(&old), now).await?;
    let mut tx = db.begin().await?;
    let found = db::mailings::update(&mut tx, actor.id, form.id, &plan.new, now).await.map_err(message_gone)?;
    tx.commit().await?;
    if found { Ok(()) } else { Err(Error::NotFound) }
}

/// Makes or changes a mailing, as the form's id says, and returns the id.
///
/// # Errors
/// Those of [`create`] and [`update`].
pub async fn save(db: &Db, actor: &Actor, form: &MailingForm, now: DateTime<Utc>) -> Result<i64> {
    if form.id == 0 {
        return create(db, actor, form, now).await;
    }
    update(db, actor, form, now).await.map(|()| form.id)
}

/// What a form would do, without doing it.
///
/// # Errors
/// As [`create`].
pub async fn review(db: &Db, actor: &Actor, form: &MailingForm, now: DateTime<Utc>) -> Result<Review> {
    let old = if form.id == 0 { None } else { Some(mine(db, actor, form.id).await?) };
    let Plan { new, schedule, subject, count, starts_now } = plan(db, actor, form, old.as_ref(), now).await?;
    let next = new.next_at.map(|at| schedule.upcoming(at, NEXT)).unwrap_or_default();
    Ok(Review {
        title: new.title,
        message_subject: subject,
        audience: new.audience,
        audience_count: count,
        starts_now,
        start_local: new.start_local,
        end_local: wall(schedule.zone, new.end_at),
        zone: new.zone,
        period: new.period,
        policy: new.policy,
        next,
    })
}

async fn plan(db: &Db, actor: &Actor, form: &MailingForm, old: Option<&Mailing>, now: DateTime<Utc>) -> Result<Plan> {
    checked(form)?;
    let mut errors = FieldErrors::default();
    let message = messages::get(db, actor.id, form.message).await?;
    if message.is_none() {
        errors.push("message", "error.message.none");
    }
    let audience = match form.clients.as_str() {
        "search" => Audience::Search { text: form.search.trim().to_owned() },
        "picked" => Audience::Picked { selection: form.selection },
        _ => Audience::All,
    };
    let count = audience_count(db, actor.id, &audience).await?;
    if count == 0 {
        errors.push("clients", "error.audience.empty");
    }
    let window = window(form, old, now).map_err(|(field, key)| errors.push(field, key)).ok();
    let (Some(message), Some(window), true) = (message, window, errors.is_empty()) else {
        return Err(Error::Invalid(errors));
    };
    let title = if form.title.trim().is_empty() {
        message.subject.chars().take(crate::domain::mailing::TITLE_MAX).collect()
    } else {
        form.title.trim().to_owned()
    };
    let Window { schedule, next_at } = window;
    let new = NewMailing {
        message_id: message.id,
        title,
        audience,
        start_local: schedule.start,
        zone: schedule.zone.name().to_owned(),
        start_at: schedule.start_at(),
        end_at: schedule.end,
        period: schedule.period,
        policy: DoubtPolicy::parse(&form.policy).unwrap_or_default(),
        next_at,
    };
    let starts_now = next_at.is_some_and(|at| at <= now);
    Ok(Plan { new, schedule, subject: message.subject, count, starts_now })
}

struct Window {
    schedule: Schedule,
    next_at: Option<DateTime<Utc>>,
}

/// The window of a form and the first run in it, or the wrong field and its sentence.
fn window(
    form: &MailingForm,
    old: Option<&Mailing>,
    now: DateTime<Utc>,
) -> std::result::Result<Window, (&'static str, &'static str)> {
    let zone = parse_zone(form.zone.trim()).ok_or(("zone", "error.zone"))?;
    let period = Period::parse(&form.period).ok_or(("period", "error.period"))?;
    let end = parse_moment(&form.end).ok_or(("end", "error.moment"))?;
    let end = match end {
        Moment::Local(local) => resolve(zone, local).0,
        Moment::Instant(at) => at,
    };
    let start = match parse_moment(&form.start) {
        Some(Moment::Local(local)) => local,
        Some(Moment::Instant(at)) => wall(zone, at),
        None if form.start == NOW => wall(zone, now).with_nanosecond(0).unwrap_or_else(|| wall(zone, now)),
        None => return Err(("start", "error.moment")),
    };
    // A form shows minutes only: what it shows unchanged is unchanged.
    let kept = old.filter(|old| form.start != NOW && minute(old.start_local) == minute(start));
    let start = kept.map_or(start, |old| old.start_local);
    let end = old.filter(|old| minute(old.end_at.naive_utc()) == minute(end.naive_utc())).map_or(end, |old| old.end_at);
    let schedule = Schedule { start, zone, end, period };
    if let Some(old) = kept
        && old.zone == zone.name()
        && old.period == period
        && old.end_at == end
    {
        return Ok(Window { schedule, next_at: old.next_at });
    }
    if end <= schedule.start_at() {
        return Err(("end", "error.window.order"));
    }
    let first = first_run(&schedule, now).filter(|_| end > now).ok_or(("end", "error.window.past"))?;
    let began = old.is_some_and(|old| old.status != MailingStatus::Created);
    let next_at = if began && form.start != NOW && first.run_now {
        // It has run before: a changed window is no reason to send at once.
        Some(first.next.ok_or(("end", "error.window.none"))?)
    } else {
        Some(first.at)
    };
    Ok(Window { schedule, next_at })
}

fn minute(at: NaiveDateTime) -> NaiveDateTime {
    at.with_second(0).and_then(|at| at.with_nanosecond(0)).unwrap_or(at)
}

/// What clocks in a zone show.
fn wall(zone: Tz, at: DateTime<Utc>) -> NaiveDateTime {
    use chrono::{Offset, TimeZone};
    let utc = at.naive_utc();
    utc.checked_add_offset(zone.offset_from_utc_datetime(&utc).fix()).unwrap_or(utc)
}

/// Clients who would get a mailing now.
///
/// # Errors
/// Database errors.
pub async fn audience_count(db: &Db, owner: i64, audience: &Audience) -> Result<i64> {
    Ok(match audience {
        Audience::All => clients::count(db, owner, "").await?,
        Audience::Search { text } => clients::count(db, owner, text).await?,
        Audience::Picked { selection } => selections::count(db, owner, *selection).await?,
    })
}

/// A message deleted between the check and the write.
fn message_gone(error: db::DbError) -> Error {
    if error.is_in_use() { Error::field("message", "error.message.none") } else { Error::Db(error) }
}

async fn mine(db: &Db, actor: &Actor, id: i64) -> Result<Mailing> {
    db::mailings::get(db, actor.id, id).await?.ok_or(Error::NotFound)
}

/// Stops a mailing until it is resumed: nothing more of it leaves.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] if it is finished.
pub async fn pause(db: &Db, actor: &Actor, id: i64, now: DateTime<Utc>) -> Result<()> {
    set_paused(db, actor, id, Some(now)).await
}

/// Lets a paused mailing go on. The caller wakes the engine.
///
/// # Errors
/// As [`pause`].
pub async fn resume(db: &Db, actor: &Actor, id: i64) -> Result<()> {
    set_paused(db, actor, id, None).await
}

async fn set_paused(db: &Db, actor: &Actor, id: i64, at: Option<DateTime<Utc>>) -> Result<()> {
    if mine(db, actor, id).await?.status == MailingStatus::Finished {
        return Err(Error::Conflict("error.mailing_finished"));
    }
    let mut tx = db.begin().await?;
    db::mailings::set_paused(&mut tx, actor.id, id, at).await?;
    tx.commit().await?;
    Ok(())
}

/// Deletes a mailing with all its runs and their record.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn delete(db: &Db, actor: &Actor, id: i64) -> Result<()> {
    let mut tx = db.begin().await?;
    if !db::mailings::delete(&mut tx, actor.id, id).await? {
        return Err(Error::NotFound);
    }
    Ok(tx.commit().await?)
}

/// A mailing as the form that would make it; without its id and its window as a copy, for which a new
/// window has to be chosen.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn draft(db: &Db, actor: &Actor, id: i64, copy: bool) -> Result<MailingForm> {
    const MINUTES: &str = "%Y-%m-%dT%H:%M";
    let old = mine(db, actor, id).await?;
    let (clients, search, selection) = match old.audience {
        Audience::All => ("all", String::new(), 0),
        Audience::Search { text } => ("search", text, 0),
        Audience::Picked { selection } => ("picked", String::new(), selection),
    };
    let end = parse_zone(&old.zone).map_or(old.end_at.naive_utc(), |zone| wall(zone, old.end_at));
    Ok(MailingForm {
        id: if copy { 0 } else { id },
        title: old.title,
        message: old.message_id,
        clients: clients.to_owned(),
        search,
        selection,
        start: if copy { String::new() } else { old.start_local.format(MINUTES).to_string() },
        end: if copy { String::new() } else { end.format(MINUTES).to_string() },
        zone: old.zone,
        period: old.period.as_str().to_owned(),
        policy: old.policy.as_str().to_owned(),
    })
}

/// A page of the actor's mailings, the newest first.
///
/// # Errors
/// Database errors.
pub async fn list(
    db: &Db,
    actor: &Actor,
    search: &str,
    status: Option<MailingStatus>,
    after: Option<i64>,
) -> Result<Page<MailingRow>> {
    let found = db::mailings::list(db, actor.id, search, status, after, paging::FETCH).await?;
    let total = db::mailings::count(db, actor.id, search, status).await?;
    let page = paging::by_id(found, total, |mailing| mailing.id);
    let ids: Vec<i64> = page.rows.iter().map(|mailing| mailing.id).collect();
    let mut last: std::collections::HashMap<i64, Run> = runs::current(db, &ids).await?.into_iter().collect();
    let rows = page
        .rows
        .into_iter()
        .map(|mailing| {
            let run = last.remove(&mailing.id);
            row(mailing, run)
        })
        .collect();
    Ok(Page { rows, next: page.next, total: page.total })
}

/// A stored mailing as a list shows it.
pub(super) fn row(mailing: Mailing, last_run: Option<Run>) -> MailingRow {
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
        last_run,
    }
}

/// A mailing's own page.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn detail(db: &Db, actor: &Actor, id: i64) -> Result<MailingDetail> {
    let mailing = mine(db, actor, id).await?;
    let message = messages::get(db, actor.id, mailing.message_id).await?.ok_or(Error::NotFound)?;
    let runs = runs::of_mailing(db, id, RUNS).await?;
    let next = match (parse_zone(&mailing.zone), mailing.next_at) {
        (Some(zone), Some(at)) => {
            let (start, end, period) = (mailing.start_local, mailing.end_at, mailing.period);
            Schedule { start, zone, end, period }.upcoming(at, NEXT)
        }
        _ => Vec::new(),
    };
    let current = runs.iter().find(|run| run.state == RunState::Open).or_else(|| runs.first()).cloned();
    Ok(MailingDetail {
        audience: mailing.audience.clone(),
        audience_count: audience_count(db, actor.id, &mailing.audience).await?,
        policy: mailing.policy,
        message_id: mailing.message_id,
        message_subject: message.subject,
        row: row(mailing, current),
        next,
        runs,
    })
}

/// What changes on a mailing's page. The rate is for the caller to know, who has seen it before.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn live(db: &Db, actor: &Actor, id: i64, now: DateTime<Utc>) -> Result<MailingLive> {
    let mailing = mine(db, actor, id).await?;
    let run = runs::current(db, &[id]).await?.pop().map(|(_, run)| run);
    Ok(MailingLive {
        status: mailing.status,
        paused: mailing.paused_at.is_some(),
        disabled: mailing.disabled_at.is_some(),
        next_at: mailing.next_at,
        run,
        rate: 0.0,
        now,
    })
}

/// A run of one of the actor's mailings: the given one, or the current one for 0. None if the mailing
/// has had no run yet.
///
/// # Errors
/// [`Error::NotFound`] if the mailing is not the actor's or the run is not the mailing's.
pub async fn run_of(db: &Db, actor: &Actor, id: i64, run: i64) -> Result<Option<i64>> {
    mine(db, actor, id).await?;
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
        return Ok(Page { rows: Vec::new(), next: None, total: 0 });
    };
    let rows = deliveries::list(db, run, state, search, after, paging::FETCH).await?;
    Ok(paging::by_id(rows, deliveries::count(db, run, state, search).await?, |row| row.id))
}

/// A delivery with all its attempts.
///
/// # Errors
/// [`Error::NotFound`] if the delivery is not the mailing's or the mailing not the actor's.
pub async fn delivery(db: &Db, actor: &Actor, id: i64, delivery: i64) -> Result<DeliveryDetail> {
    let mailing = mine(db, actor, id).await?;
    if deliveries::mailing_of(db, delivery).await? != Some(id) {
        return Err(Error::NotFound);
    }
    let row = deliveries::get(db, actor.id, delivery).await?.ok_or(Error::NotFound)?;
    Ok(DeliveryDetail { mailing_title: mailing.title, row, attempts: attempts::of_delivery(db, delivery).await? })
}

/// The names of all zones that a mailing can have.
pub fn zones() -> Vec<String> {
    chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name().to_owned()).collect()
}

#[cfg(test)]
mod tests;
