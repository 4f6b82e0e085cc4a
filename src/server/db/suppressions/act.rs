//! What an entry does to runs that are open.

use super::super::claims::WAITS;
use super::super::{DbResult, Tx, address::key_of, json_list, mailings, on_tx, runs};
use crate::domain::mailing::Counts;
use crate::domain::suppression::Reason;
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;
use std::collections::{BTreeMap, HashSet};

/// Open runs of user $1 that are about topic $2.
const OPEN: &str = "(SELECT r.id FROM runs r JOIN mailings g ON g.id = r.mailing_id
    WHERE r.state = 'open' AND g.owner_id = $1 AND ($2 = 0 OR r.topic_id = $2))";

/// Why addresses are left out from now on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Why {
    pub owner: i64,
    pub topic: i64,
    pub reason: Reason,
    /// The letter that it came of.
    pub delivery: Option<i64>,
    pub now: DateTime<Utc>,
}

/// SQL: whether user $1 has open runs that are about topic $2.
pub(super) fn sends_sql() -> String {
    format!("SELECT EXISTS {OPEN}")
}

/// Whether a user has open runs that are about a topic.
pub(super) async fn sends(tx: &mut Tx, owner: i64, topic: i64) -> DbResult<bool> {
    let sql = AssertSqlSafe(sends_sql());
    Ok(on_tx!(tx, conn => sqlx::query_scalar(sql).bind(owner).bind(topic).fetch_one(conn).await)?)
}

/// Takes what waits for some addresses, by their keys, out of their owner's open runs, and withdraws what is in hand there: what
/// is armed ahead, too, which is asked for once more when its turn comes.
pub(super) async fn leave_out(tx: &mut Tx, why: &Why, keys: &[&str]) -> DbResult<()> {
    let Why { owner, topic, reason, now, .. } = *why;
    if let Tx::Postgres(tx) = tx {
        // Nobody takes it in order meanwhile.
        let sql = format!("SELECT run_id FROM queues WHERE run_id IN {OPEN} ORDER BY run_id FOR SHARE");
        sqlx::query(AssertSqlSafe(sql)).bind(owner).bind(topic).execute(&mut **tx).await?;
    }
    let ids = meant(tx, why, keys).await?;
    if ids.is_empty() {
        return Ok(());
    }
    let list = match tx {
        Tx::Sqlite(_) => "SELECT value FROM json_each($1)",
        Tx::Postgres(_) => "SELECT CAST(json_array_elements_text(CAST($1 AS JSON)) AS BIGINT)",
    };
    let waiting = AssertSqlSafe(format!(
        "UPDATE deliveries SET state = 'not_sent', reason = $2, loose = FALSE
         WHERE id IN ({list}) AND {WAITS} RETURNING run_id, attempts > 0"
    ));
    let in_hand = AssertSqlSafe(format!(
        "INSERT INTO withdrawn (lease, delivery_id) SELECT c.lease, d.id FROM deliveries d JOIN claims c
         ON c.run_id = d.run_id AND (c.lease = d.lease OR (d.lease IS NULL AND d.client_id BETWEEN c.first AND c.last))
         WHERE d.id IN ({list}) AND (d.state IN ('claimed', 'armed') OR (d.state = 'pending' AND NOT d.loose))
         ON CONFLICT DO NOTHING"
    ));
    let ids = json_list(&ids);
    let reason = format!("suppressed_{}", reason.as_str());
    let out: Vec<(i64, bool)> =
        on_tx!(&mut *tx, conn => sqlx::query_as(waiting).bind(&ids).bind(&reason).fetch_all(conn).await)?;
    on_tx!(&mut *tx, conn => sqlx::query(in_hand).bind(&ids).execute(conn).await.map(drop))?;
    left_out(tx, &out, |counts| &mut counts.not_sent, now).await
}

/// Deliveries of open runs that are for the addresses and not over. Those of their clients are looked at, and those of the
/// client whose letter it came of: it may have another address by now, or none.
async fn meant(tx: &mut Tx, why: &Why, keys: &[&str]) -> DbResult<Vec<i64>> {
    // No letter has this number.
    const NONE: i64 = 0;
    let list = match tx {
        Tx::Sqlite(_) => "SELECT value FROM json_each($3)",
        Tx::Postgres(_) => "SELECT json_array_elements_text(CAST($3 AS JSON))",
    };
    let sql = AssertSqlSafe(format!(
        "SELECT d.id, d.email FROM deliveries d WHERE d.run_id IN {OPEN} AND d.client_id IN
         (SELECT id FROM clients WHERE owner_id = $1 AND address_key IN ({list})
          UNION SELECT client_id FROM deliveries WHERE id = $4)
         AND d.state IN ('pending', 'claimed', 'armed', 'deferred')"
    ));
    let found: Vec<(i64, String)> = on_tx!(tx, conn => sqlx::query_as(sql)
        .bind(why.owner)
        .bind(why.topic)
        .bind(serde_json::json!(keys).to_string())
        .bind(why.delivery.unwrap_or(NONE))
        .fetch_all(conn)
        .await)?;
    let keys: HashSet<&str> = keys.iter().copied().collect();
    Ok(found.into_iter().filter(|(_, email)| keys.contains(key_of(email).as_str())).map(|(id, _)| id).collect())
}

/// Moves deliveries in their runs' counters to where they went, and closes runs that are through. Each is
/// given by its run, and whether it had been deferred.
pub(in crate::server::db) async fn left_out(
    tx: &mut Tx,
    deliveries: &[(i64, bool)],
    to: impl Fn(&mut Counts) -> &mut i64,
    now: DateTime<Utc>,
) -> DbResult<()> {
    let mut changes = BTreeMap::<i64, Counts>::new();
    for (run, deferred) in deliveries {
        let change = changes.entry(*run).or_default();
        *(if *deferred { &mut change.deferred } else { &mut change.waiting }) -= 1;
        *to(change) += 1;
    }
    for (run, change) in changes {
        runs::count(tx, run, &change).await?;
        if runs::close(tx, run, now).await? {
            mailings::finish_after(tx, run).await?;
        }
    }
    Ok(())
}
