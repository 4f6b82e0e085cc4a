//! Tables `claims` and `queues`: what engines have taken of runs, and how.
//!
//! Deliveries that nobody has tried are taken in the order of their clients, and a claim on them is one row,
//! however many they are: from its first client to its last. What came back, deferred or put back, is *loose*: it
//! waits for its own time, and is marked by itself when it is taken again. Either way a lease is good for as long
//! as its claim is there.

use super::journals::NOTED;
use super::processes::{NAME, orphan};
use super::{Db, DbError, DbResult, Tx, json_list, on_db, on_tx};
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;

/// That delivery `d` was taken by claim `c` in order, and nothing is recorded of it yet.
pub(super) const TAKEN_BY: &str = "d.run_id = c.run_id AND d.client_id BETWEEN c.first AND c.last
    AND d.state = 'pending' AND NOT d.loose";
/// That nobody has taken the delivery in the table `deliveries`, and it waits to be.
pub(super) const WAITS: &str = "(deliveries.loose OR (deliveries.state = 'pending' AND deliveries.client_id >
    (SELECT q.taken_to FROM queues q WHERE q.run_id = deliveries.run_id)))";
/// That the delivery is still under lease $1.
pub(super) const HELD: &str = "(lease = $1 OR (lease IS NULL AND state = 'pending' AND NOT loose
    AND EXISTS (SELECT 1 FROM claims c WHERE c.lease = $1)))";

/// A delivery that an engine has taken; as JSON, a list in the order of the fields.
#[derive(Clone, Debug, sqlx::FromRow, serde::Deserialize)]
pub struct Claimed {
    pub id: i64,
    pub run_id: i64,
    pub client_id: i64,
    pub email: String,
    pub full_name: String,
    pub comment: String,
    /// Attempts before this one.
    pub attempts: i64,
    /// Those of them of which nobody knows whether the letter arrived.
    pub unknown: i64,
    /// Times that the process died while it was claimed or in hand.
    pub crashes: i64,
}

impl Claimed {
    /// It had been deferred; its run counts it there.
    pub fn was_deferred(&self) -> bool {
        self.attempts > 0
    }
}

/// Of deliveries that nobody has tried.
const FRESH: &str = "id, run_id, client_id, email, full_name, comment, attempts, CAST(0 AS BIGINT) AS unknown, crashes";
/// Of those that have come back.
const LOOSE: &str = "id, run_id, client_id, email, full_name, comment, attempts, (SELECT COUNT(*) FROM attempts a
    WHERE a.delivery_id = deliveries.id AND a.status = 'unknown') AS unknown, crashes";

/// Begins a run's queue: nothing is taken yet.
pub async fn open(tx: &mut Tx, run: i64) -> DbResult<()> {
    const SQL: &str = "INSERT INTO queues (run_id, taken_to) VALUES ($1, 0)";
    on_tx!(tx, conn => sqlx::query(SQL).bind(run).execute(conn).await.map(drop))?;
    Ok(())
}

/// Up to which client a run's deliveries have been taken in order, none where it has no queue. Nobody else takes
/// any until the transaction ends. To be asked before an owner's count of letters is held ([`super::limits`]).
pub async fn lock(tx: &mut Tx, run: i64) -> DbResult<Option<i64>> {
    const SQL: &str = "SELECT taken_to FROM queues WHERE run_id = $1";
    let wait = if matches!(tx, Tx::Postgres(_)) { "FOR UPDATE" } else { "" };
    let sql = AssertSqlSafe(format!("{SQL} {wait}"));
    Ok(on_tx!(tx, conn => sqlx::query_scalar(sql).bind(run).fetch_optional(conn).await)?)
}

/// Takes up to `limit` due deliveries of a run under a lease, which must be a new one: those that nobody has tried
/// first.
///
/// # Errors
/// Database errors.
pub async fn claim(
    tx: &mut Tx,
    run: i64,
    lease: &str,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
    limit: i64,
) -> DbResult<Vec<Claimed>> {
    const INTO: &str = "INSERT INTO claims (lease, run_id, first, last, until) VALUES ($1, $2, $3, $4, $5)";
    let mut claimed = in_order(tx, run, limit).await?;
    let first = claimed.first().map(|claimed| claimed.client_id);
    let last = claimed.last().map(|claimed| claimed.client_id);
    let rest = limit - i64::try_from(claimed.len()).unwrap_or(i64::MAX);
    if rest > 0 {
        claimed.extend(loose(tx, run, lease, now, rest).await?);
    }
    if !claimed.is_empty() {
        on_tx!(&mut *tx, conn => sqlx::query(INTO)
            .bind(lease)
            .bind(run)
            .bind(first)
            .bind(last)
            .bind(until)
            .execute(conn)
            .await
            .map(drop))?;
    }
    Ok(claimed)
}

