//! One set of queries for SQLite and PostgreSQL. Reads go through [`on_db!`], writes through a
//! transaction and [`on_tx!`]; both expand the same sqlx call once per database.

pub mod address;
pub mod addressees;
pub mod attempts;
pub mod audit;
pub mod audit_chain;
pub mod audit_erasing;
pub mod bench;
pub mod claims;
pub mod clients;
pub mod decisions;
pub mod deliveries;
pub mod designs;
pub mod doubles;
pub mod erasing;
pub mod facts;
pub mod figures;
pub mod images;
pub mod imports;
pub mod invitations;
pub mod journals;
pub mod letters;
pub mod limits;
pub mod mailings;
pub mod messages;
pub mod outgoing;
pub mod oversight;
pub mod overview;
pub mod own_data;
#[cfg(test)]
mod plans;
mod postgres;
pub mod posts;
pub mod processes;
pub mod progress;
pub mod records;
pub mod recovery_codes;
pub mod relay_usage;
pub mod relays;
pub mod returns;
pub mod runs;
pub mod selections;
pub mod sessions;
pub mod settings;
mod sqlite;
pub mod submissions;
pub mod suppressions;
pub mod tallies;
pub mod tellings;
#[cfg(test)]
pub mod testing;
pub mod throttles;
pub mod tokens;
pub mod topics;
pub mod users;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteError, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{Connection, Postgres, Sqlite, Transaction};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// BUSY (somebody else holds the lock for too long), LOCKED, READONLY (as a disk with errors becomes), IOERR, FULL and
/// CANTOPEN.
const SQLITE_AWAY: [i32; 6] = [5, 6, 8, 10, 13, 14];
/// How long a connection may wait for SQLite's write lock before the query fails.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
/// Readers of SQLite; each holds a page cache.
const SQLITE_READERS: u32 = 8;
const POSTGRES_CONNECTIONS: u32 = 16;
/// How long a query waits for a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);

/// Both databases have the same migrations; a test sees to it.
static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// Takes SQLite's write lock from the start.
const BEGIN: &str = "BEGIN IMMEDIATE";
/// PostgreSQL: a commit that does not wait for the disk, and plans for rows that are found by their keys. The planner
/// takes a run that was opened a moment ago for a small one, and would read all of it for each batch.
const BEGIN_IN_ORDER: &str = "BEGIN; SET LOCAL synchronous_commit TO OFF; SET LOCAL enable_seqscan TO OFF;
    SET LOCAL enable_bitmapscan TO OFF; SET LOCAL enable_hashjoin TO OFF; SET LOCAL enable_mergejoin TO OFF;
    SET LOCAL enable_sort TO OFF";

/// The database: what holds everything the service knows.
#[derive(Clone, Debug)]
pub enum Db {
    /// SQLite in WAL mode: any number of readers beside one writer.
    Sqlite {
        read: SqlitePool,
        write: SqlitePool,
    },
    Postgres(PgPool),
}

/// An open write transaction. Dropped without [`Tx::commit`], it is rolled back.
#[derive(Debug)]
pub enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// A connection outside the pools, for who asks all the time; on SQLite it only reads.
#[derive(Debug)]
pub enum Conn {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// Why the database could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    #[error(transparent)]
    Sql(#[from] sqlx::Error),
    #[error("migration: {0}")]
    Migrate(sqlx::migrate::MigrateError),
    /// It has a migration that this version does not know.
    #[error("the database was made by a newer version of Vestnik")]
    Newer,
    /// An address that cannot be used.
    #[error("{0}")]
    Address(String),
    /// A server that could not be reached, or let nobody in.
    #[error("PostgreSQL at {server}: {}", postgres::cause(.error))]
    Connect { server: String, error: sqlx::Error },
    #[error("the database address must begin with sqlite: or postgres:")]
    Scheme,
    /// What a row holds is not what the program writes.
    #[error("column {column} holds {value:?}")]
    Corrupt { column: &'static str, value: String },
}

fn is_postgres_away(code: &str) -> bool {
    ["08", "53", "57P", "58030"].iter().any(|class| code.starts_with(class))
}

impl From<sqlx::migrate::MigrateError> for DbError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        match error {
            sqlx::migrate::MigrateError::VersionMissing(_) => Self::Newer,
            error => Self::Migrate(error),
        }
    }
}

