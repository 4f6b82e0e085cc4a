//! Tables `images` and `image_files`: pictures with their bytes in every size.

use super::{Db, DbResult, Tx, on_db, on_tx};
use crate::domain::post::{Picture, Stored};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

/// A picture that is new.
#[derive(Debug)]
pub struct NewImage<'a> {
    pub id: &'a str,
    pub owner: i64,
    pub name: &'a str,
    pub alt: &'a str,
    pub width: u32,
    pub height: u32,
    pub bytes: i64,
    pub now: DateTime<Utc>,
}

/// One size of a picture.
#[derive(Debug)]
pub struct File {
    pub width: u32,
    pub height: u32,
    /// Its media type.
    pub kind: &'static str,
    pub data: Vec<u8>,
}

/// Inserts a picture without its files.
pub async fn insert(tx: &mut Tx, new: &NewImage<'_>) -> DbResult<()> {
    const SQL: &str = "INSERT INTO images (id, owner_id, name, alt, width, height, bytes, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    on_tx!(tx, conn => sqlx::query(SQL)
        .bind(new.id)
        .bind(new.owner)
        .bind(new.name)
        .bind(new.alt)
        .bind(i64::from(new.width))
        .bind(i64::from(new.height))
        .bind(new.bytes)
        .bind(new.now)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Inserts one size of a picture.
pub async fn insert_file(tx: &mut Tx, id: &str, file: &File) -> DbResult<()> {
    const SQL: &str = "INSERT INTO image_files (image_id, width, height, kind, data) VALUES ($1, $2, $3, $4, $5)";
    on_tx!(tx, conn => sqlx::query(SQL)
        .bind(id)
        .bind(i64::from(file.width))
        .bind(i64::from(file.height))
        .bind(file.kind)
        .bind(&file.data)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Media type and bytes of a picture's size; without a width, of the largest.
pub async fn file(db: &Db, id: &str, width: Option<i64>) -> DbResult<Option<(String, Vec<u8>)>> {
    const SQL: &str = "SELECT kind, data FROM image_files WHERE image_id = $1 AND (width = $2 OR $2 = 0)
        ORDER BY width DESC LIMIT 1";
    Ok(on_db!(db, pool => sqlx::query_as(SQL).bind(id).bind(width.unwrap_or(0)).fetch_optional(pool).await)?)
}

/// The size of a picture in its largest width.
pub async fn size(db: &Db, id: &str) -> DbResult<Option<(u32, u32)>> {
    const SQL: &str = "SELECT width, height FROM images WHERE id = $1";
    let row: Option<(i64, i64)> = on_db!(db, pool => sqlx::query_as(SQL).bind(id).fetch_optional(pool).await)?;
    Ok(row.map(|(width, height)| (pixels(width), pixels(height))))
}

/// Whether there is such a picture.
pub async fn exists(tx: &mut Tx, id: &str) -> DbResult<bool> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM images WHERE id = $1)";
    Ok(on_tx!(tx, conn => sqlx::query_scalar(SQL).bind(id).fetch_one(conn).await)?)
}

/// Whether the owner has such a picture.
pub async fn is_owned(tx: &mut Tx, owner: i64, id: &str) -> DbResult<bool> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM images WHERE owner_id = $1 AND id = $2)";
    Ok(on_tx!(tx, conn => sqlx::query_scalar(SQL).bind(owner).bind(id).fetch_one(conn).await)?)
}

/// The ids of stored pictures that stand in a text as `/images/…`.
pub fn ids_in(text: &str) -> BTreeSet<String> {
    let ids = text.split("/images/").skip(1).filter_map(|rest| rest.get(..32));
    ids.filter(|id| id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))).map(str::to_owned).collect()
}

/// Notes that letters of a mailing show these pictures of its owner's from now on; ids of none of theirs are passed over.
pub async fn note_use(tx: &mut Tx, mailing: i64, ids: &[String], now: DateTime<Utc>) -> DbResult<()> {
    const SQL: &str = "INSERT INTO picture_uses (image_id, used_at) SELECT id, $2 FROM images WHERE id = $1
        AND owner_id = (SELECT owner_id FROM mailings WHERE id = $3)
        ON CONFLICT (image_id) DO UPDATE SET used_at = excluded.used_at";
    for id in ids {
        on_tx!(&mut *tx, conn => sqlx::query(SQL).bind(id).bind(now).bind(mailing).execute(conn).await.map(drop))?;
    }
    Ok(())
}

