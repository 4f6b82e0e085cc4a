//! Table `invitations`: addresses that may make themselves an account.

use super::{Db, DbResult, Tx, on_db, on_tx, word};
use crate::domain::user::Role;
use chrono::{DateTime, Utc};

/// An invitation as stored.
#[derive(Clone, Debug)]
pub struct Invitation {
    pub id: i64,
    pub email: String,
    pub role: Role,
    pub invited_by: String,
    /// Whose rights it stands for; none for one that was followed before this was kept.
    pub inviter_id: Option<i64>,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub used_at: Option<DateTime<Utc>>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    email: String,
    role: String,
    invited_by: String,
    inviter_id: Option<i64>,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    used_at: Option<DateTime<Utc>>,
}

impl Row {
    fn into_invitation(self) -> DbResult<Invitation> {
        let Self { id, email, role, invited_by, inviter_id, created_at, expires_at, used_at } = self;
        let role = word("role", &role, Role::parse)?;
        Ok(Invitation { id, email, role, invited_by, inviter_id, created_at, expires_at, used_at })
    }
}

/// What an invitation is made of.
#[derive(Clone, Copy, Debug)]
pub struct NewInvitation<'a> {
    pub email: &'a str,
    /// As `accounts::account_key` folds it.
    pub email_key: &'a str,
    pub role: Role,
    pub hash: &'a str,
    pub invited_by: &'a str,
    pub inviter_id: i64,
    pub expires_at: DateTime<Utc>,
}

/// Stores an invitation in place of an open one to the same address.
pub async fn replace(tx: &mut Tx, new: &NewInvitation<'_>, now: DateTime<Utc>) -> DbResult<()> {
    const SQL: &str = "INSERT INTO invitations
        (email, email_key, role, hash, invited_by, created_at, expires_at, inviter_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (email_key) WHERE used_at IS NULL DO UPDATE SET email = $1, role = $3, hash = $4,
        invited_by = $5, created_at = $6, expires_at = $7, inviter_id = $8";
    on_tx!(tx, conn => sqlx::query(SQL)
        .bind(new.email)
        .bind(new.email_key)
        .bind(new.role.as_str())
        .bind(new.hash)
        .bind(new.invited_by)
        .bind(now)
        .bind(new.expires_at)
        .bind(new.inviter_id)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

const COLUMNS: &str =
    "SELECT id, email, role, invited_by, inviter_id, created_at, expires_at, used_at FROM invitations WHERE ";

/// Finds an invitation by the hash of what its link carries.
pub async fn find(db: &Db, hash: &str) -> DbResult<Option<Invitation>> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} hash = $1"));
    let row: Option<Row> = on_db!(db, pool => sqlx::query_as(sql).bind(hash).fetch_optional(pool).await)?;
    row.map(Row::into_invitation).transpose()
}

/// Uses an invitation up. False if somebody else just did, or it was revoked.
pub async fn use_up(tx: &mut Tx, id: i64, now: DateTime<Utc>) -> DbResult<bool> {
    const SQL: &str = "UPDATE invitations SET used_at = $2 WHERE id = $1 AND used_at IS NULL";
    let rows =
        on_tx!(tx, conn => sqlx::query(SQL).bind(id).bind(now).execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Revokes an open invitation and says to whom it was.
pub async fn revoke(tx: &mut Tx, id: i64) -> DbResult<Option<String>> {
    const SQL: &str = "DELETE FROM invitations WHERE id = $1 AND used_at IS NULL RETURNING email";
    Ok(on_tx!(tx, conn => sqlx::query_scalar(SQL).bind(id).fetch_optional(conn).await)?)
}

/// Open invitations' ids, addresses and keys, the newest first.
pub async fn addresses(tx: &mut Tx) -> DbResult<Vec<(i64, String, String)>> {
    const SQL: &str = "SELECT id, email, email_key FROM invitations WHERE used_at IS NULL ORDER BY id DESC";
    Ok(on_tx!(tx, conn => sqlx::query_as(SQL).fetch_all(conn).await)?)
}

/// Gives an open invitation another key; where a newer one has it, this one goes.
pub async fn set_key(tx: &mut Tx, id: i64, email_key: &str) -> DbResult<()> {
    const OLDER: &str = "DELETE FROM invitations WHERE id = $1 AND EXISTS (SELECT 1 FROM invitations
        WHERE email_key = $2 AND used_at IS NULL AND id <> $1)";
    const SQL: &str = "UPDATE invitations SET email_key = $2 WHERE id = $1";
    for sql in [OLDER, SQL] {
        on_tx!(&mut *tx, conn => sqlx::query(sql).bind(id).bind(email_key).execute(conn).await.map(drop))?;
    }
    Ok(())
}

/// Forgets the open invitations that a user has sent.
pub async fn forget_of(tx: &mut Tx, inviter: i64) -> DbResult<()> {
    const SQL: &str = "DELETE FROM invitations WHERE inviter_id = $1 AND used_at IS NULL";
    on_tx!(tx, conn => sqlx::query(SQL).bind(inviter).execute(conn).await.map(drop))?;
    Ok(())
}

/// A page of open invitations, newest first, from before the id on.
pub async fn open(db: &Db, before: Option<i64>, limit: i64) -> DbResult<Vec<Invitation>> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} used_at IS NULL AND id < $1 ORDER BY id DESC LIMIT $2"));
    let rows: Vec<Row> = on_db!(db, pool => sqlx::query_as(sql)
        .bind(before.unwrap_or(i64::MAX))
        .bind(limit)
        .fetch_all(pool)
        .await)?;
    rows.into_iter().map(Row::into_invitation).collect()
}

/// How many are open.
pub async fn count_open(db: &Db) -> DbResult<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM invitations WHERE used_at IS NULL";
    Ok(on_db!(db, pool => sqlx::query_scalar(SQL).fetch_one(pool).await)?)
}

/// Forgets invitations, used ones too, that were of no use any more at that time.
pub async fn forget_old(tx: &mut Tx, before: DateTime<Utc>) -> DbResult<()> {
    const SQL: &str = "DELETE FROM invitations WHERE expires_at < $1";
    on_tx!(tx, conn => sqlx::query(SQL).bind(before).execute(conn).await.map(drop))?;
    Ok(())
}
