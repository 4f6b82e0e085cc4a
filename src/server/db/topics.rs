//! Tables `topics` and `topic_wishes`. Who has left a topic is in the ledger (`suppressions`), beside those who have left
//! everything.

use super::address::address_key;
use super::{Db, DbResult, Tx, on_db, on_tx};
use crate::domain::email::EmailAddress;
use crate::domain::suppression::{NO_TOPIC, Source};
use crate::domain::topic::Topic;
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    name: String,
    description: String,
    public: bool,
    by_default: bool,
}

impl From<Row> for Topic {
    fn from(Row { id, name, description, public, by_default }: Row) -> Self {
        Self { id, name, description, public, by_default }
    }
}

const COLUMNS: &str = "id, name, description, public, by_default";

/// An owner's topics, by their names.
///
/// # Errors
/// Database errors.
pub async fn list(db: &Db, owner: i64) -> DbResult<Vec<Topic>> {
    let sql = AssertSqlSafe(format!("SELECT {COLUMNS} FROM topics WHERE owner_id = $1 ORDER BY name_key"));
    let rows: Vec<Row> = on_db!(db, pool => sqlx::query_as(sql).bind(owner).fetch_all(pool).await)?;
    Ok(rows.into_iter().map(Topic::from).collect())
}

/// One of an owner's topics.
///
/// # Errors
/// Database errors.
pub async fn get(db: &Db, owner: i64, id: i64) -> DbResult<Option<Topic>> {
    let sql = AssertSqlSafe(format!("SELECT {COLUMNS} FROM topics WHERE owner_id = $1 AND id = $2"));
    let row: Option<Row> = on_db!(db, pool => sqlx::query_as(sql).bind(owner).bind(id).fetch_optional(pool).await)?;
    Ok(row.map(Topic::from))
}

