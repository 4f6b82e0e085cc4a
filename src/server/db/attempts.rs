//! Table `attempts`: the record of every try.

use super::{Db, DbResult, Tx, on_db, on_tx, word};
use crate::domain::delivery::{Attempt, AttemptStatus, Stage};
use crate::domain::report::{ReplyCount, Tally};
use chrono::{DateTime, NaiveDate, Utc};

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
    const SQL: &str = "SELECT number, at, ms, stage, status, relay, code, enhanced, reply FROM attempts
        WHERE delivery_id = $1 ORDER BY number";
    let rows: Vec<Row> = on_db!(db, pool => sqlx::query_as(SQL).bind(delivery).fetch_all(pool).await)?;
    rows.into_iter().map(Row::into_attempt).collect()
}

#[derive(sqlx::FromRow)]
struct TallyRow {
    mailing: i64,
    title: String,
    day: String,
    status: String,
    n: i64,
}

fn add(tally: &mut Tally, status: AttemptStatus, n: i64) {
    tally.attempts += n;
    match status {
        AttemptStatus::Sent => tally.sent += n,
        AttemptStatus::Deferred => tally.deferred += n,
        AttemptStatus::Failed => tally.failed += n,
        AttemptStatus::Unknown => tally.unknown += n,
    }
}

/// Attempts of an owner's mailings between two instants: by day (UTC) and by mailing.
pub async fn tallies(
    db: &Db,
    owner: i64,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> DbResult<(Vec<(NaiveDate, Tally)>, Vec<(i64, String, Tally)>)> {
    const SQLITE: &str = "SUBSTR(a.at, 1, 10)";
    const POSTGRES: &str = "TO_CHAR(a.at AT TIME ZONE 'UTC', 'YYYY-MM-DD')";
    let day = if matches!(db, Db::Sqlite { .. }) { SQLITE } else { POSTGRES };
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT g.id AS mailing, g.title, {day} AS day, a.status, COUNT(*) AS n
         FROM mailings g JOIN runs r ON r.mailing_id = g.id JOIN attempts a ON a.run_id = r.id
         WHERE g.owner_id = $1 AND a.at >= $2 AND a.at < $3 GROUP BY g.id, g.title, {day}, a.status"
    ));
    let rows: Vec<TallyRow> =
        on_db!(db, pool => sqlx::query_as(sql).bind(owner).bind(from).bind(to).fetch_all(pool).await)?;
    let mut days = std::collections::BTreeMap::<NaiveDate, Tally>::new();
    let mut mailings = std::collections::BTreeMap::<i64, (String, Tally)>::new();
    for row in rows {
        let status = word("attempts.status", &row.status, AttemptStatus::parse)?;
        let day = word("attempts.at", &row.day, |text| text.parse().ok())?;
        add(days.entry(day).or_default(), status, row.n);
        add(&mut mailings.entry(row.mailing).or_insert_with(|| (row.title, Tally::default())).1, status, row.n);
    }
    let mut mailings: Vec<_> = mailings.into_iter().map(|(id, (title, tally))| (id, title, tally)).collect();
    mailings.sort_by_key(|(id, _, tally)| (-tally.attempts, *id));
    Ok((days.into_iter().collect(), mailings))
}

/// Two halves, because those that took a letter are nearly all, and an index alone answers for them.
pub(super) const REPLIES: &str = "SELECT a.code, COALESCE(a.enhanced, ''), COUNT(*) AS n
    FROM mailings g JOIN runs r ON r.mailing_id = g.id JOIN attempts a ON a.run_id = r.id
    WHERE g.owner_id = $1 AND a.at >= $2 AND a.at < $3 AND a.status = 'sent' GROUP BY 1, 2
    UNION ALL SELECT a.code, a.reply, COUNT(*) AS n
    FROM mailings g JOIN runs r ON r.mailing_id = g.id JOIN attempts a ON a.run_id = r.id
    WHERE g.owner_id = $1 AND a.at >= $2 AND a.at < $3 AND a.status <> 'sent' GROUP BY 1, 2
    ORDER BY 3 DESC, 2 LIMIT $4";

/// The most frequent replies to an owner's attempts between two instants. Of those that took a letter
/// the code alone counts: their texts hold a queue number and are all different.
pub async fn replies(
    db: &Db,
    owner: i64,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    limit: i64,
) -> DbResult<Vec<ReplyCount>> {
    let rows: Vec<(Option<i32>, String, i64)> = on_db!(db, pool => sqlx::query_as(REPLIES)
        .bind(owner)
        .bind(from)
        .bind(to)
        .bind(limit)
        .fetch_all(pool)
        .await)?;
    Ok(rows.into_iter().map(|(code, reply, count)| ReplyCount { code, reply, count }).collect())
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

/// A run's attempts in the order of their times, and of their ids where those are the same; from after
/// the time and the id on.
pub async fn of_run(db: &Db, run: i64, (at, id): (DateTime<Utc>, i64), limit: i64) -> DbResult<Vec<OfRun>> {
    #[derive(sqlx::FromRow)]
    struct Of {
        id: i64,
        email: String,
        #[sqlx(flatten)]
        row: Row,
    }
    let rows: Vec<Of> =
        on_db!(db, pool => sqlx::query_as(OF_RUN).bind(run).bind(at).bind(id).bind(limit).fetch_all(pool).await)?;
    rows.into_iter().map(|row| Ok(OfRun { id: row.id, email: row.email, attempt: row.row.into_attempt()? })).collect()
}
