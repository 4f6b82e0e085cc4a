//! Databases for tests: a new one for each, of either kind, brought to the current shape; and the rows
//! that most tests begin with.

use super::users::{self, NewUser, User};
use super::{Db, Tx, clients, messages, runs};
use crate::domain::audience::Audience;
use crate::domain::email::EmailAddress;
use crate::domain::lang::Lang;
use crate::domain::user::Role;
use chrono::{DateTime, Utc};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection, Executor};
use std::str::FromStr;

/// A new SQLite file; it goes when the folder is dropped.
pub async fn sqlite() -> (Db, tempfile::TempDir) {
    let (db, folder) = empty_sqlite().await;
    db.migrate().await.expect("the migrations run");
    (db, folder)
}

/// A new SQLite file without tables.
pub async fn empty_sqlite() -> (Db, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder for the database");
    let url = format!("sqlite:{}", folder.path().join("test.db").display());
    let db = Db::open(&url).await.expect("the database opens");
    (db, folder)
}

/// A new PostgreSQL database with a random name, on the server at VESTNIK_TEST_POSTGRES_URL.
pub async fn postgres() -> Db {
    let db = empty_postgres().await;
    db.migrate().await.expect("the migrations run");
    db
}

/// A new PostgreSQL database without tables.
pub async fn empty_postgres() -> Db {
    let url = std::env::var("VESTNIK_TEST_POSTGRES_URL")
        .expect("VESTNIK_TEST_POSTGRES_URL must name a PostgreSQL server for tests; `make test` starts one");
    let options = PgConnectOptions::from_str(&url).expect("VESTNIK_TEST_POSTGRES_URL is an address");
    let name = format!("vestnik_test_{:016x}", rand::random::<u64>());
    let mut admin = PgConnection::connect_with(&options).await.expect("the server for tests answers");
    admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.expect("a database is made");
    admin.close().await.expect("the connection closes");
    let mut parsed = url::Url::parse(&url).expect("VESTNIK_TEST_POSTGRES_URL is an address");
    parsed.set_path(&name);
    Db::open(parsed.as_str()).await.expect("the database opens")
}

/// Makes a test on SQLite and one on PostgreSQL of each `async fn name(db: Db)` beside it:
/// `sqlite::name` and `postgres::name`. Once in a module.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let (db, _folder) = $crate::server::db::testing::sqlite().await;
                super::$name(db).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::server::db::testing::postgres().await).await;
            })*
        }
    };
}
pub(crate) use on_both;

/// When the rows below were made.
pub fn made_at() -> DateTime<Utc> {
    "2026-01-01T00:00:00Z".parse().expect("an instant")
}

/// A confirmed user named Olga in Moscow, who has no password.
pub async fn user(db: &Db, email: &str, role: Role) -> User {
    let new = NewUser {
        email,
        email_key: email,
        name: "Olga",
        password_hash: "",
        role,
        zone: "Europe/Moscow",
        lang: Lang::En,
        confirmed_at: Some(made_at()),
        now: made_at(),
    };
    let mut tx = db.begin().await.expect("a transaction");
    let id = users::insert(&mut tx, &new).await.expect("the user is stored");
    tx.commit().await.expect("the user is kept");
    users::by_id(db, id).await.expect("the user is read").expect("the user is there")
}

/// A client of the owner's; returns its id.
pub async fn client(db: &Db, owner: i64, email: &str, full_name: &str, comment: &str) -> i64 {
    let new = clients::NewClient {
        email: EmailAddress::parse(email).expect("an address"),
        full_name: full_name.to_owned(),
        comment: comment.to_owned(),
    };
    let mut tx = db.begin().await.expect("a transaction");
    let id = clients::insert(&mut tx, owner, &new, made_at()).await.expect("the client is stored");
    tx.commit().await.expect("the client is kept");
    id
}

/// A message of the owner's; returns its id.
pub async fn message(db: &Db, owner: i64, subject: &str, body: &str) -> i64 {
    let mut tx = db.begin().await.expect("a transaction");
    let id = messages::insert(&mut tx, owner, subject, body, made_at()).await.expect("the message is stored");
    tx.commit().await.expect("the message is kept");
    id
}

/// Opens a run of the mailing with all clients of its owner, who all wait.
pub async fn open_run(tx: &mut Tx, mailing: i64, owner: i64, at: DateTime<Utc>) -> i64 {
    let snapshot = runs::snapshot(tx, mailing).await.unwrap();
    let run = runs::open(tx, mailing, at, &snapshot, at).await.unwrap().unwrap();
    runs::fill(tx, run, owner, &Audience::All, at).await.unwrap();
    run
}
