//! Table `imports`: uploaded files and how far their import has come.

use super::{Db, DbError, DbResult, Tx, on_db, on_tx, word};
use crate::domain::import::{Goal, Import, ImportCounts, ImportState, LineProblem};
use chrono::{DateTime, Utc};

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    file_name: String,
    path: String,
    size: i64,
    state: String,
    reason: String,
    counts: String,
    problems: String,
    created_at: DateTime<Utc>,
    why: String,
}

fn json<T: serde::de::DeserializeOwned>(column: &'static str, text: &str) -> DbResult<T> {
    word(column, text, |text| serde_json::from_str(text).ok())
}

fn text<T: serde::Serialize>(column: &'static str, value: &T) -> DbResult<String> {
    serde_json::to_string(value).map_err(|error| DbError::Corrupt { column, value: error.to_string() })
}

/// An import and where its file lies.
#[derive(Clone, Debug)]
pub struct Stored {
    pub import: Import,
    pub path: String,
}

/// A file, and what it is for.
#[derive(Clone, Copy, Debug)]
pub struct NewImport<'a> {
    pub owner: i64,
    pub goal: Goal,
    /// Why its addresses are to be left out; empty for clients.
    pub why: &'a str,
    pub file_name: &'a str,
    /// Where it lies; empty if nowhere.
    pub path: &'a str,
    /// Bytes.
    pub size: i64,
}

/// Notes an uploaded file. A reason (a locale key) says that it cannot be imported.
pub async fn insert(
    tx: &mut Tx,
    new: &NewImport<'_>,
    failed: Option<(&str, &[LineProblem])>,
    now: DateTime<Utc>,
) -> DbResult<i64> {
    const SQL: &str =
        "INSERT INTO imports (owner_id, file_name, path, size, state, reason, counts, problems, created_at, goal, why)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id";
    let state = if failed.is_some() { ImportState::Failed } else { ImportState::Uploaded };
    let (reason, problems) = failed.unwrap_or_default();
    Ok(on_tx!(tx, conn => sqlx::query_scalar(SQL)
        .bind(new.owner)
        .bind(new.file_name)
        .bind(new.path)
        .bind(new.size)
        .bind(state.as_str())
        .bind(reason)
        .bind(text("imports.counts", &ImportCounts::default())?)
        .bind(text("imports.problems", &problems)?)
        .bind(now)
        .bind(new.goal.as_str())
        .bind(new.why)
        .fetch_one(conn)
        .await)?)
}

/// One import of the owner; none if its file is for something else.
pub async fn get(db: &Db, owner: i64, goal: Goal, id: i64) -> DbResult<Option<Stored>> {
    const SQL: &str = "SELECT id, file_name, path, size, state, reason, counts, problems, created_at, why
        FROM imports WHERE id = $1 AND owner_id = $2 AND goal = $3";
    let row: Option<Row> = on_db!(db, pool => sqlx::query_as(SQL)
        .bind(id)
        .bind(owner)
        .bind(goal.as_str())
        .fetch_optional(pool)
        .await)?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Stored {
        path: row.path,
        import: Import {
            id: row.id,
            file_name: row.file_name,
            size: row.size,
            state: word("imports.state", &row.state, ImportState::parse)?,
            reason: row.reason,
            counts: json("imports.counts", &row.counts)?,
            problems: json("imports.problems", &row.problems)?,
            created_at: row.created_at,
            why: row.why,
        },
    }))
}

/// Marks an uploaded file as being imported by a process. False if it is not waiting, or another's.
pub async fn start(tx: &mut Tx, owner: i64, id: i64, process: &str) -> DbResult<bool> {
    const SQL: &str =
        "UPDATE imports SET state = 'running', process = $3 WHERE id = $1 AND owner_id = $2 AND state = 'uploaded'";
    let rows = on_tx!(tx, conn => sqlx::query(SQL)
        .bind(id)
        .bind(owner)
        .bind(process)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Notes how far an import has come.
pub async fn progress(tx: &mut Tx, id: i64, counts: &ImportCounts) -> DbResult<()> {
    const SQL: &str = "UPDATE imports SET counts = $2 WHERE id = $1";
    let counts = text("imports.counts", counts)?;
    on_tx!(tx, conn => sqlx::query(SQL).bind(id).bind(counts).execute(conn).await.map(drop))?;
    Ok(())
}

/// Notes an import's end; an empty reason means that it reached the end of the file.
pub async fn finish(
    tx: &mut Tx,
    id: i64,
    reason: &str,
    counts: &ImportCounts,
    problems: &[LineProblem],
) -> DbResult<()> {
    const SQL: &str = "UPDATE imports SET state = $2, reason = $3, counts = $4, problems = $5 WHERE id = $1";
    let state = if reason.is_empty() { ImportState::Done } else { ImportState::Failed };
    on_tx!(tx, conn => sqlx::query(SQL)
        .bind(id)
        .bind(state.as_str())
        .bind(reason)
        .bind(text("imports.counts", counts)?)
        .bind(text("imports.problems", &problems)?)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// The owner's uploads that wait to be started, and where their files lie; the newest first.
pub async fn waiting(tx: &mut Tx, owner: i64) -> DbResult<Vec<(i64, String)>> {
    const SQL: &str = "SELECT id, path FROM imports WHERE owner_id = $1 AND state = 'uploaded' ORDER BY id DESC";
    Ok(on_tx!(tx, conn => sqlx::query_as(SQL).bind(owner).fetch_all(conn).await)?)
}

/// How many imports of the owner are running.
pub async fn running(tx: &mut Tx, owner: i64) -> DbResult<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM imports WHERE owner_id = $1 AND state = 'running'";
    Ok(on_tx!(tx, conn => sqlx::query_scalar(SQL).bind(owner).fetch_one(conn).await)?)
}

/// Ends an upload that waits, for the reason. False if it does not wait any more; else its file may go.
pub async fn drop_waiting(tx: &mut Tx, id: i64, reason: &str) -> DbResult<bool> {
    const SQL: &str = "UPDATE imports SET state = 'failed', reason = $2 WHERE id = $1 AND state = 'uploaded'";
    let rows = on_tx!(tx, conn => sqlx::query(SQL).bind(id).bind(reason).execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Uploads from before an instant that wait to be started, and where their files lie.
pub async fn stale(db: &Db, before: DateTime<Utc>) -> DbResult<Vec<(i64, String)>> {
    const SQL: &str = "SELECT id, path FROM imports WHERE state = 'uploaded' AND created_at <= $1";
    Ok(on_db!(db, pool => sqlx::query_as(SQL).bind(before).fetch_all(pool).await)?)
}

/// Uploads whose files are still needed, or what is kept beside them: those that wait or run, and those made after an instant.
pub async fn files(db: &Db, after: DateTime<Utc>) -> DbResult<Vec<String>> {
    const SQL: &str =
        "SELECT path FROM imports WHERE path <> '' AND (state IN ('uploaded', 'running') OR created_at > $1)";
    Ok(on_db!(db, pool => sqlx::query_scalar(SQL).bind(after).fetch_all(pool).await)?)
}
