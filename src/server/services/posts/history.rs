//! The versions of a post: compared with what is stored now, and brought back.

use super::changes::Changes;
use super::{changed, diff, prepared};
use crate::domain::post::{Content, History};
use crate::server::db::Db;
use crate::server::db::posts::versions::{self, By};
use crate::server::db::posts::{self, Write};
use crate::server::services::{Actor, Error, Result, rendering};
use chrono::{DateTime, Utc};

/// All versions of a post, and one of them compared.
///
/// # Errors
/// [`Error::NotFound`] if there is no such post or version.
pub async fn history(db: &Db, _actor: &Actor, id: i64, compare: Option<i64>) -> Result<History> {
    let post = posts::get(db, id).await?.ok_or(Error::NotFound)?;
    let versions = versions::list(db, id).await?;
    let compared = match compare {
        None => None,
        Some(version) => {
            let old = versions::get(db, id, version).await?.ok_or(Error::NotFound)?;
            let new = post.content.clone();
            Some((version, rendering::apart(move || diff::contents(&old, &new)).await?))
        }
    };
    Ok(History { title: post.content.title, current: post.version, versions, compared })
}

/// Makes an old version the newest one. Slug and publication stay as they are; `current` is the
/// version that the actor believes is stored.
///
/// # Errors
/// [`Error::Conflict`] if a newer one is; [`Error::NotFound`] if there is no such post or version.
pub async fn restore(
    db: &Db,
    changes: &Changes,
    actor: &Actor,
    id: i64,
    (version, current): (i64, i64),
    now: DateTime<Utc>,
) -> Result<()> {
    let post = posts::get(db, id).await?.ok_or(Error::NotFound)?;
    let old = versions::get(db, id, version).await?.ok_or(Error::NotFound)?;
    let content = Content { slug: post.content.slug, ..old };
    let (html, images) = prepared(db, &content).await?;
    let mut tx = db.begin().await?;
    let write = Write { content: &content, html: &html, published_at: post.published_at, now };
    if !posts::update(&mut tx, id, current, &write).await? {
        return Err(Error::Conflict("error.post.changed"));
    }
    let images = super::existing_images(&mut tx, images).await?;
    posts::relate(&mut tx, id, &content, &images).await?;
    versions::insert(&mut tx, id, current + 1, &By { user: actor.id, name: &actor.name, now }, &content).await?;
    changed(tx, changes).await
}
