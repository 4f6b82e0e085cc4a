//! Writing, keeping and trying out messages.

use super::once::{Made, Once};
use super::{Actor, Error, Result, checked, chosen, paging, rendering, still_as_opened};
use crate::api::error::FieldErrors;
use crate::domain::client::{Client, ClientSort};
use crate::domain::lang::Lang;
use crate::domain::message::{Message, MessageRow, MessageSort, Preview, TemplateProblem};
use crate::domain::page::Page;
use crate::domain::version::version;
use crate::forms::Check;
use crate::forms::chosen::Chosen;
use crate::forms::messages::MessageForm;
use crate::locales;
use crate::server::db::{self, Db, messages};
use crate::server::mail::leave_link::Link;
use crate::server::mail::template::{self, Recipient, Template, TemplateError};
use chrono::{DateTime, Utc};

/// Clients that the preview offers at once.
const CHOICE: i64 = 20;

/// Stores a new message and returns its id.
///
/// # Errors
/// [`Error::Invalid`] for what the form's rules refuse, and for a template that could not be filled in.
pub async fn create(db: &Db, actor: &Actor, form: &MessageForm, now: DateTime<Utc>) -> Result<i64> {
    usable(form).await?;
    insert(db, actor, &Once::new(actor, Made::Message, "", form), (form.subject.trim(), &form.body), now).await
}

/// Stores a subject and a body, unless that was done for the same form before.
async fn insert(db: &Db, actor: &Actor, once: &Once, (subject, body): (&str, &str), now: DateTime<Utc>) -> Result<i64> {
    let mut tx = db.begin().await?;
    if let Some(id) = once.before(&mut tx, now).await? {
        return Ok(id);
    }
    let id = messages::insert(&mut tx, actor.id, subject, body, now).await?;
    once.made(&mut tx, id).await?;
    tx.commit().await?;
    Ok(id)
}

/// Changes a message. Runs that have begun keep their own copy.
///
/// # Errors
/// As [`create`]; [`Error::NotFound`] if the actor has no such message; as [`still_as_opened`].
pub async fn update(db: &Db, actor: &Actor, form: &MessageForm, now: DateTime<Utc>) -> Result<()> {
    usable(form).await?;
    let mut tx = db.begin().await?;
    let (subject, body) = messages::lock(&mut tx, actor.id, form.id).await?.ok_or(Error::NotFound)?;
    still_as_opened(&form.version, &version(&[&subject, &body]))?;
    if !messages::update(&mut tx, actor.id, form.id, form.subject.trim(), &form.body, now).await? {
        return Err(Error::NotFound);
    }
    Ok(tx.commit().await?)
}

/// Stores the form: as a new message while its id is 0, once for each key (`once`). Returns the id.
///
/// # Errors
/// As [`update`].
pub async fn save(db: &Db, actor: &Actor, form: &MessageForm, once: &str, now: DateTime<Utc>) -> Result<i64> {
    if form.id == 0 {
        usable(form).await?;
        let once = Once::new(actor, Made::Message, once, form);
        return insert(db, actor, &once, (form.subject.trim(), &form.body), now).await;
    }
    update(db, actor, form, now).await?;
    Ok(form.id)
}

/// Deletes a message.
///
/// # Errors
/// [`Error::Conflict`] if a mailing uses it; [`Error::NotFound`] if the actor has no such message.
pub async fn delete(db: &Db, actor: &Actor, id: i64) -> Result<()> {
    let mut tx = db.begin().await?;
    match messages::delete(&mut tx, actor.id, id).await {
        Err(error) if error.is_in_use() => Err(Error::Conflict("error.message.in_use")),
        Err(error) => Err(error.into()),
        Ok(false) => Err(Error::NotFound),
        Ok(true) => Ok(tx.commit().await?),
    }
}

/// Stores a copy of a message, one for each key (`once`), and returns its id.
///
/// # Errors
/// [`Error::NotFound`] if the actor has no such message.
pub async fn duplicate(db: &Db, actor: &Actor, id: i64, once: &str, now: DateTime<Utc>) -> Result<i64> {
    let message = get(db, actor, id).await?;
    let once = Once::new(actor, Made::Message, once, &("copy", id));
    insert(db, actor, &once, (&message.subject, &message.body), now).await
}

/// One message.
///
/// # Errors
/// [`Error::NotFound`] if the actor has no such message.
pub async fn get(db: &Db, actor: &Actor, id: i64) -> Result<Message> {
    messages::get(db, actor.id, id).await?.ok_or(Error::NotFound)
}

