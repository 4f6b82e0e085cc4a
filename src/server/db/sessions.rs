//! Table `sessions`: what tower-sessions keeps of each browser. A row's id is the hash of what the cookie
//! holds, so that the table opens nobody's session.

use super::{Db, DbError, DbResult, Tx, on_db, on_tx};
use crate::server::clock::SharedClock;
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};

/// The key of the user's id in a session; the column `user_id` follows it.
pub const USER: &str = "user";
/// The key of the epoch in which the user was let in (`users.epoch`); in any other one the session is over.
pub const EPOCH: &str = "epoch";
/// The key of a session's [`Visit`].
pub const VISIT: &str = "visit";
/// Sessions that a user may have; the oldest make room.
const MOST: i64 = 50;

/// Where a session was begun, and when it was used last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    pub agent: String,
    pub address: String,
    pub began: Option<DateTime<Utc>>,
    pub seen: Option<DateTime<Utc>>,
}

/// The store of server-side sessions on [`Db`].
#[derive(Clone)]
pub struct Sessions {
    db: Db,
    clock: SharedClock,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sessions").finish_non_exhaustive()
    }
}

/// The id of a session's row.
pub fn stored_id(id: &Id) -> String {
    // The input is 128 random bits: a plain hash is enough.
    URL_SAFE_NO_PAD.encode(Sha256::digest(id.0.to_be_bytes()))
}

impl Sessions {
    pub fn new(db: Db, clock: SharedClock) -> Self {
        Self { db, clock }
    }

    /// Writes a record; says whether a row was touched.
    async fn write(&self, sql: &'static str, record: &Record) -> Result<bool> {
        let data = serde_json::to_string(&record.data).map_err(|error| Error::Encode(error.to_string()))?;
        let number = |key| record.data.get(key).and_then(serde_json::Value::as_i64);
        let (user, epoch) = (number(USER), number(EPOCH).unwrap_or_default());
        let expires_at = instant(record);
        let write = async {
            let mut tx = self.db.begin().await?;
            let rows = on_tx!(&mut tx, conn => sqlx::query(sql)
                .bind(stored_id(&record.id))
                .bind(user)
                .bind(data)
                .bind(expires_at)
                .bind(epoch)
                .execute(conn)
                .await
                .map(|done| done.rows_affected()))?;
            tx.commit().await?;
            Ok(rows == 1)
        };
        write.await.map_err(backend)
    }
}

