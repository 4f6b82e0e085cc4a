//! Writing posts. Whoever stores one names the version that they have seen: of two editors the second
//! is told, and what they typed is kept as their draft.

pub mod changes;
pub mod diff;
pub mod drafts;
pub mod history;
pub mod kept;
pub mod letter;
pub mod public;
pub mod render;
#[cfg(test)]
mod tests;
pub mod views;

use self::changes::Changes;
use super::once::{Made, Once};
use super::{Actor, Error, Result, checked, paging, rendering};
use crate::api::error::FieldErrors;
use crate::domain::page::Page;
use crate::domain::post::{CHART_DAYS, Content, Fields, PostRow, PostState, Rendered};
use crate::domain::slug::slugify;
use crate::forms::posts::PostForm;
use crate::server::db::posts::versions::{self, By};
use crate::server::db::posts::{self, Post, Write};
use crate::server::db::{Db, Tx, images, word};
use crate::server::schedule::{parse_zone, resolve};
use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone, Utc};
use std::collections::HashMap;

/// The slug of a title without a letter or digit that we can write.
const NAMELESS: &str = "post";
/// How a wall time stands in the form.
const WALL: &str = "%Y-%m-%dT%H:%M";

/// What became of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    Stored(i64),
    /// Somebody else stored a newer version meanwhile; the form is kept as the actor's draft.
    Clash(i64),
}

/// Makes a change visible. Every write to what visitors see ends here: whatever is kept of the blog, in this
/// process or another, does not hold any more.
async fn changed(mut tx: Tx, changes: &Changes) -> Result<()> {
    let version = posts::changes::count(&mut tx).await?;
    tx.commit().await?;
    changes.saw(version);
    Ok(())
}

/// Stores the form: as a new post while its id is 0, one for each key (`once`).
///
/// # Errors
/// [`Error::Invalid`] by field; [`Error::NotFound`] if there is no such post.
pub async fn save(
    db: &Db,
    changes: &Changes,
    actor: &Actor,
    form: &PostForm,
    once: &str,
    now: DateTime<Utc>,
) -> Result<Saved> {
    checked(form)?;
    let stored = match form.id {
        0 => None,
        id => Some(posts::get(db, id).await?.ok_or(Error::NotFound)?),
    };
    let Fields { version, mut content, publish, publish_at } = form.clone().fields();
    if content.author.is_empty() {
        content.author = actor.name.clone();
    }
    let published_at = publication(actor, stored.as_ref(), &publish, &publish_at, now)?;
    let (html, images) = prepared(db, &content).await?;
    let once = Once::new(actor, Made::Post, if form.id == 0 { once } else { "" }, form);
    let mut tx = db.begin().await?;
    if let Some(id) = once.before(&mut tx, now).await? {
        return Ok(Saved::Stored(id));
    }
    content.slug = slug(&mut tx, form.id, &content).await?;
    let write = Write { content: &content, html: &html, published_at, now };
    let id = match stored {
        None => posts::insert(&mut tx, actor.id, &write).await.map_err(taken)?,
        Some(post) => {
            if !posts::update(&mut tx, post.id, version, &write).await.map_err(taken)? {
                drop(tx);
                drafts::keep(db, actor, form, now).await?;
                return Ok(Saved::Clash(post.id));
            }
            post.id
        }
    };
    let images = existing_images(&mut tx, images).await?;
    posts::relate(&mut tx, id, &content, &images).await?;
    let by = By { user: actor.id, name: &actor.name, now };
    versions::insert(&mut tx, id, version + 1, &by, &content).await?;
    posts::drafts::delete(&mut tx, actor.id, form.id).await?;
    once.made(&mut tx, id).await?;
    changed(tx, changes).await?;
    Ok(Saved::Stored(id))
}

/// Version and slug of a post as stored.
///
/// # Errors
/// [`Error::NotFound`] if there is no such post.
pub async fn stored(db: &Db, id: i64) -> Result<(i64, String)> {
    let post = posts::get(db, id).await?.ok_or(Error::NotFound)?;
    Ok((post.version, post.content.slug))
}

fn taken(error: crate::server::db::DbError) -> Error {
    if error.is_duplicate() { Error::field("slug", "error.post.slug_taken") } else { error.into() }
}

/// The slug as typed, or one made of the title that no post has.
async fn slug(tx: &mut Tx, id: i64, content: &Content) -> Result<String> {
    let free = |owner: Option<i64>| owner.is_none_or(|owner| owner == id && id != 0);
    if !content.slug.is_empty() {
        return if free(posts::slug_owner(tx, &content.slug).await?) {
            Ok(content.slug.clone())
        } else {
            Err(Error::field("slug", "error.post.slug_taken"))
        };
    }
    let base = match slugify(&content.title) {
        slug if slug.is_empty() => NAMELESS.to_owned(),
        // Room for a number behind it.
        slug => {
            slug.chars().take(crate::domain::slug::SLUG_MAX - 6).collect::<String>().trim_end_matches('-').to_owned()
        }
    };
    let mut slug = base.clone();
    for n in 2..100_000 {
        if free(posts::slug_owner(tx, &slug).await?) {
            return Ok(slug);
        }
        slug = format!("{base}-{n}");
    }
    Err(Error::field("slug", "error.post.slug_taken"))
}