/// Stores a topic, new while its id is 0; false if the owner has no such topic. One that has the name of a deleted one is that
/// again, so that whoever has left it does not get it.
///
/// # Errors
/// A duplicate if the owner has the name already, in whatever case.
pub async fn save(tx: &mut Tx, owner: i64, topic: &Topic, now: DateTime<Utc>) -> DbResult<bool> {
    const NEW: &str = "INSERT INTO topics (owner_id, name, name_key, description, public, by_default, created_at)
        SELECT $1, $2, $3, $4, $5, $6, $7 WHERE $8 = 0";
    const AGAIN: &str = "INSERT INTO topics (owner_id, name, name_key, description, public, by_default, created_at, id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    const FORMER: &str = "DELETE FROM former_topics WHERE owner_id = $1 AND name_key = $2 RETURNING topic_id";
    const CHANGED: &str = "UPDATE topics SET name = $2, name_key = $3, description = $4, public = $5, by_default = $6
        WHERE owner_id = $1 AND $7 = $7 AND id = $8";
    let name_key = topic.name.to_lowercase();
    let former: Option<i64> = match topic.id {
        0 => {
            on_tx!(&mut *tx, conn => sqlx::query_scalar(FORMER).bind(owner).bind(&name_key).fetch_optional(conn).await)?
        }
        _ => None,
    };
    let sql = match (topic.id, former) {
        (0, Some(_)) => AGAIN,
        (0, None) => NEW,
        _ => CHANGED,
    };
    let rows = on_tx!(tx, conn => sqlx::query(sql)
        .bind(owner)
        .bind(&topic.name)
        .bind(name_key)
        .bind(&topic.description)
        .bind(topic.public)
        .bind(topic.by_default)
        .bind(now)
        .bind(former.unwrap_or(topic.id))
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// A topic, kept from being changed or deleted until the transaction ends; none if the owner has no such topic. On SQLite
/// nobody else writes meanwhile.
///
/// # Errors
/// Database errors.
pub async fn hold(tx: &mut Tx, owner: i64, id: i64) -> DbResult<Option<Topic>> {
    let wait = if matches!(tx, Tx::Postgres(_)) { "FOR UPDATE" } else { "" };
    let sql = AssertSqlSafe(format!("SELECT {COLUMNS} FROM topics WHERE owner_id = $1 AND id = $2 {wait}"));
    let row: Option<Row> = on_tx!(tx, conn => sqlx::query_as(sql).bind(owner).bind(id).fetch_optional(conn).await)?;
    Ok(row.map(Topic::from))
}

/// How many of an owner's mailings are about a topic and not over.
///
/// # Errors
/// Database errors.
pub async fn used(tx: &mut Tx, owner: i64, id: i64) -> DbResult<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM mailings WHERE owner_id = $1 AND topic_id = $2
        AND status <> 'finished'";
    Ok(on_tx!(tx, conn => sqlx::query_scalar(SQL).bind(owner).bind(id).fetch_one(conn).await)?)
}

/// Deletes a topic with the wishes for it; what the ledger says of it stays, and its number is kept by its name. False if the
/// owner has no such topic.
///
/// # Errors
/// Database errors.
pub async fn delete(tx: &mut Tx, owner: i64, id: i64) -> DbResult<bool> {
    const KEEP: &str = "INSERT INTO former_topics (owner_id, name_key, topic_id)
        SELECT owner_id, name_key, id FROM topics WHERE owner_id = $1 AND id = $2
        ON CONFLICT (owner_id, name_key) DO UPDATE SET topic_id = excluded.topic_id";
    const SQL: &str = "DELETE FROM topics WHERE owner_id = $1 AND id = $2";
    on_tx!(&mut *tx, conn => sqlx::query(KEEP).bind(owner).bind(id).execute(conn).await.map(drop))?;
    let rows =
        on_tx!(tx, conn => sqlx::query(SQL).bind(owner).bind(id).execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// SQL: that client `c` of owner `$2` gets what is about a topic of theirs as far as asking for it goes; `topic` is SQL, too.
/// `only_wished` is what [`only_wished`] says of the topic.
pub(super) fn wished(only_wished: bool, topic: &str) -> String {
    match only_wished {
        true => format!(
            "EXISTS (SELECT 1 FROM topics a JOIN topic_wishes w ON w.topic_id = a.id
             WHERE a.id = {topic} AND a.owner_id = $2 AND w.address_key = c.address_key)"
        ),
        false => format!("{topic} = {topic}"),
    }
}

const ONLY_WISHED: &str = "SELECT NOT EXISTS (SELECT 1 FROM topics WHERE id = $1 AND owner_id = $2 AND by_default)";

/// Whether only those get what is about a topic who have asked for it: nobody, where the owner has no such topic.
///
/// # Errors
/// Database errors.
pub(super) async fn only_wished(db: &Db, (owner, topic): (i64, i64)) -> DbResult<bool> {
    if topic == NO_TOPIC {
        return Ok(false);
    }
    Ok(on_db!(db, pool => sqlx::query_scalar(ONLY_WISHED).bind(topic).bind(owner).fetch_one(pool).await)?)
}

/// The same in a transaction.
///
/// # Errors
/// Database errors.
pub(super) async fn only_wished_in(tx: &mut Tx, (owner, topic): (i64, i64)) -> DbResult<bool> {
    if topic == NO_TOPIC {
        return Ok(false);
    }
    Ok(on_tx!(tx, conn => sqlx::query_scalar(ONLY_WISHED).bind(topic).bind(owner).fetch_one(conn).await)?)
}

/// Of an owner's topics those that an address has asked for.
///
/// # Errors
/// Database errors.
pub async fn wishes(db: &Db, owner: i64, email: &EmailAddress) -> DbResult<Vec<i64>> {
    const SQL: &str = "SELECT w.topic_id FROM topics t JOIN topic_wishes w ON w.topic_id = t.id AND w.address_key = $2
        WHERE t.owner_id = $1";
    let key = address_key(email);
    Ok(on_db!(db, pool => sqlx::query_scalar(SQL).bind(owner).bind(key).fetch_all(pool).await)?)
}

/// Notes that an address asks for a topic; the same again changes nothing.
///
/// # Errors
/// Database errors.
pub async fn ask(tx: &mut Tx, topic: i64, email: &EmailAddress, source: Source, now: DateTime<Utc>) -> DbResult<()> {
    const SQL: &str = "INSERT INTO topic_wishes (topic_id, address_key, email, since, source)
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (topic_id, address_key) DO NOTHING";
    on_tx!(tx, conn => sqlx::query(SQL)
        .bind(topic)
        .bind(address_key(email))
        .bind(email.as_str())
        .bind(now)
        .bind(source.as_str())
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}
