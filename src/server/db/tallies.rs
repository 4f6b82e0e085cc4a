//! Tables `tallies` and `reply_tallies`: attempts counted once, so that a report reads few rows; with what came back
//! (`return_days`).

use super::deliveries::meaning_of;
use super::{Db, DbResult, Tx, on_db, on_tx, word};
use crate::domain::delivery::AttemptStatus;
use crate::domain::report::{ReplyCount, Tally, gist};
use chrono::{DateTime, NaiveDate, Utc};
use futures::TryStreamExt;
use sqlx::AssertSqlSafe;
use std::collections::{BTreeMap, HashMap};

/// Replies that are kept of a day of a run.
const REPLIES_KEPT: usize = 50;
/// Different replies of a run that are told apart while counting; further ones are left away, so that a
/// server whose every answer is new costs no memory.
const REPLIES_TOLD: usize = 20_000;

/// A run whose attempts are not counted for good.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Uncounted {
    pub id: i64,
    pub done: bool,
    pub finished_at: Option<DateTime<Utc>>,
    pub tallied_at: Option<DateTime<Utc>>,
    /// About how many attempts it has.
    pub size: i64,
}

/// An owner's runs whose attempts are not counted for good.
pub async fn uncounted(db: &Db, owner: i64) -> DbResult<Vec<Uncounted>> {
    const SQL: &str = "SELECT r.id, r.state = 'done' AS done, r.finished_at, r.tallied_at,
        r.sent + r.failed + r.unknown + r.deferred AS size
        FROM mailings g JOIN runs r ON r.mailing_id = g.id
        WHERE g.owner_id = $1 AND NOT r.tallied AND r.state <> 'skipped' ORDER BY r.id";
    Ok(on_db!(db, pool => sqlx::query_as(SQL).bind(owner).fetch_all(pool).await)?)
}

/// A run's attempts, counted.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    days: BTreeMap<String, Tally>,
    replies: HashMap<(String, Option<i32>, String), i64>,
}

/// Counts a run's attempts from the record. Of replies that took a letter the code alone counts: their
/// texts hold a queue number.
pub async fn count(db: &Db, run: i64) -> DbResult<Counted> {
    const SQLITE: &str = "SUBSTR(at, 1, 10)";
    const POSTGRES: &str = "TO_CHAR(at AT TIME ZONE 'UTC', 'YYYY-MM-DD')";
    let day = if matches!(db, Db::Sqlite { .. }) { SQLITE } else { POSTGRES };
    let mut counted = Counted::default();
    let sql = AssertSqlSafe(format!(
        "SELECT {day}, status, code, COALESCE(enhanced, ''), COUNT(*) FROM attempts WHERE run_id = $1
         GROUP BY 1, 2, 3, 4"
    ));
    let groups: Vec<(String, String, Option<i32>, String, i64)> =
        on_db!(db, pool => sqlx::query_as(sql).bind(run).fetch_all(pool).await)?;
    for (day, status, code, enhanced, n) in groups {
        let status = word("attempts.status", &status, AttemptStatus::parse)?;
        let tally = counted.days.entry(day.clone()).or_default();
        *match status {
            AttemptStatus::Sent => &mut tally.sent,
            AttemptStatus::Deferred => &mut tally.deferred,
            AttemptStatus::Failed => &mut tally.failed,
            AttemptStatus::Unknown => &mut tally.unknown,
        } += n;
        if status == AttemptStatus::Sent {
            *counted.replies.entry((day, code, enhanced)).or_default() += n;
        }
    }
    let sql = AssertSqlSafe(format!("SELECT {day}, code, reply FROM attempts WHERE run_id = $1 AND status <> 'sent'"));
    on_db!(db, pool => {
        let mut rows = sqlx::query_as::<_, (String, Option<i32>, String)>(sql).bind(run).fetch(pool);
        while let Some((day, code, reply)) = rows.try_next().await? {
            let key = (day, code, gist(&reply));
            let full = counted.replies.len() >= REPLIES_TOLD;
            match counted.replies.get_mut(&key) {
                Some(n) => *n += 1,
                None if full => {}
                None => drop(counted.replies.insert(key, 1)),
            }
        }
    });
    Ok(counted)
}

