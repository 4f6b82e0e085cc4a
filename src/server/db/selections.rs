//! Tables `selections` and `selection_clients`: hand-picked clients.

use super::{Db, DbResult, Tx, like_pattern, number_list, on_db, on_tx};
use chrono::{DateTime, Utc};

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
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT selection_id, COUNT(*) FROM selection_clients WHERE selection_id IN ({}) GROUP BY selection_id",
        number_list(ids)
    ));
    Ok(on_db!(db, pool => sqlx::query_as(sql).persistent(false).fetch_all(pool).await)?)
}

/// Makes a selection of all clients of the owner that the search finds now.
pub async fn insert_found(tx: &mut Tx, owner: i64, search: &str, now: DateTime<Utc>) -> DbResult<i64> {
    const ADD: &str = "INSERT INTO selection_clients (selection_id, client_id)
        SELECT $1, id FROM clients WHERE owner_id = $2 AND search LIKE $3 ESCAPE '\\'";
    let id = insert(tx, owner, &[], now).await?;
    on_tx!(tx, conn => sqlx::query(ADD)
        .bind(id)
        .bind(owner)
        .bind(like_pattern(search))
        .execute(conn)
        .await
        .map(drop))?;
    Ok(id)
}
