//! What the overview shows, of one owner or of all: each question reads an index and few rows, however many runs there are.

use super::limits::{LETTERS_MAX, day_of, next_day};
use super::mailings::GOES_ON;
use super::runs::Row as RunRow;
use super::{Db, DbResult, Tx, on_db, on_tx};
use crate::domain::mailing::Held;
use crate::domain::overview::{Attention, Named, NamedRun};
use crate::domain::schedule::NO_END;
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

/// Runs of all owners that are looked through for the newest of different mailings.
const LOOKED_THROUGH: i64 = 200;

/// What a line names a mailing by; `g` is the mailing, `u` its owner.
const NAMED: &str = "g.id AS mailing_id, g.title, g.zone, u.email AS owner";
/// A run `r`.
const RUN: &str = "r.id, r.occurrence, r.state, r.reason, r.opened_at, r.finished_at, r.waiting, r.deferred, r.sent,
    r.failed, r.unknown, r.not_sent";
const OF_RUN: &str = "runs r JOIN mailings g ON g.id = r.mailing_id JOIN users u ON u.id = g.owner_id";

/// Whose mailings are wanted: `$1` is the owner, or whoever.
fn of(owner: Option<i64>) -> &'static str {
    if owner.is_some() { "u.id = $1" } else { "$1 = $1" }
}

#[derive(sqlx::FromRow)]
struct NamedRow {
    mailing_id: i64,
    title: String,
    zone: String,
    owner: String,
}

impl NamedRow {
    fn into_named(self, owner: Option<i64>) -> Named {
        let Self { mailing_id, title, zone, owner: email } = self;
        Named { id: mailing_id, title, zone, owner: if owner.is_some() { String::new() } else { email } }
    }
}

#[derive(sqlx::FromRow)]
struct NamedRunRow {
    #[sqlx(flatten)]
    mailing: NamedRow,
    #[sqlx(flatten)]
    run: RunRow,
}

impl NamedRunRow {
    fn into_named_run(self, owner: Option<i64>) -> DbResult<NamedRun> {
        Ok(NamedRun { mailing: self.mailing.into_named(owner), run: self.run.into_run()? })
    }
}

/// Up to `limit` rows of a query that has the owner as `$1` and the limit as `$2`.
async fn rows<R>(db: &Db, owner: Option<i64>, sql: String, limit: i64) -> DbResult<Vec<R>>
where
    R: for<'r> sqlx::FromRow<'r, SqliteRow> + for<'r> sqlx::FromRow<'r, PgRow> + Send + Unpin,
{
    Ok(on_db!(db, pool => sqlx::query_as(AssertSqlSafe(sql))
        .bind(owner.unwrap_or_default())
        .bind(limit)
        .fetch_all(pool)
        .await)?)
}

async fn runs(db: &Db, owner: Option<i64>, sql: String, limit: i64) -> DbResult<Vec<NamedRun>> {
    let rows: Vec<NamedRunRow> = rows(db, owner, sql, limit).await?;
    rows.into_iter().map(|row| row.into_named_run(owner)).collect()
}

/// The query of [`running`].
pub(super) fn running_sql(owner: Option<i64>) -> String {
    format!(
        "SELECT {NAMED}, {RUN} FROM {OF_RUN} WHERE r.state = 'open' AND {GOES_ON} AND {} ORDER BY r.id DESC LIMIT $2",
        of(owner)
    )
}

/// Runs that are being sent, the newest first.
pub async fn running(db: &Db, owner: Option<i64>, limit: i64) -> DbResult<Vec<NamedRun>> {
    runs(db, owner, running_sql(owner), limit).await
}

