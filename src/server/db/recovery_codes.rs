//! Table `recovery_codes`: hashes of codes that stand in for a lost second factor, once each.

use super::{Db, DbResult, Tx, on_db, on_tx};

/// Stores a code's hash.
pub async fn insert(tx: &mut Tx, user_id: i64, hash: &str) -> DbResult<()> {
    const SQL: &str = "INSERT INTO recovery_codes (user_id, hash) VALUES ($1, $2)";
    on_tx!(tx, conn => sqlx::query(SQL).bind(user_id).bind(hash).execute(conn).await.map(drop))?;
    Ok(())
}

/// Uses a code up. False if the user has no such code.
pub async fn use_up(tx: &mut Tx, user_id: i64, hash: &str) -> DbResult<bool> {
    const SQL: &str = "DELETE FROM recovery_codes WHERE user_id = $1 AND hash = $2";
    let rows = on_tx!(tx, conn => sqlx::query(SQL)
        .bind(user_id)
        .bind(hash)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Forgets all codes of a user.
pub async fn forget(tx: &mut Tx, user_id: i64) -> DbResult<()> {
    const SQL: &str = "DELETE FROM recovery_codes WHERE user_id = $1";
    on_tx!(tx, conn => sqlx::query(SQL).bind(user_id).execute(conn).await.map(drop))?;
    Ok(())
}

/// Codes that a user has left.
pub async fn count(db: &Db, user_id: i64) -> DbResult<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM recovery_codes WHERE user_id = $1";
    Ok(on_db!(db, pool => sqlx::query_scalar(SQL).bind(user_id).fetch_one(pool).await)?)
}
