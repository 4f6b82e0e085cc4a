//! Table `users`.

use super::{Db, DbResult, Tx, on_db, on_tx, word};
use crate::domain::lang::Lang;
use crate::domain::user::Role;
use chrono::{DateTime, Utc};
use sqlx::FromRow;

/// A user as stored.
#[derive(Clone, Debug)]
pub struct User {
    pub id: i64,
    pub email: String,
    pub name: String,
    pub password_hash: String,
    pub role: Role,
    pub zone: String,
    pub lang: Lang,
    pub confirmed_at: Option<DateTime<Utc>>,
    pub blocked_at: Option<DateTime<Utc>>,
}

#[derive(FromRow)]
struct Row {
    id: i64,
    email: String,
    name: String,
    password_hash: String,
    role: String,
    zone: String,
    lang: String,
    confirmed_at: Option<DateTime<Utc>>,
    blocked_at: Option<DateTime<Utc>>,
}

impl Row {
    fn into_user(self) -> DbResult<User> {
        Ok(User {
            id: self.id,
            email: self.email,
            name: self.name,
            password_hash: self.password_hash,
            role: word("users.role", &self.role, Role::parse)?,
            zone: self.zone,
            lang: word("users.lang", &self.lang, Lang::parse)?,
            confirmed_at: self.confirmed_at,
            blocked_at: self.blocked_at,
        })
    }
}

/// What a new user is made of.
#[derive(Debug)]
pub struct NewUser<'a> {
    pub email: &'a str,
    pub email_key: &'a str,
    pub name: &'a str,
    pub password_hash: &'a str,
    pub role: Role,
    pub zone: &'a str,
    pub lang: Lang,
    pub confirmed_at: Option<DateTime<Utc>>,
    pub now: DateTime<Utc>,
}

/// Inserts a user and returns its id.
///
/// # Errors
/// A duplicate (see `DbError::is_duplicate`) if the address is taken.
pub async fn insert(tx: &mut Tx, new: &NewUser<'_>) -> DbResult<i64> {
    const SQL: &str = "INSERT INTO users
        (email, email_key, name, password_hash, role, zone, lang, confirmed_at, created_at, search)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id";
    Ok(on_tx!(tx, conn => sqlx::query_scalar(SQL)
        .bind(new.email)
        .bind(new.email_key)
        .bind(new.name)
        .bind(new.password_hash)
        .bind(new.role.as_str())
        .bind(new.zone)
        .bind(new.lang.as_str())
        .bind(new.confirmed_at)
        .bind(new.now)
        .bind(search(new.email, new.name))
        .fetch_one(conn)
        .await)?)
}

/// What managers find a user by.
fn search(email: &str, name: &str) -> String {
    format!("{email} {name}").to_lowercase()
}

const COLUMNS: &str =
    "SELECT id, email, name, password_hash, role, zone, lang, confirmed_at, blocked_at FROM users WHERE ";

/// The user with this id.
pub async fn by_id(db: &Db, id: i64) -> DbResult<Option<User>> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} id = $1"));
    let row: Option<Row> = on_db!(db, pool => sqlx::query_as(sql).bind(id).fetch_optional(pool).await)?;
    row.map(Row::into_user).transpose()
}

/// The user with this address (as `EmailAddress::key` folds it).
pub async fn by_email(db: &Db, email_key: &str) -> DbResult<Option<User>> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} email_key = $1"));
    let row: Option<Row> = on_db!(db, pool => sqlx::query_as(sql).bind(email_key).fetch_optional(pool).await)?;
    row.map(Row::into_user).transpose()
}

/// Whether anybody is registered; inside a transaction, for deciding who comes first.
pub async fn any(tx: &mut Tx) -> DbResult<bool> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM users)";
    Ok(on_tx!(tx, conn => sqlx::query_scalar(SQL).fetch_one(conn).await)?)
}

/// Notes that the user's address is theirs.
pub async fn confirm(tx: &mut Tx, id: i64, now: DateTime<Utc>) -> DbResult<()> {
    const SQL: &str = "UPDATE users SET confirmed_at = $2 WHERE id = $1 AND confirmed_at IS NULL";
    on_tx!(tx, conn => sqlx::query(SQL).bind(id).bind(now).execute(conn).await.map(drop))?;
    Ok(())
}