/// The next ones in order.
async fn in_order(tx: &mut Tx, run: i64, limit: i64) -> DbResult<Vec<Claimed>> {
    const NEXT: &str = "FROM deliveries WHERE run_id = $1 AND client_id > $2 AND state = 'pending' AND NOT loose
        ORDER BY client_id LIMIT $3";
    const TO: &str = "UPDATE queues SET taken_to = $2 WHERE run_id = $1";
    let taken_to = match lock(tx, run).await? {
        Some(taken_to) if taken_to < i64::MAX && limit > 0 => taken_to,
        _ => return Ok(Vec::new()),
    };
    let claimed: Vec<Claimed> = match tx {
        Tx::Sqlite(tx) => {
            let sql = as_one(FRESH, NEXT);
            let query = sqlx::query_scalar(AssertSqlSafe(sql)).bind(run).bind(taken_to).bind(limit);
            read(query.fetch_one(&mut **tx).await?)?
        }
        Tx::Postgres(tx) => {
            let sql = format!("SELECT {FRESH} {NEXT}");
            let query = sqlx::query_as(AssertSqlSafe(sql)).bind(run).bind(taken_to).bind(limit);
            query.fetch_all(&mut **tx).await?
        }
    };
    // No more will come: nobody need look for them again.
    let all = i64::try_from(claimed.len()).is_ok_and(|len| len < limit);
    let to = claimed.last().filter(|_| !all).map_or(i64::MAX, |last| last.client_id);
    on_tx!(tx, conn => sqlx::query(TO).bind(run).bind(to).execute(conn).await.map(drop))?;
    Ok(claimed)
}

/// Some that have come back and are due.
async fn loose(tx: &mut Tx, run: i64, lease: &str, now: DateTime<Utc>, limit: i64) -> DbResult<Vec<Claimed>> {
    const DUE: &str = "FROM deliveries WHERE run_id = $1 AND loose AND due_at <= $2 ORDER BY due_at, id LIMIT $3";
    const SET: &str = "UPDATE deliveries SET state = 'claimed', loose = FALSE, lease =";
    match tx {
        // Nobody else writes meanwhile.
        Tx::Sqlite(tx) => {
            let query = sqlx::query_scalar(AssertSqlSafe(as_one(LOOSE, DUE))).bind(run).bind(now).bind(limit);
            let claimed = read(query.fetch_one(&mut **tx).await?)?;
            let ids: Vec<i64> = claimed.iter().map(|claimed| claimed.id).collect();
            let sql = format!("{SET} $1 WHERE id IN (SELECT value FROM json_each($2))");
            sqlx::query(AssertSqlSafe(sql)).bind(lease).bind(json_list(&ids)).execute(&mut **tx).await?;
            Ok(claimed)
        }
        Tx::Postgres(tx) => {
            let sql = format!("{SET} $4 WHERE id IN (SELECT id {DUE} FOR UPDATE SKIP LOCKED) RETURNING {LOOSE}");
            let query = sqlx::query_as(AssertSqlSafe(sql)).bind(run).bind(now).bind(limit).bind(lease);
            Ok(query.fetch_all(&mut **tx).await?)
        }
    }
}

/// SQLite: all rows as one. Each costs a message between two threads there, and as much as all else.
fn as_one(columns: &str, from: &str) -> String {
    const NAMES: &str = "id, run_id, client_id, email, full_name, comment, attempts, unknown, crashes";
    format!("SELECT json_group_array(json_array({NAMES})) FROM (SELECT {columns} {from})")
}

fn read(rows: String) -> DbResult<Vec<Claimed>> {
    serde_json::from_str(&rows).map_err(|error| DbError::Corrupt { column: "deliveries", value: error.to_string() })
}

/// Forgets a process's claims on a run of which everything is recorded.
pub async fn forget(tx: &mut Tx, run: i64, lease: &str) -> DbResult<()> {
    // From behind: of a batch that is in hand the last ones have no record yet, and nothing else is read.
    let sql = AssertSqlSafe(format!(
        "DELETE FROM claims AS c WHERE c.run_id = $1 AND SUBSTR(c.lease, 1, {NAME}) = SUBSTR($2, 1, {NAME})
         AND (SELECT d.id FROM deliveries d WHERE {TAKEN_BY} ORDER BY d.client_id DESC LIMIT 1) IS NULL
         AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.lease = c.lease)"
    ));
    on_tx!(tx, conn => sqlx::query(sql).bind(run).bind(lease).execute(conn).await.map(drop))?;
    Ok(())
}

/// Which of these leases are good, and until the transaction ends stay so.
pub async fn good(tx: &mut Tx, leases: &[&str]) -> DbResult<Vec<String>> {
    Ok(match tx {
        Tx::Sqlite(tx) => {
            const SQL: &str = "SELECT lease FROM claims WHERE lease IN (SELECT value FROM json_each($1))";
            let leases = serde_json::json!(leases).to_string();
            sqlx::query_scalar(SQL).bind(leases).fetch_all(&mut **tx).await?
        }
        Tx::Postgres(tx) => {
            const SQL: &str = "SELECT lease FROM claims WHERE lease = ANY($1) ORDER BY lease FOR KEY SHARE";
            sqlx::query_scalar(SQL).bind(leases).fetch_all(&mut **tx).await?
        }
    })
}