/// Keeps what was counted instead of what had been counted before; for good if the run had closed when
/// counting began and has not been opened again since.
pub async fn store(tx: &mut Tx, run: &Uncounted, counted: Counted, now: DateTime<Utc>) -> DbResult<()> {
    // PostgreSQL makes whoever else counts the same run wait here; a run that is gone is nothing to keep.
    const MARK: &str = "UPDATE runs SET tallied_at = $2, tallied = $3 AND state = 'done' AND finished_at = $4
        WHERE id = $1";
    const OPEN: &str = "UPDATE runs SET tallied_at = $2, tallied = FALSE WHERE id = $1 AND $3 = $3 AND $4 = $4";
    let finished_at = run.finished_at.unwrap_or(now);
    let sql = if run.done { MARK } else { OPEN };
    let found = on_tx!(&mut *tx, conn => sqlx::query(sql)
        .bind(run.id)
        .bind(now)
        .bind(run.done)
        .bind(finished_at)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    if found == 0 {
        return Ok(());
    }
    for sql in ["DELETE FROM tallies WHERE run_id = $1", "DELETE FROM reply_tallies WHERE run_id = $1"] {
        on_tx!(&mut *tx, conn => sqlx::query(sql).bind(run.id).execute(conn).await.map(drop))?;
    }
    const DAY: &str = "INSERT INTO tallies (run_id, day, sent, deferred, failed, unknown)
        VALUES ($1, $2, $3, $4, $5, $6)";
    let mut replies: HashMap<String, Vec<(Option<i32>, String, i64)>> = HashMap::new();
    for ((day, code, reply), n) in counted.replies {
        replies.entry(day).or_default().push((code, reply, n));
    }
    for (day, tally) in counted.days {
        on_tx!(&mut *tx, conn => sqlx::query(DAY)
            .bind(run.id)
            .bind(&day)
            .bind(tally.sent)
            .bind(tally.deferred)
            .bind(tally.failed)
            .bind(tally.unknown)
            .execute(conn)
            .await
            .map(drop))?;
        let mut said = replies.remove(&day).unwrap_or_default();
        said.sort_unstable_by(|a, b| b.2.cmp(&a.2).then_with(|| a.1.cmp(&b.1)));
        for (code, reply, n) in said.into_iter().take(REPLIES_KEPT) {
            insert_reply(tx, run.id, &day, code, &reply, n).await?;
        }
    }
    Ok(())
}

async fn insert_reply(tx: &mut Tx, run: i64, day: &str, code: Option<i32>, reply: &str, n: i64) -> DbResult<()> {
    const SQL: &str = "INSERT INTO reply_tallies (run_id, day, code, reply, n) VALUES ($1, $2, $3, $4, $5)";
    on_tx!(tx, conn => sqlx::query(SQL).bind(run).bind(day).bind(code).bind(reply).bind(n).execute(conn).await.map(drop))?;
    Ok(())
}

/// An owner and two days (both included).
#[derive(Clone, Copy, Debug)]
pub struct Period {
    pub owner: i64,
    pub from: NaiveDate,
    pub to: NaiveDate,
}

const SUMS: &str = "CAST(SUM(t.sent) AS BIGINT) AS sent, CAST(SUM(t.deferred) AS BIGINT) AS deferred,
    CAST(SUM(t.failed) AS BIGINT) AS failed, CAST(SUM(t.unknown) AS BIGINT) AS unknown,
    CAST(SUM(t.returned) AS BIGINT) AS returned, CAST(SUM(t.complained) AS BIGINT) AS complained";
/// Days of mailings. A letter may come back on a day without attempts.
const FROM: &str = "FROM (SELECT g.id, g.title, a.day, a.sent, a.deferred, a.failed, a.unknown,
        0 AS returned, 0 AS complained
        FROM mailings g JOIN runs r ON r.mailing_id = g.id JOIN tallies a ON a.run_id = r.id
        WHERE g.owner_id = $1 AND a.day >= $2 AND a.day <= $3
    UNION ALL SELECT g.id, g.title, b.day, 0, 0, 0, 0, b.returned, b.complained
        FROM mailings g JOIN runs r ON r.mailing_id = g.id JOIN return_days b ON b.run_id = r.id
        WHERE g.owner_id = $1 AND b.day >= $2 AND b.day <= $3) t";