fn instant(record: &Record) -> DateTime<Utc> {
    DateTime::from_timestamp(record.expiry_date.unix_timestamp(), 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

fn backend(error: DbError) -> Error {
    Error::Backend(error.to_string())
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        const SQL: &str = "INSERT INTO sessions (id, user_id, data, expires_at, epoch) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
        while !self.write(SQL, record).await? {
            record.id = Id::default();
        }
        Ok(())
    }

    /// A session that has been ended meanwhile stays ended, and its epoch is what it began with, unless it was carried
    /// over ([`carry_over`]).
    async fn save(&self, record: &Record) -> Result<()> {
        const SQL: &str = "UPDATE sessions SET user_id = $2, data = $3, expires_at = $4 WHERE id = $1 AND epoch >= $5";
        self.write(SQL, record).await.map(drop)
    }

    /// A session whose account is in another epoch by now is none: a log-in that was under way meanwhile may have
    /// stored it later.
    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        const SQL: &str = "SELECT s.data, s.expires_at FROM sessions s LEFT JOIN users u ON u.id = s.user_id
            WHERE s.id = $1 AND s.expires_at > $2 AND (s.user_id IS NULL OR s.epoch = u.epoch)";
        let now = self.clock.now();
        let row: DbResult<Option<(String, DateTime<Utc>)>> = async {
            Ok(on_db!(&self.db, pool => sqlx::query_as(SQL)
                .bind(stored_id(id))
                .bind(now)
                .fetch_optional(pool)
                .await)?)
        }
        .await;
        let Some((data, expires_at)) = row.map_err(backend)? else {
            return Ok(None);
        };
        let data = serde_json::from_str(&data).map_err(|error| Error::Decode(error.to_string()))?;
        let expiry_date = time::OffsetDateTime::from_unix_timestamp(expires_at.timestamp())
            .map_err(|error| Error::Decode(error.to_string()))?;
        Ok(Some(Record { id: *id, data, expiry_date }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        const SQL: &str = "DELETE FROM sessions WHERE id = $1";
        let delete = async {
            let mut tx = self.db.begin().await?;
            on_tx!(&mut tx, conn => sqlx::query(SQL).bind(stored_id(id)).execute(conn).await.map(drop))?;
            tx.commit().await
        };
        delete.await.map_err(backend)
    }
}

/// A user's sessions: the rows' ids, and what is known of each.
pub async fn of_user(db: &Db, user_id: i64, now: DateTime<Utc>) -> DbResult<Vec<(String, Visit)>> {
    const SQL: &str = "SELECT s.id, s.data FROM sessions s JOIN users u ON u.id = s.user_id AND u.epoch = s.epoch
        WHERE s.user_id = $1 AND s.expires_at > $2 ORDER BY s.expires_at DESC, s.id LIMIT $3";
    let rows: Vec<(String, String)> =
        on_db!(db, pool => sqlx::query_as(SQL).bind(user_id).bind(now).bind(MOST).fetch_all(pool).await)?;
    let visit = |data: &str| {
        let mut data: serde_json::Value = serde_json::from_str(data).unwrap_or_default();
        serde_json::from_value(data[VISIT].take()).unwrap_or_default()
    };
    Ok(rows.into_iter().map(|(id, data)| (id, visit(&data))).collect())
}

/// Ends one session of a user; false if there is none.
pub async fn end(tx: &mut Tx, user_id: i64, id: &str) -> DbResult<bool> {
    const SQL: &str = "DELETE FROM sessions WHERE id = $1 AND user_id = $2";
    let rows = on_tx!(tx, conn => sqlx::query(SQL)
        .bind(id)
        .bind(user_id)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Ends all sessions of a user, or all but one.
pub async fn end_all(tx: &mut Tx, user_id: i64, keep: Option<&str>) -> DbResult<()> {
    const SQL: &str = "DELETE FROM sessions WHERE user_id = $1 AND id <> $2";
    let keep = keep.unwrap_or_default();
    on_tx!(tx, conn => sqlx::query(SQL).bind(user_id).bind(keep).execute(conn).await.map(drop))?;
    Ok(())
}

/// Lets the sessions of a user go on in the account's new epoch.
pub async fn carry_over(tx: &mut Tx, user_id: i64, epoch: i64) -> DbResult<()> {
    const SQL: &str = "UPDATE sessions SET epoch = $2 WHERE user_id = $1 AND epoch = $2 - 1";
    on_tx!(tx, conn => sqlx::query(SQL).bind(user_id).bind(epoch).execute(conn).await.map(drop))?;
    Ok(())
}

/// Makes room for another session of a user.
pub async fn make_room(tx: &mut Tx, user_id: i64) -> DbResult<()> {
    const SQL: &str = "DELETE FROM sessions WHERE user_id = $1 AND id NOT IN
        (SELECT id FROM sessions WHERE user_id = $1 ORDER BY expires_at DESC, id LIMIT $2)";
    on_tx!(tx, conn => sqlx::query(SQL).bind(user_id).bind(MOST - 1).execute(conn).await.map(drop))?;
    Ok(())
}

/// Forgets sessions that are over.
pub async fn forget_expired(tx: &mut Tx, now: DateTime<Utc>) -> DbResult<()> {
    const SQL: &str = "DELETE FROM sessions WHERE expires_at <= $1";
    on_tx!(tx, conn => sqlx::query(SQL).bind(now).execute(conn).await.map(drop))?;
    Ok(())
}

/// Which of these sessions still live.
pub async fn alive(db: &Db, ids: &[String], now: DateTime<Utc>) -> DbResult<Vec<String>> {
    const SQLITE: &str = "SELECT s.id FROM sessions s JOIN users u ON u.id = s.user_id AND u.epoch = s.epoch
        WHERE s.expires_at > $2 AND s.id IN (SELECT value FROM json_each($1))";
    const POSTGRES: &str = "SELECT s.id FROM sessions s JOIN users u ON u.id = s.user_id AND u.epoch = s.epoch
        WHERE s.expires_at > $2 AND s.id IN (SELECT json_array_elements_text($1::json))";
    let sql = if matches!(db, Db::Sqlite { .. }) { SQLITE } else { POSTGRES };
    let ids = serde_json::json!(ids).to_string();
    Ok(on_db!(db, pool => sqlx::query_scalar(sql).bind(ids).bind(now).fetch_all(pool).await)?)
}
