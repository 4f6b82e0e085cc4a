//! What people are told without asking: what has happened and is not told yet, and the claim of one who tells it. The claim
//! and the letter are one transaction, so that of two processes one writes it.

use super::limits::{LETTERS_MAX, day_of};
use super::runs::CountsRow;
use super::{Db, DbResult, Tx, on_db, on_tx, word};
use crate::domain::lang::Lang;
use crate::domain::mailing::Counts;
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    pub id: i64,
    pub email: String,
    pub name: String,
    pub lang: Lang,
    /// Words of the notices that they do not want.
    pub quiet: String,
    /// They cannot open what a notice leads to.
    pub blocked: bool,
}

#[derive(sqlx::FromRow)]
struct ReaderRow {
    owner: i64,
    email: String,
    name: String,
    lang: String,
    quiet: String,
    blocked: bool,
}

impl ReaderRow {
    fn into_reader(self) -> DbResult<Reader> {
        let lang = word("users.lang", &self.lang, Lang::parse)?;
        Ok(Reader {
            id: self.owner,
            email: self.email,
            name: self.name,
            lang,
            quiet: self.quiet,
            blocked: self.blocked,
        })
    }
}

/// The owner `u`.
const READER: &str = "u.id AS owner, u.email, u.name, u.lang, u.quiet, u.blocked_at IS NOT NULL AS blocked";

/// A run that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    pub run: i64,
    pub mailing: i64,
    pub title: String,
    pub finished_at: Option<DateTime<Utc>>,
    pub counts: Counts,
    pub owner: Reader,
}

/// The query of [`ended`].
fn ended_sql() -> String {
    format!(
        "SELECT r.id AS run, g.id AS mailing, g.title, r.finished_at, r.waiting, r.deferred, r.sent, r.failed, r.unknown,
         r.not_sent, {READER} FROM runs r JOIN mailings g ON g.id = r.mailing_id JOIN users u ON u.id = g.owner_id
         WHERE r.state = 'done' AND NOT r.told AND u.deleted_at IS NULL ORDER BY r.id LIMIT $1"
    )
}

/// Runs that are over and not told yet.
pub async fn ended(db: &Db, limit: i64) -> DbResult<Vec<Ended>> {
    #[derive(sqlx::FromRow)]
    struct Row {
        run: i64,
        mailing: i64,
        title: String,
        finished_at: Option<DateTime<Utc>>,
        #[sqlx(flatten)]
        counts: CountsRow,
        #[sqlx(flatten)]
        owner: ReaderRow,
    }
    let rows: Vec<Row> =
        on_db!(db, pool => sqlx::query_as(AssertSqlSafe(ended_sql())).bind(limit).fetch_all(pool).await)?;
    let read = |row: Row| {
        let Row { run, mailing, title, finished_at, counts, owner } = row;
        Ok(Ended { run, mailing, title, finished_at, counts: counts.into(), owner: owner.into_reader()? })
    };
    rows.into_iter().map(read).collect()
}

/// A mailing that the service has paused, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paused {
    pub mailing: i64,
    pub title: String,
    pub reason: String,
    pub owner: Reader,
}

/// The query of [`paused`].
fn paused_sql() -> String {
    format!(
        "SELECT g.id AS mailing, g.title, g.paused_reason AS reason, {READER}
         FROM mailings g JOIN users u ON u.id = g.owner_id
         WHERE g.paused_reason <> '' AND NOT g.pause_told AND u.deleted_at IS NULL ORDER BY g.id LIMIT $1"
    )
}

/// Mailings that the service has paused and whose owners do not know yet.
pub async fn paused(db: &Db, limit: i64) -> DbResult<Vec<Paused>> {
    #[derive(sqlx::FromRow)]
    struct Row {
        mailing: i64,
        title: String,
        reason: String,
        #[sqlx(flatten)]
        owner: ReaderRow,
    }
    let rows: Vec<Row> =
        on_db!(db, pool => sqlx::query_as(AssertSqlSafe(paused_sql())).bind(limit).fetch_all(pool).await)?;
    let read =
        |Row { mailing, title, reason, owner }: Row| Ok(Paused { mailing, title, reason, owner: owner.into_reader()? });
    rows.into_iter().map(read).collect()
}

