//! Pictures of the blog: taken in, kept in several sizes, counted against a quota. They lie in the
//! database, so that several processes and a backup need nothing else.

mod convert;
#[cfg(test)]
mod tests;

use super::{Actor, Error, Result, paging};
use crate::api::error::FieldErrors;
use crate::domain::page::{PAGE_SIZE, Page};
use crate::domain::post::{ALT_MAX, Gallery, IMAGE_BYTES_MAX, IMAGE_PIXELS_MAX, IMAGE_QUOTA, Picture, Stored};
use crate::server::db::images::{self, NewImage};
use crate::server::db::{Db, Tx};
use chrono::{DateTime, TimeDelta, Utc};
use convert::{Converted, Refusal};
use tokio::sync::Semaphore;

/// Pictures are decoded one at a time: one takes up to 240 MB while it is.
static TURN: Semaphore = Semaphore::const_new(1);

/// How long letters are opened that show a picture.
const IN_LETTERS: TimeDelta = TimeDelta::days(365);

/// Longest file name that is kept, in characters.
const NAME_MAX: usize = 200;

/// A file as somebody uploads it.
#[derive(Debug)]
pub struct Upload {
    pub name: String,
    pub alt: String,
    pub data: Vec<u8>,
}

/// Takes a picture in and returns how it is shown.
///
/// # Errors
/// [`Error::Invalid`] says of the field `file` what is wrong with it and what is allowed.
pub async fn add(db: &Db, actor: &Actor, upload: Upload, now: DateTime<Utc>) -> Result<Picture> {
    let Upload { name, alt, data } = upload;
    if data.len() > IMAGE_BYTES_MAX {
        return Err(refused(&Refusal::Large));
    }
    let converted = {
        let _turn = TURN.acquire().await.map_err(|error| Error::Internal(error.to_string()))?;
        let work = tokio::task::spawn_blocking(move || convert::convert(&data));
        work.await.map_err(|error| Error::Internal(error.to_string()))?.map_err(|refusal| refused(&refusal))?
    };
    let alt: String = alt.trim().chars().filter(|c| !c.is_control()).take(ALT_MAX).collect();
    let name: String = name.chars().filter(|c| !c.is_control()).take(NAME_MAX).collect();
    let id = format!("{:032x}", rand::random::<u128>());
    let mut tx = db.begin().await?;
    store(&mut tx, actor, &id, &name, &alt, &converted, now).await?;
    tx.commit().await?;
    Ok(Picture { id, alt, width: converted.width, height: converted.height })
}

async fn store(
    tx: &mut Tx,
    actor: &Actor,
    id: &str,
    name: &str,
    alt: &str,
    converted: &Converted,
    now: DateTime<Utc>,
) -> Result<()> {
    let bytes: usize = converted.files.iter().map(|file| file.data.len()).sum();
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    let used = images::used(tx, actor.id).await?;
    if used.saturating_add(bytes) > IMAGE_QUOTA {
        let mut errors = FieldErrors::default();
        errors.push_with(
            "file",
            "error.image.quota",
            &[("used", &megabytes(used)), ("quota", &megabytes(IMAGE_QUOTA))],
        );
        return Err(errors.into());
    }
    let (width, height) = (converted.width, converted.height);
    images::insert(tx, &NewImage { id, owner: actor.id, name, alt, width, height, bytes, now }).await?;
    for file in &converted.files {
        images::insert_file(tx, id, file).await?;
    }
    Ok(())
}

fn megabytes(bytes: i64) -> String {
    (bytes / (1024 * 1024)).to_string()
}

fn refused(refusal: &Refusal) -> Error {
    let mut errors = FieldErrors::default();
    let megabytes = (IMAGE_BYTES_MAX / (1024 * 1024)).to_string();
    let megapixels = (IMAGE_PIXELS_MAX / 1_000_000).to_string();
    let allowed = [("megabytes", megabytes.as_str()), ("megapixels", megapixels.as_str())];
    let mut push = |key: &str, more: &[(&str, &str)]| errors.push_with("file", key, &[&allowed[..], more].concat());
    match refusal {
        Refusal::Empty => push("error.image.empty", &[]),
        Refusal::Known(found) => push("error.image.kind", &[("found", found)]),
        Refusal::Unknown => push("error.image.unknown_kind", &[]),
        Refusal::Large => push("error.image.large", &[]),
        Refusal::Pixels(width, height) => {
            push("error.image.pixels", &[("width", &width.to_string()), ("height", &height.to_string())]);
        }
        Refusal::Memory => push("error.image.memory", &[]),
        Refusal::Broken => push("error.image.broken", &[]),
    }
    errors.into()
}

/// The answer to a file that was cut off because it is too large.
pub fn too_large() -> Error {
    refused(&Refusal::Large)
}

/// Media type and bytes of a picture's size. Public: the address is all that one needs.
///
/// # Errors
/// [`Error::NotFound`] if there is no such picture or size.
pub async fn file(db: &Db, id: &str, width: Option<i64>) -> Result<(String, Vec<u8>)> {
    images::file(db, id, width).await?.ok_or(Error::NotFound)
}

/// A page of the actor's pictures, the newest first.
///
/// # Errors
/// Database errors.
pub async fn gallery(db: &Db, actor: &Actor, after: &str) -> Result<Gallery> {
    let cursor = after
        .split_once('.')
        .and_then(|(micros, id)| Some((DateTime::from_timestamp_micros(micros.parse().ok()?)?, id.to_owned())));
    let mut rows = images::list(db, actor.id, cursor.as_ref(), paging::FETCH).await?;
    let (total, used) = images::totals(db, actor.id).await?;
    let size = usize::try_from(PAGE_SIZE).unwrap_or(usize::MAX);
    let more = rows.len() > size;
    rows.truncate(size);
    let cursor = |row: &Stored| format!("{}.{}", row.created_at.timestamp_micros(), row.picture.id);
    let next = rows.last().filter(|_| more).map(cursor);
    Ok(Gallery { pictures: Page { rows, next, total, mark: 0 }, used, quota: IMAGE_QUOTA })
}

/// Deletes one of the actor's pictures.
///
/// # Errors
/// [`Error::Conflict`] if a post, a message or a design shows it, or a letter of the last year; [`Error::NotFound`] if the actor has no such picture.
pub async fn delete(db: &Db, actor: &Actor, id: &str, now: DateTime<Utc>) -> Result<()> {
    let mut tx = db.begin().await?;
    if images::is_in_letters(&mut tx, actor.id, id, now - IN_LETTERS).await? {
        return Err(Error::Conflict("error.image.in_use"));
    }
    match images::delete(&mut tx, actor.id, id).await {
        Err(error) if error.is_in_use() => Err(Error::Conflict("error.image.in_use")),
        Err(error) => Err(error.into()),
        Ok(false) => Err(Error::NotFound),
        Ok(true) => Ok(tx.commit().await?),
    }
}
