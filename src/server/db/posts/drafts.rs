//! Table `post_drafts`: what somebody has typed and not saved.

use super::super::{Db, DbResult, Tx, on_db, on_tx};
use chrono::{DateTime, Utc};

/// Keeps what a user has typed for a post (0: a new one), instead of what was kept before.
pub async fn put(tx: &mut Tx, user: i64, post: i64, form: &str, now: DateTime<Utc>) -> DbResult<()> {
    const SQL: &str = "INSERT INTO post_drafts (user_id, post_id, form, saved_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (user_id, post_id) DO UPDATE SET form = excluded.form, saved_at = excluded.saved_at";
    on_tx!(tx, conn => sqlx::query(SQL)
        .bind(user)
        .bind(post)
        .bind(form)
        .bind(now)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// What a user has typed for a post, and when it was kept.
pub async fn get(db: &Db, user: i64, post: i64) -> DbResult<Option<(String, DateTime<Utc>)>> {
    const SQL: &str = "SELECT form, saved_at FROM post_drafts WHERE user_id = $1 AND post_id = $2";
    Ok(on_db!(db, pool => sqlx::query_as(SQL).bind(user).bind(post).fetch_optional(pool).await)?)
}

/// Drops what a user has typed for a post.
pub async fn delete(tx: &mut Tx, user: i64, post: i64) -> DbResult<()> {
    const SQL: &str = "DELETE FROM post_drafts WHERE user_id = $1 AND post_id = $2";
    on_tx!(tx, conn => sqlx::query(SQL).bind(user).bind(post).execute(conn).await.map(drop))?;
    Ok(())
}