/// The newest run that is over of each mailing, the newest first. Of all owners only as far as the newest runs reach.
pub async fn last(db: &Db, owner: Option<i64>, limit: i64) -> DbResult<Vec<NamedRun>> {
    // Each mailing's by the index of its runs: the table of runs holds their messages.
    let newest = match owner {
        Some(_) => {
            "SELECT (SELECT x.id FROM runs x WHERE x.mailing_id = m.id AND x.state <> 'open'
                ORDER BY x.occurrence DESC LIMIT 1) AS id FROM mailings m WHERE m.owner_id = $1"
        }
        None => {
            "SELECT MAX(x.id) AS id FROM (SELECT id, mailing_id FROM runs WHERE state <> 'open' AND $1 = $1
                ORDER BY id DESC LIMIT $3) x GROUP BY x.mailing_id"
        }
    };
    let newest = newest.replace("$3", &LOOKED_THROUGH.to_string());
    let sql = format!(
        "SELECT {NAMED}, {RUN} FROM {OF_RUN} WHERE u.deleted_at IS NULL AND r.id IN
         (SELECT n.id FROM ({newest}) n WHERE n.id IS NOT NULL ORDER BY n.id DESC LIMIT $2) ORDER BY r.id DESC"
    );
    runs(db, owner, sql, limit).await
}

/// The query of [`begun`].
pub(super) fn begun_sql(owner: Option<i64>) -> String {
    format!(
        "SELECT {NAMED}, {RUN} FROM {OF_RUN} WHERE r.occurrence >= $3 AND r.occurrence < $4 AND u.deleted_at IS NULL
         AND {} ORDER BY r.occurrence, r.id LIMIT $2",
        of(owner)
    )
}

/// Runs that have begun or were passed over, whose time is between two instants, in order.
pub async fn begun(
    db: &Db,
    owner: Option<i64>,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    limit: i64,
) -> DbResult<Vec<NamedRun>> {
    let sql = AssertSqlSafe(begun_sql(owner));
    let rows: Vec<NamedRunRow> = on_db!(db, pool => sqlx::query_as(sql)
        .bind(owner.unwrap_or_default())
        .bind(limit)
        .bind(from)
        .bind(to)
        .fetch_all(pool)
        .await)?;
    rows.into_iter().map(|row| row.into_named_run(owner)).collect()
}

/// The mailings that run next, the first one first, each with its owner's address; only those before an instant, where one
/// is given.
pub async fn next(
    db: &Db,
    owner: Option<i64>,
    before: Option<DateTime<Utc>>,
    limit: i64,
) -> DbResult<Vec<(i64, String)>> {
    let sql = AssertSqlSafe(format!(
        "SELECT g.id, u.email FROM mailings g JOIN users u ON u.id = g.owner_id
         WHERE g.next_at IS NOT NULL AND g.next_at < $3 AND {GOES_ON} AND {} ORDER BY g.next_at, g.id LIMIT $2",
        of(owner)
    ));
    let rows: Vec<(i64, String)> = on_db!(db, pool => sqlx::query_as(sql)
        .bind(owner.unwrap_or_default())
        .bind(limit)
        .bind(before.unwrap_or(NO_END))
        .fetch_all(pool)
        .await)?;
    Ok(rows.into_iter().map(|(id, email)| (id, if owner.is_some() { String::new() } else { email })).collect())
}

/// The query of [`unknown`].
pub(super) fn unknown_sql(owner: Option<i64>) -> String {
    format!(
        "SELECT {NAMED}, r.id AS run, r.unknown AS n FROM {OF_RUN}
         WHERE r.unknown > 0 AND u.deleted_at IS NULL AND {} ORDER BY r.id DESC LIMIT $2",
        of(owner)
    )
}

/// Runs with deliveries whose fate nobody knows, the newest first.
pub async fn unknown(db: &Db, owner: Option<i64>, limit: i64) -> DbResult<Vec<Attention>> {
    #[derive(sqlx::FromRow)]
    struct Row {
        #[sqlx(flatten)]
        mailing: NamedRow,
        run: i64,
        n: i64,
    }
    let rows: Vec<Row> = rows(db, owner, unknown_sql(owner), limit).await?;
    let read = |Row { mailing, run, n }: Row| Attention::Unknown { mailing: mailing.into_named(owner), run, n };
    Ok(rows.into_iter().map(read).collect())
}

