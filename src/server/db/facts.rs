//! What the service remembers of itself.

use super::{Db, DbResult, on_db, on_tx};

/// Reads a fact.
pub async fn get(db: &Db, key: &str) -> DbResult<Option<String>> {
    const SQL: &str = "SELECT value FROM facts WHERE key = $1";
    Ok(on_db!(db, pool => sqlx::query_scalar(SQL).bind(key).fetch_optional(pool).await)?)
}

/// Keeps a fact unless it is there already, and returns what is kept: of two processes that start at
/// once, both get the first one's value.
pub async fn keep(db: &Db, key: &str, value: &str) -> DbResult<String> {
    const SQL: &str = "INSERT INTO facts (key, value) VALUES ($1, $2)
        ON CONFLICT (key) DO UPDATE SET value = facts.value RETURNING value";
    let mut tx = db.begin().await?;
    let kept = on_tx!(&mut tx, conn => sqlx::query_scalar(SQL).bind(key).bind(value).fetch_one(conn).await)?;
    tx.commit().await?;
    Ok(kept)
}
