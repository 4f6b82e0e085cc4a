//! How often the blog has been changed: a number that every write which visitors see counts up, so that each
//! process can tell whether what it keeps still holds.

use super::super::{Conn, Db, DbError, DbResult, Tx, on_db, on_tx};
use sqlx::postgres::{PgListener, PgPool, PgPoolOptions};
use std::time::Duration;
use tokio::time::timeout;

/// The channel of PostgreSQL's NOTIFY.
const CHANNEL: &str = "vestnik_blog";
/// The fact that holds the number.
const FACT: &str = "blog_version";
const VERSION: &str = "SELECT CAST(value AS BIGINT) FROM facts WHERE key = $1";
/// How long the database may take to answer before it counts as away.
const PATIENCE: Duration = Duration::from_secs(1);

/// Counts a change, and tells the other processes when the transaction ends. Returns the new number.
pub async fn count(tx: &mut Tx) -> DbResult<i64> {
    const NEXT: &str = "INSERT INTO facts (key, value) VALUES ($1, '1')
        ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(facts.value AS BIGINT) + 1 AS TEXT)
        RETURNING CAST(value AS BIGINT)";
    let version = on_tx!(&mut *tx, conn => sqlx::query_scalar(NEXT).bind(FACT).fetch_one(conn).await)?;
    if let Tx::Postgres(tx) = tx {
        sqlx::query("SELECT pg_notify($1, '')").bind(CHANNEL).execute(&mut **tx).await?;
    }
    Ok(version)
}

/// The number as it is now.
///
/// # Errors
/// Also if the database takes longer than a second to answer.
pub async fn version(db: &Db) -> DbResult<i64> {
    let ask = async { on_db!(db, pool => sqlx::query_scalar(VERSION).bind(FACT).fetch_optional(pool).await) };
    let version: Option<i64> = patiently(async { Ok(ask.await?) }).await?;
    Ok(version.unwrap_or_default())
}

async fn patiently<T>(ask: impl Future<Output = DbResult<T>>) -> DbResult<T> {
    timeout(PATIENCE, ask).await.unwrap_or(Err(DbError::Sql(sqlx::Error::PoolTimedOut)))
}

/// A connection of its own that asks for the number again and again; on PostgreSQL it also hears of changes.
pub enum Watcher {
    Asks(Conn),
    Hears(PgListener),
}

impl Watcher {
    /// # Errors
    /// If the database cannot be reached.
    pub async fn connect(db: &Db) -> DbResult<Self> {
        patiently(async {
            Ok(match db {
                Db::Postgres(pool) => Self::Hears(listen(pool).await?),
                Db::Sqlite { .. } => Self::Asks(db.connect().await?),
            })
        })
        .await
    }

    /// The number as it is now.
    ///
    /// # Errors
    /// If the connection is of no use any more.
    pub async fn version(&mut self) -> DbResult<i64> {
        let version: Option<i64> = patiently(async {
            Ok(match self {
                Self::Asks(Conn::Sqlite(conn)) => sqlx::query_scalar(VERSION).bind(FACT).fetch_optional(conn).await?,
                Self::Asks(Conn::Postgres(conn)) => sqlx::query_scalar(VERSION).bind(FACT).fetch_optional(conn).await?,
                Self::Hears(listener) => sqlx::query_scalar(VERSION).bind(FACT).fetch_optional(listener).await?,
            })
        })
        .await?;
        Ok(version.unwrap_or_default())
    }

    /// Waits until another process tells of a change, but not for longer than that.
    ///
    /// # Errors
    /// If the connection is of no use any more.
    pub async fn heard(&mut self, most: Duration) -> DbResult<()> {
        match self {
            Self::Asks(_) => tokio::time::sleep(most).await,
            Self::Hears(listener) => {
                if let Ok(heard) = tokio::time::timeout(most, listener.recv()).await {
                    heard?;
                }
            }
        }
        Ok(())
    }
}

/// Not one of the pool's connections: requests may have taken them all.
async fn listen(pool: &PgPool) -> Result<PgListener, sqlx::Error> {
    let own = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None).acquire_timeout(PATIENCE);
    let own = own.connect_with((*pool.connect_options()).clone()).await?;
    let mut listener = PgListener::connect_with(&own).await?;
    listener.listen(CHANNEL).await?;
    Ok(listener)
}
