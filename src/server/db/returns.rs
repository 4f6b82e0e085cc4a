//! Tables `returns`, `return_counts` and `return_days`: what came back for letters that a mail server had taken. The delivery's own
//! record stays as it is.

use super::{Db, DbResult, Tx, number_list, on_db, on_tx};
use crate::domain::returned::{Returned, ReturnedCounts, Unmatched};
use crate::domain::suppression::Source;
use chrono::{DateTime, Utc};
use vestnik_reports::Class;

/// Most reports of one class about one letter that are kept: whoever has a letter can send any number.
const EACH: i64 = 20;
/// Most of those kept that name no letter of ours: anybody can send them.
const NAMELESS: i64 = 1000;

/// Classes that say that a letter was not delivered.
const FAILURES: &str = "('no_address', 'full', 'passing', 'letter', 'policy')";

/// What is to be entered.
#[derive(Clone, Copy, Debug)]
pub struct NewReturn<'a> {
    pub at: DateTime<Utc>,
    pub about: Option<About>,
    pub class: Class,
    pub recipient: &'a str,
    pub status: &'a str,
    pub diagnostic: &'a str,
    pub source: Source,
    /// SHA-256 of what came.
    pub digest: &'a [u8],
    pub evidence: &'a [u8],
}

/// The letter that a return is about.
#[derive(Clone, Copy, Debug)]
pub struct About {
    pub delivery: i64,
    pub owner: i64,
    /// None once its mailing is deleted.
    pub run: Option<i64>,
}

/// What a return added to the counts of its run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    pub returned: i64,
    pub hard: i64,
    pub complained: i64,
}

/// Enters what came. False if it was known, or there is enough of its class about its letter.
///
/// # Errors
/// Database errors.
pub async fn add(tx: &mut Tx, new: &NewReturn<'_>) -> DbResult<bool> {
    const COUNT: &str = "SELECT COUNT(*) FROM returns WHERE delivery_id = $1 AND class = $2";
    const SQL: &str = "INSERT INTO returns (received_at, delivery_id, owner_id, run_id, class, recipient, status,
        diagnostic, source, digest, evidence) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (digest) DO NOTHING";
    const OLD: &str = "DELETE FROM returns WHERE delivery_id IS NULL AND id <= (SELECT id FROM returns
        WHERE delivery_id IS NULL ORDER BY id DESC LIMIT 1 OFFSET $1)";
    if let Some(about) = new.about {
        let there: i64 = on_tx!(&mut *tx, conn => sqlx::query_scalar(COUNT)
            .bind(about.delivery)
            .bind(new.class.as_str())
            .fetch_one(conn)
            .await)?;
        if there >= EACH {
            return Ok(false);
        }
    }
    let rows = on_tx!(&mut *tx, conn => sqlx::query(SQL)
        .bind(new.at)
        .bind(new.about.map(|about| about.delivery))
        .bind(new.about.map(|about| about.owner))
        .bind(new.about.and_then(|about| about.run))
        .bind(new.class.as_str())
        .bind(new.recipient)
        .bind(new.status)
        .bind(new.diagnostic)
        .bind(new.source.as_str())
        .bind(new.digest)
        .bind(new.evidence)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    if rows == 1 && new.about.is_none() {
        on_tx!(tx, conn => sqlx::query(OLD).bind(NAMELESS).execute(conn).await.map(drop))?;
    }
    Ok(rows == 1)
}

