//! Table `throttles`: how often something has been tried, by key.

use super::{DbResult, Tx, on_tx};
use chrono::{DateTime, Utc};

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Throttle {
    pub tries: i64,
    pub blocked_until: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// Reads a key, or begins it, and keeps others off it until the transaction ends.
pub async fn lock(tx: &mut Tx, key: &str, now: DateTime<Utc>) -> DbResult<Throttle> {
    const SQL: &str = "INSERT INTO throttles (key, tries, blocked_until, updated_at) VALUES ($1, 0, $2, $2)
        ON CONFLICT (key) DO UPDATE SET key = excluded.key RETURNING tries, blocked_until, updated_at";
    Ok(on_tx!(tx, conn => sqlx::query_as(SQL).bind(key).bind(now).fetch_one(conn).await)?)
}

/// Stores what a try has made of a key.
pub async fn store(tx: &mut Tx, key: &str, throttle: &Throttle) -> DbResult<()> {
    const SQL: &str = "UPDATE throttles SET tries = $2, blocked_until = $3, updated_at = $4 WHERE key = $1";
    on_tx!(tx, conn => sqlx::query(SQL)
        .bind(key)
        .bind(throttle.tries)
        .bind(throttle.blocked_until)
        .bind(throttle.updated_at)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Takes one try back.
pub async fn give_back(tx: &mut Tx, key: &str) -> DbResult<()> {
    const SQL: &str = "UPDATE throttles SET tries = tries - 1 WHERE key = $1 AND tries > 0";
    on_tx!(tx, conn => sqlx::query(SQL).bind(key).execute(conn).await.map(drop))?;
    Ok(())
}

/// Forgets a key.
pub async fn forget(tx: &mut Tx, key: &str) -> DbResult<()> {
    const SQL: &str = "DELETE FROM throttles WHERE key = $1";
    on_tx!(tx, conn => sqlx::query(SQL).bind(key).execute(conn).await.map(drop))?;
    Ok(())
}

/// Forgets what nobody has tried since `before`.
pub async fn forget_old(tx: &mut Tx, before: DateTime<Utc>) -> DbResult<()> {
    const SQL: &str = "DELETE FROM throttles WHERE updated_at < $1";
    on_tx!(tx, conn => sqlx::query(SQL).bind(before).execute(conn).await.map(drop))?;
    Ok(())
}
