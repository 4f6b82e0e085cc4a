//! Users and mailings of all owners: what managers see and stop.

use super::{Db, DbResult, Tx, like_pattern, on_db, on_tx, word};
use crate::domain::lang::Lang;
use crate::domain::oversight::{Stopped, UserRow, UserState};
use crate::domain::settings::UserLimits;
use crate::domain::user::Role;
use chrono::{DateTime, Utc};

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    email: String,
    name: String,
    role: String,
    confirmed_at: Option<DateTime<Utc>>,
    blocked_at: Option<DateTime<Utc>>,
    blocked_by: String,
    blocked_reason: String,
    created_at: DateTime<Utc>,
    clients: i64,
    messages: i64,
    mailings: i64,
    active: i64,
    clients_max: Option<i64>,
    letters_max: Option<i64>,
}

impl Row {
    fn into_user(self) -> DbResult<UserRow> {
        Ok(UserRow {
            id: self.id,
            email: self.email,
            name: self.name,
            role: word("users.role", &self.role, Role::parse)?,
            confirmed: self.confirmed_at.is_some(),
            blocked: self.blocked_at.map(|at| Stopped { at, by: self.blocked_by, reason: self.blocked_reason }),
            created_at: self.created_at,
            clients: self.clients,
            messages: self.messages,
            mailings: self.mailings,
            active: self.active,
            limits: UserLimits { clients: self.clients_max, letters: self.letters_max },
        })
    }
}

const COLUMNS: &str = "SELECT u.id, u.email, u.name, u.role, u.confirmed_at, u.blocked_at, u.blocked_by,
    u.blocked_reason, u.created_at, u.clients_max, u.letters_max,
    (SELECT COUNT(*) FROM clients c WHERE c.owner_id = u.id) AS clients,
    (SELECT COUNT(*) FROM messages m WHERE m.owner_id = u.id) AS messages,
    (SELECT COUNT(*) FROM mailings g WHERE g.owner_id = u.id) AS mailings,
    (SELECT COUNT(*) FROM mailings g WHERE g.owner_id = u.id AND g.status <> 'finished') AS active
    FROM users u WHERE u.deleted_at IS NULL AND ";

const FILTER: &str = "search LIKE $1 ESCAPE '\\' AND ($2 = '' OR role = $2) AND ($3 = ''
    OR ($3 = 'blocked' AND blocked_at IS NOT NULL)
    OR ($3 = 'unconfirmed' AND blocked_at IS NULL AND confirmed_at IS NULL)
    OR ($3 = 'active' AND blocked_at IS NULL AND confirmed_at IS NOT NULL))";

/// Which users are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct UserFilter<'a> {
    pub search: &'a str,
    pub role: Option<Role>,
    pub state: Option<UserState>,
}

/// A page of users, newest first, from before the id on.
pub async fn users(db: &Db, filter: &UserFilter<'_>, before: Option<i64>, limit: i64) -> DbResult<Vec<UserRow>> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} {FILTER} AND u.id < $4 ORDER BY u.id DESC LIMIT $5"));
    let rows: Vec<Row> = on_db!(db, pool => sqlx::query_as(sql)
        .bind(like_pattern(filter.search))
        .bind(filter.role.map_or("", Role::as_str))
        .bind(filter.state.map_or("", UserState::as_str))
        .bind(before.unwrap_or(i64::MAX))
        .bind(limit)
        .fetch_all(pool)
        .await)?;
    rows.into_iter().map(Row::into_user).collect()
}

/// How many users the filter finds.
pub async fn count_users(db: &Db, filter: &UserFilter<'_>) -> DbResult<i64> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM users WHERE deleted_at IS NULL AND {FILTER}"));
    Ok(on_db!(db, pool => sqlx::query_scalar(sql)
        .bind(like_pattern(filter.search))
        .bind(filter.role.map_or("", Role::as_str))
        .bind(filter.state.map_or("", UserState::as_str))
        .fetch_one(pool)
        .await)?)
}

/// One user with figures.
pub async fn user(db: &Db, id: i64) -> DbResult<Option<UserRow>> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} u.id = $1"));
    let row: Option<Row> = on_db!(db, pool => sqlx::query_as(sql).bind(id).fetch_optional(pool).await)?;
    row.map(Row::into_user).transpose()
}

/// What a decision about a user looks at, read in its own transaction.
#[derive(Clone, Debug)]
pub struct Subject {
    pub email: String,
    pub name: String,
    pub lang: Lang,
    pub role: Role,
    pub blocked: bool,
    pub limits: UserLimits,
}

