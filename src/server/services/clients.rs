//! Clients: keep them, find them, pick them, hand them out as a file.

pub mod doubles;
mod export;

pub use export::{Export, csv_head};

use super::once::{Made, Once};
use super::{Actor, Error, Result, checked, still_as_opened};
use crate::api::error::FieldErrors;
use crate::domain::bidi::trimmed;
use crate::domain::client::{Client, ClientSort};
use crate::domain::email::EmailAddress;
use crate::domain::page::{PAGE_SIZE, Page, Whole};
use crate::domain::version::version;
use crate::forms::clients::{Chosen, ClientForm};
use crate::server::db::clients::{self, After, Found, NewClient};
use crate::server::db::{Db, DbError, limits, selections};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};

/// What a list shows: as the page's address says it.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    pub search: String,
    /// Only those who get no letters at this instant.
    pub left_out_at: Option<DateTime<Utc>>,
    pub sort: ClientSort,
    pub descending: bool,
    /// The cursor of [`Page::next`], or empty.
    pub after: String,
}

impl Listing {
    /// Reads `sort=email`, `sort=-name`; the newest come first where nothing known is said.
    pub fn new(search: &str, sort: &str, after: &str) -> Self {
        let (sort, descending) = match (sort.trim_start_matches('-'), sort.starts_with('-')) {
            ("email", down) => (ClientSort::Email, down),
            ("name", down) => (ClientSort::FullName, down),
            ("created", down) => (ClientSort::Created, down),
            _ => (ClientSort::Created, true),
        };
        Self { search: search.to_owned(), left_out_at: None, sort, descending, after: after.to_owned() }
    }

    /// Of these only those who get no letters, where an instant is given.
    #[must_use]
    pub fn left_out_at(self, left_out_at: Option<DateTime<Utc>>) -> Self {
        Self { left_out_at, ..self }
    }
}

/// Where the rows after this client begin.
fn cursor(client: &Client, sort: ClientSort) -> After {
    let key = match sort {
        ClientSort::Created => String::new(),
        ClientSort::Email => {
            EmailAddress::parse(&client.email).map_or_else(|_| client.email.clone(), |email| email.key())
        }
        ClientSort::FullName => client.full_name.to_lowercase(),
    };
    After { key, id: client.id }
}

fn encode(after: &After) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::json!([after.key, after.id]).to_string())
}

/// A cursor that was tampered with is as good as none.
fn decode(text: &str) -> Option<After> {
    let (key, id) = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    Some(After { key, id })
}

/// What a failed write is told as; an address that is there in another spelling is named as that.
async fn taken(db: &Db, actor: &Actor, email: &EmailAddress, error: DbError) -> Error {
    if !error.is_duplicate() {
        return error.into();
    }
    let spellings = match clients::spellings(db, actor.id, email).await {
        Ok(spellings) => spellings,
        Err(error) => return error.into(),
    };
    let mut errors = FieldErrors::default();
    match spellings.first().filter(|_| !spellings.iter().any(|known| known == email.as_str())) {
        Some(other) => errors.push_with("email", "error.client.taken_as", &[("email", other)]),
        None => errors.push("email", "error.client.taken"),
    }
    errors.into()
}

fn new_client(form: &ClientForm) -> Result<NewClient> {
    checked(form)?;
    let email = EmailAddress::parse(&form.email).map_err(|error| Error::field("email", error.key()))?;
    // As a file is read: what is handed out must come back as it was.
    let (full_name, comment) = (trimmed(&form.full_name).to_owned(), trimmed(&form.comment).to_owned());
    Ok(NewClient { email, full_name, comment })
}

/// Adds a client and returns its id.
///
/// # Errors
/// [`Error::Invalid`] for what the form's rules refuse, for an address that the actor has already, and for
/// one more than the actor may have.
pub async fn create(db: &Db, actor: &Actor, form: &ClientForm, now: DateTime<Utc>) -> Result<i64> {
    create_once(db, actor, form, "", now).await
}

async fn create_once(db: &Db, actor: &Actor, form: &ClientForm, once: &str, now: DateTime<Utc>) -> Result<i64> {
    let new = new_client(form)?;
    let once = Once::new(actor, Made::Client, once, form);
    let mut tx = db.begin().await?;
    if let Some(id) = once.before(&mut tx, now).await? {
        return Ok(id);
    }
    if let Some((limit, ..=0)) = limits::clients_room(&mut tx, actor.id).await? {
        let mut errors = FieldErrors::default();
        errors.push_with("email", "error.client.limit", &[("limit", &limit.to_string())]);
        return Err(errors.into());
    }
    let id = match clients::insert(&mut tx, actor.id, &new, now).await {
        Ok(id) => id,
        Err(error) => {
            drop(tx);
            return Err(taken(db, actor, &new.email, error).await);
        }
    };
    once.made(&mut tx, id).await?;
    tx.commit().await?;
    Ok(id)
}

