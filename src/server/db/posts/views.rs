//! Table `post_views`, and the sums in `posts`.

use super::super::{Db, DbResult, Tx, on_db, on_tx};
use chrono::NaiveDate;

/// Adds views of a day to a post. Those of a post that is gone are dropped.
pub async fn add(tx: &mut Tx, post: i64, day: NaiveDate, n: i64) -> DbResult<()> {
    const SUM: &str = "UPDATE posts SET views = views + $2 WHERE id = $1";
    const DAY: &str = "INSERT INTO post_views (post_id, day, n) VALUES ($1, $2, $3)
        ON CONFLICT (post_id, day) DO UPDATE SET n = post_views.n + excluded.n";
    let rows = on_tx!(&mut *tx, conn => sqlx::query(SUM).bind(post).bind(n).execute(conn).await.map(|done| done.rows_affected()))?;
    if rows == 1 {
        on_tx!(tx, conn => sqlx::query(DAY)
            .bind(post)
            .bind(day.to_string())
            .bind(n)
            .execute(conn)
            .await
            .map(drop))?;
    }
    Ok(())
}

/// Views of a post since a day, as (day, views).
pub async fn since(db: &Db, post: i64, day: NaiveDate) -> DbResult<Vec<(String, i64)>> {
    const SQL: &str = "SELECT day, n FROM post_views WHERE post_id = $1 AND day >= $2 ORDER BY day";
    Ok(on_db!(db, pool => sqlx::query_as(SQL).bind(post).bind(day.to_string()).fetch_all(pool).await)?)
}