impl DbError {
    /// Whether a UNIQUE constraint refused the write.
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Sql(sqlx::Error::Database(error)) if error.is_unique_violation())
    }

    /// Whether the database cannot do its work for now: it could not be reached, ended the connection, or has no room
    /// on its disk. PostgreSQL's classes 08 (connection), 53 (insufficient resources) and 57P (the server is stopping or
    /// not up yet), and 58030 (trouble with a file); SQLite's codes are in [`SQLITE_AWAY`].
    pub fn is_away(&self) -> bool {
        let (Self::Sql(error) | Self::Connect { error, .. }) = self else { return false };
        match error {
            // A certificate that is refused is no outage.
            sqlx::Error::Io(error) => !error.get_ref().is_some_and(|inner| inner.is::<tokio_rustls::rustls::Error>()),
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => true,
            sqlx::Error::Database(error) => {
                let code = error.code().unwrap_or_default();
                match error.try_downcast_ref::<SqliteError>() {
                    // The lowest byte is the kind; the rest says more.
                    Some(_) => code.parse::<i32>().is_ok_and(|code| SQLITE_AWAY.contains(&(code & 0xff))),
                    None => is_postgres_away(&code),
                }
            }
            _ => false,
        }
    }

    /// Whether a row is still referred to, or refers to one that is gone.
    pub fn is_in_use(&self) -> bool {
        matches!(self, Self::Sql(sqlx::Error::Database(error)) if error.is_foreign_key_violation())
    }

    /// Whether the database has ended the transaction so that another one goes on (PostgreSQL's `deadlock_detected` and
    /// `serialization_failure`): the same once more may do.
    pub fn is_deadlock(&self) -> bool {
        let Self::Sql(sqlx::Error::Database(error)) = self else { return false };
        matches!(error.code().as_deref(), Some("40P01" | "40001"))
    }

    /// Whether a text holds what the database cannot keep: PostgreSQL's `character_not_in_repertoire`, a NUL.
    pub fn is_unstorable(&self) -> bool {
        matches!(self, Self::Sql(sqlx::Error::Database(error)) if error.code().as_deref() == Some("22021"))
    }
}

pub type DbResult<T> = Result<T, DbError>;

/// Tries of a transaction that the database ends for others.
const TRIES: u32 = 6;
/// Time before the second try; then twice as long each time.
const PAUSE: Duration = Duration::from_millis(20);

/// Tries of one transaction, which begins anew where the database has ended it for the sake of another.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tries(u32);

impl Tries {
    /// Waits for the next try after an error.
    ///
    /// # Errors
    /// The error, if trying again is no use, or has been none often enough.
    pub async fn again(&mut self, error: DbError) -> DbResult<()> {
        self.0 += 1;
        if self.0 >= TRIES || !error.is_deadlock() {
            return Err(error);
        }
        tokio::time::sleep(PAUSE * 2_u32.pow(self.0 - 1)).await;
        Ok(())
    }
}

/// Runs one query on whichever database it is, outside a transaction: for reads.
///
/// `on_db!(db, pool => sqlx::query_as(SQL).bind(id).fetch_optional(pool).await)`
macro_rules! on_db {
    ($db:expr, $pool:ident => $body:expr) => {
        match $db {
            $crate::server::db::Db::Sqlite { read, .. } => {
                let $pool = read;
                $body
            }
            $crate::server::db::Db::Postgres(pool) => {
                let $pool = pool;
                $body
            }
        }
    };
}
pub(crate) use on_db;

/// Runs one query within a transaction.
///
/// `on_tx!(tx, conn => sqlx::query(SQL).bind(id).execute(conn).await)`
macro_rules! on_tx {
    ($tx:expr, $conn:ident => $body:expr) => {
        match $tx {
            $crate::server::db::Tx::Sqlite(tx) => {
                let $conn = &mut **tx;
                $body
            }
            $crate::server::db::Tx::Postgres(tx) => {
                let $conn = &mut **tx;
                $body
            }
        }
    };
}
pub(crate) use on_tx;

/// Reads a word that a CHECK constraint guards.
///
/// # Errors
/// [`DbError::Corrupt`] if the program does not know the word.
pub fn word<T>(column: &'static str, value: &str, parse: impl FnOnce(&str) -> Option<T>) -> DbResult<T> {
    parse(value).ok_or_else(|| DbError::Corrupt { column, value: value.to_owned() })
}

/// The file of an SQLite address; none for PostgreSQL and for addresses that are not understood.
pub fn sqlite_file(url: &str) -> Option<std::path::PathBuf> {
    let options = url.starts_with("sqlite:").then(|| SqliteConnectOptions::from_str(url).ok()).flatten()?;
    Some(options.get_filename().to_owned())
}