#[derive(sqlx::FromRow)]
struct Sums {
    sent: i64,
    deferred: i64,
    failed: i64,
    unknown: i64,
    returned: i64,
    complained: i64,
}

impl From<Sums> for Tally {
    fn from(Sums { sent, deferred, failed, unknown, returned, complained }: Sums) -> Self {
        Self { sent, deferred, failed, unknown, returned, complained }
    }
}

/// What was counted, by day.
pub async fn days(db: &Db, period: Period) -> DbResult<Vec<(NaiveDate, Tally)>> {
    #[derive(sqlx::FromRow)]
    struct Row {
        day: String,
        #[sqlx(flatten)]
        sums: Sums,
    }
    let sql = AssertSqlSafe(format!("SELECT t.day, {SUMS} {FROM} GROUP BY t.day ORDER BY t.day"));
    let Period { owner, from, to } = period;
    let rows: Vec<Row> = on_db!(db, pool => sqlx::query_as(sql)
        .bind(owner)
        .bind(from.to_string())
        .bind(to.to_string())
        .fetch_all(pool)
        .await)?;
    let read = |row: Row| Ok((word("tallies.day", &row.day, |day| day.parse().ok())?, row.sums.into()));
    rows.into_iter().map(read).collect()
}

/// What was counted, by mailing, those with most attempts first.
pub async fn mailings(db: &Db, period: Period, limit: i64) -> DbResult<Vec<(i64, String, Tally)>> {
    #[derive(sqlx::FromRow)]
    struct Row {
        id: i64,
        title: String,
        #[sqlx(flatten)]
        sums: Sums,
    }
    let sql = AssertSqlSafe(format!(
        "SELECT t.id, t.title, {SUMS} {FROM} GROUP BY t.id, t.title
         ORDER BY SUM(t.sent + t.deferred + t.failed + t.unknown) DESC, t.id LIMIT $4"
    ));
    let Period { owner, from, to } = period;
    let rows: Vec<Row> = on_db!(db, pool => sqlx::query_as(sql)
        .bind(owner)
        .bind(from.to_string())
        .bind(to.to_string())
        .bind(limit)
        .fetch_all(pool)
        .await)?;
    Ok(rows.into_iter().map(|row| (row.id, row.title, row.sums.into())).collect())
}

/// How many mailings have attempts in the period, or letters that came back in it.
pub async fn count_mailings(db: &Db, period: Period) -> DbResult<i64> {
    let sql = AssertSqlSafe(format!("SELECT COUNT(DISTINCT t.id) {FROM}"));
    let Period { owner, from, to } = period;
    Ok(on_db!(db, pool => sqlx::query_scalar(sql)
        .bind(owner)
        .bind(from.to_string())
        .bind(to.to_string())
        .fetch_one(pool)
        .await)?)
}

/// The most frequent replies.
pub async fn replies(db: &Db, period: Period, limit: i64) -> DbResult<Vec<ReplyCount>> {
    const SQL: &str = "SELECT t.code, t.reply, CAST(SUM(t.n) AS BIGINT) AS n
        FROM mailings g JOIN runs r ON r.mailing_id = g.id JOIN reply_tallies t ON t.run_id = r.id
        WHERE g.owner_id = $1 AND t.day >= $2 AND t.day <= $3
        GROUP BY t.code, t.reply ORDER BY n DESC, t.reply LIMIT $4";
    let Period { owner, from, to } = period;
    let rows: Vec<(Option<i32>, String, i64)> = on_db!(db, pool => sqlx::query_as(SQL)
        .bind(owner)
        .bind(from.to_string())
        .bind(to.to_string())
        .bind(limit)
        .fetch_all(pool)
        .await)?;
    let read = |(code, reply, count): (Option<i32>, String, i64)| {
        let taken = code.is_some_and(|code| code < 400);
        let meaning = if taken { "" } else { meaning_of(code, &reply) };
        ReplyCount { code, meaning: meaning.to_owned(), reply, count }
    };
    Ok(rows.into_iter().map(read).collect())
}
