//! Table `users`.

use super::{Db, DbResult, Tx, on_db, on_tx, word};
use crate::domain::lang::Lang;
use crate::domain::user::{Role, Theme};
use chrono::{DateTime, Utc};
use sqlx::FromRow;

/// A user as stored.
#[derive(Clone, Debug)]
pub struct User {
    pub id: i64,
    pub email: String,
    /// As `accounts::account_key` folds it.
    pub email_key: String,
    pub name: String,
    pub password_hash: String,
    pub role: Role,
    pub zone: String,
    pub lang: Lang,
    pub theme: Theme,
    /// Whether a code is asked for after the password.
    pub totp: bool,
    pub confirmed_at: Option<DateTime<Utc>>,
    pub blocked_at: Option<DateTime<Utc>>,
    /// Counts up with each new password, role or block; what was begun in an earlier one is over.
    pub epoch: i64,
}

#[derive(FromRow)]
struct Row {
    id: i64,
    email: String,
    email_key: String,
    name: String,
    password_hash: String,
    role: String,
    zone: String,
    lang: String,
    theme: String,
    totp: bool,
    confirmed_at: Option<DateTime<Utc>>,
    blocked_at: Option<DateTime<Utc>>,
    epoch: i64,
}

impl Row {
    fn into_user(self) -> DbResult<User> {
        Ok(User {
            id: self.id,
            email: self.email,
            email_key: self.email_key,
            name: self.name,
            password_hash: self.password_hash,
            role: word("users.role", &self.role, Role::parse)?,
            zone: self.zone,
            lang: word("users.lang", &self.lang, Lang::parse)?,
            theme: word("users.theme", &self.theme, Theme::parse)?,
            totp: self.totp,
            confirmed_at: self.confirmed_at,
            blocked_at: self.blocked_at,
            epoch: self.epoch,
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
    "SELECT id, email, email_key, name, password_hash, role, zone, lang, theme, totp_since IS NOT NULL AS totp,
    confirmed_at, blocked_at, epoch FROM users WHERE ";

/// The user with this id.
pub async fn by_id(db: &Db, id: i64) -> DbResult<Option<User>> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} id = $1"));
    let row: Option<Row> = on_db!(db, pool => sqlx::query_as(sql).bind(id).fetch_optional(pool).await)?;
    row.map(Row::into_user).transpose()
}

/// The user with this address (as `accounts::account_key` folds it).
pub async fn by_email(db: &Db, email_key: &str) -> DbResult<Option<User>> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} email_key = $1"));
    let row: Option<Row> = on_db!(db, pool => sqlx::query_as(sql).bind(email_key).fetch_optional(pool).await)?;
    row.map(Row::into_user).transpose()
}

/// All accounts' ids, addresses and keys, the oldest first.
pub async fn addresses(tx: &mut Tx) -> DbResult<Vec<(i64, String, String)>> {
    const SQL: &str = "SELECT id, email, email_key FROM users WHERE deleted_at IS NULL ORDER BY id";
    Ok(on_tx!(tx, conn => sqlx::query_as(SQL).fetch_all(conn).await)?)
}

/// Gives an account another key; false if some other has it.
pub async fn set_key(tx: &mut Tx, id: i64, email_key: &str) -> DbResult<bool> {
    const SQL: &str = "UPDATE users SET email_key = $2 WHERE id = $1
        AND NOT EXISTS (SELECT 1 FROM users WHERE email_key = $2 AND id <> $1)";
    let rows = on_tx!(tx, conn => sqlx::query(SQL)
        .bind(id)
        .bind(email_key)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Whether anybody is registered; inside a transaction.
pub async fn any(tx: &mut Tx) -> DbResult<bool> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM users)";
    Ok(on_tx!(tx, conn => sqlx::query_scalar(SQL).fetch_one(conn).await)?)
}

/// Whether there is an administrator who can come in; inside a transaction, for deciding who comes first.
pub async fn any_admin(tx: &mut Tx) -> DbResult<bool> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM users
        WHERE role = 'admin' AND confirmed_at IS NOT NULL AND blocked_at IS NULL)";
    Ok(on_tx!(tx, conn => sqlx::query_scalar(SQL).fetch_one(conn).await)?)
}

/// Notes that the user's address is theirs.
pub async fn confirm(tx: &mut Tx, id: i64, now: DateTime<Utc>) -> DbResult<()> {
    const SQL: &str = "UPDATE users SET confirmed_at = $2 WHERE id = $1 AND confirmed_at IS NULL";
    on_tx!(tx, conn => sqlx::query(SQL).bind(id).bind(now).execute(conn).await.map(drop))?;
    Ok(())
}

/// The epochs of users, whom nobody else changes until the transaction ends. They are locked in the order of their ids,
/// so that two transactions cannot wait for each other.
pub async fn lock_epochs(tx: &mut Tx, ids: [i64; 2]) -> DbResult<Vec<(i64, i64)>> {
    const SQL: &str = "SELECT id, epoch FROM users WHERE id IN ($1, $2) ORDER BY id";
    let [one, two] = ids;
    Ok(match tx {
        // Whoever writes is alone already.
        Tx::Sqlite(tx) => sqlx::query_as(SQL).bind(one).bind(two).fetch_all(&mut **tx).await?,
        Tx::Postgres(tx) => {
            let sql = sqlx::AssertSqlSafe(format!("{SQL} FOR UPDATE"));
            sqlx::query_as(sql).bind(one).bind(two).fetch_all(&mut **tx).await?
        }
    })
}

