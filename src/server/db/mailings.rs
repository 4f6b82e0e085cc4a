//! Table `mailings`.

mod list;

#[cfg(test)]
pub(super) use list::list_sql;
pub use list::{Filter, counts, ids, left_out, list, owned_by_ids, set_paused_all};

use super::{Db, DbError, DbResult, Tx, on_db, on_tx, word};
use crate::domain::audience::Audience;
use crate::domain::mailing::{DoubtPolicy, MailingStatus, PauseReason};
use crate::domain::schedule::Period;
use chrono::{DateTime, NaiveDateTime, Utc};
use sqlx::AssertSqlSafe;

/// How `start_local` is written.
const LOCAL_FORMAT: &str = "%Y-%m-%dT%H:%M:%S";

/// A mailing as stored.
#[derive(Clone, Debug)]
pub struct Mailing {
    pub id: i64,
    pub owner_id: i64,
    pub message_id: i64,
    /// What it is about, or [`NO_TOPIC`](crate::domain::suppression::NO_TOPIC).
    pub topic: i64,
    pub title: String,
    pub audience: Audience,
    pub start_local: NaiveDateTime,
    pub zone: String,
    pub end_at: DateTime<Utc>,
    pub period: Period,
    pub policy: DoubtPolicy,
    pub status: MailingStatus,
    pub paused_at: Option<DateTime<Utc>>,
    /// Why the service paused it: a word, or empty if its owner did.
    pub paused_reason: String,
    /// What the mail server said then.
    pub paused_reply: String,
    pub disabled_at: Option<DateTime<Utc>>,
    pub disabled_by: String,
    pub disabled_reason: String,
    pub next_at: Option<DateTime<Utc>>,
}

impl Mailing {
    /// Whether its owner or a manager has stopped it.
    pub fn is_stopped(&self) -> bool {
        self.paused_at.is_some() || self.disabled_at.is_some()
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    owner_id: i64,
    message_id: i64,
    topic_id: i64,
    title: String,
    audience: String,
    start_local: String,
    zone: String,
    end_at: DateTime<Utc>,
    period: String,
    policy: String,
    status: String,
    paused_at: Option<DateTime<Utc>>,
    paused_reason: String,
    paused_reply: String,
    disabled_at: Option<DateTime<Utc>>,
    disabled_by: String,
    disabled_reason: String,
    next_at: Option<DateTime<Utc>>,
}

const COLUMNS: &str = "SELECT id, owner_id, message_id, topic_id, title, audience, start_local, zone, end_at, period,
    policy, status, paused_at, paused_reason, paused_reply, disabled_at, disabled_by, disabled_reason, next_at
    FROM mailings WHERE ";

impl Row {
    fn into_mailing(self) -> DbResult<Mailing> {
        let audience = serde_json::from_str(&self.audience)
            .map_err(|_| DbError::Corrupt { column: "mailings.audience", value: self.audience.clone() })?;
        Ok(Mailing {
            id: self.id,
            owner_id: self.owner_id,
            message_id: self.message_id,
            topic: self.topic_id,
            title: self.title,
            audience,
            start_local: word("mailings.start_local", &self.start_local, |text| {
                NaiveDateTime::parse_from_str(text, LOCAL_FORMAT).ok()
            })?,
            zone: self.zone,
            end_at: self.end_at,
            period: word("mailings.period", &self.period, Period::parse)?,
            policy: word("mailings.policy", &self.policy, DoubtPolicy::parse)?,
            status: word("mailings.status", &self.status, MailingStatus::parse)?,
            paused_at: self.paused_at,
            paused_reason: self.paused_reason,
            paused_reply: self.paused_reply,
            disabled_at: self.disabled_at,
            disabled_by: self.disabled_by,
            disabled_reason: self.disabled_reason,
            next_at: self.next_at,
        })
    }
}

/// What a mailing is made of.
#[derive(Clone, Debug)]
pub struct NewMailing {
    pub message_id: i64,
    /// As [`Mailing::topic`].
    pub topic: i64,
    pub title: String,
    pub audience: Audience,
    pub start_local: NaiveDateTime,
    pub zone: String,
    pub start_at: DateTime<Utc>,
    pub end_at: DateTime<Utc>,
    pub period: Period,
    pub policy: DoubtPolicy,
    pub next_at: Option<DateTime<Utc>>,
}

pub(super) fn json(audience: &Audience) -> DbResult<String> {
    serde_json::to_string(audience).map_err(|error| DbError::Sql(sqlx::Error::Encode(error.into())))
}

/// Binds what insert and update have in common, as `$1` to `$13`.
macro_rules! bind_new {
    ($query:expr, $owner:expr, $new:expr, $audience:expr, $now:expr) => {
        $query
            .bind($owner)
            .bind($new.message_id)
            .bind(&$new.title)
            .bind($new.title.to_lowercase())
            .bind($audience)
            .bind($new.start_local.format(LOCAL_FORMAT).to_string())
            .bind(&$new.zone)
            .bind($new.start_at)
            .bind($new.end_at)
            .bind($new.period.as_str())
            .bind($new.policy.as_str())
            .bind($new.next_at)
            .bind($now)
    };
}

/// Inserts a mailing and returns its id.
pub async fn insert(tx: &mut Tx, owner: i64, new: &NewMailing, now: DateTime<Utc>) -> DbResult<i64> {
    const SQL: &str = "INSERT INTO mailings (owner_id, message_id, title, search, audience, start_local, zone,
        start_at, end_at, period, policy, status, next_at, created_at, updated_at, topic_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'created', $12, $13, $13, $14) RETURNING id";
    let audience = json(&new.audience)?;
    Ok(on_tx!(tx, conn => bind_new!(sqlx::query_scalar(SQL), owner, new, audience, now)
        .bind(new.topic)
        .fetch_one(conn)
        .await)?)
}

