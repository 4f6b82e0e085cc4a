//! Clients that an owner has twice, under two spellings of one address. Column `clients.double_id` is 0 for the one that
//! stays, and its own id for each of the others; new ones cannot come.

use super::clients;
use super::{Db, DbResult, Tx, WHOLE, number_list, on_db, on_tx};
use crate::domain::client::{Client, Double, join_texts};
use crate::domain::page::Whole;
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;
use std::collections::BTreeMap;

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    goes: clients::Row,
    kept_id: i64,
    kept_email: String,
    kept_full_name: String,
    kept_comment: String,
    kept_created_at: DateTime<Utc>,
    kept_updated_at: DateTime<Utc>,
}

impl From<Row> for Double {
    fn from(row: Row) -> Self {
        Self {
            goes: row.goes.into(),
            stays: Client {
                id: row.kept_id,
                email: row.kept_email,
                full_name: row.kept_full_name,
                comment: row.kept_comment,
                created_at: row.kept_created_at,
                updated_at: row.kept_updated_at,
            },
        }
    }
}

/// Doubles of owner $1 after the id $2, with the client that stays.
pub(super) const LIST: &str = "SELECT d.id, d.email, d.full_name, d.comment, d.created_at, d.updated_at,
    k.id AS kept_id, k.email AS kept_email, k.full_name AS kept_full_name, k.comment AS kept_comment,
    k.created_at AS kept_created_at, k.updated_at AS kept_updated_at
    FROM clients d JOIN clients k ON k.owner_id = d.owner_id AND k.address_key = d.address_key AND k.double_id = 0
    WHERE d.owner_id = $1 AND d.double_id > 0 AND d.double_id > $2 ORDER BY d.double_id LIMIT $3";

/// A page of an owner's doubles, the oldest first.
pub async fn list(db: &Db, owner: i64, after: i64, limit: i64) -> DbResult<Vec<Double>> {
    let rows: Vec<Row> =
        on_db!(db, pool => sqlx::query_as(LIST).bind(owner).bind(after).bind(limit).fetch_all(pool).await)?;
    Ok(rows.into_iter().map(Double::from).collect())
}

/// How many doubles an owner has.
pub async fn count(db: &Db, owner: i64) -> DbResult<i64> {
    Ok(whole(db, owner).await?.total)
}

/// All of an owner's doubles.
pub async fn whole(db: &Db, owner: i64) -> DbResult<Whole> {
    let sql = AssertSqlSafe(format!("SELECT {WHOLE} FROM clients WHERE owner_id = $1 AND double_id > 0"));
    let all: (i64, i64) = on_db!(db, pool => sqlx::query_as(sql).bind(owner).fetch_one(pool).await)?;
    Ok(all.into())
}

/// Joins up to `limit` of an owner's doubles with those that stay, and returns how many. What the one that stays has not got
/// it takes over, and its places in selections. Records of what was sent, and why an address is left out, go by addresses.
pub async fn join(tx: &mut Tx, owner: i64, limit: i64, now: DateTime<Utc>) -> DbResult<u64> {
    let wait = if matches!(tx, Tx::Postgres(_)) { "FOR UPDATE" } else { "" };
    let sql = AssertSqlSafe(format!("{LIST} {wait}"));
    let rows: Vec<Row> =
        on_tx!(&mut *tx, conn => sqlx::query_as(sql).bind(owner).bind(0_i64).bind(limit).fetch_all(conn).await)?;
    let mut kept = BTreeMap::<i64, (Client, bool)>::new();
    let mut ids = Vec::new();
    for Double { goes, stays } in rows.into_iter().map(Double::from) {
        ids.push(goes.id);
        let (stays, changed) = kept.entry(stays.id).or_insert((stays, false));
        *changed |= join_texts(stays, &goes).changed;
    }
    for (stays, _) in kept.into_values().filter(|(_, changed)| *changed) {
        clients::set_texts(tx, &stays, now).await?;
    }
    let ids = number_list(&ids);
    let places = AssertSqlSafe(format!(
        "INSERT INTO selection_clients (selection_id, client_id) SELECT sc.selection_id, k.id FROM selection_clients sc
         JOIN clients d ON d.id = sc.client_id
         JOIN clients k ON k.owner_id = d.owner_id AND k.address_key = d.address_key AND k.double_id = 0
         WHERE sc.client_id IN ({ids}) ON CONFLICT DO NOTHING"
    ));
    on_tx!(&mut *tx, conn => sqlx::query(places).persistent(false).execute(conn).await.map(drop))?;
    let gone = AssertSqlSafe(format!("DELETE FROM clients WHERE owner_id = $1 AND id IN ({ids})"));
    Ok(on_tx!(tx, conn => sqlx::query(gone)
        .persistent(false)
        .bind(owner)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?)
}

/// Lets one of those doubles stay whose client has just gone or got another address.
pub async fn promote(tx: &mut Tx, owner: i64) -> DbResult<()> {
    const SQL: &str = "UPDATE clients SET double_id = 0 WHERE owner_id = $1 AND double_id > 0 AND address_key <> ''
        AND NOT EXISTS (SELECT 1 FROM clients o WHERE o.owner_id = clients.owner_id
        AND o.address_key = clients.address_key AND o.double_id < clients.double_id)";
    on_tx!(tx, conn => sqlx::query(SQL).bind(owner).execute(conn).await.map(drop))?;
    Ok(())
}

/// A condition on clients `c` of owner $2: it is not a double of another one, `o`, for whom `among` holds, too.
pub fn only_once(among: &str) -> String {
    format!(
        "(c.double_id = 0 OR NOT EXISTS (SELECT 1 FROM clients o WHERE o.owner_id = $2 AND o.address_key = c.address_key
         AND o.double_id < c.double_id AND {among}))"
    )
}

#[cfg(test)]
#[path = "doubles_tests.rs"]
mod tests;
