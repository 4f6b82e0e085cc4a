//! Tables `selections` and `selection_clients`: hand-picked clients.

use super::clients::Found;
use super::{Db, DbResult, Tx, like_pattern, number_list, on_db, on_tx};
use crate::domain::audience::Audience;
use crate::domain::page::Whole;
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;

/// Makes a selection of those of the ids that are the owner's clients.
pub async fn insert(tx: &mut Tx, owner: i64, clients: &[i64], now: DateTime<Utc>) -> DbResult<i64> {
    const SQL: &str = "INSERT INTO selections (owner_id, created_at) VALUES ($1, $2) RETURNING id";
    const ADD: &str = "INSERT INTO selection_clients (selection_id, client_id)
        SELECT $1, id FROM clients WHERE id = $2 AND owner_id = $3 ON CONFLICT DO NOTHING";
    let id: i64 = on_tx!(&mut *tx, conn => sqlx::query_scalar(SQL).bind(owner).bind(now).fetch_one(conn).await)?;
    for client in clients {
        on_tx!(&mut *tx, conn => sqlx::query(ADD).bind(id).bind(client).bind(owner).execute(conn).await.map(drop))?;
    }
    Ok(id)
}

/// Clients in an owner's selection; none if it is another's.
pub async fn count(db: &Db, owner: i64, id: i64) -> DbResult<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM selection_clients sc JOIN selections s ON s.id = sc.selection_id
        WHERE s.id = $1 AND s.owner_id = $2";
    Ok(on_db!(db, pool => sqlx::query_scalar(SQL).bind(id).bind(owner).fetch_one(pool).await)?)
}

/// Clients in each of the selections of mailings that were found; one without any is not named.
pub async fn sizes(db: &Db, ids: &[i64]) -> DbResult<Vec<(i64, i64)>> {
    let sql = AssertSqlSafe(format!(
        "SELECT selection_id, COUNT(*) FROM selection_clients WHERE selection_id IN ({}) GROUP BY selection_id",
        number_list(ids)
    ));
    Ok(on_db!(db, pool => sqlx::query_as(sql).persistent(false).fetch_all(pool).await)?)
}

/// Makes a selection of all clients of the owner that are meant; returns its id and which ones they are.
pub async fn insert_found(tx: &mut Tx, owner: i64, found: Found<'_>, now: DateTime<Utc>) -> DbResult<(i64, Whole)> {
    const ALL: &str = "SELECT COUNT(*), CAST(COALESCE(SUM(client_id), 0) AS BIGINT)
        FROM selection_clients WHERE selection_id = $1";
    let (condition, (pattern, at)) = found.condition();
    let sql = AssertSqlSafe(format!(
        "INSERT INTO selection_clients (selection_id, client_id)
         SELECT $4, id FROM clients WHERE owner_id = $1 AND {condition}"
    ));
    let id = insert(tx, owner, &[], now).await?;
    on_tx!(&mut *tx, conn => sqlx::query(sql)
        .bind(owner)
        .bind(pattern)
        .bind(at)
        .bind(id)
        .execute(conn)
        .await
        .map(drop))?;
    let all: (i64, i64) = on_tx!(tx, conn => sqlx::query_as(ALL).bind(id).fetch_one(conn).await)?;
    Ok((id, all.into()))
}

/// Makes a copy of an owner's selection, or an empty one where there is none to copy.
pub async fn copy(tx: &mut Tx, owner: i64, from: i64, now: DateTime<Utc>) -> DbResult<i64> {
    const SQL: &str = "INSERT INTO selection_clients (selection_id, client_id)
        SELECT $1, sc.client_id FROM selection_clients sc JOIN selections s ON s.id = sc.selection_id
        WHERE s.id = $2 AND s.owner_id = $3";
    let id = insert(tx, owner, &[], now).await?;
    on_tx!(tx, conn => sqlx::query(SQL).bind(id).bind(from).bind(owner).execute(conn).await.map(drop))?;
    Ok(id)
}

/// Whether the selection is the owner's and no mailing has it yet, so that it may change.
pub async fn is_free(tx: &mut Tx, owner: i64, id: i64) -> DbResult<bool> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM selections WHERE id = $1 AND owner_id = $2)
        AND NOT EXISTS (SELECT 1 FROM mailings WHERE owner_id = $2 AND audience = $3)";
    let audience = super::mailings::json(&Audience::Picked { selection: id })?;
    Ok(on_tx!(tx, conn => sqlx::query_scalar(SQL).bind(id).bind(owner).bind(audience).fetch_one(conn).await)?)
}

/// Takes those of the owner's clients into a selection that the search finds or that the ids name.
pub async fn put(tx: &mut Tx, owner: i64, id: i64, which: Which<'_>) -> DbResult<()> {
    let (filter, pattern) = which.sql();
    let sql = AssertSqlSafe(format!(
        "INSERT INTO selection_clients (selection_id, client_id)
         SELECT $1, id FROM clients WHERE owner_id = $2 AND {filter} ON CONFLICT DO NOTHING"
    ));
    on_tx!(tx, conn => sqlx::query(sql).persistent(false).bind(id).bind(owner).bind(pattern).execute(conn).await.map(drop))?;
    Ok(())
}

/// Takes those clients out of a selection.
pub async fn take(tx: &mut Tx, owner: i64, id: i64, which: Which<'_>) -> DbResult<()> {
    let (filter, pattern) = which.sql();
    let sql = AssertSqlSafe(format!(
        "DELETE FROM selection_clients WHERE selection_id = $1
         AND client_id IN (SELECT id FROM clients WHERE owner_id = $2 AND {filter})"
    ));
    on_tx!(tx, conn => sqlx::query(sql).persistent(false).bind(id).bind(owner).bind(pattern).execute(conn).await.map(drop))?;
    Ok(())
}

/// Which of an owner's clients.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    Ids(&'a [i64]),
    Found(&'a str),
}

impl Which<'_> {
    /// A condition on `clients` with `$3`, and what `$3` is.
    fn sql(self) -> (String, String) {
        match self {
            Self::Ids(ids) => (format!("$3 = $3 AND id IN ({})", number_list(ids)), String::new()),
            Self::Found(search) => ("($3 = '%%' OR search LIKE $3 ESCAPE '\\')".to_owned(), like_pattern(search)),
        }
    }
}

/// Those of the clients that are in an owner's selection.
pub async fn members(db: &Db, owner: i64, id: i64, clients: &[i64]) -> DbResult<Vec<i64>> {
    let sql = AssertSqlSafe(format!(
        "SELECT sc.client_id FROM selection_clients sc JOIN selections s ON s.id = sc.selection_id
         WHERE s.id = $1 AND s.owner_id = $2 AND sc.client_id IN ({})",
        number_list(clients)
    ));
    Ok(on_db!(db, pool => sqlx::query_scalar(sql).persistent(false).bind(id).bind(owner).fetch_all(pool).await)?)
}