/// Changes a mailing. False if the owner has no such mailing.
pub async fn update(tx: &mut Tx, owner: i64, id: i64, new: &NewMailing, now: DateTime<Utc>) -> DbResult<bool> {
    const SQL: &str = "UPDATE mailings SET message_id = $2, title = $3, search = $4, audience = $5,
        start_local = $6, zone = $7, start_at = $8, end_at = $9, period = $10, policy = $11, next_at = $12,
        status = CASE WHEN status = 'finished' AND $12 IS NOT NULL THEN 'running' ELSE status END,
        updated_at = $13, topic_id = $15 WHERE owner_id = $1 AND id = $14";
    let audience = json(&new.audience)?;
    let rows = on_tx!(tx, conn => bind_new!(sqlx::query(SQL), owner, new, audience, now)
        .bind(id)
        .bind(new.topic)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Pauses or resumes. False if the owner has no such mailing.
pub async fn set_paused(tx: &mut Tx, owner: i64, id: i64, at: Option<DateTime<Utc>>) -> DbResult<bool> {
    const SQL: &str = "UPDATE mailings SET paused_at = $3, paused_reason = '', paused_reply = ''
        WHERE id = $1 AND owner_id = $2";
    let rows = on_tx!(tx, conn => sqlx::query(SQL)
        .bind(id)
        .bind(owner)
        .bind(at)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Deletes a mailing with its runs. False if the owner has no such mailing.
pub async fn delete(tx: &mut Tx, owner: i64, id: i64) -> DbResult<bool> {
    const SQL: &str = "DELETE FROM mailings WHERE id = $1 AND owner_id = $2";
    let rows =
        on_tx!(tx, conn => sqlx::query(SQL).bind(id).bind(owner).execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// One of the owner's mailings.
pub async fn get(db: &Db, owner: i64, id: i64) -> DbResult<Option<Mailing>> {
    let sql = AssertSqlSafe(format!("{COLUMNS} id = $1 AND owner_id = $2"));
    let row: Option<Row> = on_db!(db, pool => sqlx::query_as(sql).bind(id).bind(owner).fetch_optional(pool).await)?;
    row.map(Row::into_mailing).transpose()
}

/// Mailings of any owner by their ids, in no order.
pub async fn by_ids(db: &Db, ids: &[i64]) -> DbResult<Vec<Mailing>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    // Numbers only: neither database lets a list be bound in a way that the other understands.
    let list: Vec<String> = ids.iter().map(i64::to_string).collect();
    let sql = AssertSqlSafe(format!("{COLUMNS} id IN ({})", list.join(", ")));
    let rows: Vec<Row> = on_db!(db, pool => sqlx::query_as(sql).persistent(false).fetch_all(pool).await)?;
    rows.into_iter().map(Row::into_mailing).collect()
}

/// Any mailing: for the engine and the command line, which act for the service.
pub async fn by_id(db: &Db, id: i64) -> DbResult<Option<Mailing>> {
    let sql = AssertSqlSafe(format!("{COLUMNS} id = $1"));
    let row: Option<Row> = on_db!(db, pool => sqlx::query_as(sql).bind(id).fetch_optional(pool).await)?;
    row.map(Row::into_mailing).transpose()
}

/// Reads a mailing in a transaction; PostgreSQL keeps it from other writers until the end.
pub async fn lock(tx: &mut Tx, id: i64) -> DbResult<Option<Mailing>> {
    let row: Option<Row> = match tx {
        Tx::Sqlite(tx) => {
            let sql = AssertSqlSafe(format!("{COLUMNS} id = $1"));
            sqlx::query_as(sql).bind(id).fetch_optional(&mut **tx).await?
        }
        Tx::Postgres(tx) => {
            let sql = AssertSqlSafe(format!("{COLUMNS} id = $1 FOR UPDATE"));
            sqlx::query_as(sql).bind(id).fetch_optional(&mut **tx).await?
        }
    };
    row.map(Row::into_mailing).transpose()
}

/// That nobody has stopped the mailing `g` of the user `u`.
pub(super) const GOES_ON: &str = "g.paused_at IS NULL AND g.disabled_at IS NULL AND u.blocked_at IS NULL";

/// Mailings whose next occurrence is due and which may run, the oldest first.
pub async fn due(db: &Db, now: DateTime<Utc>, limit: i64) -> DbResult<Vec<i64>> {
    let sql = AssertSqlSafe(format!(
        "SELECT g.id FROM mailings g JOIN users u ON u.id = g.owner_id
         WHERE g.next_at <= $1 AND {GOES_ON} ORDER BY g.next_at LIMIT $2"
    ));
    Ok(on_db!(db, pool => sqlx::query_scalar(sql).bind(now).bind(limit).fetch_all(pool).await)?)
}

/// The next instant at which some mailing is due.
pub async fn next_due(db: &Db) -> DbResult<Option<DateTime<Utc>>> {
    const SQL: &str = "SELECT next_at FROM mailings WHERE next_at IS NOT NULL
        AND paused_at IS NULL AND disabled_at IS NULL ORDER BY next_at LIMIT 1";
    Ok(on_db!(db, pool => sqlx::query_scalar(SQL).fetch_optional(pool).await)?)
}

/// Moves a mailing on: when it is looked at next, and its status.
pub async fn advance(tx: &mut Tx, id: i64, next_at: Option<DateTime<Utc>>, status: MailingStatus) -> DbResult<()> {
    const SQL: &str = "UPDATE mailings SET next_at = $2, status = $3 WHERE id = $1";
    on_tx!(tx, conn => sqlx::query(SQL).bind(id).bind(next_at).bind(status.as_str()).execute(conn).await.map(drop))?;
    Ok(())
}

/// Pauses a mailing for the service itself, which found that it cannot go on: why, and what the mail
/// server said.
pub async fn pause_any(tx: &mut Tx, id: i64, why: PauseReason, reply: &str, now: DateTime<Utc>) -> DbResult<()> {
    const SQL: &str = "UPDATE mailings SET paused_at = $2, paused_reason = $3, paused_reply = $4, pause_told = FALSE
        WHERE id = $1 AND paused_at IS NULL";
    on_tx!(tx, conn => sqlx::query(SQL)
        .bind(id)
        .bind(now)
        .bind(why.as_str())
        .bind(reply)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Finishes the mailing of a closed run if nothing more will open.
pub async fn finish_after(tx: &mut Tx, run: i64) -> DbResult<()> {
    const SQL: &str = "UPDATE mailings SET status = 'finished'
        WHERE next_at IS NULL AND id = (SELECT mailing_id FROM runs WHERE id = $1)";
    on_tx!(tx, conn => sqlx::query(SQL).bind(run).execute(conn).await.map(drop))?;
    Ok(())
}

/// Finishes mailings whose window ended while they were stopped.
pub async fn finish_over(tx: &mut Tx, now: DateTime<Utc>) -> DbResult<()> {
    const SQL: &str = "UPDATE mailings SET status = 'finished', next_at = NULL
        WHERE next_at IS NOT NULL AND end_at <= $1
        AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.mailing_id = mailings.id AND r.state = 'open')";
    on_tx!(tx, conn => sqlx::query(SQL).bind(now).execute(conn).await.map(drop))?;
    Ok(())
}
