//! Databases for tests: a new one for each, of either kind, brought to the current shape.

use super::Db;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection, Executor};
use std::str::FromStr;

/// A new SQLite file; it goes when the folder is dropped.
pub async fn sqlite() -> (Db, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder for the database");
    let url = format!("sqlite:{}", folder.path().join("test.db").display());
    let db = Db::open(&url).await.expect("the database opens");
    db.migrate().await.expect("the migrations run");
    (db, folder)
}

/// A new PostgreSQL database with a random name, on the server at VESTNIK_TEST_POSTGRES_URL.
pub async fn postgres() -> Db {
    let url = std::env::var("VESTNIK_TEST_POSTGRES_URL")
        .expect("VESTNIK_TEST_POSTGRES_URL must name a PostgreSQL server for tests; `make test` starts one");
    let options = PgConnectOptions::from_str(&url).expect("VESTNIK_TEST_POSTGRES_URL is an address");
    let name = format!("vestnik_test_{:016x}", rand::random::<u64>());
    let mut admin = PgConnection::connect_with(&options).await.expect("the server for tests answers");
    admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.expect("a database is made");
    admin.close().await.expect("the connection closes");
    let mut parsed = url::Url::parse(&url).expect("VESTNIK_TEST_POSTGRES_URL is an address");
    parsed.set_path(&name);
    let db = Db::open(parsed.as_str()).await.expect("the database opens");
    db.migrate().await.expect("the migrations run");
    db
}
