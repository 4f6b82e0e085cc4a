//! Table `deliveries`: the queue and the record in one.

use super::{Db, DbError, DbResult, Tx, json_list, like_pattern, on_db, on_tx, word};
use crate::domain::delivery::{DeliveryRow, DeliveryState};
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;

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
    /// Times that the process died while it was claimed or in hand.
    pub crashes: i64,
}

impl Claimed {
    /// It had been deferred; its run counts it there.
    pub fn was_deferred(&self) -> bool {
        self.attempts > 0
    }
}

/// Takes up to `limit` due deliveries of a run under a lease.
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
    const DUE: &str = "FROM deliveries WHERE run_id = $1 AND state IN ('pending', 'deferred') AND due_at <= $2
        ORDER BY due_at, id LIMIT $3";
    const SET: &str = "UPDATE deliveries SET state = 'claimed'";
    const COLUMNS: &str = "id, run_id, client_id, email, full_name, comment, attempts, crashes";
    match tx {
        // Each row costs a message between two threads there, and as much as all else; so all of them are one.
        // Nobody else writes meanwhile.
        Tx::Sqlite(tx) => {
            let sql = format!("SELECT json_group_array(json_array({COLUMNS})) FROM (SELECT {COLUMNS} {DUE})");
            let query = sqlx::query_scalar(AssertSqlSafe(sql)).bind(run).bind(now).bind(limit);
            let rows: String = query.fetch_one(&mut **tx).await?;
            let claimed: Vec<Claimed> = serde_json::from_str(&rows)
                .map_err(|error| DbError::Corrupt { column: "deliveries", value: error.to_string() })?;
            let ids: Vec<i64> = claimed.iter().map(|claimed| claimed.id).collect();
            let sql = format!("{SET}, lease = $1, lease_until = $2 WHERE id IN (SELECT value FROM json_each($3))");
            let query = sqlx::query(AssertSqlSafe(sql)).bind(lease).bind(until);
            query.bind(json_list(&ids)).execute(&mut **tx).await?;
            Ok(claimed)
        }
        Tx::Postgres(tx) => {
            let sql = format!(
                "{SET}, lease = $4, lease_until = $5 WHERE id IN (SELECT id {DUE} FOR UPDATE SKIP LOCKED)
                 RETURNING {COLUMNS}"
            );
            let query = sqlx::query_as(AssertSqlSafe(sql)).bind(run).bind(now).bind(limit).bind(lease).bind(until);
            Ok(query.fetch_all(&mut **tx).await?)
        }
    }
}

/// What an attempt left behind.
#[derive(Clone, Debug)]
pub struct Outcome<'a> {
    pub state: DeliveryState,
    pub reason: &'a str,
    pub attempts: i64,
    pub due_at: DateTime<Utc>,
    pub at: DateTime<Utc>,
    pub code: Option<i32>,
    pub reply: &'a str,
}