/// Counts a return that was just entered into its run, and into the day of `now` (UTC): a letter once as returned, once as
/// complained of. Says what it added.
///
/// # Errors
/// Database errors.
pub async fn count(tx: &mut Tx, run: i64, delivery: i64, class: Class, now: DateTime<Utc>) -> DbResult<Counted> {
    // Makes the row, and keeps others from counting until the end: of two reports of one letter at once, each would be the first.
    const HOLD: &str = "INSERT INTO return_counts (run_id, returned, hard, complained) VALUES ($1, 0, 0, 0)
        ON CONFLICT (run_id) DO UPDATE SET returned = return_counts.returned";
    const SQL: &str =
        "UPDATE return_counts SET returned = returned + $2, hard = hard + $3, complained = complained + $4
        WHERE run_id = $1";
    const DAY: &str = "INSERT INTO return_days (run_id, day, returned, complained) VALUES ($1, $2, $3, $4)
        ON CONFLICT (run_id, day) DO UPDATE SET returned = return_days.returned + excluded.returned,
        complained = return_days.complained + excluded.complained";
    if !(class.is_failure() || class == Class::Complaint) {
        return Ok(Counted::default());
    }
    let of = |classes: &str| {
        sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM returns WHERE delivery_id = $1 AND class IN {classes}"))
    };
    on_tx!(&mut *tx, conn => sqlx::query(HOLD).bind(run).execute(conn).await.map(drop))?;
    let mut first = [0_i64; 3];
    for (place, classes, belongs) in [
        (0, FAILURES, class.is_failure()),
        (1, "('no_address')", class == Class::NoAddress),
        (2, "('complaint')", class == Class::Complaint),
    ] {
        if belongs {
            let there: i64 =
                on_tx!(&mut *tx, conn => sqlx::query_scalar(of(classes)).bind(delivery).fetch_one(conn).await)?;
            first[place] = i64::from(there == 1);
        }
    }
    let [returned, hard, complained] = first;
    let counted = Counted { returned, hard, complained };
    if counted == Counted::default() {
        return Ok(counted);
    }
    on_tx!(&mut *tx, conn => sqlx::query(SQL)
        .bind(run)
        .bind(returned)
        .bind(hard)
        .bind(complained)
        .execute(conn)
        .await
        .map(drop))?;
    if returned + complained > 0 {
        on_tx!(tx, conn => sqlx::query(DAY)
            .bind(run)
            .bind(now.date_naive().to_string())
            .bind(returned)
            .bind(complained)
            .execute(conn)
            .await
            .map(drop))?;
    }
    Ok(counted)
}

/// How a run that still sends fares: its mailing, the letters that mail servers took, those that came back from addresses
/// that do not exist, and the complaints. None if it sends no more.
///
/// # Errors
/// Database errors.
pub async fn fares(tx: &mut Tx, run: i64) -> DbResult<Option<(i64, i64, i64, i64)>> {
    const SQL: &str = "SELECT r.mailing_id, r.sent, c.hard, c.complained FROM runs r
        JOIN return_counts c ON c.run_id = r.id WHERE r.id = $1 AND r.state = 'open'";
    Ok(on_tx!(tx, conn => sqlx::query_as(SQL).bind(run).fetch_optional(conn).await)?)
}

/// What came back of some runs, those of which nothing did left out.
///
/// # Errors
/// Database errors.
pub async fn by_run(db: &Db, runs: &[i64]) -> DbResult<Vec<(i64, ReturnedCounts)>> {
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT run_id, returned, complained FROM return_counts WHERE returned + complained > 0 AND run_id IN ({})",
        number_list(runs)
    ));
    let rows: Vec<(i64, i64, i64)> = on_db!(db, pool => sqlx::query_as(sql).persistent(false).fetch_all(pool).await)?;
    Ok(rows.into_iter().map(|(run, returned, complained)| (run, ReturnedCounts { returned, complained })).collect())
}

/// What came back of some runs together.
///
/// # Errors
/// Database errors.
pub async fn counts(db: &Db, mailing: i64, run: Option<i64>) -> DbResult<ReturnedCounts> {
    const SQL: &str =
        "SELECT CAST(COALESCE(SUM(c.returned), 0) AS BIGINT), CAST(COALESCE(SUM(c.complained), 0) AS BIGINT)
        FROM runs r JOIN return_counts c ON c.run_id = r.id WHERE r.mailing_id = $1 AND ($2 = 0 OR r.id = $2)";
    let (returned, complained): (i64, i64) = on_db!(db, pool => sqlx::query_as(SQL)
        .bind(mailing)
        .bind(run.unwrap_or(0))
        .fetch_one(pool)
        .await)?;
    Ok(ReturnedCounts { returned, complained })
}

/// What came back of all runs together, for whoever watches over the service.
///
/// # Errors
/// Database errors.
pub async fn totals(db: &Db) -> DbResult<ReturnedCounts> {
    const SQL: &str = "SELECT CAST(COALESCE(SUM(returned), 0) AS BIGINT), CAST(COALESCE(SUM(complained), 0) AS BIGINT)
        FROM return_counts";
    let (returned, complained): (i64, i64) = on_db!(db, pool => sqlx::query_as(SQL).fetch_one(pool).await)?;
    Ok(ReturnedCounts { returned, complained })
}

/// The letters that mail servers took for the client of a delivery up to this one, the newest first: each with when, and
/// whether it came back for what may pass.
///
/// # Errors
/// Database errors.
pub async fn letters_until(tx: &mut Tx, owner: i64, delivery: i64, most: i64) -> DbResult<Vec<(DateTime<Utc>, bool)>> {
    const SQL: &str = "SELECT d.last_at, EXISTS (SELECT 1 FROM returns b WHERE b.delivery_id = d.id
        AND b.class IN ('full', 'passing')) FROM deliveries o JOIN mailings g ON g.owner_id = $1
        JOIN runs r ON r.mailing_id = g.id JOIN deliveries d ON d.run_id = r.id AND d.client_id = o.client_id
        WHERE o.id = $2 AND d.run_id <= o.run_id AND d.state = 'sent' AND d.last_at IS NOT NULL ORDER BY r.id DESC LIMIT $3";
    Ok(on_tx!(tx, conn => sqlx::query_as(SQL).bind(owner).bind(delivery).bind(most).fetch_all(conn).await)?)
}

