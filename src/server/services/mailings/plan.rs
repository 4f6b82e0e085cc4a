//! From what somebody filled in to what is stored: every rule of a mailing.

use super::super::{Actor, Error, Result};
use super::{audience_size, mass};
use crate::api::error::FieldErrors;
use crate::domain::audience::{Audience, AudienceSize};
use crate::domain::mailing::{DoubtPolicy, MailingStatus};
use crate::domain::mass_mail::MassMail;
use crate::domain::schedule::{NO_END, Period, SINGLE_DAYS};
use crate::domain::suppression::NO_TOPIC;
use crate::forms::Check;
use crate::forms::mailings::{MailingForm, Moment, NOW, parse_moment};
use crate::server::db::mailings::{Mailing, NewMailing};
use crate::server::db::{Db, messages, topics};
use crate::server::schedule::{Schedule, first_run, parse_zone, resolve};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;

/// A form whose every rule holds.
pub(super) struct Plan {
    pub new: NewMailing,
    pub schedule: Schedule,
    pub subject: String,
    /// The name of what it is about.
    pub topic: Option<String>,
    pub size: AudienceSize,
    pub starts_now: bool,
}

/// The clients that a form names, as far as it does.
pub(super) fn audience(form: &MailingForm) -> Option<Audience> {
    match form.clients.as_str() {
        "all" => Some(Audience::All),
        "search" => Some(Audience::Search { text: form.search.trim().to_owned() }),
        "picked" => Some(Audience::Picked { selection: form.selection }),
        _ => None,
    }
}

/// Checks a form against every rule; `old` is the stored mailing that it changes, `may` whether mass mail may leave.
///
/// # Errors
/// [`Error::Invalid`] by field.
pub(super) async fn plan(
    db: &Db,
    actor: &Actor,
    form: &MailingForm,
    old: Option<&Mailing>,
    may: MassMail,
    now: DateTime<Utc>,
) -> Result<Plan> {
    let mut errors = form.check();
    let fine = |errors: &FieldErrors, fields: &[&str]| fields.iter().all(|field| errors.get(field).is_none());
    let message = messages::get(db, actor.id, form.message).await?;
    if message.is_none() && fine(&errors, &["message"]) {
        errors.push("message", "error.message.none");
    }
    let topic = match form.topic {
        NO_TOPIC => None,
        id => topics::get(db, actor.id, id).await?,
    };
    if form.topic != NO_TOPIC && topic.is_none() {
        errors.push("topic", "error.topic.gone");
    }
    let audience = audience(form);
    // An audience that cannot be is not counted: a search for nothing would find everybody.
    let audience = audience.filter(|_| fine(&errors, &["clients", "search"]));
    let size = match &audience {
        Some(audience) => audience_size(db, (actor.id, form.topic), audience, now).await?,
        None => AudienceSize::default(),
    };
    if audience.is_some() && size.clients == 0 {
        errors.push("clients", "error.audience.empty");
    }
    mass::judge(&mut errors, may, size.letters());
    // A window can be judged only where each of its parts can be read.
    let mut judged = None;
    if fine(&errors, &["start", "end", "zone", "period"]) {
        match window(form, old, now) {
            Ok(window) => judged = Some(window),
            Err((field, key)) => errors.push(field, key),
        }
    }
    let (Some(message), Some(audience), Some(window), true) = (message, audience, judged, errors.is_empty()) else {
        return Err(Error::Invalid(errors));
    };
    let subject = super::super::messages::shown(&message.subject, actor.lang);
    let title = if form.title.trim().is_empty() {
        subject.chars().take(crate::domain::mailing::TITLE_MAX).collect()
    } else {
        form.title.trim().to_owned()
    };
    let Window { schedule, next_at } = window;
    let new = NewMailing {
        message_id: message.id,
        topic: form.topic,
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
    Ok(Plan { new, schedule, subject, topic: topic.map(|topic| topic.name), size, starts_now })
}

/// A start that is past by less was to come when its form was filled in.
const LATELY: TimeDelta = TimeDelta::hours(1);

/// When a mailing runs.
pub(super) struct Window {
    pub schedule: Schedule,
    pub next_at: Option<DateTime<Utc>>,
}

/// The window of a form and the first run in it, or the wrong field and its sentence.
pub(super) fn window(
    form: &MailingForm,
    old: Option<&Mailing>,
    now: DateTime<Utc>,
) -> std::result::Result<Window, (&'static str, &'static str)> {
    let zone = parse_zone(form.zone.trim()).ok_or(("zone", "error.zone"))?;
    let period = Period::parse(&form.period).ok_or(("period", "error.period"))?;
    let start = match parse_moment(&form.start) {
        Some(Moment::Local(local)) => local,
        Some(Moment::Instant(at)) => wall(zone, at),
        None if form.start == NOW => wall(zone, now).with_nanosecond(0).unwrap_or_else(|| wall(zone, now)),
        None => return Err(("start", "error.moment")),
    };
    // A form shows minutes only: what it shows unchanged is unchanged.
    let kept = old.filter(|old| form.start != NOW && minute(old.start_local) == minute(start));
    let start = kept.map_or(start, |old| old.start_local);
    let end = match (parse_moment(&form.end), period) {
        (Some(Moment::Local(local)), _) => resolve(zone, local).0,
        (Some(Moment::Instant(at)), _) => at,
        (None, _) if !form.end.trim().is_empty() => return Err(("end", "error.moment")),
        (None, Period::Once) if old.is_none() && form.start != NOW && resolve(zone, start).0 < now - LATELY => {
            return Err(("start", "error.window.start"));
        }
        (None, Period::Once) => default_end(zone, start).ok_or(("start", "error.moment"))?,
        (None, _) => NO_END,
    };
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

/// The end of a mailing that runs once where nobody says one; none beyond what can be counted.
pub(super) fn default_end(zone: Tz, start: NaiveDateTime) -> Option<DateTime<Utc>> {
    resolve(zone, start).0.checked_add_signed(TimeDelta::days(SINGLE_DAYS))
}

fn minute(at: NaiveDateTime) -> NaiveDateTime {
    at.with_second(0).and_then(|at| at.with_nanosecond(0)).unwrap_or(at)
}

/// What clocks in a zone show.
pub(super) fn wall(zone: Tz, at: DateTime<Utc>) -> NaiveDateTime {
    use chrono::{Offset, TimeZone};
    let utc = at.naive_utc();
    utc.checked_add_offset(zone.offset_from_utc_datetime(&utc).fix()).unwrap_or(utc)
}