/// Owners whose letters of the day are used up while more wait, each with the limit.
pub async fn used_up(db: &Db, now: DateTime<Utc>, limit: i64) -> DbResult<Vec<(Reader, i64)>> {
    #[derive(sqlx::FromRow)]
    struct Row {
        most: i64,
        #[sqlx(flatten)]
        owner: ReaderRow,
    }
    let sql = AssertSqlSafe(format!(
        "SELECT {LETTERS_MAX} AS most, {READER} FROM letter_days l JOIN users u ON u.id = l.owner_id
         WHERE l.day = $1 AND NOT l.told AND l.n >= {LETTERS_MAX} AND EXISTS (SELECT 1 FROM runs r JOIN mailings g
         ON g.id = r.mailing_id WHERE r.state = 'open' AND g.owner_id = u.id AND r.waiting + r.deferred > 0) LIMIT $2"
    ));
    let rows: Vec<Row> = on_db!(db, pool => sqlx::query_as(sql).bind(day_of(now)).bind(limit).fetch_all(pool).await)?;
    rows.into_iter().map(|Row { most, owner }| Ok((owner.into_reader()?, most))).collect()
}

/// A mail server that refused user and password: its id, its name (empty for that of the settings), and the fault as JSON.
pub async fn relays(db: &Db) -> DbResult<Vec<(i64, String, String)>> {
    const SQL: &str = "SELECT p.relay_id, COALESCE(r.name, ''), p.fault FROM relay_pauses p
        LEFT JOIN relays r ON r.id = p.relay_id WHERE NOT p.told";
    Ok(on_db!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}

/// Administrators, who are told of what is the service's own.
pub async fn administrators(tx: &mut Tx) -> DbResult<Vec<Reader>> {
    let sql = AssertSqlSafe(format!(
        "SELECT {READER} FROM users u WHERE u.role = 'admin' AND u.confirmed_at IS NOT NULL AND u.blocked_at IS NULL
         AND u.deleted_at IS NULL ORDER BY u.id"
    ));
    let rows: Vec<ReaderRow> = on_tx!(tx, conn => sqlx::query_as(sql).fetch_all(conn).await)?;
    rows.into_iter().map(ReaderRow::into_reader).collect()
}

/// What is told.
#[derive(Clone, Copy, Debug)]
pub enum What {
    Ended { run: i64 },
    Paused { mailing: i64 },
    UsedUp { owner: i64, day: DateTime<Utc> },
    Relay { id: i64 },
}

/// Claims the telling. False if somebody else has, or there is nothing to tell any more.
pub async fn claim(tx: &mut Tx, what: What) -> DbResult<bool> {
    const ENDED: &str = "UPDATE runs SET told = TRUE WHERE id = $1 AND NOT told AND $2 = $2";
    const PAUSED: &str =
        "UPDATE mailings SET pause_told = TRUE WHERE id = $1 AND NOT pause_told AND paused_reason <> '' AND $2 = $2";
    const USED_UP: &str = "UPDATE letter_days SET told = TRUE WHERE owner_id = $1 AND day = $2 AND NOT told";
    const RELAY: &str = "UPDATE relay_pauses SET told = TRUE WHERE relay_id = $1 AND NOT told AND $2 = $2";
    let (sql, id, day) = match what {
        What::Ended { run } => (ENDED, run, String::new()),
        What::Paused { mailing } => (PAUSED, mailing, String::new()),
        What::UsedUp { owner, day } => (USED_UP, owner, day_of(day)),
        What::Relay { id } => (RELAY, id, String::new()),
    };
    let rows =
        on_tx!(tx, conn => sqlx::query(sql).bind(id).bind(day).execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Remembers that letters are late. False if that is remembered already.
pub async fn begin_late(tx: &mut Tx) -> DbResult<bool> {
    const SQL: &str = "INSERT INTO facts (key, value) VALUES ('letters_late', '') ON CONFLICT (key) DO NOTHING";
    let rows = on_tx!(tx, conn => sqlx::query(SQL).execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Whether letters were late when anybody looked last.
pub async fn is_late(db: &Db) -> DbResult<bool> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM facts WHERE key = 'letters_late')";
    Ok(on_db!(db, pool => sqlx::query_scalar(SQL).fetch_one(pool).await)?)
}

/// Forgets that letters were late.
pub async fn end_late(tx: &mut Tx) -> DbResult<()> {
    const SQL: &str = "DELETE FROM facts WHERE key = 'letters_late'";
    on_tx!(tx, conn => sqlx::query(SQL).execute(conn).await.map(drop))?;
    Ok(())
}

/// Words of the notices that a user does not want.
pub async fn quiet(db: &Db, user: i64) -> DbResult<String> {
    const SQL: &str = "SELECT quiet FROM users WHERE id = $1";
    Ok(on_db!(db, pool => sqlx::query_scalar(SQL).bind(user).fetch_one(pool).await)?)
}

/// Stores which notices a user does not want.
pub async fn set_quiet(tx: &mut Tx, user: i64, quiet: &str) -> DbResult<()> {
    const SQL: &str = "UPDATE users SET quiet = $2 WHERE id = $1";
    on_tx!(tx, conn => sqlx::query(SQL).bind(user).bind(quiet).execute(conn).await.map(drop))?;
    Ok(())
}
