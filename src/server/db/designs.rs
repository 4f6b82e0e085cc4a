//! Table `designs`.

use super::{Db, DbResult, Tx, on_db, on_tx, word};
use crate::domain::design::{Design, Look};
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    name: String,
    look: String,
    messages: i64,
}

impl Row {
    fn into_design(self) -> DbResult<Design> {
        let Row { id, name, look, messages } = self;
        Ok(Design { id, name, look: read(&look)?, messages })
    }
}

/// A look as it is stored.
///
/// # Errors
/// If it is none.
pub fn read(look: &str) -> DbResult<Look> {
    word("designs.look", look, |text| serde_json::from_str(text).ok())
}

/// A look as it is stored.
pub fn written(look: &Look) -> String {
    serde_json::to_string(look).unwrap_or_default()
}

const COLUMNS: &str =
    "SELECT d.id, d.name, d.look, (SELECT COUNT(*) FROM messages m WHERE m.design_id = d.id) AS messages
    FROM designs d WHERE d.owner_id = $1";

/// An owner's designs by name; there are few.
pub async fn list(db: &Db, owner: i64) -> DbResult<Vec<Design>> {
    let sql = AssertSqlSafe(format!("{COLUMNS} ORDER BY d.name, d.id"));
    let rows: Vec<Row> = on_db!(db, pool => sqlx::query_as(sql).bind(owner).fetch_all(pool).await)?;
    rows.into_iter().map(Row::into_design).collect()
}

/// One of an owner's designs.
pub async fn get(db: &Db, owner: i64, id: i64) -> DbResult<Option<Design>> {
    let sql = AssertSqlSafe(format!("{COLUMNS} AND d.id = $2"));
    let row: Option<Row> = on_db!(db, pool => sqlx::query_as(sql).bind(owner).bind(id).fetch_optional(pool).await)?;
    row.map(Row::into_design).transpose()
}

/// The same until the transaction ends: PostgreSQL keeps it from other writers.
pub async fn lock(tx: &mut Tx, owner: i64, id: i64) -> DbResult<Option<Design>> {
    let wait = if matches!(tx, Tx::Postgres(_)) { "FOR UPDATE" } else { "" };
    let sql = AssertSqlSafe(format!("{COLUMNS} AND d.id = $2 {wait}"));
    let row: Option<Row> = on_tx!(tx, conn => sqlx::query_as(sql).bind(owner).bind(id).fetch_optional(conn).await)?;
    row.map(Row::into_design).transpose()
}

/// Whether the owner has such a design.
pub async fn exists(tx: &mut Tx, owner: i64, id: i64) -> DbResult<bool> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM designs WHERE owner_id = $1 AND id = $2)";
    Ok(on_tx!(tx, conn => sqlx::query_scalar(SQL).bind(owner).bind(id).fetch_one(conn).await)?)
}

/// How many the owner has.
pub async fn count(tx: &mut Tx, owner: i64) -> DbResult<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM designs WHERE owner_id = $1";
    Ok(on_tx!(tx, conn => sqlx::query_scalar(SQL).bind(owner).fetch_one(conn).await)?)
}

/// Inserts a design and returns its id.
pub async fn insert(tx: &mut Tx, owner: i64, name: &str, look: &Look, now: DateTime<Utc>) -> DbResult<i64> {
    const SQL: &str = "INSERT INTO designs (owner_id, name, look, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $4) RETURNING id";
    let look = written(look);
    Ok(on_tx!(tx, conn => sqlx::query_scalar(SQL)
        .bind(owner)
        .bind(name)
        .bind(&look)
        .bind(now)
        .fetch_one(conn)
        .await)?)
}

/// Changes a design. False if the owner has no such design.
pub async fn update(tx: &mut Tx, owner: i64, id: i64, name: &str, look: &Look, now: DateTime<Utc>) -> DbResult<bool> {
    const SQL: &str = "UPDATE designs SET name = $3, look = $4, updated_at = $5 WHERE owner_id = $1 AND id = $2";
    let look = written(look);
    let rows = on_tx!(tx, conn => sqlx::query(SQL)
        .bind(owner)
        .bind(id)
        .bind(name)
        .bind(&look)
        .bind(now)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Deletes a design. False if the owner has no such design.
///
/// # Errors
/// `DbError::is_in_use` if a message has it.
pub async fn delete(tx: &mut Tx, owner: i64, id: i64) -> DbResult<bool> {
    const SQL: &str = "DELETE FROM designs WHERE owner_id = $1 AND id = $2";
    let rows =
        on_tx!(tx, conn => sqlx::query(SQL).bind(owner).bind(id).execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}
