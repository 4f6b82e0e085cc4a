//! Table `audit`: append-only, each line chained to the one before it by a hash.

use super::{Db, DbResult, Tx, like_pattern, on_db, on_tx, word};
use crate::domain::audit::{Act, AuditLine};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

/// Writers of the log on PostgreSQL stand in line at this advisory lock: of two lines that named the
/// same one before them, the second would be refused and its act with it.
const LOCK: i64 = 0x7665_7374_6175_6469;

/// What is to be noted.
#[derive(Clone, Debug)]
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

/// A line with what ties it to the one before.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Link {
    pub id: i64,
    pub at: DateTime<Utc>,
    pub actor_id: Option<i64>,
    pub actor: String,
    pub act: String,
    pub target_id: Option<i64>,
    pub target: String,
    pub reason: String,
    pub before: String,
    pub after: String,
    pub address: String,
    pub previous: String,
    pub hash: String,
}

impl Link {
    /// The hash that belongs to what the line holds.
    pub fn computed(&self) -> String {
        let fields = (
            (&self.previous, self.at.timestamp_micros(), self.actor_id, &self.actor, &self.act),
            (self.target_id, &self.target, &self.reason, &self.before, &self.after, &self.address),
        );
        // As JSON, so that no text can pass for the end of a field.
        let text = serde_json::to_string(&fields).unwrap_or_default();
        URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes()))
    }

    fn into_line(self) -> DbResult<AuditLine> {
        Ok(AuditLine {
            id: self.id,
            at: self.at,
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

const COLUMNS: &str = "SELECT id, at, actor_id, actor, act, target_id, target, reason, before, after, address,
    previous, hash FROM audit WHERE ";

/// Adds a line, in the transaction of the act itself: neither is stored without the other.
pub async fn append(tx: &mut Tx, entry: &Entry<'_>, now: DateTime<Utc>) -> DbResult<()> {
    if let Tx::Postgres(tx) = tx {
        sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut **tx).await?;
    }
    const LAST: &str = "SELECT hash FROM audit ORDER BY id DESC LIMIT 1";
    let last: Option<String> = on_tx!(&mut *tx, conn => sqlx::query_scalar(LAST).fetch_optional(conn).await)?;
    let mut link = Link {
        id: 0,
        // As the database keeps it, or the hash could not be computed again.
        at: DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now),
        actor_id: entry.actor_id,
        actor: entry.actor.to_owned(),
        act: entry.act.as_str().to_owned(),
        target_id: entry.target_id,
        target: entry.target.to_owned(),
        reason: entry.reason.to_owned(),
        before: entry.before.to_owned(),
        after: entry.after.to_owned(),
        address: entry.address.to_owned(),
        previous: last.unwrap_or_default(),
        hash: String::new(),
    };
    link.hash = link.computed();
    const SQL: &str = "INSERT INTO audit (at, actor_id, actor, act, target_id, target, reason, before, after,
        address, search, previous, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    on_tx!(tx, conn => sqlx::query(SQL)
        .bind(link.at)
        .bind(link.actor_id)
        .bind(&link.actor)
        .bind(&link.act)
        .bind(link.target_id)
        .bind(&link.target)
        .bind(&link.reason)
        .bind(&link.before)
        .bind(&link.after)
        .bind(&link.address)
        .bind(format!("{} {} {} {}", link.actor, link.target, link.reason, link.address).to_lowercase())
        .bind(&link.previous)
        .bind(&link.hash)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// A page of the log, newest first, from before the id on.
pub async fn list(
    db: &Db,
    search: &str,
    act: Option<Act>,
    before: Option<i64>,
    limit: i64,
) -> DbResult<Vec<AuditLine>> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{COLUMNS} search LIKE $1 ESCAPE '\\' AND ($2 = '' OR act = $2) AND id < $3 ORDER BY id DESC LIMIT $4"
    ));
    let rows: Vec<Link> = on_db!(db, pool => sqlx::query_as(sql)
        .bind(like_pattern(search))
        .bind(act.map_or("", Act::as_str))
        .bind(before.unwrap_or(i64::MAX))
        .bind(limit)
        .fetch_all(pool)
        .await)?;
    rows.into_iter().map(Link::into_line).collect()
}

/// How many lines the filter finds.
pub async fn count(db: &Db, search: &str, act: Option<Act>) -> DbResult<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM audit WHERE search LIKE $1 ESCAPE '\\' AND ($2 = '' OR act = $2)";
    Ok(on_db!(db, pool => sqlx::query_scalar(SQL)
        .bind(like_pattern(search))
        .bind(act.map_or("", Act::as_str))
        .fetch_one(pool)
        .await)?)
}

/// Lines with their hashes, oldest first, from after the id on.
pub async fn links(db: &Db, after: i64, limit: i64) -> DbResult<Vec<Link>> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} id > $1 ORDER BY id LIMIT $2"));
    Ok(on_db!(db, pool => sqlx::query_as(sql).bind(after).bind(limit).fetch_all(pool).await)?)
}
