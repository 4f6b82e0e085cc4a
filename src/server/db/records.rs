//! What an engine recorded, carried over into `deliveries` and `attempts` many rows at a time. Each
//! function tells how many rows it changed: fewer than asked means that a lease is lost, and the caller
//! takes the records one by one ([`super::deliveries`]).

use super::claims::HELD;
use super::{DbResult, Tx, json_list};
use crate::domain::delivery::Attempt;
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;

/// Rows of one statement on SQLite, which has no arrays: three sizes, so that few statements are prepared.
const SIZES: [usize; 3] = [200, 20, 1];

/// An outcome with its attempt.
#[derive(Clone, Debug)]
pub struct Settled<'a> {
    pub id: i64,
    pub run: i64,
    pub lease: &'a str,
    /// The lease is good ([`super::claims::good`]).
    pub good: bool,
    pub state: &'static str,
    pub reason: &'a str,
    pub due_at: DateTime<Utc>,
    pub attempt: &'a Attempt,
}

/// Splits into slices of the sizes that have a prepared statement.
fn pieces<T>(mut rest: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = SIZES.into_iter().find(|size| *size <= rest.len())?;
        let (piece, tail) = rest.split_at(size);
        rest = tail;
        Some(piece)
    })
}

/// `(?, ?), (?, ?)` and so on.
fn values(rows: usize, columns: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(", "));
    vec![row; rows].join(", ")
}

/// Marks claimed deliveries of one lease as about to be handed over: they have not killed the process until then.
pub async fn arm(tx: &mut Tx, lease: &str, ids: &[i64]) -> DbResult<u64> {
    let set = format!("UPDATE deliveries SET state = 'armed', lease = $1, crashes = 0 WHERE {HELD} AND id");
    Ok(match tx {
        Tx::Sqlite(tx) => {
            let sql = format!("{set} IN (SELECT value FROM json_each($2))");
            let ids = json_list(ids);
            sqlx::query(AssertSqlSafe(sql)).bind(lease).bind(ids).execute(&mut **tx).await?.rows_affected()
        }
        Tx::Postgres(tx) => {
            let sql = format!("{set} = ANY($2)");
            sqlx::query(AssertSqlSafe(sql)).bind(lease).bind(ids).execute(&mut **tx).await?.rows_affected()
        }
    })
}

/// Records outcomes and gives the leases back.
pub async fn settle(tx: &mut Tx, rows: &[Settled<'_>]) -> DbResult<u64> {
    // What is over keeps the time when it was due: with no index to change, PostgreSQL writes the row alone.
    const SET: &str = "UPDATE deliveries SET state = v.state, reason = v.reason, attempts = v.attempts,
        due_at = CASE WHEN v.state = 'deferred' THEN v.due_at ELSE deliveries.due_at END, last_at = v.at,
        last_code = v.code, last_reply = v.reply, loose = (v.state = 'deferred'), lease = NULL, crashes = 0";
    const MINE: &str = "WHERE deliveries.id = v.id AND (deliveries.lease = v.lease
        OR (v.good AND deliveries.lease IS NULL AND deliveries.state = 'pending' AND NOT deliveries.loose))";
    const COLUMNS: &str = "v (id, lease, good, state, reason, attempts, due_at, at, code, reply)";
    let mut changed = 0;
    match tx {
        Tx::Sqlite(tx) => {
            for piece in pieces(rows) {
                let sql = format!("WITH {COLUMNS} AS (VALUES {}) {SET} FROM v {MINE}", values(piece.len(), 10));
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for row in piece {
                    query = query
                        .bind(row.id)
                        .bind(row.lease)
                        .bind(row.good)
                        .bind(row.state)
                        .bind(row.reason)
                        .bind(row.attempt.number)
                        .bind(row.due_at)
                        .bind(row.attempt.at)
                        .bind(row.attempt.code)
                        .bind(&row.attempt.reply);
                }
                changed += query.execute(&mut **tx).await?.rows_affected();
            }
        }
        Tx::Postgres(tx) => {
            let sql = format!(
                "{SET} FROM UNNEST($1::bigint[], $2::text[], $3::bool[], $4::text[], $5::text[], $6::bigint[],
                 $7::timestamptz[], $8::timestamptz[], $9::integer[], $10::text[]) AS {COLUMNS} {MINE}"
            );
            changed += sqlx::query(AssertSqlSafe(sql))
                .bind(rows.iter().map(|row| row.id).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| row.lease).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| row.good).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| row.state).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| row.reason).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| row.attempt.number).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| row.due_at).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| row.attempt.at).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| row.attempt.code).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| row.attempt.reply.as_str()).collect::<Vec<_>>())
                .execute(&mut **tx)
                .await?
                .rows_affected();
        }
    }
    Ok(changed)
}

/// Puts the attempts of outcomes on record.
pub async fn insert_attempts(tx: &mut Tx, rows: &[Settled<'_>]) -> DbResult<()> {
    const INTO: &str = "INSERT INTO attempts (delivery_id, run_id, number, at, ms, stage, status, relay, code,
        enhanced, reply)";
    match tx {
        Tx::Sqlite(tx) => {
            for piece in pieces(rows) {
                let sql = format!("{INTO} VALUES {}", values(piece.len(), 11));
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for Settled { id, run, attempt, .. } in piece {
                    query = query
                        .bind(*id)
                        .bind(*run)
                        .bind(attempt.number)
                        .bind(attempt.at)
                        .bind(attempt.ms)
                        .bind(attempt.stage.as_str())
                        .bind(attempt.status.as_str())
                        .bind(&attempt.relay)
                        .bind(attempt.code)
                        .bind(&attempt.enhanced)
                        .bind(&attempt.reply);
                }
                query.execute(&mut **tx).await?;
            }
        }
        Tx::Postgres(tx) => {
            let sql = format!(
                "{INTO} SELECT * FROM UNNEST($1::bigint[], $2::bigint[], $3::bigint[], $4::timestamptz[],
                 $5::bigint[], $6::text[], $7::text[], $8::text[], $9::integer[], $10::text[], $11::text[])"
            );
            sqlx::query(AssertSqlSafe(sql))
                .bind(rows.iter().map(|row| row.id).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| row.run).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| row.attempt.number).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| row.attempt.at).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| row.attempt.ms).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| row.attempt.stage.as_str()).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| row.attempt.status.as_str()).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| row.attempt.relay.as_str()).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| row.attempt.code).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| row.attempt.enhanced.as_deref()).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| row.attempt.reply.as_str()).collect::<Vec<_>>())
                .execute(&mut **tx)
                .await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_have_few_sizes_and_lose_nothing() {
        let rows: Vec<_> = (0..443).collect();
        let sizes: Vec<_> = pieces(&rows).map(<[_]>::len).collect();
        assert_eq!(sizes, [200, 200, 20, 20, 1, 1, 1]);
        assert_eq!(pieces(&rows).flatten().copied().collect::<Vec<_>>(), rows);
        assert_eq!(values(2, 3), "(?, ?, ?), (?, ?, ?)");
    }
}