/// Reads a user in a transaction; PostgreSQL keeps them from other writers until the end.
pub async fn lock_user(tx: &mut Tx, id: i64) -> DbResult<Option<Subject>> {
    #[derive(sqlx::FromRow)]
    struct Row {
        email: String,
        name: String,
        lang: String,
        role: String,
        blocked: bool,
        clients_max: Option<i64>,
        letters_max: Option<i64>,
    }
    const SQL: &str = "SELECT email, name, lang, role, blocked_at IS NOT NULL AS blocked, clients_max, letters_max
        FROM users WHERE id = $1 AND deleted_at IS NULL";
    let row: Option<Row> = match tx {
        Tx::Sqlite(tx) => sqlx::query_as(SQL).bind(id).fetch_optional(&mut **tx).await?,
        Tx::Postgres(tx) => {
            let sql = sqlx::AssertSqlSafe(format!("{SQL} FOR UPDATE"));
            sqlx::query_as(sql).bind(id).fetch_optional(&mut **tx).await?
        }
    };
    row.map(|Row { email, name, lang, role, blocked, clients_max, letters_max }| {
        let lang = word("users.lang", &lang, Lang::parse)?;
        let role = word("users.role", &role, Role::parse)?;
        Ok(Subject {
            email,
            name,
            lang,
            role,
            blocked,
            limits: UserLimits { clients: clients_max, letters: letters_max },
        })
    })
    .transpose()
}

/// What a manager can stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stoppable {
    User,
    Mailing,
}

/// Blocks a user or disables a mailing; none lets them go on.
pub async fn set_stopped(tx: &mut Tx, what: Stoppable, id: i64, stopped: Option<&Stopped>) -> DbResult<()> {
    const USER: &str = "UPDATE users SET blocked_at = $2, blocked_by = $3, blocked_reason = $4 WHERE id = $1";
    const MAILING: &str = "UPDATE mailings SET disabled_at = $2, disabled_by = $3, disabled_reason = $4 WHERE id = $1";
    let sql = match what {
        Stoppable::User => USER,
        Stoppable::Mailing => MAILING,
    };
    on_tx!(tx, conn => sqlx::query(sql)
        .bind(id)
        .bind(stopped.map(|stopped| stopped.at))
        .bind(stopped.map_or("", |stopped| &stopped.by))
        .bind(stopped.map_or("", |stopped| &stopped.reason))
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Gives a user another role.
pub async fn set_role(tx: &mut Tx, id: i64, role: Role) -> DbResult<()> {
    const SQL: &str = "UPDATE users SET role = $2 WHERE id = $1";
    on_tx!(tx, conn => sqlx::query(SQL).bind(id).bind(role.as_str()).execute(conn).await.map(drop))?;
    Ok(())
}

/// A mailing in a list of all owners' mailings.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Owned {
    pub id: i64,
    pub owner_id: i64,
    pub owner_email: String,
    pub owner_name: String,
}

/// Which mailings are wanted. Words are those of the database; empty ones filter nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct MailingFilter<'a> {
    /// In the title, or in the owner's address or name.
    pub search: &'a str,
    /// 0 for any owner.
    pub owner_id: i64,
    /// A status, or `stopped` for paused and disabled ones.
    pub status: &'a str,
    pub period: &'a str,
}

const MAILINGS: &str = "FROM mailings g JOIN users u ON u.id = g.owner_id
    WHERE u.deleted_at IS NULL AND (g.search LIKE $1 ESCAPE '\\' OR u.search LIKE $1 ESCAPE '\\') AND ($2 = '' OR g.status = $2
    OR ($2 = 'stopped' AND (g.paused_at IS NOT NULL OR g.disabled_at IS NOT NULL)))
    AND ($3 = '' OR g.period = $3) AND ($4 = 0 OR g.owner_id = $4)";

/// A page of all mailings, newest first, from before the id on.
pub async fn mailings(db: &Db, filter: &MailingFilter<'_>, before: Option<i64>, limit: i64) -> DbResult<Vec<Owned>> {
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT g.id, g.owner_id, u.email AS owner_email, u.name AS owner_name {MAILINGS}
         AND g.id < $5 ORDER BY g.id DESC LIMIT $6"
    ));
    Ok(on_db!(db, pool => sqlx::query_as(sql)
        .bind(like_pattern(filter.search))
        .bind(filter.status)
        .bind(filter.period)
        .bind(filter.owner_id)
        .bind(before.unwrap_or(i64::MAX))
        .bind(limit)
        .fetch_all(pool)
        .await)?)
}

/// How many mailings the filter finds.
pub async fn count_mailings(db: &Db, filter: &MailingFilter<'_>) -> DbResult<i64> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) {MAILINGS}"));
    Ok(on_db!(db, pool => sqlx::query_scalar(sql)
        .bind(like_pattern(filter.search))
        .bind(filter.status)
        .bind(filter.period)
        .bind(filter.owner_id)
        .fetch_one(pool)
        .await)?)
}