/// Whether a database can be opened at an address, as far as that shows without opening it.
///
/// # Errors
/// [`DbError::Scheme`] or [`DbError::Address`].
pub fn check_address(url: &str) -> DbResult<()> {
    if url.starts_with("postgres:") || url.starts_with("postgresql:") {
        postgres::options(url).map(drop)
    } else {
        sqlite::options(url).map(drop)
    }
}

/// Longest text that is searched for, in characters; SQLite takes no longer pattern than 50 000 bytes.
const SEARCH_MAX: usize = 1_000;

/// All rows that a query finds: two columns, which make a [`Whole`](crate::domain::page::Whole).
const WHOLE: &str = "COUNT(*), CAST(COALESCE(SUM(id), 0) AS BIGINT)";

/// Numbers as SQLite's `json_each` takes them.
fn json_list(numbers: &[i64]) -> String {
    let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
    format!("[{}]", numbers.join(","))
}

/// Makes a text safe inside `LIKE '%' || text || '%' ESCAPE '\'`, in lower case like the `search` columns.
pub fn like_pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.trim().to_lowercase().chars().take(SEARCH_MAX) {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// A row's place in a list: what the list is ordered by, and the id, which tells equal ones apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub text: String,
    pub id: i64,
}

/// Ids for `IN (…)`: neither database lets a list be bound in a way that the other understands. No id
/// at all finds nothing.
pub fn number_list(ids: &[i64]) -> String {
    if ids.is_empty() { "NULL".to_owned() } else { ids.iter().map(i64::to_string).collect::<Vec<_>>().join(", ") }
}

impl Db {
    /// Opens the database at a `sqlite:` or `postgres:` address; an SQLite file is made if absent.
    ///
    /// # Errors
    /// If the address is not understood or the database cannot be reached.
    pub async fn open(url: &str) -> DbResult<Self> {
        if url.starts_with("sqlite:") {
            let options = sqlite::options(url)?
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(BUSY_TIMEOUT)
                .pragma("cache_size", "-8000");
            let pool = || SqlitePoolOptions::new().acquire_timeout(ACQUIRE_TIMEOUT);
            // The writer comes first: it makes the file and switches it to WAL.
            let write = pool().max_connections(1).connect_with(options.clone()).await?;
            let read = pool().max_connections(SQLITE_READERS).connect_with(options.read_only(true)).await?;
            Ok(Self::Sqlite { read, write })
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let options = postgres::options(url)?;
            postgres::probe(&options).await?;
            let pool = PgPoolOptions::new().max_connections(POSTGRES_CONNECTIONS).acquire_timeout(ACQUIRE_TIMEOUT);
            Ok(Self::Postgres(pool.connect_lazy_with(options)))
        } else {
            Err(DbError::Scheme)
        }
    }

    /// Brings the tables to this version's shape. Two processes may do it at once.
    ///
    /// # Errors
    /// If a migration fails, or the database has one that this version does not know.
    pub async fn migrate(&self) -> DbResult<()> {
        match self {
            Self::Sqlite { write, .. } => SQLITE_MIGRATIONS.run(write).await?,
            Self::Postgres(pool) => POSTGRES_MIGRATIONS.run(pool).await?,
        }
        Ok(())
    }

