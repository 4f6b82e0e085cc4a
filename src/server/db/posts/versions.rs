//! Table `post_versions`: every version of a post, as far back as is kept.

use super::super::{Db, DbError, DbResult, Tx, on_db, on_tx};
use crate::domain::post::{Content, Version};
use chrono::{DateTime, Utc};

/// Versions of a post that are kept.
pub const KEPT: i64 = 200;

/// Who made a version, and when.
#[derive(Debug)]
pub struct By<'a> {
    pub user: i64,
    pub name: &'a str,
    pub now: DateTime<Utc>,
}

/// Notes a version, and forgets those that are too many.
pub async fn insert(tx: &mut Tx, post: i64, version: i64, by: &By<'_>, content: &Content) -> DbResult<()> {
    const SQL: &str = "INSERT INTO post_versions (post_id, version, user_id, name, content, at)
        VALUES ($1, $2, $3, $4, $5, $6)";
    const OLD: &str = "DELETE FROM post_versions WHERE post_id = $1 AND version <= $2";
    let json = serde_json::to_string(content).map_err(|error| DbError::Sql(sqlx::Error::Encode(error.into())))?;
    on_tx!(&mut *tx, conn => sqlx::query(SQL)
        .bind(post)
        .bind(version)
        .bind(by.user)
        .bind(by.name)
        .bind(json)
        .bind(by.now)
        .execute(conn)
        .await
        .map(drop))?;
    on_tx!(tx, conn => sqlx::query(OLD).bind(post).bind(version - KEPT).execute(conn).await.map(drop))?;
    Ok(())
}

/// The versions of a post, the newest first.
pub async fn list(db: &Db, post: i64) -> DbResult<Vec<Version>> {
    const SQL: &str = "SELECT version, name, at FROM post_versions WHERE post_id = $1 ORDER BY version DESC";
    let rows: Vec<(i64, String, DateTime<Utc>)> =
        on_db!(db, pool => sqlx::query_as(SQL).bind(post).fetch_all(pool).await)?;
    Ok(rows.into_iter().map(|(version, name, at)| Version { version, name, at }).collect())
}

/// One version.
pub async fn get(db: &Db, post: i64, version: i64) -> DbResult<Option<Content>> {
    const SQL: &str = "SELECT content FROM post_versions WHERE post_id = $1 AND version = $2";
    let json: Option<String> =
        on_db!(db, pool => sqlx::query_scalar(SQL).bind(post).bind(version).fetch_optional(pool).await)?;
    json.map(|json| {
        serde_json::from_str(&json)
            .map_err(|_| DbError::Corrupt { column: "post_versions.content", value: json.chars().take(80).collect() })
    })
    .transpose()
}
