//! Databases for `vestnik bench`: made, filled with invented clients and dropped again.

use super::{Db, DbError, DbResult, on_tx, postgres};
use chrono::{DateTime, Utc};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection, Executor};

/// A PostgreSQL database that is there for one measurement.
#[derive(Debug)]
pub struct Scratch {
    server: PgConnectOptions,
    name: String,
}

impl Scratch {
    /// Makes a database of a random name on the server that the address names, whose user must be
    /// allowed to, and opens it.
    ///
    /// # Errors
    /// Database errors.
    pub async fn create(url: &str) -> DbResult<(Self, Db)> {
        let server = postgres::options(url)?;
        postgres::probe(&server).await?;
        let name = format!("vestnik_bench_{:016x}", rand::random::<u64>());
        let mut admin = PgConnection::connect_with(&server).await?;
        admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await?;
        admin.close().await?;
        let mut address = url::Url::parse(url).map_err(|_| DbError::Scheme)?;
        address.set_path(&name);
        let scratch = Self { server, name };
        let db = Db::open(address.as_str()).await?;
        Ok((scratch, db))
    }

    /// Drops it, open connections or not.
    ///
    /// # Errors
    /// Database errors.
    pub async fn remove(self) -> DbResult<()> {
        let mut admin = PgConnection::connect_with(&self.server).await?;
        admin.execute(AssertSqlSafe(format!("DROP DATABASE {} WITH (FORCE)", self.name))).await?;
        Ok(admin.close().await?)
    }
}

/// Gives a user so many invented clients, in one statement.
///
/// # Errors
/// Database errors.
pub async fn add_clients(db: &Db, owner: i64, count: i64, now: DateTime<Utc>) -> DbResult<()> {
    const SQL: &str = "WITH RECURSIVE made (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM made WHERE n < $2)
        INSERT INTO clients (owner_id, email, email_key, full_name, full_name_key, comment, search, created_at,
        updated_at, address_key) SELECT $1, 'client' || n || '@example.org', 'client' || n || '@example.org', 'Client Number ' || n,
        'client number ' || n, 'member ' || n, 'client number ' || n || ' client' || n || '@example.org', $3, $3,
        'client' || n || '@example.org' FROM made";
    let mut tx = db.begin().await?;
    on_tx!(&mut tx, conn => sqlx::query(SQL).bind(owner).bind(count).bind(now).execute(conn).await.map(drop))?;
    tx.commit().await
}

/// Lets so many of a user's invented clients leave, spread evenly over all of them, in one statement.
///
/// # Errors
/// Database errors.
pub async fn leave_out(db: &Db, owner: i64, count: i64, now: DateTime<Utc>) -> DbResult<()> {
    const SQL: &str =
        "INSERT INTO suppressions (owner_id, address_key, email, reason, source, since, entered_at, evidence,
        actor) SELECT $1, address_key, email, 'unsubscribed', 'page', $3, $3, '', '' FROM
        (SELECT address_key, email, ROW_NUMBER() OVER (ORDER BY id) AS n, COUNT(*) OVER () AS clients FROM clients
        WHERE owner_id = $1) c WHERE n * $2 / clients > (n - 1) * $2 / clients";
    let mut tx = db.begin().await?;
    on_tx!(&mut tx, conn => sqlx::query(SQL).bind(owner).bind(count).bind(now).execute(conn).await.map(drop))?;
    tx.commit().await
}
