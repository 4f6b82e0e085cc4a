//! Whom a run did not reach, and another run for exactly them.

use super::{doubles, fill_with, suppressions, topics};
use crate::server::db::{Db, DbResult, Tx, on_db};
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;

/// A condition on clients named `c`: the run at the second place was for them, and they got nothing, nor did anybody else at
/// their address. Of letters whose fate nobody knows somebody decides otherwise.
fn missed(c: &str, [text, run]: [&str; 2]) -> String {
    format!(
        "{text} = {text} AND {c}.id IN
         (SELECT d.client_id FROM deliveries d WHERE d.run_id = {run} AND d.listed IN ('failed', 'not_sent'))
         AND ({c}.address_key = '' OR NOT EXISTS (SELECT 1 FROM clients same JOIN deliveries got ON got.client_id = same.id
         WHERE same.owner_id = {c}.owner_id AND same.address_key = {c}.address_key AND got.run_id = {run}
         AND got.state NOT IN ('failed', 'not_sent')))"
    )
}

/// How many clients a run missed who are still there and would get a letter about a topic now.
pub async fn count_missed(db: &Db, (owner, topic): (i64, i64), run: i64, now: DateTime<Utc>) -> DbResult<i64> {
    let places = ["$1", "$3"];
    let sql = AssertSqlSafe(format!(
        "SELECT COUNT(*) FROM clients c WHERE c.owner_id = $2 AND {} AND {} AND {} AND c.address_key NOT IN
         (SELECT address_key FROM suppressions WHERE owner_id = $2 AND {})",
        topics::wished(topics::only_wished(db, (owner, topic)).await?, "$4"),
        missed("c", places),
        doubles::only_once(&missed("o", places)),
        suppressions::holds("$4", "$5")
    ));
    Ok(on_db!(db, pool => sqlx::query_scalar(sql)
        .bind("")
        .bind(owner)
        .bind(run)
        .bind(topic)
        .bind(now)
        .fetch_one(pool)
        .await)?)
}

/// Copies the clients whom another run missed into the deliveries of a run, as [`fill`](super::fill) does with an audience, and
/// returns how many of them get a letter.
pub async fn fill_missed(
    tx: &mut Tx,
    run: i64,
    (owner, topic): (i64, i64),
    missed_by: i64,
    now: DateTime<Utc>,
) -> DbResult<i64> {
    let filled = fill_with(tx, run, (owner, topic), &missed, (String::new(), missed_by), now).await?;
    Ok(filled.total - filled.left_out)
}
