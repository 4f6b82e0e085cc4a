//! Accounts that are going: marked first, so that nobody can use them, and emptied batch by batch, so that
//! whoever else writes gets in between.

use super::{Db, DbResult, Tx, on_db, on_tx};
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;

/// Of the processes on a PostgreSQL, one at a time empties.
const LOCK: i64 = 0x7665_7374_6572_6173;

/// Makes an account nobody's: it is blocked, which stops its mailings, and holds no name, address or secret
/// any more. The address is free again at once.
pub async fn mark(tx: &mut Tx, user: i64, email_key: &str, now: DateTime<Utc>) -> DbResult<()> {
    const MARK: &str = "UPDATE users SET deleted_at = $2, blocked_at = $2, blocked_by = '', blocked_reason = '',
        email = '', email_key = $3, name = '', search = '', password_hash = '', role = 'user', totp_secret = NULL,
        totp_since = NULL WHERE id = $1";
    const INVITED: &str = "DELETE FROM invitations WHERE email_key = $1";
    // No address is written so.
    let free = format!("deleted {user}");
    on_tx!(&mut *tx, conn => sqlx::query(MARK).bind(user).bind(now).bind(free).execute(conn).await.map(drop))?;
    on_tx!(&mut *tx, conn => sqlx::query(INVITED).bind(email_key).execute(conn).await.map(drop))?;
    for sql in ["DELETE FROM tokens WHERE user_id = $1", "DELETE FROM recovery_codes WHERE user_id = $1"] {
        on_tx!(&mut *tx, conn => sqlx::query(sql).bind(user).execute(conn).await.map(drop))?;
    }
    Ok(())
}

/// Whether there is an administrator beside this user, who could let others in; nobody else becomes or goes
/// until the transaction ends.
pub async fn is_other_admin(tx: &mut Tx, user: i64) -> DbResult<bool> {
    const SQL: &str = "SELECT id FROM users WHERE role = 'admin' AND blocked_at IS NULL AND confirmed_at IS NOT NULL
        ORDER BY id";
    let lock = match tx {
        Tx::Sqlite(_) => "",
        Tx::Postgres(_) => "FOR UPDATE",
    };
    let sql = AssertSqlSafe(format!("{SQL} {lock}"));
    let admins: Vec<i64> = on_tx!(tx, conn => sqlx::query_scalar(sql).fetch_all(conn).await)?;
    Ok(admins.iter().any(|admin| *admin != user))
}

/// Accounts that are marked.
pub async fn marked(db: &Db) -> DbResult<Vec<i64>> {
    const SQL: &str = "SELECT id FROM users WHERE deleted_at IS NOT NULL ORDER BY id LIMIT 100";
    Ok(on_db!(db, pool => sqlx::query_scalar(SQL).fetch_all(pool).await)?)
}

/// Whether this process may empty accounts in the transaction: no other does.
pub async fn is_mine(tx: &mut Tx) -> DbResult<bool> {
    match tx {
        Tx::Sqlite(_) => Ok(true),
        Tx::Postgres(tx) => {
            Ok(sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1)").bind(LOCK).fetch_one(&mut **tx).await?)
        }
    }
}

/// Some run of a user's.
pub async fn a_run(db: &Db, owner: i64) -> DbResult<Option<i64>> {
    const SQL: &str = "SELECT r.id FROM mailings g JOIN runs r ON r.mailing_id = g.id WHERE g.owner_id = $1 LIMIT 1";
    Ok(on_db!(db, pool => sqlx::query_scalar(SQL).bind(owner).fetch_optional(pool).await)?)
}

/// Deletes up to `limit` deliveries of a run with their attempts, and the run when it has none left; says
/// how many deliveries went.
pub async fn delete_of_run(tx: &mut Tx, run: i64, limit: i64) -> DbResult<u64> {
    const SOME: &str =
        "DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE run_id = $1 ORDER BY client_id LIMIT $2)";
    const RUN: &str = "DELETE FROM runs WHERE id = $1";
    let rows = on_tx!(&mut *tx, conn => sqlx::query(SOME)
        .bind(run)
        .bind(limit)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    if rows == 0 {
        on_tx!(tx, conn => sqlx::query(RUN).bind(run).execute(conn).await.map(drop))?;
    }
    Ok(rows)
}

/// Some mailings of a user's.
pub async fn mailings(tx: &mut Tx, owner: i64, limit: i64) -> DbResult<Vec<i64>> {
    const SQL: &str = "SELECT id FROM mailings WHERE owner_id = $1 ORDER BY id LIMIT $2";
    Ok(on_tx!(tx, conn => sqlx::query_scalar(SQL).bind(owner).bind(limit).fetch_all(conn).await)?)
}

/// Files of a user's uploads.
pub async fn files(db: &Db, owner: i64) -> DbResult<Vec<String>> {
    const SQL: &str = "SELECT path FROM imports WHERE owner_id = $1 AND path <> ''";
    Ok(on_db!(db, pool => sqlx::query_scalar(SQL).bind(owner).fetch_all(pool).await)?)
}

/// What a user has, in the order in which it can go. `$1` is the user, `$2` how many rows go at once.
pub const PARTS: [&str; 9] = [
    "DELETE FROM selection_clients WHERE (selection_id, client_id) IN (SELECT c.selection_id, c.client_id
     FROM selections s JOIN selection_clients c ON c.selection_id = s.id WHERE s.owner_id = $1 LIMIT $2)",
    "DELETE FROM selections WHERE id IN (SELECT id FROM selections WHERE owner_id = $1 LIMIT $2)",
    "DELETE FROM clients WHERE id IN (SELECT id FROM clients WHERE owner_id = $1 ORDER BY id LIMIT $2)",
    "DELETE FROM suppressions WHERE id IN (SELECT id FROM suppressions WHERE owner_id = $1 ORDER BY id LIMIT $2)",
    "DELETE FROM topic_wishes WHERE (topic_id, address_key) IN (SELECT w.topic_id, w.address_key FROM topics t
     JOIN topic_wishes w ON w.topic_id = t.id WHERE t.owner_id = $1 LIMIT $2)",
    "DELETE FROM former_deliveries WHERE id IN (SELECT id FROM former_deliveries WHERE owner_id = $1 LIMIT $2)",
    "DELETE FROM imports WHERE id IN (SELECT id FROM imports WHERE owner_id = $1 ORDER BY id LIMIT $2)",
    "DELETE FROM messages WHERE id IN (SELECT id FROM messages WHERE owner_id = $1 ORDER BY id LIMIT $2)",
    "DELETE FROM post_drafts WHERE (user_id, post_id) IN (SELECT user_id, post_id FROM post_drafts
     WHERE user_id = $1 LIMIT $2)",
];

/// Deletes some rows of one of [`PARTS`] and says how many.
pub async fn delete_part(tx: &mut Tx, part: &'static str, owner: i64, limit: i64) -> DbResult<u64> {
    Ok(on_tx!(tx, conn => sqlx::query(part)
        .bind(owner)
        .bind(limit)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?)
}

/// Deletes what is left of an account: its row, and what hangs on it.
pub async fn delete_user(tx: &mut Tx, user: i64) -> DbResult<()> {
    const SQL: &str = "DELETE FROM users WHERE id = $1 AND deleted_at IS NOT NULL";
    on_tx!(tx, conn => sqlx::query(SQL).bind(user).execute(conn).await.map(drop))?;
    Ok(())
}
