//! Table `audit`: append-only, but that what a line says of a person goes with their account. How lines are
//! tied together stands in `audit_chain.rs`.

use super::{Db, DbResult, Tx, like_pattern, on_db, on_tx, word};
use crate::domain::audit::{Act, AuditLine, COUNTED};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};

/// What is to be noted.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    pub actor_id: Option<i64>,
    pub actor: &'a str,
    pub act: Act,
    pub target_id: Option<i64>,
    pub target: &'a str,
    pub reason: &'a str,
    pub before: &'a str,
    pub after: &'a str,
    pub address: &'a str,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    at: DateTime<Utc>,
    actor_id: Option<i64>,
    actor: String,
    act: String,
    target_id: Option<i64>,
    target: String,
    reason: String,
    before: String,
    after: String,
    address: String,
}

impl Row {
    fn into_line(self) -> DbResult<AuditLine> {
        Ok(AuditLine {
            id: self.id,
            at: self.at,
            actor_id: self.actor_id,
            actor: self.actor,
            act: word("audit.act", &self.act, Act::parse)?,
            target_id: self.target_id,
            target: self.target,
            reason: self.reason,
            before: self.before,
            after: self.after,
            address: self.address,
        })
    }
}

const COLUMNS: &str = "SELECT id, at, actor_id, actor, act, target_id, target, reason, before, after, address
    FROM audit WHERE ";

/// What no guess at a text can be checked against once the salt is gone.
fn salt() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>())
}

/// Adds a line, in the transaction of the act itself: neither is stored without the other. It waits for
/// nobody; [`super::audit_chain::seal`] ties it to the others.
pub async fn append(tx: &mut Tx, entry: &Entry<'_>, now: DateTime<Utc>) -> DbResult<()> {
    const SQL: &str = "INSERT INTO audit (at, actor_id, actor, act, target_id, target, reason, before, after,
        address, search, actor_salt, target_salt)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING id";
    const WAIT: &str = "INSERT INTO audit_waiting (line_id) VALUES ($1)";
    let id: i64 = on_tx!(&mut *tx, conn => sqlx::query_scalar(SQL)
        // As the database keeps it, or its digest could not be computed again.
        .bind(DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now))
        .bind(entry.actor_id)
        .bind(entry.actor)
        .bind(entry.act.as_str())
        .bind(entry.target_id)
        .bind(entry.target)
        .bind(entry.reason)
        .bind(entry.before)
        .bind(entry.after)
        .bind(entry.address)
        .bind(format!("{} {} {} {}", entry.actor, entry.target, entry.reason, entry.address).to_lowercase())
        .bind(salt())
        .bind(salt())
        .fetch_one(conn)
        .await)?;
    on_tx!(tx, conn => sqlx::query(WAIT).bind(id).execute(conn).await.map(drop))?;
    Ok(())
}

fn found(search: bool, act: bool) -> String {
    let search = if search { "search LIKE $1 ESCAPE '\\'" } else { "$1 = $1" };
    let act = if act { "act = $2" } else { "$2 = $2" };
    format!("{search} AND {act}")
}

pub(super) fn list_sql(search: bool, act: bool) -> String {
    format!("{COLUMNS} {} AND id < $3 ORDER BY id DESC LIMIT $4", found(search, act))
}

/// A page of the log, newest first, from before the id on.
pub async fn list(
    db: &Db,
    search: &str,
    act: Option<Act>,
    before: Option<i64>,
    limit: i64,
) -> DbResult<Vec<AuditLine>> {
    let sql = sqlx::AssertSqlSafe(list_sql(!search.trim().is_empty(), act.is_some()));
    let rows: Vec<Row> = on_db!(db, pool => sqlx::query_as(sql)
        .bind(like_pattern(search))
        .bind(act.map_or("", Act::as_str))
        .bind(before.unwrap_or(i64::MAX))
        .bind(limit)
        .fetch_all(pool)
        .await)?;
    rows.into_iter().map(Row::into_line).collect()
}

/// How many lines the filter finds, up to one more than [`COUNTED`].
pub async fn count(db: &Db, search: &str, act: Option<Act>) -> DbResult<i64> {
    let found = found(!search.trim().is_empty(), act.is_some());
    let sql =
        sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM (SELECT 1 AS one FROM audit WHERE {found} LIMIT $3) found"));
    Ok(on_db!(db, pool => sqlx::query_scalar(sql)
        .bind(like_pattern(search))
        .bind(act.map_or("", Act::as_str))
        .bind(COUNTED + 1)
        .fetch_one(pool)
        .await)?)
}

/// Lines that the filter finds, oldest first, from after the id on, each with its hash; one that waits for it has none yet.
pub async fn all(
    db: &Db,
    (act, search): (Option<Act>, &str),
    after: i64,
    limit: i64,
) -> DbResult<Vec<(AuditLine, String)>> {
    #[derive(sqlx::FromRow)]
    struct WithHash {
        #[sqlx(flatten)]
        row: Row,
        hash: String,
    }
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT a.id, a.at, a.actor_id, a.actor, a.act, a.target_id, a.target, a.reason, a.before,
        a.after, a.address, COALESCE(c.hash, '') AS hash FROM audit a LEFT JOIN audit_chain c ON c.line_id = a.id
        WHERE {} AND a.id > $3 ORDER BY a.id LIMIT $4",
        found(!search.trim().is_empty(), act.is_some())
    ));
    let rows: Vec<WithHash> = on_db!(db, pool => sqlx::query_as(sql)
        .bind(like_pattern(search))
        .bind(act.map_or("", Act::as_str))
        .bind(after)
        .bind(limit)
        .fetch_all(pool)
        .await)?;
    rows.into_iter().map(|WithHash { row, hash }| Ok((row.into_line()?, hash))).collect()
}

/// Lines of what somebody did, oldest first, from after the id on.
pub async fn by_actor(db: &Db, actor: i64, after: i64, limit: i64) -> DbResult<Vec<AuditLine>> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} actor_id = $1 AND id > $2 ORDER BY id LIMIT $3"));
    let rows: Vec<Row> =
        on_db!(db, pool => sqlx::query_as(sql).bind(actor).bind(after).bind(limit).fetch_all(pool).await)?;
    rows.into_iter().map(Row::into_line).collect()
}
