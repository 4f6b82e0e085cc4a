//! Databases for tests: a new one for each, of either kind, brought to the current shape; and the rows
//! that most tests begin with.

use super::messages::Content;
use super::users::{self, NewUser, User};
use super::{Db, POSTGRES_MIGRATIONS, Tx, clients, messages, on_tx, runs};
use crate::domain::audience::Audience;
use crate::domain::client::search_text;
use crate::domain::email::EmailAddress;
use crate::domain::lang::Lang;
use crate::domain::user::Role;
use chrono::{DateTime, Utc};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection, Executor};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::str::FromStr;
use tokio::sync::OnceCell;

/// A new SQLite file; it goes when the folder is dropped.
pub async fn sqlite() -> (Db, tempfile::TempDir) {
    /// What a file holds that the migrations have run on: they take longer than most tests.
    static MIGRATED: OnceCell<Vec<u8>> = OnceCell::const_new();
    let migrated = MIGRATED.get_or_init(async || {
        let (db, _folder) = empty_sqlite().await;
        db.migrate().await.expect("the migrations run");
        db.close().await;
        std::fs::read(db.file().expect("a file")).expect("the file is read")
    });
    let folder = tempfile::tempdir().expect("a folder for the database");
    std::fs::write(sqlite_file(folder.path()), migrated.await).expect("the file is copied");
    (open_sqlite(folder.path()).await, folder)
}

/// A new SQLite file without tables.
pub async fn empty_sqlite() -> (Db, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder for the database");
    (open_sqlite(folder.path()).await, folder)
}

async fn open_sqlite(folder: &Path) -> Db {
    Db::open(&format!("sqlite:{}", sqlite_file(folder).display())).await.expect("the database opens")
}

fn sqlite_file(folder: &Path) -> std::path::PathBuf {
    folder.join("test.db")
}

/// A new PostgreSQL database with a random name, on the server at VESTNIK_TEST_POSTGRES_URL.
pub async fn postgres() -> Db {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    let template = TEMPLATE.get_or_init(postgres_template).await;
    open_postgres(&create_postgres(&mut postgres_server().await, template).await).await
}

/// A new PostgreSQL database without tables.
pub async fn empty_postgres() -> Db {
    open_postgres(&create_postgres(&mut postgres_server().await, "template1").await).await
}

/// The name of a database that the migrations have run on. It stays: who tests with the same migrations on the same
/// server takes it too.
async fn postgres_template() -> String {
    let mut hasher = DefaultHasher::new();
    for migration in POSTGRES_MIGRATIONS.iter() {
        (migration.version, &migration.checksum).hash(&mut hasher);
    }
    let fingerprint = hasher.finish();
    let name = format!("vestnik_template_{fingerprint:016x}");
    let mut server = postgres_server().await;
    // Of several test processes one makes it. The lock goes with the connection.
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(fingerprint.cast_signed())
        .execute(&mut server)
        .await
        .expect("nobody else makes the template");
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)")
        .bind(&name)
        .fetch_one(&mut server)
        .await
        .expect("the server lists its databases");
    if !exists {
        let unfinished = create_postgres(&mut server, "template1").await;
        let db = open_postgres(&unfinished).await;
        db.migrate().await.expect("the migrations run");
        db.close().await;
        // One that has the name is whole.
        let rename = format!("ALTER DATABASE {unfinished} RENAME TO {name}");
        server.execute(AssertSqlSafe(rename)).await.expect("the template gets its name");
    }
    server.close().await.expect("the connection closes");
    name
}

/// Makes a database after another one, which nobody may be connected to; returns its name.
async fn create_postgres(server: &mut PgConnection, template: &str) -> String {
    let name = format!("vestnik_test_{:016x}", rand::random::<u64>());
    let create = format!("CREATE DATABASE {name} TEMPLATE {template}");
    server.execute(AssertSqlSafe(create)).await.expect("a database is made");
    name
}

async fn open_postgres(name: &str) -> Db {
    let mut address = url::Url::parse(&postgres_url()).expect("VESTNIK_TEST_POSTGRES_URL is an address");
    address.set_path(name);
    Db::open(address.as_str()).await.expect("the database opens")
}

async fn postgres_server() -> PgConnection {
    let options = PgConnectOptions::from_str(&postgres_url()).expect("VESTNIK_TEST_POSTGRES_URL is an address");
    PgConnection::connect_with(&options).await.expect("the server for tests answers")
}

fn postgres_url() -> String {
    std::env::var("VESTNIK_TEST_POSTGRES_URL")
        .expect("VESTNIK_TEST_POSTGRES_URL must name a PostgreSQL server for tests; `make test` starts one")
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

/// A client of the owner's that was stored beside another one when each spelling was its own client; returns its id.
pub async fn double(db: &Db, owner: i64, email: &str, full_name: &str, comment: &str) -> i64 {
    const SQL: &str = "UPDATE clients SET email = $2, email_key = $3, address_key = $4, double_id = id, search = $5
        WHERE id = $1";
    let id = client(db, owner, "unspelled@example.org", full_name, comment).await;
    let address = EmailAddress::parse(email).expect("an address");
    let mut tx = db.begin().await.expect("a transaction");
    on_tx!(&mut tx, conn => sqlx::query(SQL)
        .bind(id)
        .bind(email)
        .bind(address.key())
        .bind(super::address::address_key(&address))
        .bind(search_text(email, full_name, comment))
        .execute(conn)
        .await
        .map(drop))
    .expect("the double is stored");
    tx.commit().await.expect("the double is kept");
    id
}

/// A message of the owner's; returns its id.
pub async fn message(db: &Db, owner: i64, subject: &str, body: &str) -> i64 {
    let content = Content { subject: subject.to_owned(), body: body.to_owned(), ..Content::default() };
    let mut tx = db.begin().await.expect("a transaction");
    let id = messages::insert(&mut tx, owner, &content, made_at()).await.expect("the message is stored");
    tx.commit().await.expect("the message is kept");
    id
}

/// Opens a run of the mailing with all clients of its owner, who all wait.
pub async fn open_run(tx: &mut Tx, mailing: i64, owner: i64, at: DateTime<Utc>) -> i64 {
    let snapshot = runs::snapshot(tx, mailing).await.unwrap();
    let run = runs::open(tx, mailing, at, &snapshot, at).await.unwrap().unwrap();
    runs::fill(tx, run, (owner, snapshot.topic), &Audience::All, at).await.unwrap();
    run
}

/// From now on the database ends the first `n` statements that insert into a table for the sake of others, as it does in a
/// deadlock. False where it never does: on SQLite, which has one writer.
pub async fn deadlocks(db: &Db, table: &str, n: u32) -> bool {
    let Db::Postgres(pool) = db else { return false };
    let sql = format!(
        "DROP SEQUENCE IF EXISTS ended; CREATE SEQUENCE ended;
         CREATE OR REPLACE FUNCTION end_some() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
         IF nextval('ended') <= {n} THEN RAISE EXCEPTION 'ended' USING ERRCODE = '40P01'; END IF; RETURN NULL; END $$;
         CREATE OR REPLACE TRIGGER end_some AFTER INSERT ON {table} FOR EACH STATEMENT EXECUTE FUNCTION end_some()"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(pool).await.unwrap();
    true
}