/// The query of [`stopped`].
pub(super) fn stopped_sql(owner: Option<i64>) -> String {
    format!(
        "SELECT {NAMED}, g.disabled_at IS NOT NULL AS disabled, g.disabled_reason, g.paused_reason
         FROM mailings g JOIN users u ON u.id = g.owner_id
         WHERE g.status <> 'finished' AND (g.paused_at IS NOT NULL OR g.disabled_at IS NOT NULL)
         AND u.deleted_at IS NULL AND {} ORDER BY g.id DESC LIMIT $2",
        of(owner)
    )
}

/// Mailings that were paused or disabled, the newest first.
pub async fn stopped(db: &Db, owner: Option<i64>, limit: i64) -> DbResult<Vec<Attention>> {
    #[derive(sqlx::FromRow)]
    struct Row {
        #[sqlx(flatten)]
        mailing: NamedRow,
        disabled: bool,
        disabled_reason: String,
        paused_reason: String,
    }
    let rows: Vec<Row> = rows(db, owner, stopped_sql(owner), limit).await?;
    let read = |row: Row| {
        let mailing = row.mailing.into_named(owner);
        match row.disabled {
            true => Attention::Disabled { mailing, reason: row.disabled_reason },
            false => Attention::Paused { mailing, reason: row.paused_reason },
        }
    };
    Ok(rows.into_iter().map(read).collect())
}

/// Owners whose letters of the day are used up.
pub async fn used_up(db: &Db, now: DateTime<Utc>, limit: i64) -> DbResult<Vec<Attention>> {
    let sql = AssertSqlSafe(format!(
        "SELECT u.email, {LETTERS_MAX} FROM letter_days l JOIN users u ON u.id = l.owner_id
         WHERE l.day = $1 AND l.n >= {LETTERS_MAX} AND u.deleted_at IS NULL ORDER BY u.email LIMIT $2"
    ));
    let rows: Vec<(String, i64)> =
        on_db!(db, pool => sqlx::query_as(sql).bind(day_of(now)).bind(limit).fetch_all(pool).await)?;
    let until = next_day(now);
    Ok(rows.into_iter().map(|(owner, limit)| Attention::Limit { owner, held: Held { limit, until } }).collect())
}

/// Letters that left on each day from the given one on; a day without any is not named.
pub async fn days(db: &Db, owner: Option<i64>, from: NaiveDate) -> DbResult<Vec<(String, i64)>> {
    let whose = if owner.is_some() { "owner_id = $1" } else { "$1 = $1" };
    let sql = AssertSqlSafe(format!(
        "SELECT day, CAST(SUM(n) AS BIGINT) FROM letter_days WHERE {whose} AND day >= $2 GROUP BY day"
    ));
    Ok(on_db!(db, pool => sqlx::query_as(sql)
        .bind(owner.unwrap_or_default())
        .bind(from.to_string())
        .fetch_all(pool)
        .await)?)
}

/// What an owner has got so far.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Done {
    pub clients: bool,
    /// The newest one.
    pub message: Option<i64>,
    pub mailings: bool,
    /// A test letter, or the first letter of a mailing, has left.
    pub tested: bool,
}

/// What an owner has got so far.
pub async fn done(db: &Db, owner: i64) -> DbResult<Done> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM clients WHERE owner_id = $1) AS clients,
        (SELECT MAX(id) FROM messages WHERE owner_id = $1) AS message,
        EXISTS (SELECT 1 FROM mailings WHERE owner_id = $1) AS mailings,
        EXISTS (SELECT 1 FROM users WHERE id = $1 AND tested_at IS NOT NULL) OR EXISTS (SELECT 1 FROM mailings g
            JOIN runs r ON r.mailing_id = g.id WHERE g.owner_id = $1 AND r.sent > 0) AS tested";
    Ok(on_db!(db, pool => sqlx::query_as(SQL).bind(owner).fetch_one(pool).await)?)
}

/// Remembers that somebody has sent themselves a test letter.
pub async fn set_tested(tx: &mut Tx, user: i64, now: DateTime<Utc>) -> DbResult<()> {
    const SQL: &str = "UPDATE users SET tested_at = $2 WHERE id = $1 AND tested_at IS NULL";
    on_tx!(tx, conn => sqlx::query(SQL).bind(user).bind(now).execute(conn).await.map(drop))?;
    Ok(())
}
