//! Table `sessions`: what tower-sessions keeps of each browser.

use super::{Db, DbError, DbResult, on_db, on_tx};
use crate::server::clock::SharedClock;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, ExpiredDeletion, Result};

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

impl Sessions {
    pub fn new(db: Db, clock: SharedClock) -> Self {
        Self { db, clock }
    }

    async fn insert(&self, record: &Record) -> Result<bool> {
        const SQL: &str = "INSERT INTO sessions (id, data, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        self.write(SQL, record).await
    }

    async fn update(&self, record: &Record) -> Result<bool> {
        const SQL: &str = "INSERT INTO sessions (id, data, expires_at) VALUES ($1, $2, $3)
            ON CONFLICT (id) DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at";
        self.write(SQL, record).await
    }

    async fn write(&self, sql: &'static str, record: &Record) -> Result<bool> {
        let data = serde_json::to_string(&record.data).map_err(|error| Error::Encode(error.to_string()))?;
        let expires_at = instant(record);
        let write = async {
            let mut tx = self.db.begin().await?;
            let rows = on_tx!(&mut tx, conn => sqlx::query(sql)
                .bind(record.id.to_string())
                .bind(data)
                .bind(expires_at)
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
        while !self.insert(record).await? {
            record.id = Id::default();
        }
        Ok(())
    }

    async fn save(&self, record: &Record) -> Result<()> {
        self.update(record).await.map(drop)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        const SQL: &str = "SELECT data, expires_at FROM sessions WHERE id = $1 AND expires_at > $2";
        let now = self.clock.now();
        let row: DbResult<Option<(String, DateTime<Utc>)>> = async {
            Ok(on_db!(&self.db, pool => sqlx::query_as(SQL)
                .bind(id.to_string())
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
            on_tx!(&mut tx, conn => sqlx::query(SQL).bind(id.to_string()).execute(conn).await.map(drop))?;
            tx.commit().await
        };
        delete.await.map_err(backend)
    }
}

#[async_trait]
impl ExpiredDeletion for Sessions {
    async fn delete_expired(&self) -> Result<()> {
        const SQL: &str = "DELETE FROM sessions WHERE expires_at <= $1";
        let now = self.clock.now();
        let delete = async {
            let mut tx = self.db.begin().await?;
            on_tx!(&mut tx, conn => sqlx::query(SQL).bind(now).execute(conn).await.map(drop))?;
            tx.commit().await
        };
        delete.await.map_err(backend)
    }
}

/// Which of these sessions still live.
pub async fn alive(db: &Db, ids: &[String], now: DateTime<Utc>) -> DbResult<Vec<String>> {
    const SQLITE: &str = "SELECT id FROM sessions WHERE expires_at > $2 AND id IN (SELECT value FROM json_each($1))";
    const POSTGRES: &str =
        "SELECT id FROM sessions WHERE expires_at > $2 AND id IN (SELECT json_array_elements_text($1::json))";
    let sql = if matches!(db, Db::Sqlite { .. }) { SQLITE } else { POSTGRES };
    let ids = serde_json::json!(ids).to_string();
    Ok(on_db!(db, pool => sqlx::query_scalar(sql).bind(ids).bind(now).fetch_all(pool).await)?)
}