/// What came back for a delivery of an owner, the oldest first.
///
/// # Errors
/// Database errors.
pub async fn of_delivery(db: &Db, owner: i64, delivery: i64) -> DbResult<Vec<Returned>> {
    #[derive(sqlx::FromRow)]
    struct Row {
        id: i64,
        received_at: DateTime<Utc>,
        class: String,
        status: String,
        diagnostic: String,
        readable: bool,
    }
    const SQL: &str = "SELECT id, received_at, class, status, diagnostic, evidence IS NOT NULL AS readable FROM returns
        WHERE delivery_id = $1 AND owner_id = $2 ORDER BY id";
    let rows: Vec<Row> = on_db!(db, pool => sqlx::query_as(SQL).bind(delivery).bind(owner).fetch_all(pool).await)?;
    let returned = |row: Row| Returned {
        id: row.id,
        at: row.received_at,
        class: row.class,
        status: row.status,
        diagnostic: row.diagnostic,
        readable: row.readable,
    };
    Ok(rows.into_iter().map(returned).collect())
}

/// Which of some deliveries came back or were complained of, with the class, each once.
///
/// # Errors
/// Database errors.
pub async fn of_deliveries(db: &Db, deliveries: &[i64]) -> DbResult<Vec<(i64, String)>> {
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT DISTINCT delivery_id, class FROM returns WHERE delivery_id IN ({})
         AND (class = 'complaint' OR class IN {FAILURES}) ORDER BY delivery_id, class",
        number_list(deliveries)
    ));
    Ok(on_db!(db, pool => sqlx::query_as(sql).persistent(false).fetch_all(pool).await)?)
}

pub(super) const UNMATCHED: &str = "SELECT id, received_at, class, recipient, status, diagnostic FROM returns
    WHERE delivery_id IS NULL AND id < $1 ORDER BY id DESC LIMIT $2";

/// Reports that name no letter of ours, the newest first, from behind the id `before`.
///
/// # Errors
/// Database errors.
pub async fn unmatched(db: &Db, before: i64, limit: i64) -> DbResult<Vec<Unmatched>> {
    #[derive(sqlx::FromRow)]
    struct Row {
        id: i64,
        received_at: DateTime<Utc>,
        class: String,
        recipient: String,
        status: String,
        diagnostic: String,
    }
    let rows: Vec<Row> = on_db!(db, pool => sqlx::query_as(UNMATCHED).bind(before).bind(limit).fetch_all(pool).await)?;
    let unmatched = |Row { id, received_at: at, class, recipient, status, diagnostic }: Row| Unmatched {
        id,
        at,
        class,
        recipient,
        status,
        diagnostic,
    };
    Ok(rows.into_iter().map(unmatched).collect())
}

/// How many there are.
///
/// # Errors
/// Database errors.
pub async fn count_unmatched(db: &Db) -> DbResult<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM returns WHERE delivery_id IS NULL";
    Ok(on_db!(db, pool => sqlx::query_scalar(SQL).fetch_one(pool).await)?)
}

/// What came, as it came; none once it is too old, or another's.
///
/// # Errors
/// Database errors.
pub async fn evidence(db: &Db, owner: i64, id: i64) -> DbResult<Option<Vec<u8>>> {
    const SQL: &str = "SELECT evidence FROM returns WHERE id = $1 AND owner_id = $2 AND evidence IS NOT NULL";
    Ok(on_db!(db, pool => sqlx::query_scalar(SQL).bind(id).bind(owner).fetch_optional(pool).await)?)
}

/// Throws away what came before an instant, but not what it said; says of how many.
///
/// # Errors
/// Database errors.
pub async fn forget(tx: &mut Tx, before: DateTime<Utc>, most: i64) -> DbResult<u64> {
    const SQL: &str = "UPDATE returns SET evidence = NULL WHERE id IN (SELECT id FROM returns
        WHERE evidence IS NOT NULL AND received_at < $1 ORDER BY received_at LIMIT $2)";
    Ok(
        on_tx!(tx, conn => sqlx::query(SQL).bind(before).bind(most).execute(conn).await.map(|done| done.rows_affected()))?,
    )
}
