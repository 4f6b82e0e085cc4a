//! Writing, keeping and trying out messages.

use super::once::{Made, Once};
use super::{Actor, Error, Result, checked, chosen, paging, rendering, still_as_opened};
use crate::api::error::FieldErrors;
use crate::domain::client::{Client, ClientSort};
use crate::domain::design::{Choice, Look};
use crate::domain::lang::Lang;
use crate::domain::message::{Message, MessageRow, MessageSort, Preview, TemplateProblem};
use crate::domain::page::Page;
use crate::domain::version::version;
use crate::forms::Check;
use crate::forms::chosen::Chosen;
use crate::forms::messages::MessageForm;
use crate::locales;
use crate::server::db::messages::{self, Content};
use crate::server::db::{self, Db, Tx};
use crate::server::mail::leave_link::Link;
use crate::server::mail::template::{self, Recipient, Rendered, Template, TemplateError};
use chrono::{DateTime, Utc};

/// Where the link to leave leads in a preview; in a letter its own token stands behind it.
pub(super) const LEAVING_PAGE: &str = "https://example.org/u/";
/// Where stored pictures are found in a letter that nobody looks at.
pub(super) const SAMPLE_SITE: &str = "https://example.org";

/// Clients that the preview offers at once.
const CHOICE: i64 = 20;

/// Stores a new message and returns its id.
///
/// # Errors
/// [`Error::Invalid`] for what the form's rules refuse, and for a template that could not be filled in.
pub async fn create(db: &Db, actor: &Actor, form: &MessageForm, now: DateTime<Utc>) -> Result<i64> {
    usable(form).await?;
    insert(db, actor, &Once::new(actor, Made::Message, "", form), &content(form), now).await
}

/// What is stored of a form.
fn content(form: &MessageForm) -> Content {
    Content {
        subject: form.subject.trim().to_owned(),
        preheader: form.preheader.trim().to_owned(),
        body: form.body.clone(),
        design: Choice::parse(&form.design).unwrap_or_default(),
    }
}

/// Refuses a design that the actor does not have.
async fn has_design(tx: &mut Tx, actor: &Actor, content: &Content) -> Result<()> {
    match content.design {
        Choice::Own(id) if !db::designs::exists(tx, actor.id, id).await? => {
            Err(Error::field("design", "error.design.gone"))
        }
        _ => Ok(()),
    }
}

/// Stores what is written, unless that was done for the same form before.
async fn insert(db: &Db, actor: &Actor, once: &Once, content: &Content, now: DateTime<Utc>) -> Result<i64> {
    let mut tx = db.begin().await?;
    if let Some(id) = once.before(&mut tx, now).await? {
        return Ok(id);
    }
    has_design(&mut tx, actor, content).await?;
    let id = messages::insert(&mut tx, actor.id, content, now).await?;
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
    let stored = messages::lock(&mut tx, actor.id, form.id).await?.ok_or(Error::NotFound)?;
    let now_stored = version(&[&stored.subject, &stored.preheader, &stored.body, &stored.design.to_string()]);
    still_as_opened(&form.version, &now_stored)?;
    let content = content(form);
    has_design(&mut tx, actor, &content).await?;
    if !messages::update(&mut tx, actor.id, form.id, &content, now).await? {
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
        return insert(db, actor, &once, &content(form), now).await;
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
    let Message { subject, preheader, body, design, .. } = message;
    insert(db, actor, &once, &Content { subject, preheader, body, design }, now).await
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
    let whole = messages::whole(db, actor.id, search).await?;
    let mut page = paging::by_key(rows, whole.total, |message| messages::key(message, sort)).of(whole);
    if page.rows.iter().any(|row| row.subject.contains('{')) {
        let (subjects, lang) = (page.rows.iter().map(|row| row.subject.clone()).collect::<Vec<_>>(), actor.lang);
        let filled = rendering::apart(move || subjects.iter().map(|subject| shown(subject, lang)).collect::<Vec<_>>());
        // As they were written while others keep all places busy: a list is there whatever else goes on.
        for (row, subject) in page.rows.iter_mut().zip(filled.await.unwrap_or_default()) {
            row.subject = subject;
        }
    }
    Ok(page)
}

/// A subject for a reader: filled in for an example client, for whoever reads a list reads no template.
pub(super) fn shown(subject: &str, lang: Lang) -> String {
    if subject.contains('{') {
        return template::filled_subject(subject, &recipient(&example(lang)));
    }
    subject.to_owned()
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
/// `site` is where stored pictures are found, without a trailing slash.
pub async fn preview(db: &Db, actor: &Actor, form: MessageForm, client: Option<i64>, site: &str) -> Result<Preview> {
    // What is still empty is no error while somebody writes.
    let errors: Vec<_> = form.check().0.into_iter().filter(|error| error.key != "error.required").collect();
    if !errors.is_empty() {
        return Err(FieldErrors(errors).into());
    }
    let client = match client {
        Some(id) => db::clients::get(db, actor.id, id).await?.ok_or(Error::NotFound)?,
        None => example(actor.lang),
    };
    let look = look(db, actor, &form.design).await?;
    let (lang, site) = (actor.lang, site.to_owned());
    let rendered = rendering::apart(move || {
        fillable(&form)?;
        let link = Link { page: LEAVING_PAGE.to_owned(), words: locales::text(lang, "leaving.link") };
        Template::new(&form.subject, &form.body, lang.as_str())
            .and_then(|template| template.with_preheader(&form.preheader))
            .and_then(|template| template.with_look(look.as_ref(), &site).with_link(link).render(&recipient(&client)))
            .map_err(refused)
    })
    .await??;
    let Rendered { subject, preheader, html, text } = rendered;
    Ok(Preview { subject, preheader, html, text })
}

/// A stored message as an example client would get it.
///
/// # Errors
/// [`Error::NotFound`] if the actor has no such message; as [`preview`].
pub async fn page(db: &Db, actor: &Actor, id: i64, site: &str) -> Result<String> {
    let form = form_of(&get(db, actor, id).await?);
    Ok(preview(db, actor, form, None, site).await?.html)
}

/// A stored message as the form that it was written in.
pub(super) fn form_of(message: &Message) -> MessageForm {
    let Message { id, subject, preheader, body, design, .. } = message.clone();
    MessageForm { id, subject, preheader, body, design: design.to_string(), version: String::new() }
}

/// How a message with this design looks; `design` is a [`Choice`].
///
/// # Errors
/// [`Error::Invalid`] if the actor has no such design.
pub(super) async fn look(db: &Db, actor: &Actor, design: &str) -> Result<Option<Look>> {
    let gone = || Error::field("design", "error.design.gone");
    match Choice::parse(design).ok_or_else(gone)? {
        Choice::BuiltIn(design) => Ok(design.look(&actor.name)),
        Choice::Own(id) => Ok(Some(db::designs::get(db, actor.id, id).await?.ok_or_else(gone)?.look)),
    }
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
    let form = form.clone();
    rendering::apart(move || fillable(&form)).await?
}

fn fillable(form: &MessageForm) -> Result<()> {
    let Err(problems) = template::check_with(&form.subject, &form.preheader, &form.body) else {
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
