//! Tables `relay_usage`, `relay_holds` and `relay_reports`: what engines have handed to relays, what
//! they may hand over, and what they see.

use super::{Db, DbResult, Tx, on_db, on_tx, word};
use crate::domain::relay::{RelayLive, Span};
use chrono::{DateTime, Utc};

/// Keeps other engines from counting until the transaction ends. On SQLite a transaction does so by
/// itself.
pub async fn lock(tx: &mut Tx, relay: i64) -> DbResult<()> {
    // The first word is ours among all users of advisory locks: "vrel".
    const SQL: &str = "SELECT pg_advisory_xact_lock(1987208556, CAST($1 AS INTEGER))";
    if let Tx::Postgres(tx) = tx {
        sqlx::query(SQL).bind(relay).execute(&mut **tx).await?;
    }
    Ok(())
}

/// Adds letters to a bucket.
pub async fn add(tx: &mut Tx, relay: i64, span: Span, bucket: i64, n: i64) -> DbResult<()> {
    const SQL: &str = "INSERT INTO relay_usage (relay_id, span, bucket, n) VALUES ($1, $2, $3, $4)
        ON CONFLICT (relay_id, span, bucket) DO UPDATE SET n = relay_usage.n + $4";
    on_tx!(tx, conn => sqlx::query(SQL)
        .bind(relay)
        .bind(span.as_str())
        .bind(bucket)
        .bind(n)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Forgets buckets before this one.
pub async fn forget(tx: &mut Tx, relay: i64, span: Span, before: i64) -> DbResult<()> {
    const SQL: &str = "DELETE FROM relay_usage WHERE relay_id = $1 AND span = $2 AND bucket < $3";
    on_tx!(tx, conn => sqlx::query(SQL).bind(relay).bind(span.as_str()).bind(before).execute(conn).await.map(drop))?;
    Ok(())
}

const USAGE: &str = "SELECT bucket, n FROM relay_usage WHERE relay_id = $1 AND span = $2 AND bucket >= $3";

/// Buckets from this one on, with their letters.
pub async fn since(tx: &mut Tx, relay: i64, span: Span, oldest: i64) -> DbResult<Vec<(i64, i64)>> {
    Ok(on_tx!(tx, conn => sqlx::query_as(USAGE)
        .bind(relay)
        .bind(span.as_str())
        .bind(oldest)
        .fetch_all(conn)
        .await)?)
}

/// The same outside a transaction, for showing it.
pub async fn look(db: &Db, relay: i64, span: Span, oldest: i64) -> DbResult<Vec<(i64, i64)>> {
    Ok(on_db!(db, pool => sqlx::query_as(USAGE)
        .bind(relay)
        .bind(span.as_str())
        .bind(oldest)
        .fetch_all(pool)
        .await)?)
}

/// Says how many letters an engine may hand over or is handing over.
pub async fn hold(tx: &mut Tx, relay: i64, holder: &str, n: i64, until: DateTime<Utc>) -> DbResult<()> {
    const PUT: &str = "INSERT INTO relay_holds (relay_id, holder, n, until) VALUES ($1, $2, $3, $4)
        ON CONFLICT (relay_id, holder) DO UPDATE SET n = $3, until = $4";
    const DROP: &str = "DELETE FROM relay_holds WHERE relay_id = $1 AND holder = $2";
    if n == 0 {
        on_tx!(tx, conn => sqlx::query(DROP).bind(relay).bind(holder).execute(conn).await.map(drop))?;
    } else {
        on_tx!(tx, conn => sqlx::query(PUT)
            .bind(relay)
            .bind(holder)
            .bind(n)
            .bind(until)
            .execute(conn)
            .await
            .map(drop))?;
    }
    Ok(())
}

/// What other engines hold.
pub async fn held_by_others(tx: &mut Tx, relay: i64, holder: &str) -> DbResult<i64> {
    const SQL: &str = "SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM relay_holds
        WHERE relay_id = $1 AND holder <> $2";
    Ok(on_tx!(tx, conn => sqlx::query_scalar(SQL).bind(relay).bind(holder).fetch_one(conn).await)?)
}

/// Takes away what other engines hold that are gone, and says how much it was.
pub async fn take_expired(tx: &mut Tx, relay: i64, holder: &str, now: DateTime<Utc>) -> DbResult<i64> {
    const SQL: &str = "DELETE FROM relay_holds WHERE relay_id = $1 AND holder <> $2 AND until <= $3 RETURNING n";
    let held: Vec<i64> =
        on_tx!(tx, conn => sqlx::query_scalar(SQL).bind(relay).bind(holder).bind(now).fetch_all(conn).await)?;
    Ok(held.into_iter().sum())
}

/// Says what an engine sees of a relay.
pub async fn report(tx: &mut Tx, relay: i64, holder: &str, live: &RelayLive, now: DateTime<Utc>) -> DbResult<()> {
    const SQL: &str = "INSERT INTO relay_reports (relay_id, holder, at, report) VALUES ($1, $2, $3, $4)
        ON CONFLICT (relay_id, holder) DO UPDATE SET at = $3, report = $4";
    let report = serde_json::to_string(live).unwrap_or_default();
    on_tx!(tx, conn => sqlx::query(SQL).bind(relay).bind(holder).bind(now).bind(report).execute(conn).await.map(drop))?;
    Ok(())
}

/// Forgets reports that are older than this. One that its engine is just writing is left: after a pause of the
/// machine each engine finds the others' too old, and they would wait for each other.
pub async fn forget_reports(tx: &mut Tx, before: DateTime<Utc>) -> DbResult<()> {
    const OLD: &str = "DELETE FROM relay_reports WHERE (relay_id, holder) IN (SELECT relay_id, holder
        FROM relay_reports WHERE at < $1";
    let lock = match tx {
        Tx::Sqlite(_) => "",
        Tx::Postgres(_) => "FOR UPDATE SKIP LOCKED",
    };
    let sql = sqlx::AssertSqlSafe(format!("{OLD} {lock})"));
    on_tx!(tx, conn => sqlx::query(sql).bind(before).execute(conn).await.map(drop))?;
    Ok(())
}

/// What all other engines have seen since then.
pub async fn reports(db: &Db, but: &str, since: DateTime<Utc>) -> DbResult<Vec<(i64, RelayLive)>> {
    const SQL: &str = "SELECT relay_id, report FROM relay_reports WHERE holder <> $1 AND at >= $2";
    let rows: Vec<(i64, String)> = on_db!(db, pool => sqlx::query_as(SQL).bind(but).bind(since).fetch_all(pool).await)?;
    rows.into_iter()
        .map(|(id, text)| Ok((id, word("relay_reports.report", &text, |text| serde_json::from_str(text).ok())?)))
        .collect()
}
