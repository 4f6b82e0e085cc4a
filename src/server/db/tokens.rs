//! Table `tokens`: links that work once. Only hashes are stored.

use super::{Db, DbResult, Tx, on_db, on_tx};
use chrono::{DateTime, Utc};

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Makes the first administrator.
    Setup,
    /// Confirms an address.
    Confirm,
    /// Sets a new password.
    Reset,
    /// Moves an account to the address that the link's data name.
    Email,
    /// Takes a change back that somebody else may have made: to the address that the link's data name, or of the second
    /// factor.
    Revoke,
}

impl TokenKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Confirm => "confirm",
            Self::Reset => "reset",
            Self::Email => "email",
            Self::Revoke => "revoke",
        }
    }

    /// Reads the word of a link in a letter; the set-up link comes in none.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Confirm, Self::Reset, Self::Email, Self::Revoke].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What is known of a link.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Token {
    pub id: i64,
    pub user_id: Option<i64>,
    /// What the link is about.
    pub data: String,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub used_at: Option<DateTime<Utc>>,
}

/// Stores a new link with its hash and data, and forgets unused older ones of its kind and user.
pub async fn replace(
    tx: &mut Tx,
    kind: TokenKind,
    user_id: impl Into<Option<i64>>,
    (hash, data): (&str, &str),
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> DbResult<()> {
    const FORGET: &str = "DELETE FROM tokens WHERE kind = $1 AND used_at IS NULL AND user_id IS NULL";
    let user_id: Option<i64> = user_id.into();
    match user_id {
        Some(user_id) => forget(tx, kind, user_id).await?,
        None => on_tx!(&mut *tx, conn => sqlx::query(FORGET).bind(kind.as_str()).execute(conn).await.map(drop))?,
    }
    add(tx, kind, user_id, (hash, data), expires_at, now).await
}

/// Stores a further link beside those of its kind and user.
pub async fn add(
    tx: &mut Tx,
    kind: TokenKind,
    user_id: Option<i64>,
    (hash, data): (&str, &str),
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> DbResult<()> {
    const SQL: &str =
        "INSERT INTO tokens (user_id, kind, hash, data, expires_at, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
    on_tx!(tx, conn => sqlx::query(SQL)
        .bind(user_id)
        .bind(kind.as_str())
        .bind(hash)
        .bind(data)
        .bind(expires_at)
        .bind(now)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Forgets a user's unused links of a kind.
pub async fn forget(tx: &mut Tx, kind: TokenKind, user_id: i64) -> DbResult<()> {
    const SQL: &str = "DELETE FROM tokens WHERE kind = $1 AND used_at IS NULL AND user_id = $2";
    on_tx!(tx, conn => sqlx::query(SQL).bind(kind.as_str()).bind(user_id).execute(conn).await.map(drop))?;
    Ok(())
}

/// Forgets all unused links of a user, but those that take a change back: whoever has taken an account over
/// could end them with a new password.
pub async fn forget_all(tx: &mut Tx, user_id: i64) -> DbResult<()> {
    const SQL: &str = "DELETE FROM tokens WHERE user_id = $1 AND used_at IS NULL AND kind <> 'revoke'";
    on_tx!(tx, conn => sqlx::query(SQL).bind(user_id).execute(conn).await.map(drop))?;
    Ok(())
}

/// Forgets a user's unused links of a kind that were made after one.
pub async fn forget_later(tx: &mut Tx, kind: TokenKind, user_id: i64, id: i64) -> DbResult<()> {
    const SQL: &str = "DELETE FROM tokens WHERE kind = $1 AND used_at IS NULL AND user_id = $2 AND id > $3";
    on_tx!(tx, conn => sqlx::query(SQL).bind(kind.as_str()).bind(user_id).bind(id).execute(conn).await.map(drop))?;
    Ok(())
}

/// Forgets links that were of no use any more at that time.
pub async fn forget_old(tx: &mut Tx, before: DateTime<Utc>) -> DbResult<()> {
    const SQL: &str = "DELETE FROM tokens WHERE expires_at < $1";
    on_tx!(tx, conn => sqlx::query(SQL).bind(before).execute(conn).await.map(drop))?;
    Ok(())
}

/// Finds a link by the hash of what it carries.
pub async fn find(db: &Db, kind: TokenKind, hash: &str) -> DbResult<Option<Token>> {
    const SQL: &str =
        "SELECT id, user_id, data, created_at, expires_at, used_at FROM tokens WHERE kind = $1 AND hash = $2";
    Ok(on_db!(db, pool => sqlx::query_as(SQL).bind(kind.as_str()).bind(hash).fetch_optional(pool).await)?)
}

/// Uses a link up. False if somebody else just did.
pub async fn use_up(tx: &mut Tx, id: i64, now: DateTime<Utc>) -> DbResult<bool> {
    const SQL: &str = "UPDATE tokens SET used_at = $2 WHERE id = $1 AND used_at IS NULL";
    let rows =
        on_tx!(tx, conn => sqlx::query(SQL).bind(id).bind(now).execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}