/// Whether a message or a design of the owner's shows a picture, or letters that have begun to leave since that instant.
pub async fn is_in_letters(tx: &mut Tx, owner: i64, id: &str, since: DateTime<Utc>) -> DbResult<bool> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM images i JOIN picture_uses u ON u.image_id = i.id
        WHERE i.owner_id = $1 AND i.id = $2 AND u.used_at > $3)
        OR EXISTS (SELECT 1 FROM designs WHERE owner_id = $1 AND look LIKE '%' || $2 || '%')
        OR EXISTS (SELECT 1 FROM messages WHERE owner_id = $1 AND body LIKE '%/images/' || $2 || '%')";
    Ok(on_tx!(tx, conn => sqlx::query_scalar(SQL).bind(owner).bind(id).bind(since).fetch_one(conn).await)?)
}

/// A count of pixels as stored; it was a `u32` when it went in.
pub fn pixels(n: i64) -> u32 {
    u32::try_from(n).unwrap_or_default()
}

/// Bytes that the owner's pictures take.
pub async fn used(tx: &mut Tx, owner: i64) -> DbResult<i64> {
    const SQL: &str = "SELECT CAST(COALESCE(SUM(bytes), 0) AS BIGINT) FROM images WHERE owner_id = $1";
    Ok(on_tx!(tx, conn => sqlx::query_scalar(SQL).bind(owner).fetch_one(conn).await)?)
}

/// How many pictures the owner has, and the bytes that they take.
pub async fn totals(db: &Db, owner: i64) -> DbResult<(i64, i64)> {
    const SQL: &str = "SELECT COUNT(*), CAST(COALESCE(SUM(bytes), 0) AS BIGINT) FROM images WHERE owner_id = $1";
    Ok(on_db!(db, pool => sqlx::query_as(SQL).bind(owner).fetch_one(pool).await)?)
}

/// Deletes a picture. False if the owner has no such picture.
///
/// # Errors
/// `DbError::is_in_use` if a post shows it.
pub async fn delete(tx: &mut Tx, owner: i64, id: &str) -> DbResult<bool> {
    const SQL: &str = "DELETE FROM images WHERE id = $1 AND owner_id = $2";
    let rows =
        on_tx!(tx, conn => sqlx::query(SQL).bind(id).bind(owner).execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    name: String,
    alt: String,
    width: i64,
    height: i64,
    bytes: i64,
    created_at: DateTime<Utc>,
    posts: i64,
}

/// A page of the owner's pictures, the newest first, from before that instant and id on.
pub async fn list(db: &Db, owner: i64, before: Option<&(DateTime<Utc>, String)>, limit: i64) -> DbResult<Vec<Stored>> {
    const SQL: &str = "SELECT i.id, i.name, i.alt, i.width, i.height, i.bytes, i.created_at,
        (SELECT COUNT(*) FROM posts p WHERE p.cover = i.id)
          + (SELECT COUNT(*) FROM post_images s WHERE s.image_id = i.id) AS posts
        FROM images i WHERE i.owner_id = $1 AND (i.created_at, i.id) < ($2, $3)
        ORDER BY i.created_at DESC, i.id DESC LIMIT $4";
    let rows: Vec<Row> = on_db!(db, pool => sqlx::query_as(SQL)
        .bind(owner)
        .bind(before.map_or_else(far, |(at, _)| *at))
        .bind(before.map_or("", |(_, id)| id.as_str()))
        .bind(limit)
        .fetch_all(pool)
        .await)?;
    Ok(rows
        .into_iter()
        .map(|row| Stored {
            picture: Picture { id: row.id, alt: row.alt, width: pixels(row.width), height: pixels(row.height) },
            name: row.name,
            bytes: row.bytes,
            created_at: row.created_at,
            posts: row.posts,
        })
        .collect())
}

/// An instant after all that are stored (the year 5138).
pub fn far() -> DateTime<Utc> {
    DateTime::from_timestamp(100_000_000_000, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
