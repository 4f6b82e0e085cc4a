//! Reading the ledger page by page.

use super::super::{Db, DbResult, like_pattern, on_db};
use super::{COLUMNS, Row};
use crate::domain::suppression::{Reason, Suppression};
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;

/// Which entries are meant.
#[derive(Clone, Debug, Default)]
pub struct Filter<'a> {
    /// Part of the address; empty for all.
    pub search: &'a str,
    pub reason: Option<Reason>,
    /// Those alone that hold at an instant; none for all.
    pub at: Option<DateTime<Utc>>,
}

impl Filter<'_> {
    /// SQL for `$1` the owner, `$2` the pattern, `$3` the reason.
    fn sql(&self) -> String {
        // As it was written, and folded: SQLite's LOWER knows ASCII alone.
        const FOUND: &str = "(LOWER(email) LIKE $2 ESCAPE '\\' OR address_key LIKE $2 ESCAPE '\\')";
        let found = if self.search.trim().is_empty() { "$2 = $2" } else { FOUND };
        let reason = if self.reason.is_some() { "reason = $3" } else { "$3 = $3" };
        format!("owner_id = $1 AND {found} AND {reason}")
    }

    fn reason(&self) -> &'static str {
        self.reason.map_or("", Reason::as_str)
    }
}

pub(in crate::server::db) fn list_sql(filter: &Filter<'_>) -> String {
    let holds = if filter.at.is_some() { "AND (until IS NULL OR until > $6)" } else { "" };
    format!("SELECT {COLUMNS} FROM suppressions WHERE {} AND id < $4 {holds} ORDER BY id DESC LIMIT $5", filter.sql())
}

/// A page of the owner's entries, the newest first, from behind the id `before`.
///
/// # Errors
/// Database errors.
pub async fn list(db: &Db, owner: i64, filter: &Filter<'_>, before: i64, limit: i64) -> DbResult<Vec<Suppression>> {
    let rows: Vec<Row> = on_db!(db, pool => {
        let query = sqlx::query_as(AssertSqlSafe(list_sql(filter)))
            .bind(owner)
            .bind(like_pattern(filter.search))
            .bind(filter.reason())
            .bind(before)
            .bind(limit);
        match filter.at {
            Some(at) => query.bind(at).fetch_all(pool).await,
            None => query.fetch_all(pool).await,
        }
    })?;
    rows.into_iter().map(Row::into_entry).collect()
}

pub(in crate::server::db) fn count_sql(filter: &Filter<'_>) -> String {
    format!("SELECT COUNT(*) FROM suppressions WHERE {}", filter.sql())
}

pub(in crate::server::db) fn ended_sql(filter: &Filter<'_>) -> String {
    format!("SELECT COUNT(*) FROM suppressions WHERE {} AND until IS NOT NULL AND until <= $4", filter.sql())
}

/// How many of the owner's entries are meant. Those that have ended are few, and are taken off what an index counts.
///
/// # Errors
/// Database errors.
pub async fn count(db: &Db, owner: i64, filter: &Filter<'_>) -> DbResult<i64> {
    let all: i64 = on_db!(db, pool => sqlx::query_scalar(AssertSqlSafe(count_sql(filter)))
        .bind(owner)
        .bind(like_pattern(filter.search))
        .bind(filter.reason())
        .fetch_one(pool)
        .await)?;
    let Some(at) = filter.at else { return Ok(all) };
    let ended: i64 = on_db!(db, pool => sqlx::query_scalar(AssertSqlSafe(ended_sql(filter)))
        .bind(owner)
        .bind(like_pattern(filter.search))
        .bind(filter.reason())
        .bind(at)
        .fetch_one(pool)
        .await)?;
    Ok(all - ended)
}
