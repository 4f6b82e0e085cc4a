//! Many mailings at once: lists, counts, and what is done to the chosen.

use super::{COLUMNS, Mailing, Row};
use crate::domain::mailing::{MailingSort, MailingState};
use crate::domain::page::Whole;
use crate::server::db::{Db, DbResult, Key, Tx, WHOLE, like_pattern, number_list, on_db, on_tx, word};
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;

/// What a list shows as a mailing's state, as `MailingState::of` has it.
const STATE: &str = "CASE WHEN status = 'finished' THEN 'finished' WHEN disabled_at IS NOT NULL THEN 'disabled'
    WHEN paused_at IS NOT NULL THEN 'paused' ELSE status END";
/// Whom the filter finds: `$1` the owner, `$2` the pattern.
const FOUND: &str = "owner_id = $1 AND ($2 = '%%' OR search LIKE $2 ESCAPE '\\')";
/// Stands for “never” where mailings are ordered by their next run; `list_sql` names it too.
const NEVER: DateTime<Utc> = DateTime::from_timestamp_secs(253_370_764_800).expect("the year 9999 is a date");

/// Which of an owner's mailings.
#[derive(Clone, Copy, Debug)]
pub struct Filter<'a> {
    pub owner: i64,
    pub search: &'a str,
    pub state: Option<MailingState>,
}

/// The owner's ($1) mailings that a pattern ($2) and a state ($3) find, after a key ($4, $5). By their
/// next runs they are sorted, which an owner's few mailings bear; every other order is an index's.
pub(in crate::server::db) fn list_sql(
    search: bool,
    state: bool,
    sort: MailingSort,
    descending: bool,
    after: bool,
) -> String {
    let column = match sort {
        MailingSort::Created => "id",
        MailingSort::Title => "search",
        MailingSort::Next => "COALESCE(next_at, '9999-01-01T00:00:00+00:00')",
    };
    let (cmp, order) = if descending { ("<", "DESC") } else { (">", "ASC") };
    let from = match (after, sort) {
        (false, _) => "$4 = $4 AND $5 = $5".to_owned(),
        (true, MailingSort::Created) => format!("$4 = $4 AND id {cmp} $5"),
        (true, _) => format!("({column}, id) {cmp} ($4, $5)"),
    };
    let search = if search { "search LIKE $2 ESCAPE '\\'" } else { "$2 = $2" };
    let state = if state { format!("{STATE} = $3") } else { "$3 = $3".to_owned() };
    format!(
        "{COLUMNS} owner_id = $1 AND {search} AND {state} AND {from} ORDER BY {column} {order}, id {order} LIMIT $6"
    )
}

/// A page of mailings in the order of the column and then of the id, from after the key on.
pub async fn list(
    db: &Db,
    filter: Filter<'_>,
    sort: MailingSort,
    descending: bool,
    after: Option<&Key>,
    limit: i64,
) -> DbResult<Vec<Mailing>> {
    let (search, state) = (!filter.search.trim().is_empty(), filter.state.is_some());
    let sql = AssertSqlSafe(list_sql(search, state, sort, descending, after.is_some()));
    let (key, id) = after.map_or(("", 0), |key| (key.text.as_str(), key.id));
    // A key that is no instant is not ours: the list begins anew.
    let at = key.parse().unwrap_or(if descending { NEVER } else { DateTime::UNIX_EPOCH });
    let state = filter.state.map_or("", MailingState::as_str);
    let rows: Vec<Row> = on_db!(db, pool => {
        let query = sqlx::query_as(sql).bind(filter.owner).bind(like_pattern(filter.search)).bind(state);
        let query = if sort == MailingSort::Next { query.bind(at) } else { query.bind(key) };
        query.bind(id).bind(limit).fetch_all(pool).await
    })?;
    rows.into_iter().map(Row::into_mailing).collect()
}

impl Mailing {
    /// The mailing's place in a list of that order.
    pub fn key(&self, sort: MailingSort) -> Key {
        let text = match sort {
            MailingSort::Created => String::new(),
            MailingSort::Title => self.title.to_lowercase(),
            MailingSort::Next => self.next_at.unwrap_or(NEVER).to_rfc3339(),
        };
        Key { text, id: self.id }
    }
}

/// Those of the ids that are the owner's mailings.
pub async fn owned_by_ids(db: &Db, owner: i64, ids: &[i64]) -> DbResult<Vec<Mailing>> {
    let sql = AssertSqlSafe(format!("{COLUMNS} owner_id = $1 AND id IN ({})", number_list(ids)));
    let rows: Vec<Row> = on_db!(db, pool => sqlx::query_as(sql).persistent(false).bind(owner).fetch_all(pool).await)?;
    rows.into_iter().map(Row::into_mailing).collect()
}

/// How many mailings the search finds in each state that any of them has.
pub async fn counts(db: &Db, owner: i64, search: &str) -> DbResult<Vec<(MailingState, Whole)>> {
    let sql = AssertSqlSafe(format!("SELECT {STATE}, {WHOLE} FROM mailings WHERE {FOUND} GROUP BY 1"));
    let rows: Vec<(String, i64, i64)> =
        on_db!(db, pool => sqlx::query_as(sql).bind(owner).bind(like_pattern(search)).fetch_all(pool).await)?;
    let read = |(state, total, mark): (String, i64, i64)| {
        Ok((word("mailings.status", &state, MailingState::parse)?, (total, mark).into()))
    };
    let mut counts = rows.into_iter().map(read).collect::<DbResult<Vec<_>>>()?;
    counts.sort_unstable_by_key(|(state, _)| *state);
    Ok(counts)
}

/// The ids of all mailings that the filter finds.
pub async fn ids(db: &Db, filter: Filter<'_>) -> DbResult<Vec<i64>> {
    let sql = AssertSqlSafe(format!("SELECT id FROM mailings WHERE {FOUND} AND ($3 = '' OR {STATE} = $3)"));
    Ok(on_db!(db, pool => sqlx::query_scalar(sql)
        .bind(filter.owner)
        .bind(like_pattern(filter.search))
        .bind(filter.state.map_or("", MailingState::as_str))
        .fetch_all(pool)
        .await)?)
}

/// Pauses those of the ids that are the owner's and could go on, or resumes those that are paused;
/// returns how many changed.
pub async fn set_paused_all(tx: &mut Tx, owner: i64, ids: &[i64], at: Option<DateTime<Utc>>) -> DbResult<u64> {
    let changes = if at.is_some() { "paused_at IS NULL" } else { "paused_at IS NOT NULL" };
    let sql = AssertSqlSafe(format!(
        "UPDATE mailings SET paused_at = $2, paused_reason = '', paused_reply = ''
         WHERE owner_id = $1 AND status <> 'finished' AND {changes} AND id IN ({})",
        number_list(ids)
    ));
    Ok(on_tx!(tx, conn => sqlx::query(sql)
        .persistent(false)
        .bind(owner)
        .bind(at)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?)
}

/// Clients whom each mailing's runs did not reach; a mailing that reached all is not named.
pub async fn left_out(db: &Db, ids: &[i64]) -> DbResult<Vec<(i64, i64)>> {
    let sql = AssertSqlSafe(format!(
        "SELECT mailing_id, CAST(SUM(failed + unknown + not_sent) AS BIGINT) FROM runs
         WHERE mailing_id IN ({}) AND failed + unknown + not_sent > 0 GROUP BY mailing_id",
        number_list(ids)
    ));
    Ok(on_db!(db, pool => sqlx::query_as(sql).persistent(false).fetch_all(pool).await)?)
}