/// Changes a client.
///
/// # Errors
/// As [`create`] and [`still_as_opened`], and [`Error::NotFound`].
pub async fn update(db: &Db, actor: &Actor, form: &ClientForm, now: DateTime<Utc>) -> Result<()> {
    let new = new_client(form)?;
    let mut tx = db.begin().await?;
    let (email, full_name, comment) = clients::lock(&mut tx, actor.id, form.id).await?.ok_or(Error::NotFound)?;
    still_as_opened(&form.version, &version(&[&email, &full_name, &comment]))?;
    match clients::update(&mut tx, actor.id, form.id, &new, now).await {
        Ok(true) => Ok(tx.commit().await?),
        Ok(false) => Err(Error::NotFound),
        Err(error) => {
            drop(tx);
            Err(taken(db, actor, &new.email, error).await)
        }
    }
}

/// Creates, once for each key (`once`), or changes, as the form's id says.
///
/// # Errors
/// As [`create`] and [`update`].
pub async fn save(db: &Db, actor: &Actor, form: &ClientForm, once: &str, now: DateTime<Utc>) -> Result<()> {
    if form.id == 0 {
        return create_once(db, actor, form, once, now).await.map(drop);
    }
    update(db, actor, form, now).await
}

/// One client.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(db: &Db, actor: &Actor, id: i64) -> Result<Client> {
    clients::get(db, actor.id, id).await?.ok_or(Error::NotFound)
}

/// A page of the actor's clients.
///
/// # Errors
/// Database errors.
pub async fn list(db: &Db, actor: &Actor, listing: &Listing) -> Result<Page<Client>> {
    let Listing { search, left_out_at, sort, descending, after } = listing;
    let found = Found { search, left_out_at: *left_out_at };
    let after = decode(after);
    let mut rows = clients::list(db, actor.id, found, *sort, *descending, after.as_ref(), PAGE_SIZE + 1).await?;
    let more = rows.len() > PAGE_SIZE as usize;
    rows.truncate(PAGE_SIZE as usize);
    let next = rows.last().filter(|_| more).map(|last| encode(&cursor(last, *sort)));
    let Whole { total, mark } = clients::whole(db, actor.id, found).await?;
    Ok(Page { rows, next, total, mark })
}

/// How many of the actor's clients the search finds.
///
/// # Errors
/// Database errors.
pub async fn count(db: &Db, actor: &Actor, search: &str) -> Result<i64> {
    Ok(clients::count(db, actor.id, search).await?)
}

/// Deletes the chosen clients and returns how many there were.
///
/// # Errors
/// [`Error::Invalid`] if none is chosen; [`Error::Conflict`] if the search finds other clients by now than the reader was
/// told, so that nobody deletes whom they have not seen.
pub async fn delete(db: &Db, actor: &Actor, chosen: &Chosen, now: DateTime<Utc>) -> Result<u64> {
    some(chosen)?;
    let mut tx = db.begin().await?;
    let deleted = if chosen.all {
        let deleted = clients::delete_found(&mut tx, actor.id, all_of(chosen, now)).await?;
        unchanged(chosen, deleted)?;
        u64::try_from(deleted.total).unwrap_or_default()
    } else {
        clients::delete(&mut tx, actor.id, &chosen.ids).await?
    };
    tx.commit().await?;
    Ok(deleted)
}

/// Keeps the chosen clients as a selection for a mailing and returns its id.
///
/// # Errors
/// As [`delete`].
pub async fn select(db: &Db, actor: &Actor, chosen: &Chosen, now: DateTime<Utc>) -> Result<i64> {
    some(chosen)?;
    let mut tx = db.begin().await?;
    let id = if chosen.all {
        let (id, found) = selections::insert_found(&mut tx, actor.id, all_of(chosen, now), now).await?;
        unchanged(chosen, found)?;
        id
    } else {
        selections::insert(&mut tx, actor.id, &chosen.ids, now).await?
    };
    tx.commit().await?;
    Ok(id)
}

/// Whom a choice of all means.
fn all_of(chosen: &Chosen, now: DateTime<Utc>) -> Found<'_> {
    Found { search: &chosen.q, left_out_at: chosen.left_out.then_some(now) }
}

fn some(chosen: &Chosen) -> Result<()> {
    if chosen.all || !chosen.ids.is_empty() { Ok(()) } else { Err(Error::field("", "error.client.none_chosen")) }
}

/// Refuses a choice of all that the search finds, where it has found others; what was done is not kept then.
fn unchanged(chosen: &Chosen, found: Whole) -> Result<()> {
    if found != (Whole { total: chosen.n, mark: chosen.mark }) {
        Err(Error::Conflict("error.list_changed"))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
