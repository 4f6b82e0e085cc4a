//! Table `messages`.

use super::{Db, DbResult, Tx, like_pattern, on_db, on_tx};
use crate::domain::message::Message;
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    subject: String,
    body: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    mailings: i64,
}

impl From<Row> for Message {
    fn from(row: Row) -> Self {
        let Row { id, subject, body, created_at, updated_at, mailings } = row;
        Self { id, subject, body, created_at, updated_at, mailings }
    }
}

/// Inserts a message and returns its id.
pub async fn insert(tx: &mut Tx, owner: i64, subject: &str, body: &str, now: DateTime<Utc>) -> DbResult<i64> {
    const SQL: &str = "INSERT INTO messages (owner_id, subject, body, search, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $5) RETURNING id";
    Ok(on_tx!(tx, conn => sqlx::query_scalar(SQL)
        .bind(owner)
        .bind(subject)
        .bind(body)
        .bind(subject.to_lowercase())
        .bind(now)
        .fetch_one(conn)
        .await)?)
}

/// Changes a message. False if the owner has no such message.
pub async fn update(tx: &mut Tx, owner: i64, id: i64, subject: &str, body: &str, now: DateTime<Utc>) -> DbResult<bool> {
    const SQL: &str = "UPDATE messages SET subject = $3, body = $4, search = $5, updated_at = $6
        WHERE id = $1 AND owner_id = $2";
    let rows = on_tx!(tx, conn => sqlx::query(SQL)
        .bind(id)
        .bind(owner)
        .bind(subject)
        .bind(body)
        .bind(subject.to_lowercase())
        .bind(now)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Deletes a message. False if the owner has no such message.
///
/// # Errors
/// `DbError::is_in_use` if a mailing uses it.
pub async fn delete(tx: &mut Tx, owner: i64, id: i64) -> DbResult<bool> {
    const SQL: &str = "DELETE FROM messages WHERE id = $1 AND owner_id = $2";
    let rows =
        on_tx!(tx, conn => sqlx::query(SQL).bind(id).bind(owner).execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// One message.
pub async fn get(db: &Db, owner: i64, id: i64) -> DbResult<Option<Message>> {
    const SQL: &str = "SELECT m.id, m.subject, m.body, m.created_at, m.updated_at,
        (SELECT COUNT(*) FROM mailings g WHERE g.message_id = m.id) AS mailings
        FROM messages m WHERE m.id = $1 AND m.owner_id = $2";
    let row: Option<Row> = on_db!(db, pool => sqlx::query_as(SQL).bind(id).bind(owner).fetch_optional(pool).await)?;
    Ok(row.map(Message::from))
}

/// The owner's ($1) messages that a pattern ($2) finds.
fn found(search: bool) -> String {
    let search = if search { "m.search LIKE $2 ESCAPE '\\'" } else { "$2 = $2" };
    format!("m.owner_id = $1 AND {search}")
}

pub(super) fn list_sql(search: bool) -> String {
    format!(
        "SELECT m.id, m.subject, m.body, m.created_at, m.updated_at,
         (SELECT COUNT(*) FROM mailings g WHERE g.message_id = m.id) AS mailings
         FROM messages m WHERE {} AND m.id < $3 ORDER BY m.id DESC LIMIT $4",
        found(search)
    )
}

/// A page of messages, newest first, from before the id on.
pub async fn list(db: &Db, owner: i64, search: &str, before: Option<i64>, limit: i64) -> DbResult<Vec<Message>> {
    let sql = AssertSqlSafe(list_sql(!search.trim().is_empty()));
    let rows: Vec<Row> = on_db!(db, pool => sqlx::query_as(sql)
        .bind(owner)
        .bind(like_pattern(search))
        .bind(before.unwrap_or(i64::MAX))
        .bind(limit)
        .fetch_all(pool)
        .await)?;
    Ok(rows.into_iter().map(Message::from).collect())
}

/// How many messages the search finds.
pub async fn count(db: &Db, owner: i64, search: &str) -> DbResult<i64> {
    let sql = AssertSqlSafe(format!("SELECT COUNT(*) FROM messages m WHERE {}", found(!search.trim().is_empty())));
    Ok(on_db!(db, pool => sqlx::query_scalar(sql).bind(owner).bind(like_pattern(search)).fetch_one(pool).await)?)
}
