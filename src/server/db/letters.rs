//! Table `letters`: what the built-in mail server has caught.

use super::{Db, DbResult, Tx, like_pattern, on_db, on_tx};
use crate::domain::letter::LetterRow;
use chrono::{DateTime, Utc};

/// A caught letter, ready to be stored.
#[derive(Clone, Debug)]
pub struct NewLetter {
    pub at: DateTime<Utc>,
    pub sender: String,
    pub recipients: String,
    pub subject: String,
    pub raw: Vec<u8>,
}

/// Stores a letter.
pub async fn insert(tx: &mut Tx, new: &NewLetter) -> DbResult<()> {
    const SQL: &str = "INSERT INTO letters (at, sender, recipients, subject, search, raw)
        VALUES ($1, $2, $3, $4, $5, $6)";
    let search = format!("{}\n{}\n{}", new.sender, new.recipients, new.subject).to_lowercase();
    on_tx!(tx, conn => sqlx::query(SQL)
        .bind(new.at)
        .bind(&new.sender)
        .bind(&new.recipients)
        .bind(&new.subject)
        .bind(search)
        .bind(&new.raw)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Forgets all but the newest `keep` letters.
pub async fn prune(tx: &mut Tx, keep: i64) -> DbResult<()> {
    const SQL: &str = "DELETE FROM letters WHERE id <= (SELECT MAX(id) FROM letters) - $1";
    on_tx!(tx, conn => sqlx::query(SQL).bind(keep).execute(conn).await.map(drop))?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    at: DateTime<Utc>,
    sender: String,
    recipients: String,
    subject: String,
}

impl From<Row> for LetterRow {
    fn from(row: Row) -> Self {
        Self { id: row.id, at: row.at, from: row.sender, to: row.recipients, subject: row.subject }
    }
}

pub(super) const LIST: &str = "SELECT id, at, sender, recipients, subject FROM letters
    WHERE search LIKE $1 ESCAPE '\\' AND id < $2 ORDER BY id DESC LIMIT $3";

/// A page of letters, newest first, from before the id on.
pub async fn list(db: &Db, search: &str, before: Option<i64>, limit: i64) -> DbResult<Vec<LetterRow>> {
    let rows: Vec<Row> = on_db!(db, pool => sqlx::query_as(LIST)
        .bind(like_pattern(search))
        .bind(before.unwrap_or(i64::MAX))
        .bind(limit)
        .fetch_all(pool)
        .await)?;
    Ok(rows.into_iter().map(LetterRow::from).collect())
}

/// How many letters the search finds.
pub async fn count(db: &Db, search: &str) -> DbResult<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM letters WHERE search LIKE $1 ESCAPE '\\'";
    Ok(on_db!(db, pool => sqlx::query_scalar(SQL).bind(like_pattern(search)).fetch_one(pool).await)?)
}

/// One letter and its source.
pub async fn get(db: &Db, id: i64) -> DbResult<Option<(LetterRow, Vec<u8>)>> {
    const SQL: &str = "SELECT id, at, sender, recipients, subject FROM letters WHERE id = $1";
    const RAW: &str = "SELECT raw FROM letters WHERE id = $1";
    let row: Option<Row> = on_db!(db, pool => sqlx::query_as(SQL).bind(id).fetch_optional(pool).await)?;
    let raw: Option<Vec<u8>> = on_db!(db, pool => sqlx::query_scalar(RAW).bind(id).fetch_optional(pool).await)?;
    Ok(row.map(LetterRow::from).zip(raw))
}
