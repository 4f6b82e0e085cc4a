//! Making and changing a mailing.

use super::super::once::{Made, Once};
use super::super::{Actor, Error, Result, checks, messages, still_as_opened};
use super::mine;
use super::plan::{Plan, default_end, plan, wall};
use crate::domain::audience::Audience;
use crate::domain::mailing::{Review, RunState};
use crate::domain::mass_mail::MassMail;
use crate::domain::schedule::{NO_END, Period};
use crate::domain::suppression::NO_TOPIC;
use crate::forms::mailings::{MailingForm, NOW};
use crate::server::db::mailings::Mailing;
use crate::server::db::{self, Db, Tx};
use crate::server::schedule::parse_zone;
use chrono::{DateTime, Utc};

/// Future runs that a review shows.
const NEXT: usize = 5;

/// Makes a mailing where mass mail may leave, and returns its id. The caller wakes the engine.
///
/// # Errors
/// [`Error::Invalid`] by field: an unknown zone, a window that ends before it starts or is over, an
/// empty audience, a message that is not the actor's.
pub async fn create(db: &Db, actor: &Actor, form: &MailingForm, now: DateTime<Utc>) -> Result<i64> {
    create_once(db, actor, form, "", MassMail::May, now).await
}

async fn create_once(
    db: &Db,
    actor: &Actor,
    form: &MailingForm,
    once: &str,
    may: MassMail,
    now: DateTime<Utc>,
) -> Result<i64> {
    let plan = plan(db, actor, form, None, may, now).await?;
    let once = Once::new(actor, Made::Mailing, once, form);
    let mut tx = db.begin().await?;
    if let Some(id) = once.before(&mut tx, now).await? {
        return Ok(id);
    }
    hold_topic(&mut tx, actor, plan.new.topic).await?;
    let id = db::mailings::insert(&mut tx, actor.id, &plan.new, now).await.map_err(message_gone)?;
    once.made(&mut tx, id).await?;
    tx.commit().await?;
    Ok(id)
}

/// Changes a mailing where mass mail may leave. Runs that were opened keep their message and their audience.
///
/// # Errors
/// As [`create`]; [`Error::Invalid`] for a start now while a run still sends; [`Error::NotFound`] if the actor has no such
/// mailing; as [`still_as_opened`].
pub async fn update(db: &Db, actor: &Actor, form: &MailingForm, now: DateTime<Utc>) -> Result<()> {
    update_where(db, actor, form, MassMail::May, now).await
}

async fn update_where(db: &Db, actor: &Actor, form: &MailingForm, may: MassMail, now: DateTime<Utc>) -> Result<()> {
    let old = mine(db, actor, form.id).await?;
    let plan = plan(db, actor, form, Some(&old), may, now).await?;
    not_while_sending(db, form).await?;
    let mut tx = db.begin().await?;
    let stored = db::mailings::lock(&mut tx, form.id).await?.ok_or(Error::NotFound)?;
    still_as_opened(&form.version, &as_form(stored).content())?;
    hold_topic(&mut tx, actor, plan.new.topic).await?;
    let found = db::mailings::update(&mut tx, actor.id, form.id, &plan.new, now).await.map_err(message_gone)?;
    tx.commit().await?;
    if found { Ok(()) } else { Err(Error::NotFound) }
}

/// Makes a mailing, one for each key (`once`), or changes one, as the form's id says, and returns the id.
///
/// # Errors
/// Those of [`create`] and [`update`]; [`Error::Invalid`] at the field of the clients for mass mail that may not leave.
pub async fn save(
    db: &Db,
    actor: &Actor,
    form: &MailingForm,
    once: &str,
    may: MassMail,
    now: DateTime<Utc>,
) -> Result<i64> {
    if form.id == 0 {
        return create_once(db, actor, form, once, may, now).await;
    }
    update_where(db, actor, form, may, now).await.map(|()| form.id)
}