/// When the form wants the post to be public.
fn publication(
    actor: &Actor,
    stored: Option<&Post>,
    publish: &str,
    publish_at: &str,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>> {
    let before = stored.and_then(|post| post.published_at);
    match publish {
        // What is public already keeps its date.
        "now" => Ok(Some(before.filter(|at| *at <= now).unwrap_or(now))),
        "at" => {
            if let Some(before) = before
                && wall(actor, before) == publish_at
            {
                return Ok(Some(before));
            }
            let zone = parse_zone(&actor.zone).unwrap_or(chrono_tz::UTC);
            let local = NaiveDateTime::parse_from_str(publish_at, WALL)
                .or_else(|_| NaiveDateTime::parse_from_str(publish_at, "%Y-%m-%dT%H:%M:%S"))
                .map_err(|_| Error::field("publish_at", "error.post.time"))?;
            let at = resolve(zone, local).0;
            // What the databases can order as texts.
            if !(1970..=9999).contains(&chrono::Datelike::year(&at)) {
                return Err(Error::field("publish_at", "error.post.time"));
            }
            Ok(Some(at))
        }
        _ => Ok(None),
    }
}

/// How a post's publication stands in the form: the choice, and the wall time.
fn publication_of(actor: &Actor, post: &Post) -> (String, String) {
    match post.published_at {
        None => ("draft".to_owned(), String::new()),
        Some(at) => ("at".to_owned(), wall(actor, at)),
    }
}

/// What the actor's clocks show at an instant.
fn wall(actor: &Actor, at: DateTime<Utc>) -> String {
    let zone = parse_zone(&actor.zone).unwrap_or(chrono_tz::UTC);
    zone.from_utc_datetime(&at.naive_utc()).format(WALL).to_string()
}

/// The body as HTML and the ids of its pictures, when cover and body can be shown.
async fn prepared(db: &Db, content: &Content) -> Result<(String, Vec<String>)> {
    if let Some(cover) = &content.cover
        && images::size(db, cover).await?.is_none()
    {
        return Err(Error::field("cover", "error.image.unknown"));
    }
    let (rendered, images) = rendered(db, &content.body).await?;
    Ok((rendered.html, images))
}

/// A body as visitors would see it.
///
/// # Errors
/// [`Error::Invalid`] for a body that is too long, or would become too much.
pub async fn preview(db: &Db, body: &str) -> Result<Rendered> {
    Ok(rendered(db, body).await?.0)
}

/// A body rendered, and the ids of its pictures.
async fn rendered(db: &Db, body: &str) -> Result<(Rendered, Vec<String>)> {
    if body.chars().count() > crate::domain::post::BODY_MAX {
        return Err(Error::field("body", "error.too_long"));
    }
    let text = body.to_owned();
    let (text, ids) = rendering::apart(move || {
        let ids = render::images(&text);
        (text, ids)
    })
    .await?;
    let mut sizes = HashMap::new();
    for id in &ids {
        if let Some(size) = images::size(db, id).await? {
            sizes.insert(id.clone(), size);
        }
    }
    let rendered = rendering::apart(move || render::render(&text, &sizes)).await?.map_err(|error| {
        let mut errors = FieldErrors::default();
        errors.push_with("body", error.key(), &[("line", &error.line.to_string())]);
        Error::Invalid(errors)
    })?;
    Ok((rendered, ids))
}

async fn existing_images(tx: &mut Tx, ids: Vec<String>) -> Result<Vec<String>> {
    let mut existing = Vec::with_capacity(ids.len());
    for id in ids {
        if images::exists(tx, &id).await? {
            existing.push(id);
        }
    }
    Ok(existing)
}

/// Deletes a post with its history.
///
/// # Errors
/// [`Error::NotFound`] if there is none.
pub async fn delete(db: &Db, changes: &Changes, _actor: &Actor, id: i64) -> Result<()> {
    let mut tx = db.begin().await?;
    if !posts::delete(&mut tx, id).await? {
        return Err(Error::NotFound);
    }
    changed(tx, changes).await
}

/// A page of all posts, the newest first, with their views.
///
/// # Errors
/// Database errors.
pub async fn list(
    db: &Db,
    _actor: &Actor,
    search: &str,
    state: Option<PostState>,
    after: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Page<PostRow>> {
    let lines = posts::list(db, search, state, now, paging::before(after), paging::FETCH).await?;
    let total = posts::count(db, search, state, now).await?;
    let page = paging::by_id(lines, total, |line| line.id);
    let mut rows = Vec::with_capacity(page.rows.len());
    for line in page.rows {
        rows.push(PostRow {
            id: line.id,
            chart: chart(db, line.id, now).await?,
            lang: word("posts.lang", &line.lang, crate::domain::lang::Lang::parse)?,
            state: PostState::at(line.published_at, now),
            title: line.title,
            slug: line.slug,
            author: line.author,
            published_at: line.published_at,
            updated_at: line.updated_at,
            views: line.views,
        });
    }
    Ok(Page { rows, next: page.next, total: page.total, mark: page.mark })
}

/// Views on each of the last days, today the last.
async fn chart(db: &Db, id: i64, now: DateTime<Utc>) -> Result<Vec<i64>> {
    let days = i64::try_from(CHART_DAYS).unwrap_or_default();
    let first = (now - TimeDelta::days(days - 1)).date_naive();
    let known: HashMap<String, i64> = posts::views::since(db, id, first).await?.into_iter().collect();
    Ok(first.iter_days().take(CHART_DAYS).map(|day| known.get(&day.to_string()).copied().unwrap_or(0)).collect())
}
