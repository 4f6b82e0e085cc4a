//! Table `decisions`, and what a verdict makes of deliveries whose fate was unknown.

use super::{Db, DbResult, Tx, on_db, on_tx, word};
use crate::domain::delivery::{Decision, Verdict};
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;

/// A run in whose unknown deliveries somebody decides.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub struct Doubtful {
    pub run_id: i64,
    /// Deliveries whose fate is unknown.
    pub unknown: i64,
    pub end_at: DateTime<Utc>,
    pub disabled: bool,
}

/// Finds the run, or that of the delivery, among the owner's, and keeps it from other writers until
/// the transaction ends: of two who decide at once, the second sees what the first did.
pub async fn lock(tx: &mut Tx, owner: i64, mailing: i64, run: i64, delivery: i64) -> DbResult<Option<Doubtful>> {
    const SQL: &str = "SELECT r.id AS run_id, r.unknown, g.end_at, g.disabled_at IS NOT NULL AS disabled
        FROM runs r JOIN mailings g ON g.id = r.mailing_id WHERE g.owner_id = $1 AND g.id = $2
        AND r.id = CASE WHEN $4 = 0 THEN $3 ELSE (SELECT d.run_id FROM deliveries d WHERE d.id = $4) END";
    let wait = if matches!(tx, Tx::Postgres(_)) { "FOR UPDATE OF r" } else { "" };
    let sql = AssertSqlSafe(format!("{SQL} {wait}"));
    Ok(on_tx!(tx, conn => sqlx::query_as(sql)
        .bind(owner)
        .bind(mailing)
        .bind(run)
        .bind(delivery)
        .fetch_optional(conn)
        .await)?)
}

/// Who says what, and when.
#[derive(Clone, Copy, Debug)]
pub struct Saying<'a> {
    pub verdict: Verdict,
    pub user: i64,
    pub name: &'a str,
    pub at: DateTime<Utc>,
}

/// Applies a verdict to a locked run's unknown deliveries, or to the one of them: puts it on record,
/// moves the deliveries and the run's counters, and opens the run again where letters are to be sent.
/// Returns how many there were.
pub async fn decide(tx: &mut Tx, run: i64, delivery: i64, saying: Saying<'_>) -> DbResult<i64> {
    const UNKNOWN: &str = "d.run_id = $1 AND d.listed = 'unknown' AND ($2 = 0 OR d.id = $2)";
    let record = AssertSqlSafe(format!(
        "INSERT INTO decisions (delivery_id, user_id, user_name, verdict, at)
         SELECT d.id, $3, $4, $5, $6 FROM deliveries d WHERE {UNKNOWN}"
    ));
    // It has been tried, so that it waits as deferred: that is where the engine counts it when it
    // takes it again.
    const RESEND: &str = "state = 'deferred', reason = '', due_at = $3, loose = TRUE";
    const ARRIVED: &str = "state = 'sent', reason = 'by_hand', due_at = $3";
    let Saying { verdict, user, name, at } = saying;
    on_tx!(&mut *tx, conn => sqlx::query(record)
        .bind(run)
        .bind(delivery)
        .bind(user)
        .bind(name)
        .bind(verdict.as_str())
        .bind(at)
        .execute(conn)
        .await
        .map(drop))?;
    let set = if verdict == Verdict::Resend { RESEND } else { ARRIVED };
    let sql = AssertSqlSafe(format!("UPDATE deliveries AS d SET {set} WHERE {UNKNOWN}"));
    let moved = on_tx!(&mut *tx, conn => sqlx::query(sql)
        .bind(run)
        .bind(delivery)
        .bind(at)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    let moved = i64::try_from(moved).unwrap_or(i64::MAX);
    if moved > 0 {
        count(tx, run, verdict, moved).await?;
    }
    Ok(moved)
}

async fn count(tx: &mut Tx, run: i64, verdict: Verdict, moved: i64) -> DbResult<()> {
    const ARRIVED: &[&str] = &["UPDATE runs SET unknown = unknown - $2, sent = sent + $2 WHERE id = $1"];
    // Its attempts are no longer all there will be: they have to be counted once more.
    const RESEND: &[&str] = &[
        "UPDATE runs SET unknown = unknown - $2, deferred = deferred + $2, state = 'open', finished_at = NULL,
         tallied = FALSE WHERE id = $1",
        "UPDATE mailings SET status = 'running' WHERE status = 'finished' AND $2 = $2
         AND id = (SELECT mailing_id FROM runs WHERE id = $1)",
    ];
    for sql in if verdict == Verdict::Resend { RESEND } else { ARRIVED } {
        on_tx!(&mut *tx, conn => sqlx::query(*sql).bind(run).bind(moved).execute(conn).await.map(drop))?;
    }
    Ok(())
}

/// What was decided of a delivery, in order.
pub async fn of_delivery(db: &Db, delivery: i64) -> DbResult<Vec<Decision>> {
    const SQL: &str = "SELECT verdict, at, user_name FROM decisions WHERE delivery_id = $1 ORDER BY id";
    let rows: Vec<(String, DateTime<Utc>, String)> =
        on_db!(db, pool => sqlx::query_as(SQL).bind(delivery).fetch_all(pool).await)?;
    let read = |(verdict, at, by): (String, _, _)| {
        Ok(Decision { verdict: word("decisions.verdict", &verdict, Verdict::parse)?, at, by })
    };
    rows.into_iter().map(read).collect()
}
