//! What the audit log says of somebody, taken out when their account goes; see `audit_chain.rs` for how the
//! chain holds nevertheless.

use super::{DbResult, Tx, on_tx};
use crate::domain::audit::{Act, Target};

/// Whose lines are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of<'a> {
    /// Lines of what the user did: who it was goes.
    Actor(i64),
    /// Lines about the user: what was done goes, and who it was if nobody had logged in.
    User(i64),
    /// The same for a mailing.
    Mailing(i64),
    /// Lines about an invitation to this address, which had no account.
    Invited(&'a str),
}

/// The words of acts that have such a target, for `IN (…)`.
pub(super) fn words(target: Target) -> String {
    let words: Vec<String> =
        Act::ALL.iter().filter(|act| act.target() == target).map(|act| format!("'{}'", act.as_str())).collect();
    words.join(", ")
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    actor_id: Option<i64>,
    actor: String,
    address: String,
    target: String,
    reason: String,
}

/// Takes the texts out of up to `limit` lines from after the id on, and says which was the last.
pub async fn erase(tx: &mut Tx, of: Of<'_>, after: i64, limit: i64) -> DbResult<Option<i64>> {
    const COLUMNS: &str = "SELECT id, actor_id, actor, address, target, reason FROM audit WHERE ";
    let (filter, id, text) = match of {
        Of::Actor(id) => ("actor_id = $1 AND $2 = $2".to_owned(), id, ""),
        Of::User(id) => (format!("target_id = $1 AND $2 = $2 AND act IN ({})", words(Target::User)), id, ""),
        Of::Mailing(id) => (format!("target_id = $1 AND $2 = $2 AND act IN ({})", words(Target::Mailing)), id, ""),
        Of::Invited(email) => (format!("$1 = $1 AND target = $2 AND act IN ({})", words(Target::Invitation)), 0, email),
    };
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} {filter} AND id > $3 ORDER BY id LIMIT $4"));
    let rows: Vec<Row> = on_tx!(&mut *tx, conn => sqlx::query_as(sql)
        .bind(id)
        .bind(text)
        .bind(after)
        .bind(limit)
        .fetch_all(conn)
        .await)?;
    const WHO: &str = "UPDATE audit SET actor = '', address = '', actor_salt = '', search = $2 WHERE id = $1";
    const WHAT: &str = "UPDATE audit SET target = '', reason = '', before = '', after = '', target_salt = '',
        search = $2 WHERE id = $1";
    const BOTH: &str = "UPDATE audit SET actor = '', address = '', actor_salt = '', target = '', reason = '',
        before = '', after = '', target_salt = '', search = $2 WHERE id = $1";
    for row in &rows {
        let (sql, search) = match (of, row.actor_id) {
            (Of::Actor(_), _) => (WHO, format!("{} {}", row.target, row.reason)),
            (Of::User(_), None) => (BOTH, String::new()),
            _ => (WHAT, format!("{} {}", row.actor, row.address)),
        };
        let search = search.to_lowercase();
        on_tx!(&mut *tx, conn => sqlx::query(sql).bind(row.id).bind(search).execute(conn).await.map(drop))?;
    }
    Ok(rows.last().map(|row| row.id))
}
