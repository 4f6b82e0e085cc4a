//! How far the sending has come, for who waits for it.

use super::claims::{TAKEN_BY, earliest};
use super::limits::{day_of, used_up};
use super::mailings::GOES_ON;
use super::{Db, DbResult, on_db};
use chrono::{DateTime, Utc};

/// Counters over the runs of one mailing, or of all.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Progress {
    /// Runs that were opened.
    pub runs: i64,
    pub sent: i64,
    pub failed: i64,
    pub unknown: i64,
    /// Attempts after the given one.
    pub attempts: i64,
    /// The newest attempt of all.
    pub last_attempt: i64,
    /// Mailings that the service has paused.
    pub paused: i64,
}

/// Counts; attempts only after the given one, and none where nobody wants to know.
pub async fn of(db: &Db, mailing: Option<i64>, after: Option<i64>) -> DbResult<Progress> {
    const SQL: &str = "SELECT COUNT(*) AS runs, CAST(COALESCE(SUM(r.sent), 0) AS BIGINT) AS sent,
        CAST(COALESCE(SUM(r.failed), 0) AS BIGINT) AS failed,
        CAST(COALESCE(SUM(r.unknown), 0) AS BIGINT) AS unknown,
        (SELECT COUNT(*) FROM attempts a JOIN runs x ON x.id = a.run_id
            WHERE a.id > $2 AND ($1 = 0 OR x.mailing_id = $1)) AS attempts,
        (SELECT COALESCE(MAX(id), 0) FROM attempts) AS last_attempt,
        (SELECT COUNT(*) FROM mailings g WHERE g.paused_reason <> '' AND ($1 = 0 OR g.id = $1)) AS paused
        FROM runs r WHERE r.state <> 'skipped' AND ($1 = 0 OR r.mailing_id = $1)";
    Ok(
        on_db!(db, pool => sqlx::query_as(SQL).bind(mailing.unwrap_or(0)).bind(after.unwrap_or(i64::MAX)).fetch_one(pool).await)?,
    )
}

/// Deliveries of all runs by state.
pub async fn states(db: &Db) -> DbResult<States> {
    // Closed runs come from an index alone on SQLite, which would read their messages otherwise.
    const SUMS: &str = "SELECT CAST(COALESCE(SUM(waiting), 0) AS BIGINT) AS waiting,
        CAST(COALESCE(SUM(deferred), 0) AS BIGINT) AS deferred, CAST(COALESCE(SUM(sent), 0) AS BIGINT) AS sent,
        CAST(COALESCE(SUM(failed), 0) AS BIGINT) AS failed, CAST(COALESCE(SUM(unknown), 0) AS BIGINT) AS unknown,
        CAST(COALESCE(SUM(not_sent), 0) AS BIGINT) AS not_sent FROM runs WHERE state";
    let mut sum = States::default();
    for state in ["= 'open'", "<> 'open'"] {
        let sql = sqlx::AssertSqlSafe(format!("{SUMS} {state}"));
        let part: States = on_db!(db, pool => sqlx::query_as(sql).fetch_one(pool).await)?;
        sum.waiting += part.waiting;
        sum.deferred += part.deferred;
        sum.sent += part.sent;
        sum.failed += part.failed;
        sum.unknown += part.unknown;
        sum.not_sent += part.not_sent;
    }
    Ok(sum)
}

/// Deliveries by state; waiting are those that are pending or in hand.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct States {
    pub waiting: i64,
    pub deferred: i64,
    pub sent: i64,
    pub failed: i64,
    pub unknown: i64,
    pub not_sent: i64,
}

impl States {
    /// Each with its word.
    pub fn by_state(&self) -> [(&'static str, i64); 6] {
        [
            ("waiting", self.waiting),
            ("deferred", self.deferred),
            ("sent", self.sent),
            ("failed", self.failed),
            ("unknown", self.unknown),
            ("not_sent", self.not_sent),
        ]
    }
}

/// Deliveries of open runs that are not final, where nobody has stopped the mailing.
pub async fn queue(db: &Db) -> DbResult<i64> {
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT CAST(COALESCE(SUM(r.waiting + r.deferred), 0) AS BIGINT)
         FROM runs r JOIN mailings g ON g.id = r.mailing_id JOIN users u ON u.id = g.owner_id
         WHERE r.state = 'open' AND {GOES_ON}"
    ));
    Ok(on_db!(db, pool => sqlx::query_scalar(sql).fetch_one(pool).await)?)
}

/// Since when the oldest delivery is due that may be sent now: one look into an index for each open run.
pub async fn oldest_due(db: &Db, now: DateTime<Utc>) -> DbResult<Option<DateTime<Utc>>> {
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT {} FROM runs r JOIN mailings g ON g.id = r.mailing_id JOIN users u ON u.id = g.owner_id
        WHERE r.state = 'open' AND {GOES_ON} AND NOT {}",
        earliest("r.id"),
        used_up("$1")
    ));
    let due: Vec<Option<DateTime<Utc>>> =
        on_db!(db, pool => sqlx::query_scalar(sql).bind(day_of(now)).fetch_all(pool).await)?;
    Ok(due.into_iter().flatten().filter(|due| *due <= now).min())
}

/// Whether something of a mailing, or of any, is left to do now: a run to open, a delivery to take or
/// under way. What waits for its owner's next day is not.
pub async fn is_left(db: &Db, mailing: Option<i64>, now: DateTime<Utc>) -> DbResult<bool> {
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT EXISTS (SELECT 1 FROM mailings g JOIN users u ON u.id = g.owner_id
            WHERE g.next_at <= $2 AND {GOES_ON}
            AND ($1 = 0 OR g.id = $1))
        OR EXISTS (SELECT 1 FROM runs r JOIN mailings g ON g.id = r.mailing_id JOIN users u ON u.id = g.owner_id
            WHERE r.state = 'open' AND ($1 = 0 OR g.id = $1) AND g.paused_at IS NULL AND g.disabled_at IS NULL
            AND u.deleted_at IS NULL AND NOT {}
            AND {} <= $2)
        OR EXISTS (SELECT 1 FROM deliveries d JOIN runs r ON r.id = d.run_id
            WHERE d.lease IS NOT NULL AND ($1 = 0 OR r.mailing_id = $1))
        OR EXISTS (SELECT 1 FROM claims c JOIN runs r ON r.id = c.run_id JOIN deliveries d ON {TAKEN_BY}
            WHERE $1 = 0 OR r.mailing_id = $1)",
        used_up("$3"),
        earliest("r.id")
    ));
    Ok(on_db!(db, pool => sqlx::query_scalar(sql)
        .bind(mailing.unwrap_or(0))
        .bind(now)
        .bind(day_of(now))
        .fetch_one(pool)
        .await)?)
}
