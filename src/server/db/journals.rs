//! Tables `journals` and `journal_frames`: what engines have recorded, and how far it is in the other
//! tables. On SQLite the frames are in a file of the engine's (`engine::recorder::file`).

use super::mailings::GOES_ON;
use super::{Conn, Db, DbResult, Tx, on_db, on_tx};
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, PgConnection};

/// How far a journal is in the tables; 0 if nothing is.
pub async fn applied(db: &Db, id: &str) -> DbResult<i64> {
    const SQL: &str = "SELECT applied FROM journals WHERE id = $1";
    let applied: Option<i64> = on_db!(db, pool => sqlx::query_scalar(SQL).bind(id).fetch_optional(pool).await)?;
    Ok(applied.unwrap_or(0))
}

/// Moves on from one frame to another, in the transaction that carries the frames between over. False
/// if somebody else did.
pub async fn advance(tx: &mut Tx, id: &str, from: i64, to: i64, now: DateTime<Utc>) -> DbResult<bool> {
    // A journal that was forgotten goes on where it was; one that PostgreSQL lost still has the frames before.
    const INTO: &str = "INSERT INTO journals (id, applied, touched_at)";
    let row = match tx {
        Tx::Sqlite(_) => "VALUES ($1, $3, $4)",
        Tx::Postgres(_) => {
            "SELECT $1, $3, $4
            WHERE NOT EXISTS (SELECT 1 FROM journal_frames WHERE journal = $1 AND seq <= $2)"
        }
    };
    const GO_ON: &str = "ON CONFLICT (id) DO UPDATE SET applied = excluded.applied, touched_at = excluded.touched_at
        WHERE journals.applied = $2";
    let sql = format!("{INTO} {row} {GO_ON}");
    let rows = on_tx!(&mut *tx, conn => sqlx::query(AssertSqlSafe(sql))
        .bind(id)
        .bind(from)
        .bind(to)
        .bind(now)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    if let Tx::Postgres(tx) = tx {
        const FRAMES: &str = "DELETE FROM journal_frames WHERE journal = $1 AND seq <= $2";
        sqlx::query(FRAMES).bind(id).bind(to).execute(&mut **tx).await?;
    }
    Ok(rows == 1)
}

/// Forgets journals, all but one, whose engines are gone: untouched since `before`, nothing in them.
pub async fn forget(tx: &mut Tx, but: &str, before: DateTime<Utc>) -> DbResult<()> {
    const SQL: &str = "DELETE FROM journals WHERE id <> $1 AND touched_at < $2";
    const SQL_FRAMES: &str = " AND NOT EXISTS (SELECT 1 FROM journal_frames f WHERE f.journal = journals.id)";
    let sql = match tx {
        Tx::Sqlite(_) => SQL.to_owned(),
        Tx::Postgres(_) => format!("{SQL}{SQL_FRAMES}"),
    };
    let sql = AssertSqlSafe(sql);
    on_tx!(tx, conn => sqlx::query(sql).bind(but).bind(before).execute(conn).await.map(drop))?;
    Ok(())
}

/// PostgreSQL: the journals of processes that are gone, with frames that are not in the tables yet.
pub async fn orphaned(db: &Db) -> DbResult<Vec<String>> {
    const SQL: &str = "SELECT DISTINCT journal FROM journal_frames f
        WHERE NOT EXISTS (SELECT 1 FROM processes p WHERE p.id = f.journal)";
    let Db::Postgres(pool) = db else { return Ok(Vec::new()) };
    Ok(sqlx::query_scalar(SQL).fetch_all(pool).await?)
}

/// PostgreSQL: some frames of a journal behind the given one, in order.
pub async fn frames(db: &Db, id: &str, after: i64, limit: i64) -> DbResult<Vec<(i64, String)>> {
    const SQL: &str = "SELECT seq, records FROM journal_frames WHERE journal = $1 AND seq > $2 ORDER BY seq LIMIT $3";
    let Db::Postgres(pool) = db else { return Ok(Vec::new()) };
    Ok(sqlx::query_as(SQL).bind(id).bind(after).bind(limit).fetch_all(pool).await?)
}

/// What may leave.
#[derive(Clone, Debug, Default)]
pub struct MayLeave {
    leases: Vec<String>,
    /// Deliveries whose address was left out while they were in hand.
    withdrawn: Vec<i64>,
}

impl MayLeave {
    /// A lease, or a delivery that must not leave under it.
    fn new(rows: Vec<(String, i64)>) -> Self {
        let mut may = Self::default();
        for (lease, withdrawn) in rows {
            if withdrawn == 0 { may.leases.push(lease) } else { may.withdrawn.push(withdrawn) }
        }
        may
    }

    /// Whether letters may leave under a lease.
    pub fn is_free(&self, lease: &str) -> bool {
        self.leases.iter().any(|free| free == lease)
    }

    /// Whether a delivery may leave under its lease.
    pub fn allows(&self, lease: &str, delivery: i64) -> bool {
        self.is_free(lease) && !self.withdrawn.contains(&delivery)
    }
}

/// Leases under which letters may leave: their claims are good, the mailing is not stopped or over, its owner not
/// blocked. Who loses a lease loses all that it covers, so no delivery need be looked at
/// but those that were withdrawn. `among` says which leases are meant.
fn free(among: &str) -> String {
    format!(
        "SELECT c.lease, CAST(0 AS BIGINT) FROM claims c JOIN runs r ON r.id = c.run_id JOIN mailings g ON g.id = r.mailing_id
         JOIN users u ON u.id = g.owner_id WHERE {GOES_ON} AND g.end_at > $2 AND c.lease {among}
         UNION ALL SELECT w.lease, w.delivery_id FROM withdrawn w WHERE w.lease {among}"
    )
}

/// Under which of these leases letters may leave.
pub async fn may_leave(conn: &mut Conn, leases: &[&str], now: DateTime<Utc>) -> DbResult<MayLeave> {
    let rows = match conn {
        Conn::Sqlite(conn) => {
            let sql = free("IN (SELECT value FROM json_each($1))");
            let leases = serde_json::json!(leases).to_string();
            sqlx::query_as(AssertSqlSafe(sql)).bind(leases).bind(now).fetch_all(conn).await?
        }
        Conn::Postgres(conn) => {
            let sql = free("= ANY($1)");
            sqlx::query_as(AssertSqlSafe(sql)).bind(leases).bind(now).fetch_all(conn).await?
        }
    };
    Ok(MayLeave::new(rows))
}

/// PostgreSQL: enters a process that is not in the table of processes, so that it can [`append`].
pub async fn enter(conn: &mut PgConnection, id: &str, now: DateTime<Utc>) -> DbResult<()> {
    const SQL: &str = "INSERT INTO processes (id, beat, trouble, started_at, seen_at) VALUES ($1, 0, '', $2, $2)
        ON CONFLICT (id) DO NOTHING";
    sqlx::query(SQL).bind(id).bind(now).execute(conn).await?;
    Ok(())
}

/// PostgreSQL: makes a frame durable and asks [`may_leave`], in one round trip. The same frame may be
/// written again. `None`, and nothing is written, if the process has been struck off: the row that is
/// locked here is the one that goes then, so whoever strikes off finds every frame that was answered.
pub async fn append(
    conn: &mut PgConnection,
    id: &str,
    seq: i64,
    records: &str,
    leases: &[&str],
    now: DateTime<Utc>,
) -> DbResult<Option<MayLeave>> {
    let sql = format!(
        "WITH alive AS (SELECT id FROM processes WHERE id = $3 FOR KEY SHARE),
         written AS (INSERT INTO journal_frames (journal, seq, records) SELECT id, $4, $5 FROM alive
             ON CONFLICT (journal, seq) DO NOTHING)
         SELECT '', CAST(0 AS BIGINT) FROM alive UNION ALL {}",
        free("= ANY($1)")
    );
    let query = sqlx::query_as(AssertSqlSafe(sql)).bind(leases).bind(now).bind(id).bind(seq).bind(records);
    let rows = query.fetch_all(conn).await?;
    let free = MayLeave::new(rows);
    Ok(free.is_free("").then_some(free))
}

/// What stands behind a process's name in those of what it noted: its journal, and its file.
pub const NOTED: &str = "-notes";

/// PostgreSQL: adds what a process that is gone had noted to a journal of its own, before it is struck off: should it live
/// after all, its own one goes on undisturbed. Being of no process, it is carried over at once. False if the process has
/// been struck off: then nobody waits for what it would say.
pub async fn append_noted(db: &Db, process: &str, records: &str) -> DbResult<bool> {
    const SQL: &str = "WITH alive AS (SELECT id FROM processes WHERE id = $1 FOR KEY SHARE)
        INSERT INTO journal_frames (journal, seq, records) SELECT $2, 1 + GREATEST(
            (SELECT applied FROM journals WHERE id = $2), (SELECT MAX(seq) FROM journal_frames WHERE journal = $2), 0), $3
        FROM alive";
    let Db::Postgres(pool) = db else { return Ok(false) };
    let query = sqlx::query(SQL).bind(process).bind(format!("{process}{NOTED}")).bind(records);
    Ok(query.execute(pool).await?.rows_affected() == 1)
}
