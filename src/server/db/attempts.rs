//! Table `attempts`: the record of every try.

use super::deliveries::STATE_OF;
use super::{Db, DbResult, Tx, like_pattern, number_list, on_db, on_tx, word};
use crate::domain::delivery::{Attempt, AttemptStatus, DeliveryState, Stage};
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;
use std::collections::HashMap;

#[derive(sqlx::FromRow)]
struct Row {
    number: i64,
    at: DateTime<Utc>,
    ms: i64,
    stage: String,
    status: String,
    relay: String,
    code: Option<i32>,
    enhanced: Option<String>,
    reply: String,
}

impl Row {
    fn into_attempt(self) -> DbResult<Attempt> {
        Ok(Attempt {
            number: self.number,
            at: self.at,
            ms: self.ms,
            stage: word("attempts.stage", &self.stage, Stage::parse)?,
            status: word("attempts.status", &self.status, AttemptStatus::parse)?,
            relay: self.relay,
            code: self.code,
            enhanced: self.enhanced,
            reply: self.reply,
        })
    }
}

/// Puts an attempt on record.
pub async fn insert(tx: &mut Tx, delivery: i64, run: i64, attempt: &Attempt) -> DbResult<()> {
    const SQL: &str = "INSERT INTO attempts (delivery_id, run_id, number, at, ms, stage, status, relay, code,
        enhanced, reply) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    on_tx!(tx, conn => sqlx::query(SQL)
        .bind(delivery)
        .bind(run)
        .bind(attempt.number)
        .bind(attempt.at)
        .bind(attempt.ms)
        .bind(attempt.stage.as_str())
        .bind(attempt.status.as_str())
        .bind(&attempt.relay)
        .bind(attempt.code)
        .bind(&attempt.enhanced)
        .bind(&attempt.reply)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// All attempts of a delivery, in order.
pub async fn of_delivery(db: &Db, delivery: i64) -> DbResult<Vec<Attempt>> {
    Ok(of_deliveries(db, &[delivery]).await?.remove(&delivery).unwrap_or_default())
}

/// The attempts of these deliveries, each one's in order.
pub async fn of_deliveries(db: &Db, deliveries: &[i64]) -> DbResult<HashMap<i64, Vec<Attempt>>> {
    #[derive(sqlx::FromRow)]
    struct Of {
        delivery_id: i64,
        #[sqlx(flatten)]
        row: Row,
    }
    // Numbers only: neither database lets a list be bound in a way that the other understands.
    let sql = AssertSqlSafe(format!(
        "SELECT delivery_id, number, at, ms, stage, status, relay, code, enhanced, reply FROM attempts
         WHERE delivery_id IN ({}) ORDER BY delivery_id, number",
        number_list(deliveries)
    ));
    let rows: Vec<Of> = on_db!(db, pool => sqlx::query_as(sql).persistent(false).fetch_all(pool).await)?;
    let mut attempts = HashMap::<i64, Vec<Attempt>>::new();
    for Of { delivery_id, row } in rows {
        attempts.entry(delivery_id).or_default().push(row.into_attempt()?);
    }
    Ok(attempts)
}

/// An attempt with its place in the order of a run's attempts, and whose it was.
#[derive(Clone, Debug)]
pub struct OfRun {
    pub id: i64,
    pub email: String,
    pub attempt: Attempt,
}

pub(super) const OF_RUN: &str = "SELECT a.id, d.email, a.number, a.at, a.ms, a.stage, a.status, a.relay, a.code,
    a.enhanced, a.reply FROM attempts a JOIN deliveries d ON d.id = a.delivery_id
    WHERE a.run_id = $1 AND (a.at, a.id) > ($2, $3) ORDER BY a.at, a.id LIMIT $4";

/// The same for deliveries in a state ($5, or empty), whose address or name a pattern ($6) finds.
fn of_run_found() -> String {
    let found = "(LOWER(d.email) LIKE $6 ESCAPE '\\' OR LOWER(d.full_name) LIKE $6 ESCAPE '\\')";
    OF_RUN.replace(" ORDER BY", &format!(" AND ($5 = '' OR {STATE_OF} = $5) AND {found} ORDER BY"))
}

/// A run's attempts in the order of their times, and of their ids where those are the same; from after
/// the time and the id on. Only those of deliveries in a state, if one is given, and that the search finds.
pub async fn of_run(
    db: &Db,
    run: i64,
    (state, search): (Option<DeliveryState>, &str),
    (at, id): (DateTime<Utc>, i64),
    limit: i64,
) -> DbResult<Vec<OfRun>> {
    #[derive(sqlx::FromRow)]
    struct Of {
        id: i64,
        email: String,
        #[sqlx(flatten)]
        row: Row,
    }
    let rows: Vec<Of> = if state.is_none() && search.trim().is_empty() {
        on_db!(db, pool => sqlx::query_as(OF_RUN).bind(run).bind(at).bind(id).bind(limit).fetch_all(pool).await)?
    } else {
        let sql = AssertSqlSafe(of_run_found());
        on_db!(db, pool => sqlx::query_as(sql)
            .bind(run)
            .bind(at)
            .bind(id)
            .bind(limit)
            .bind(state.map_or("", DeliveryState::as_str))
            .bind(like_pattern(search))
            .fetch_all(pool)
            .await)?
    };
    rows.into_iter().map(|row| Ok(OfRun { id: row.id, email: row.email, attempt: row.row.into_attempt()? })).collect()
}