    /// Whether the tables have this version's shape.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn is_current(&self) -> DbResult<bool> {
        const SQL: &str = "SELECT COUNT(*) FROM _sqlx_migrations WHERE success";
        let done: i64 = on_db!(self, pool => sqlx::query_scalar(SQL).fetch_one(pool).await)?;
        Ok(usize::try_from(done).is_ok_and(|done| done >= SQLITE_MIGRATIONS.iter().count()))
    }

    /// Begins a write transaction; on SQLite it holds the write lock from the start, because a
    /// read that later wants to write is refused at once when somebody else wrote in between.
    ///
    /// # Errors
    /// If no connection comes free, or the lock does not.
    pub async fn begin(&self) -> DbResult<Tx> {
        Ok(match self {
            Self::Sqlite { write, .. } => match write.begin_with(BEGIN).await {
                // A commit failed, on a full disk for one, and SQLite has rolled back by itself, which sqlx
                // does not notice: this connection would refuse every transaction from now on.
                Err(sqlx::Error::InvalidSavePointStatement) => {
                    write.acquire().await?.close().await?;
                    Tx::Sqlite(write.begin_with(BEGIN).await?)
                }
                begun => Tx::Sqlite(begun?),
            },
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// As [`Self::begin`], for what may be lost in a crash as long as nothing is lost before it: on PostgreSQL the
    /// commit does not wait for the disk, and the next one that does takes it along. Each statement finds its rows by
    /// their keys.
    ///
    /// # Errors
    /// If no connection comes free, or the lock does not.
    pub async fn begin_in_order(&self) -> DbResult<Tx> {
        match self {
            Self::Sqlite { .. } => self.begin().await,
            Self::Postgres(pool) => Ok(Tx::Postgres(pool.begin_with(BEGIN_IN_ORDER).await?)),
        }
    }

    /// Opens a connection beside the pools.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn connect(&self) -> DbResult<Conn> {
        Ok(match self {
            Self::Sqlite { read, .. } => {
                // It looks at rows that were written a moment ago, and needs few pages.
                let options = (*read.connect_options()).clone().pragma("cache_size", "-1000");
                Conn::Sqlite(SqliteConnection::connect_with(&options).await?)
            }
            Self::Postgres(pool) => Conn::Postgres(PgConnection::connect_with(&pool.connect_options()).await?),
        })
    }

    /// The file that holds an SQLite database.
    pub fn file(&self) -> Option<PathBuf> {
        match self {
            Self::Sqlite { read, .. } => Some(read.connect_options().get_filename().to_path_buf()),
            Self::Postgres(_) => None,
        }
    }

    /// Closes all connections, so that SQLite's log is folded into its file.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { read, write } => {
                read.close().await;
                write.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Tx {
    /// Makes the transaction's writes durable.
    ///
    /// # Errors
    /// If the database could not; then nothing of it is stored.
    pub async fn commit(self) -> DbResult<()> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_what_was_typed() {
        assert_eq!(like_pattern(" Ив_а%н\\ов "), "%ив\\_а\\%н\\\\ов%");
    }

    #[test]
    fn every_migration_is_embedded_and_both_databases_have_the_same() {
        let names = |folder: &str| {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(folder);
            let mut names: Vec<_> = std::fs::read_dir(path)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        };
        assert_eq!(names("sqlite"), names("postgres"));
        assert_eq!(SQLITE_MIGRATIONS.iter().count(), names("sqlite").len());
        assert_eq!(POSTGRES_MIGRATIONS.iter().count(), names("postgres").len());
    }

    /// SQLite rolls a transaction back by itself where it cannot go on, such as on a full disk.
    #[tokio::test]
    async fn a_transaction_that_sqlite_ended_does_not_end_all_others() {
        let (db, _folder) = testing::sqlite().await;
        let mut tx = db.begin().await.unwrap();
        on_tx!(&mut tx, conn => sqlx::query("ROLLBACK").execute(conn).await.map(drop)).unwrap();
        assert!(tx.commit().await.is_err());
        let now = "2026-05-04T10:00:00Z".parse().unwrap();
        let mut tx = db.begin().await.unwrap();
        processes::beat(&mut tx, "a", "", now).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(processes::list(&db).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_full_disk_is_no_fault_of_a_request() {
        let (db, _folder) = testing::sqlite().await;
        let Db::Sqlite { write, .. } = &db else { unreachable!("it is SQLite") };
        let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(write).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"))).execute(write).await.unwrap();
        let insert = sqlx::query("INSERT INTO facts (key, value) VALUES ('x', $1)").bind("x".repeat(1 << 20));
        let error = DbError::from(insert.execute(write).await.unwrap_err());
        assert!(error.is_away(), "{error}");
        let told = crate::api::error::AppError::from(crate::server::services::Error::Db(error));
        assert_eq!((told.status(), told), (503, crate::api::error::AppError::Unavailable));
        // What a request is to blame for stays its own.
        let error = sqlx::query("INSERT INTO facts (key) VALUES (NULL)").execute(write).await.unwrap_err();
        assert!(!DbError::from(error).is_away());
    }

    #[test]
    fn postgres_is_away_while_it_has_no_room_or_no_place() {
        for code in ["08006", "57P01", "57P03", "53100", "53200", "53300", "58030"] {
            assert!(is_postgres_away(code), "{code}");
        }
        for code in ["", "23505", "22021", "40001", "57014"] {
            assert!(!is_postgres_away(code), "{code}");
        }
    }
}