/// Begins a new epoch, and returns it.
pub async fn next_epoch(tx: &mut Tx, id: i64) -> DbResult<i64> {
    const SQL: &str = "UPDATE users SET epoch = epoch + 1 WHERE id = $1 RETURNING epoch";
    Ok(on_tx!(tx, conn => sqlx::query_scalar(SQL).bind(id).fetch_one(conn).await)?)
}

/// Sets another password.
pub async fn set_password(tx: &mut Tx, id: i64, hash: &str) -> DbResult<()> {
    const SQL: &str = "UPDATE users SET password_hash = $2 WHERE id = $1";
    on_tx!(tx, conn => sqlx::query(SQL).bind(id).bind(hash).execute(conn).await.map(drop))?;
    Ok(())
}

/// Stores the same password under newer parameters, unless it has been changed meanwhile.
pub async fn renew_hash(tx: &mut Tx, id: i64, old: &str, new: &str) -> DbResult<()> {
    const SQL: &str = "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2";
    on_tx!(tx, conn => sqlx::query(SQL).bind(id).bind(old).bind(new).execute(conn).await.map(drop))?;
    Ok(())
}

/// Moves an account to another address.
///
/// # Errors
/// A duplicate (see `DbError::is_duplicate`) if the address is taken.
pub async fn set_email(tx: &mut Tx, user: &User, email: &str, email_key: &str) -> DbResult<()> {
    const SQL: &str = "UPDATE users SET email = $2, email_key = $3, search = $4 WHERE id = $1";
    on_tx!(tx, conn => sqlx::query(SQL)
        .bind(user.id)
        .bind(email)
        .bind(email_key)
        .bind(search(email, &user.name))
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Stores what people choose for themselves.
pub async fn set_profile(tx: &mut Tx, user: &User) -> DbResult<()> {
    const SQL: &str = "UPDATE users SET name = $2, lang = $3, theme = $4, zone = $5, search = $6 WHERE id = $1";
    on_tx!(tx, conn => sqlx::query(SQL)
        .bind(user.id)
        .bind(&user.name)
        .bind(user.lang.as_str())
        .bind(user.theme.as_str())
        .bind(&user.zone)
        .bind(search(&user.email, &user.name))
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// A second factor as stored.
#[derive(Clone, Debug, FromRow)]
pub struct Totp {
    /// Sealed: the secret in base32; while it is being set up, what the service makes of it.
    pub secret: Option<String>,
    /// None while it is being set up.
    pub since: Option<DateTime<Utc>>,
}

/// A user's second factor.
pub async fn totp(db: &Db, id: i64) -> DbResult<Option<Totp>> {
    const SQL: &str = "SELECT totp_secret AS secret, totp_since AS since FROM users WHERE id = $1";
    Ok(on_db!(db, pool => sqlx::query_as(SQL).bind(id).fetch_optional(pool).await)?)
}

/// The secrets of all second factors, by user.
pub async fn totp_secrets(db: &Db) -> DbResult<Vec<(i64, String)>> {
    const SQL: &str = "SELECT id, totp_secret FROM users WHERE totp_secret IS NOT NULL";
    Ok(on_db!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}

/// Puts another form of a secret in its place; false if it is another one by now.
pub async fn replace_totp(tx: &mut Tx, id: i64, old: &str, new: &str) -> DbResult<bool> {
    const SQL: &str = "UPDATE users SET totp_secret = $3 WHERE id = $1 AND totp_secret = $2";
    let rows = on_tx!(tx, conn => sqlx::query(SQL)
        .bind(id)
        .bind(old)
        .bind(new)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Begins to set up a second factor; false if there is one already.
pub async fn draft_totp(tx: &mut Tx, id: i64, draft: &str) -> DbResult<bool> {
    const SQL: &str = "UPDATE users SET totp_secret = $2 WHERE id = $1 AND totp_since IS NULL";
    let rows =
        on_tx!(tx, conn => sqlx::query(SQL).bind(id).bind(draft).execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Puts the secret of a draft into use; false if the draft is another one by now.
pub async fn confirm_totp(
    tx: &mut Tx,
    id: i64,
    (draft, secret): (&str, &str),
    step: i64,
    now: DateTime<Utc>,
) -> DbResult<bool> {
    const SQL: &str = "UPDATE users SET totp_secret = $3, totp_step = $4, totp_since = $5
        WHERE id = $1 AND totp_secret = $2 AND totp_since IS NULL";
    let rows = on_tx!(tx, conn => sqlx::query(SQL)
        .bind(id)
        .bind(draft)
        .bind(secret)
        .bind(step)
        .bind(now)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Takes the code of a time step; false if one of it or of a later step has been taken.
pub async fn use_totp_step(tx: &mut Tx, id: i64, step: i64) -> DbResult<bool> {
    const SQL: &str = "UPDATE users SET totp_step = $2 WHERE id = $1 AND totp_step < $2";
    let rows =
        on_tx!(tx, conn => sqlx::query(SQL).bind(id).bind(step).execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Forgets a second factor that is being set up: whoever began it knows its secret.
pub async fn forget_draft_totp(tx: &mut Tx, id: i64) -> DbResult<()> {
    const SQL: &str = "UPDATE users SET totp_secret = NULL WHERE id = $1 AND totp_since IS NULL";
    on_tx!(tx, conn => sqlx::query(SQL).bind(id).execute(conn).await.map(drop))?;
    Ok(())
}

/// Ends the second factor, or its setting up.
pub async fn end_totp(tx: &mut Tx, id: i64) -> DbResult<()> {
    const SQL: &str = "UPDATE users SET totp_secret = NULL, totp_since = NULL, totp_step = 0 WHERE id = $1";
    on_tx!(tx, conn => sqlx::query(SQL).bind(id).execute(conn).await.map(drop))?;
    Ok(())
}
