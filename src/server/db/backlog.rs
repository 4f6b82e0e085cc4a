//! How much is still to be sent.

use super::claims::earliest;
use super::{Db, DbResult, on_db};
use chrono::{DateTime, Utc};

/// Deliveries of open runs that are not final, and since when the one that waits longest is due. Both
/// come from counters and an index, whatever the number of rows.
pub async fn of_open_runs(db: &Db, now: DateTime<Utc>) -> DbResult<(i64, Option<DateTime<Utc>>)> {
    const QUEUE: &str = "SELECT CAST(COALESCE(SUM(waiting + deferred), 0) AS BIGINT) FROM runs WHERE state = 'open'";
    let oldest = sqlx::AssertSqlSafe(format!(
        "SELECT due_at FROM (SELECT {} AS due_at FROM runs r WHERE r.state = 'open') AS open_runs
         WHERE due_at <= $1 ORDER BY due_at LIMIT 1",
        earliest("r.id")
    ));
    let queue = on_db!(db, pool => sqlx::query_scalar(QUEUE).fetch_one(pool).await)?;
    let oldest = on_db!(db, pool => sqlx::query_scalar(oldest).bind(now).fetch_optional(pool).await)?;
    Ok((queue, oldest))
}