/// Deletes the chosen messages that no mailing uses; returns how many went and how many stayed.
///
/// # Errors
/// As [`chosen::ids`].
pub async fn delete_chosen(db: &Db, actor: &Actor, form: &Chosen) -> Result<(u64, u64)> {
    let ids = chosen::ids(form, || async { Ok(messages::ids(db, actor.id, &form.q).await?) }).await?;
    let mut deleted = 0;
    let mut tx = db.begin().await?;
    for some in ids.chunks(chosen::AT_ONCE) {
        deleted += messages::delete_unused(&mut tx, actor.id, some).await?;
    }
    tx.commit().await?;
    Ok((deleted, (ids.len() as u64).saturating_sub(deleted)))
}

/// A page of the actor's messages whose subject holds the text; `sort` is `subject` or `updated`, with
/// `-` before it downwards.
///
/// # Errors
/// Database errors.
pub async fn list(db: &Db, actor: &Actor, search: &str, sort: &str, after: &str) -> Result<Page<MessageRow>> {
    let columns = [("subject", MessageSort::Subject), ("updated", MessageSort::Updated)];
    let (sort, descending) = paging::order(sort, &columns);
    let after = paging::decode(after);
    let rows = messages::list(db, actor.id, search, sort, descending, after.as_ref(), paging::FETCH).await?;
    let total = messages::count(db, actor.id, search).await?;
    Ok(paging::by_key(rows, total, |message| messages::key(message, sort)))
}

/// The first clients that the search finds, to fill a message in with.
///
/// # Errors
/// Database errors.
pub async fn clients(db: &Db, actor: &Actor, search: &str) -> Result<Vec<Client>> {
    Ok(db::clients::list(db, actor.id, search, ClientSort::FullName, false, None, CHOICE).await?)
}

/// Fills in what is being written, for a client of the actor's or for an example.
///
/// # Errors
/// [`Error::Invalid`] with the template's problems; [`Error::NotFound`] if the actor has no such client.
pub async fn preview(db: &Db, actor: &Actor, subject: &str, body: &str, client: Option<i64>) -> Result<Preview> {
    let form = MessageForm { subject: subject.to_owned(), body: body.to_owned(), ..MessageForm::default() };
    // What is still empty is no error while somebody writes.
    let errors: Vec<_> = form.check().0.into_iter().filter(|error| error.key != "error.required").collect();
    if !errors.is_empty() {
        return Err(FieldErrors(errors).into());
    }
    let client = match client {
        Some(id) => db::clients::get(db, actor.id, id).await?.ok_or(Error::NotFound)?,
        None => example(actor.lang),
    };
    let lang = actor.lang;
    let rendered = rendering::apart(move || {
        fillable(&form.subject, &form.body)?;
        // As in a letter, where its own token stands behind it.
        let link = Link { page: "https://example.org/u/".to_owned(), words: locales::text(lang, "leaving.link") };
        Template::new(&form.subject, &form.body, lang.as_str())
            .and_then(|template| template.with_link(link).render(&recipient(&client)))
            .map_err(refused)
    })
    .await??;
    Ok(Preview { subject: rendered.subject, html: rendered.html, text: rendered.text })
}

/// A client for a preview before there are any. A name for showing, not a text to translate.
fn example(lang: Lang) -> Client {
    let (email, full_name) = match lang {
        Lang::En => ("anna.kim@example.org", "Anna Kim"),
        Lang::Ru => ("anna.kim@example.org", "Анна Ким"),
    };
    Client {
        id: 0,
        email: email.to_owned(),
        full_name: full_name.to_owned(),
        comment: String::new(),
        created_at: DateTime::UNIX_EPOCH,
        updated_at: DateTime::UNIX_EPOCH,
    }
}

fn recipient(client: &Client) -> Recipient<'_> {
    Recipient { email: &client.email, full_name: &client.full_name, comment: &client.comment }
}

/// Refuses a form that could not be sent.
pub(super) async fn usable(form: &MessageForm) -> Result<()> {
    checked(form)?;
    let MessageForm { subject, body, .. } = form.clone();
    rendering::apart(move || fillable(&subject, &body)).await?
}

fn fillable(subject: &str, body: &str) -> Result<()> {
    let Err(problems) = template::check(subject, body) else {
        return Ok(());
    };
    let mut errors = FieldErrors::default();
    for (field, problem) in &problems {
        push(&mut errors, &field.to_string(), problem);
    }
    Err(errors.into())
}

/// A template that fails only for this client's data.
pub(super) fn refused(error: TemplateError) -> Error {
    let mut errors = FieldErrors::default();
    push(&mut errors, &error.field.to_string(), &error.problem);
    errors.into()
}

fn push(errors: &mut FieldErrors, field: &str, problem: &TemplateProblem) {
    let line = problem.line.to_string();
    errors.push_with(field, &problem.key, &[("name", &problem.detail), ("line", &line)]);
}

#[cfg(test)]
#[path = "messages_tests.rs"]
mod tests;