/// A claim that is over before its deliveries are.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Over {
    pub lease: String,
    run_id: i64,
    first: Option<i64>,
    last: Option<i64>,
}

const ENDED: &str = "RETURNING lease, run_id, first, last";

/// Ends the claims of a process that ends in order.
pub(super) async fn end(tx: &mut Tx, process: &str) -> DbResult<Vec<Over>> {
    let sql = AssertSqlSafe(format!("DELETE FROM claims WHERE SUBSTR(lease, 1, {NAME}) = $1 {ENDED}"));
    Ok(on_tx!(tx, conn => sqlx::query_as(sql).bind(process).fetch_all(conn).await)?)
}

/// Ends the claims whose process is gone or whose time has run out. What a process recorded that was struck off a moment
/// ago may not be in the tables yet: until it is, its claims stay.
pub(super) async fn end_orphaned(tx: &mut Tx, now: DateTime<Utc>) -> DbResult<Vec<Over>> {
    let process = format!("SUBSTR(claims.lease, 1, {NAME})");
    let orphan = orphan(&process);
    let carried = match tx {
        // The only engine carries all over before it begins.
        Tx::Sqlite(_) => String::new(),
        Tx::Postgres(_) => format!(
            "AND NOT EXISTS (SELECT 1 FROM journal_frames f WHERE f.journal IN ({process}, {process} || '{NOTED}'))"
        ),
    };
    let sql = AssertSqlSafe(format!("DELETE FROM claims WHERE until <= $1 OR ({orphan} {carried}) {ENDED}"));
    Ok(on_tx!(tx, conn => sqlx::query_as(sql).bind(now).fetch_all(conn).await)?)
}

/// Puts back what a claim that is over has not recorded anything of; armed ones stay as they are. `crashes` is what
/// becomes of that column. Returns how many went back.
pub(super) async fn put_back(tx: &mut Tx, over: &Over, crashes: &str) -> DbResult<u64> {
    let in_order = AssertSqlSafe(format!(
        "UPDATE deliveries SET loose = TRUE, crashes = {crashes}
         WHERE run_id = $1 AND client_id BETWEEN $2 AND $3 AND state = 'pending' AND NOT loose"
    ));
    let marked = AssertSqlSafe(format!(
        "UPDATE deliveries SET state = CASE WHEN attempts > 0 THEN 'deferred' ELSE 'pending' END, loose = TRUE,
         lease = NULL, crashes = {crashes} WHERE lease = $1 AND state = 'claimed'"
    ));
    let mut back = on_tx!(&mut *tx, conn => sqlx::query(in_order)
        .bind(over.run_id)
        .bind(over.first)
        .bind(over.last)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    back += on_tx!(tx, conn => sqlx::query(marked)
        .bind(&over.lease)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(back)
}

/// SQL: that delivery `d` of a run waits for its turn in order, and its client is behind another. `run` and `after` are
/// SQL, too, and not of `d`, from which no place in an index would follow; of two places SQLite takes any.
pub(super) fn fresh(run: &str, after: &str) -> String {
    format!(
        "d.run_id = {run} AND d.state = 'pending' AND NOT d.loose AND d.client_id >
         (SELECT CASE WHEN q.taken_to > {after} THEN q.taken_to ELSE {after} END FROM queues q WHERE q.run_id = {run})"
    )
}

/// SQL: how many deliveries of a run engines have in hand; `run` and what else must be true of `d` are SQL, too.
pub(super) fn in_hand(run: &str, and: &str) -> String {
    format!(
        "((SELECT COUNT(*) FROM deliveries d WHERE d.run_id = {run} AND d.listed IN ('claimed', 'armed')
          AND {and}) + (SELECT COUNT(*) FROM claims c JOIN deliveries d ON {TAKEN_BY} WHERE c.run_id = {run} AND {and}))"
    )
}

/// SQL: when the first delivery of a run is due that waits; `run` is SQL, too. One look into an index, or two.
pub(super) fn earliest(run: &str) -> String {
    format!(
        "COALESCE((SELECT d.due_at FROM deliveries d WHERE {} ORDER BY d.client_id LIMIT 1),
         (SELECT d.due_at FROM deliveries d WHERE d.run_id = {run} AND d.loose ORDER BY d.due_at, d.id LIMIT 1))",
        fresh(run, "0")
    )
}

/// When the next delivery of a run is due.
pub async fn next_due(db: &Db, run: i64) -> DbResult<Option<DateTime<Utc>>> {
    let sql = AssertSqlSafe(format!("SELECT {}", earliest("$1")));
    Ok(on_db!(db, pool => sqlx::query_scalar(sql).bind(run).fetch_one(pool).await)?)
}