/// What a form would do, without doing it.
///
/// # Errors
/// As [`save`].
pub async fn review(db: &Db, actor: &Actor, form: &MailingForm, may: MassMail, now: DateTime<Utc>) -> Result<Review> {
    let old = if form.id == 0 { None } else { Some(mine(db, actor, form.id).await?) };
    let Plan { new, schedule, subject, topic, size, starts_now } =
        plan(db, actor, form, old.as_ref(), may, now).await?;
    not_while_sending(db, form).await?;
    let next = new.next_at.map(|at| schedule.upcoming(at, NEXT)).unwrap_or_default();
    let message = messages::get(db, actor, new.message_id).await?;
    let findings = checks::of_message(db, actor, &message, &new.audience).await?;
    Ok(Review {
        title: new.title,
        message_subject: subject,
        audience: new.audience,
        topic,
        audience_size: size,
        starts_now,
        start_local: new.start_local,
        end_local: (new.end_at != NO_END).then(|| wall(schedule.zone, new.end_at)),
        zone: new.zone,
        period: new.period,
        policy: new.policy,
        next,
        findings,
    })
}

/// Refuses to start a mailing now whose run still sends: the new run would be passed over.
async fn not_while_sending(db: &Db, form: &MailingForm) -> Result<()> {
    if form.id == 0 || form.start != NOW {
        return Ok(());
    }
    let sends = db::runs::current(db, &[form.id]).await?.iter().any(|(_, run)| run.state == RunState::Open);
    if sends { Err(Error::field("start", "error.window.sending")) } else { Ok(()) }
}

/// Keeps the topic of a mailing that is about to be stored; refuses one deleted between the check and the write.
async fn hold_topic(tx: &mut Tx, actor: &Actor, topic: i64) -> Result<()> {
    if topic != NO_TOPIC && db::topics::hold(tx, actor.id, topic).await?.is_none() {
        return Err(Error::field("topic", "error.topic.gone"));
    }
    Ok(())
}

/// A message deleted between the check and the write.
fn message_gone(error: db::DbError) -> Error {
    if error.is_in_use() { Error::field("message", "error.message.none") } else { Error::Db(error) }
}

/// A mailing as the form that would make it; without its id and its window as a copy, for which a new
/// window has to be chosen.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn draft(db: &Db, actor: &Actor, id: i64, copy: bool) -> Result<MailingForm> {
    let stored = as_form(mine(db, actor, id).await?);
    if copy {
        return Ok(MailingForm { id: 0, start: String::new(), end: String::new(), ..stored });
    }
    Ok(MailingForm { version: stored.content(), ..stored })
}

/// A stored mailing as the form that would make it.
fn as_form(stored: Mailing) -> MailingForm {
    const MINUTES: &str = "%Y-%m-%dT%H:%M";
    let (clients, search, selection) = match stored.audience {
        Audience::All => ("all", String::new(), 0),
        Audience::Search { text } => ("search", text, 0),
        Audience::Picked { selection } => ("picked", String::new(), selection),
    };
    let zone = parse_zone(&stored.zone);
    // An end that nobody chose moves with the start.
    let by_itself = stored.period == Period::Once
        && zone.and_then(|zone| default_end(zone, stored.start_local)) == Some(stored.end_at);
    let end = (stored.end_at != NO_END && !by_itself)
        .then(|| zone.map_or(stored.end_at.naive_utc(), |zone| wall(zone, stored.end_at)));
    MailingForm {
        id: stored.id,
        title: stored.title,
        message: stored.message_id,
        clients: clients.to_owned(),
        search,
        selection,
        topic: stored.topic,
        start: stored.start_local.format(MINUTES).to_string(),
        end: end.map_or_else(String::new, |end| end.format(MINUTES).to_string()),
        zone: stored.zone,
        period: stored.period.as_str().to_owned(),
        policy: stored.policy.as_str().to_owned(),
        version: String::new(),
    }
}
