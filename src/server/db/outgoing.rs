//! Table `outgoing`: letters of the service itself that no mail server has taken yet. A letter goes from
//! the table as soon as one has, for it may hold a link that works.

use super::{Db, DbResult, Tx, on_db, on_tx};
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;

/// A letter that is ready to be sent.
#[derive(Clone, Debug)]
pub struct NewOutgoing {
    /// As it goes into RCPT TO.
    pub recipient: String,
    pub raw: Vec<u8>,
    pub smtputf8: bool,
    /// Later than this it is of no use.
    pub expires_at: DateTime<Utc>,
    /// Rather not at all than twice.
    pub once: bool,
}

/// A letter that this process has taken under a lease.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Claimed {
    pub id: i64,
    pub recipient: String,
    pub raw: Vec<u8>,
    pub smtputf8: bool,
    /// Tries before this one.
    pub tries: i64,
    pub once: bool,
}

/// Puts a letter into the queue unless `most` wait there already; says whether it went in.
pub async fn insert(tx: &mut Tx, new: &NewOutgoing, most: i64, now: DateTime<Utc>) -> DbResult<bool> {
    const SQL: &str = "INSERT INTO outgoing (recipient, raw, smtputf8, tries, due_at, expires_at, once)
        SELECT $1, $2, $3, 0, $4, $5, $7 WHERE (SELECT COUNT(*) FROM outgoing) < $6";
    let rows = on_tx!(tx, conn => sqlx::query(SQL)
        .bind(&new.recipient)
        .bind(&new.raw)
        .bind(new.smtputf8)
        .bind(now)
        .bind(new.expires_at)
        .bind(most)
        .bind(new.once)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Takes up to `limit` due letters; nobody else gets them before `until`.
pub async fn claim(
    tx: &mut Tx,
    lease: &str,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
    limit: i64,
) -> DbResult<Vec<Claimed>> {
    const HEAD: &str = "UPDATE outgoing SET lease = $1, due_at = $2
        WHERE id IN (SELECT id FROM outgoing WHERE due_at <= $3 ORDER BY due_at, id LIMIT $4";
    const TAIL: &str = ") RETURNING id, recipient, raw, smtputf8, tries, once";
    let lock = match tx {
        Tx::Sqlite(_) => "",
        Tx::Postgres(_) => "FOR UPDATE SKIP LOCKED",
    };
    let sql = AssertSqlSafe(format!("{HEAD} {lock} {TAIL}"));
    Ok(on_tx!(tx, conn => sqlx::query_as(sql)
        .bind(lease)
        .bind(until)
        .bind(now)
        .bind(limit)
        .fetch_all(conn)
        .await)?)
}

/// Puts a letter back until `due_at`. Nothing happens if the lease is lost.
pub async fn put_back(tx: &mut Tx, id: i64, lease: &str, due_at: DateTime<Utc>) -> DbResult<()> {
    const SQL: &str =
        "UPDATE outgoing SET lease = '', armed = FALSE, tries = tries + 1, due_at = $3 WHERE id = $1 AND lease = $2";
    on_tx!(tx, conn => sqlx::query(SQL).bind(id).bind(lease).bind(due_at).execute(conn).await.map(drop))?;
    Ok(())
}

/// Notes that a letter may have left from now on; false if the lease is lost.
pub async fn arm(tx: &mut Tx, id: i64, lease: &str) -> DbResult<bool> {
    const SQL: &str = "UPDATE outgoing SET armed = TRUE WHERE id = $1 AND lease = $2";
    let rows =
        on_tx!(tx, conn => sqlx::query(SQL).bind(id).bind(lease).execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Forgets a letter that was taken or refused. Nothing happens if the lease is lost.
pub async fn remove(tx: &mut Tx, id: i64, lease: &str) -> DbResult<()> {
    const SQL: &str = "DELETE FROM outgoing WHERE id = $1 AND lease = $2";
    on_tx!(tx, conn => sqlx::query(SQL).bind(id).bind(lease).execute(conn).await.map(drop))?;
    Ok(())
}

/// Forgets letters that come too late to be of use, and those that must not arrive twice and whose process died when they may
/// have left; says how many.
pub async fn remove_expired(tx: &mut Tx, now: DateTime<Utc>) -> DbResult<u64> {
    const SQL: &str =
        "DELETE FROM outgoing WHERE expires_at <= $1 OR (once AND armed AND lease <> '' AND due_at <= $1)";
    Ok(on_tx!(tx, conn => sqlx::query(SQL).bind(now).execute(conn).await.map(|done| done.rows_affected()))?)
}

/// When the next letter is due.
pub async fn next_due(db: &Db) -> DbResult<Option<DateTime<Utc>>> {
    const SQL: &str = "SELECT MIN(due_at) FROM outgoing";
    Ok(on_db!(db, pool => sqlx::query_scalar(SQL).fetch_one(pool).await)?)
}
