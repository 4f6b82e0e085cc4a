//! Table `deliveries`: the queue and the record in one.

use super::claims::{self, HELD, TAKEN_BY, WAITS};
use super::{Db, DbResult, Tx, like_pattern, on_db, on_tx, word};
use crate::domain::delivery::{DeliveryRow, DeliveryState};
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;

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
    let sql = AssertSqlSafe(format!(
        "UPDATE deliveries SET state = $3, reason = $4, attempts = $5, due_at = $6, last_at = $7,
         last_code = $8, last_reply = $9, loose = $10, lease = NULL, crashes = 0 WHERE id = $2 AND {HELD}"
    ));
    let rows = on_tx!(tx, conn => sqlx::query(sql)
        .bind(lease)
        .bind(id)
        .bind(outcome.state.as_str())
        .bind(outcome.reason)
        .bind(outcome.attempts)
        .bind(outcome.due_at)
        .bind(outcome.at)
        .bind(outcome.code)
        .bind(outcome.reply)
        .bind(outcome.state == DeliveryState::Deferred)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Puts a delivery back as it was before it was claimed. False if the lease is lost.
pub async fn put_back(tx: &mut Tx, id: i64, lease: &str, due_at: DateTime<Utc>) -> DbResult<bool> {
    let sql = AssertSqlSafe(format!(
        "UPDATE deliveries SET state = CASE WHEN attempts > 0 THEN 'deferred' ELSE 'pending' END, loose = TRUE,
         due_at = $3, lease = NULL, crashes = 0 WHERE id = $2 AND {HELD}"
    ));
    let rows = on_tx!(tx, conn => sqlx::query(sql)
        .bind(lease)
        .bind(id)
        .bind(due_at)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Ends what is left of a run: everything not taken becomes not sent for this reason. Returns how
/// many were pending and how many deferred.
pub async fn end(tx: &mut Tx, run: i64, reason: &str) -> DbResult<(i64, i64)> {
    // Nobody takes them meanwhile.
    claims::lock(tx, run).await?;
    let sql = format!(
        "UPDATE deliveries SET state = 'not_sent', reason = $2, loose = FALSE
         WHERE run_id = $1 AND {WAITS} AND (attempts > 0) = $3"
    );
    let mut ended = [0_i64; 2];
    for (tried, slot) in [false, true].into_iter().zip(&mut ended) {
        let rows = on_tx!(&mut *tx, conn => sqlx::query(AssertSqlSafe(sql.as_str()))
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

/// The word for what a mail server's reply means.
pub(super) fn meaning_of(code: Option<i32>, reply: &str) -> &'static str {
    vestnik_reports::meaning(code.and_then(|code| u16::try_from(code).ok()), reply).as_str()
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    client_id: i64,
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
        let meaning = match (state, self.last_code) {
            (DeliveryState::Deferred, code) => Some(code),
            // Without a reply it failed here: no letter could be made.
            (DeliveryState::Failed, Some(code)) => Some(Some(code)),
            _ => None,
        };
        let meaning = meaning.map(|code| meaning_of(code, &self.last_reply));
        Ok(DeliveryRow {
            id: self.id,
            client_id: self.client_id,
            meaning: meaning.unwrap_or_default().to_owned(),
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

/// The state of delivery `d`: one that was taken in order is pending in the table.
pub(super) const STATE_OF: &str = "CASE WHEN d.state = 'pending' AND NOT d.loose
    AND d.client_id <= (SELECT q.taken_to FROM queues q WHERE q.run_id = d.run_id) THEN 'claimed' ELSE d.state END";

fn columns() -> String {
    format!(
        "SELECT d.id, d.client_id, d.email, d.full_name, {STATE_OF} AS state, d.reason, d.attempts, d.last_at, d.last_code,
         d.last_reply, d.due_at"
    )
}

/// The client of delivery $2, which may be none: a page goes on behind it.
pub(super) const AFTER: &str = "COALESCE((SELECT a.client_id FROM deliveries a WHERE a.id = $2), 0)";

/// Where the deliveries of run $1 in a state are found, behind a client: in ways that exclude each other and come from
/// an index each, in the order of their clients.
fn ways(state: Option<DeliveryState>, after: &str) -> Vec<String> {
    let Some(state) = state else {
        return vec![format!("FROM deliveries d WHERE d.run_id = $1 AND d.client_id > {after}")];
    };
    let listed =
        format!("FROM deliveries d WHERE d.run_id = $1 AND d.listed = '{}' AND d.client_id > {after}", state.as_str());
    match state {
        DeliveryState::Pending => vec![listed, format!("FROM deliveries d WHERE {}", claims::fresh("$1", after))],
        DeliveryState::Claimed => vec![
            listed,
            format!("FROM claims c JOIN deliveries d ON {TAKEN_BY} WHERE c.run_id = $1 AND d.client_id > {after}"),
        ],
        // Most of those that were taken; a run without a queue is from before there were any, and over.
        DeliveryState::Sent => vec![format!(
            "FROM deliveries d WHERE d.run_id = $1 AND d.state = 'sent' AND d.client_id > {after} AND d.client_id <=
             COALESCE((SELECT q.taken_to FROM queues q WHERE q.run_id = $1), 9223372036854775807)"
        )],
        _ => vec![listed],
    }
}

/// What restricts the ways to a search for pattern $3.
fn searched(search: bool) -> &'static str {
    if search { "(LOWER(d.email) LIKE $3 ESCAPE '\\' OR LOWER(d.full_name) LIKE $3 ESCAPE '\\')" } else { "$3 = $3" }
}

/// A query for each way.
pub(super) fn list_sql(state: Option<DeliveryState>, search: bool) -> Vec<String> {
    let page = |from| format!("{} {from} AND {} ORDER BY d.client_id LIMIT $4", columns(), searched(search));
    ways(state, AFTER).into_iter().map(page).collect()
}

pub(super) fn count_sql(state: Option<DeliveryState>, search: bool) -> String {
    let count = |from| format!("(SELECT COUNT(*) {from} AND {})", searched(search));
    let counts: Vec<String> = ways(state, "$2").into_iter().map(count).collect();
    format!("SELECT {}", counts.join(" + "))
}

/// A page of a run's deliveries in the order of their clients, from after this delivery on.
pub async fn list(
    db: &Db,
    run: i64,
    state: Option<DeliveryState>,
    search: &str,
    after: i64,
    limit: i64,
) -> DbResult<Vec<DeliveryRow>> {
    let mut rows = Vec::<Row>::new();
    for sql in list_sql(state, !search.trim().is_empty()) {
        let sql = AssertSqlSafe(sql);
        let found: Vec<Row> = on_db!(db, pool => sqlx::query_as(sql)
            .bind(run)
            .bind(after)
            .bind(like_pattern(search))
            .bind(limit)
            .fetch_all(pool)
            .await)?;
        rows.extend(found);
    }
    rows.sort_unstable_by_key(|row| row.client_id);
    rows.truncate(usize::try_from(limit).unwrap_or_default());
    rows.into_iter().map(Row::into_delivery).collect()
}

/// How many deliveries of a run the filter finds. Of all, and of those that are pending or sent, the run knows the number.
pub async fn count(db: &Db, run: i64, state: Option<DeliveryState>, search: &str) -> DbResult<i64> {
    const ALL: &str = "SELECT waiting + deferred + sent + failed + unknown + not_sent FROM runs r WHERE r.id = $1";
    let searches = !search.trim().is_empty();
    let counted = match state {
        None if !searches => Some(ALL.to_owned()),
        Some(DeliveryState::Pending) if !searches => {
            let in_hand = claims::in_hand("r.id", "d.attempts = 0");
            Some(format!("SELECT r.waiting - {in_hand} FROM runs r WHERE r.id = $1"))
        }
        Some(DeliveryState::Sent) if !searches => Some("SELECT sent FROM runs r WHERE r.id = $1".to_owned()),
        _ => None,
    };
    if let Some(sql) = counted {
        let sql = AssertSqlSafe(sql);
        let count: Option<i64> = on_db!(db, pool => sqlx::query_scalar(sql).bind(run).fetch_optional(pool).await)?;
        return Ok(count.unwrap_or_default());
    }
    let sql = AssertSqlSafe(count_sql(state, searches));
    Ok(on_db!(db, pool => sqlx::query_scalar(sql)
        .bind(run)
        .bind(0_i64)
        .bind(like_pattern(search))
        .fetch_one(pool)
        .await)?)
}

/// One delivery, if its mailing is the owner's.
pub async fn get(db: &Db, owner: i64, id: i64) -> DbResult<Option<DeliveryRow>> {
    let sql = AssertSqlSafe(format!(
        "{} FROM deliveries d JOIN runs r ON r.id = d.run_id JOIN mailings g ON g.id = r.mailing_id
         WHERE d.id = $1 AND g.owner_id = $2",
        columns()
    ));
    let row: Option<Row> = on_db!(db, pool => sqlx::query_as(sql).bind(id).bind(owner).fetch_optional(pool).await)?;
    row.map(Row::into_delivery).transpose()
}

/// The mailing that a delivery belongs to.
pub async fn mailing_of(db: &Db, id: i64) -> DbResult<Option<i64>> {
    const SQL: &str = "SELECT r.mailing_id FROM deliveries d JOIN runs r ON r.id = d.run_id WHERE d.id = $1";
    Ok(on_db!(db, pool => sqlx::query_scalar(SQL).bind(id).fetch_optional(pool).await)?)
}