/// Records an outcome and gives the lease back. False if the lease is lost.
pub async fn settle(tx: &mut Tx, id: i64, lease: &str, outcome: &Outcome<'_>) -> DbResult<bool> {
    const SQL: &str = "UPDATE deliveries SET state = $3, reason = $4, attempts = $5, due_at = $6, last_at = $7,
        last_code = $8, last_reply = $9, lease = NULL, lease_until = NULL, crashes = 0
        WHERE id = $1 AND lease = $2";
    let rows = on_tx!(tx, conn => sqlx::query(SQL)
        .bind(id)
        .bind(lease)
        .bind(outcome.state.as_str())
        .bind(outcome.reason)
        .bind(outcome.attempts)
        .bind(outcome.due_at)
        .bind(outcome.at)
        .bind(outcome.code)
        .bind(outcome.reply)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Puts a delivery back as it was before it was claimed. False if the lease is lost.
pub async fn put_back(tx: &mut Tx, id: i64, lease: &str, due_at: DateTime<Utc>) -> DbResult<bool> {
    const SQL: &str = "UPDATE deliveries SET state = CASE WHEN attempts > 0 THEN 'deferred' ELSE 'pending' END,
        due_at = $3, lease = NULL, lease_until = NULL, crashes = 0
        WHERE id = $1 AND lease = $2";
    let rows = on_tx!(tx, conn => sqlx::query(SQL)
        .bind(id)
        .bind(lease)
        .bind(due_at)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Ends what is left of a run: everything not taken becomes not sent for this reason. Returns how
/// many were pending and how many deferred.
pub async fn end(tx: &mut Tx, run: i64, reason: &str) -> DbResult<(i64, i64)> {
    const SQL: &str = "UPDATE deliveries SET state = 'not_sent', reason = $2
        WHERE run_id = $1 AND state IN ('pending', 'deferred') AND (attempts > 0) = $3";
    let mut ended = [0_i64; 2];
    for (tried, slot) in [false, true].into_iter().zip(&mut ended) {
        let rows = on_tx!(&mut *tx, conn => sqlx::query(SQL)
            .bind(run)
            .bind(reason)
            .bind(tried)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        *slot = i64::try_from(rows).unwrap_or(i64::MAX);
    }
    Ok((ended[0], ended[1]))
}

/// When the next delivery of a run is due.
pub async fn next_due(db: &Db, run: i64) -> DbResult<Option<DateTime<Utc>>> {
    const SQL: &str = "SELECT due_at FROM deliveries WHERE run_id = $1 AND state IN ('pending', 'deferred')
        ORDER BY due_at LIMIT 1";
    Ok(on_db!(db, pool => sqlx::query_scalar(SQL).bind(run).fetch_optional(pool).await)?)
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    email: String,
    full_name: String,
    state: String,
    reason: String,
    attempts: i64,
    last_at: Option<DateTime<Utc>>,
    last_code: Option<i32>,
    last_reply: String,
    due_at: DateTime<Utc>,
}

impl Row {
    fn into_delivery(self) -> DbResult<DeliveryRow> {
        let state = word("deliveries.state", &self.state, DeliveryState::parse)?;
        Ok(DeliveryRow {
            id: self.id,
            email: self.email,
            full_name: self.full_name,
            state,
            reason: self.reason,
            attempts: self.attempts,
            last_at: self.last_at,
            last_code: self.last_code,
            last_reply: self.last_reply,
            due_at: (state == DeliveryState::Deferred).then_some(self.due_at),
        })
    }
}

const COLUMNS: &str = "SELECT d.id, d.email, d.full_name, d.state, d.reason, d.attempts, d.last_at, d.last_code,
    d.last_reply, d.due_at FROM deliveries d";

/// The deliveries of run $1 that the filter finds: by state $3, by a pattern $4.
fn found(state: bool, search: bool) -> String {
    let state = if state { "d.state = $3" } else { "$3 = $3" };
    let search = if search {
        "(LOWER(d.email) LIKE $4 ESCAPE '\\' OR LOWER(d.full_name) LIKE $4 ESCAPE '\\')"
    } else {
        "$4 = $4"
    };
    format!("d.run_id = $1 AND {state} AND {search}")
}

pub(super) fn list_sql(state: bool, search: bool) -> String {
    format!("{COLUMNS} WHERE {} AND d.id > $2 ORDER BY d.id LIMIT $5", found(state, search))
}

pub(super) fn count_sql(state: bool, search: bool) -> String {
    format!("SELECT COUNT(*) FROM deliveries d WHERE {} AND d.id > $2", found(state, search))
}

/// A page of a run's deliveries in the order of their ids, from after the id on.
pub async fn list(
    db: &Db,
    run: i64,
    state: Option<DeliveryState>,
    search: &str,
    after: i64,
    limit: i64,
) -> DbResult<Vec<DeliveryRow>> {
    let sql = AssertSqlSafe(list_sql(state.is_some(), !search.trim().is_empty()));
    let rows: Vec<Row> = on_db!(db, pool => sqlx::query_as(sql)
        .bind(run)
        .bind(after)
        .bind(state.map_or("", DeliveryState::as_str))
        .bind(like_pattern(search))
        .bind(limit)
        .fetch_all(pool)
        .await)?;
    rows.into_iter().map(Row::into_delivery).collect()
}

/// How many deliveries of a run the filter finds. Of all the run knows the number.
pub async fn count(db: &Db, run: i64, state: Option<DeliveryState>, search: &str) -> DbResult<i64> {
    const ALL: &str = "SELECT waiting + deferred + sent + failed + unknown + not_sent FROM runs WHERE id = $1";
    if state.is_none() && search.trim().is_empty() {
        let all: Option<i64> = on_db!(db, pool => sqlx::query_scalar(ALL).bind(run).fetch_optional(pool).await)?;
        return Ok(all.unwrap_or_default());
    }
    let sql = AssertSqlSafe(count_sql(state.is_some(), !search.trim().is_empty()));
    Ok(on_db!(db, pool => sqlx::query_scalar(sql)
        .bind(run)
        .bind(0_i64)
        .bind(state.map_or("", DeliveryState::as_str))
        .bind(like_pattern(search))
        .fetch_one(pool)
        .await)?)
}

/// One delivery, if its mailing is the owner's.
pub async fn get(db: &Db, owner: i64, id: i64) -> DbResult<Option<DeliveryRow>> {
    let sql = AssertSqlSafe(format!(
        "{COLUMNS} JOIN runs r ON r.id = d.run_id JOIN mailings g ON g.id = r.mailing_id
         WHERE d.id = $1 AND g.owner_id = $2"
    ));
    let row: Option<Row> = on_db!(db, pool => sqlx::query_as(sql).bind(id).bind(owner).fetch_optional(pool).await)?;
    row.map(Row::into_delivery).transpose()
}

/// The mailing that a delivery belongs to.
pub async fn mailing_of(db: &Db, id: i64) -> DbResult<Option<i64>> {
    const SQL: &str = "SELECT r.mailing_id FROM deliveries d JOIN runs r ON r.id = d.run_id WHERE d.id = $1";
    Ok(on_db!(db, pool => sqlx::query_scalar(SQL).bind(id).fetch_optional(pool).await)?)
}
