//! Table `processes`: who is alive, and what the dead have left behind.

use super::suppressions::left_out;
use super::{Db, DbResult, Tx, claims, on_db, on_tx};
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;

/// Characters of a process's name; a lease begins with them.
pub const NAME: usize = 16;
/// Why an import has ended whose process is gone: a locale key.
pub const INTERRUPTED: &str = "error.import.interrupted";
/// Work whose process is not in the table; `{}` is the column that names it.
const ORPHAN: &str = "NOT EXISTS (SELECT 1 FROM processes p WHERE p.id = {})";

pub(super) fn orphan(column: &str) -> String {
    ORPHAN.replace("{}", column)
}

/// What shows that a process lives: its beat goes on.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Process {
    pub id: String,
    pub beat: i64,
    pub trouble: String,
}

/// Counts a process's beat up; a process that is not in the table is put there.
pub async fn beat(tx: &mut Tx, id: &str, trouble: &str, now: DateTime<Utc>) -> DbResult<()> {
    const SQL: &str = "INSERT INTO processes (id, beat, trouble, started_at, seen_at) VALUES ($1, 1, $2, $3, $3)
        ON CONFLICT (id) DO UPDATE SET beat = processes.beat + 1, trouble = $2, seen_at = $3";
    on_tx!(tx, conn => sqlx::query(SQL).bind(id).bind(trouble).bind(now).execute(conn).await.map(drop))?;
    Ok(())
}

/// All processes.
pub async fn list(db: &Db) -> DbResult<Vec<Process>> {
    const SQL: &str = "SELECT id, beat, trouble FROM processes ORDER BY id";
    Ok(on_db!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}

/// Strikes a process off, unless it has shown a sign of life since that beat.
pub async fn remove(tx: &mut Tx, id: &str, beat: i64) -> DbResult<bool> {
    const SQL: &str = "DELETE FROM processes WHERE id = $1 AND beat = $2";
    let rows =
        on_tx!(tx, conn => sqlx::query(SQL).bind(id).bind(beat).execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Strikes off all but one: for who knows that there is no other.
pub async fn keep_only(tx: &mut Tx, id: &str) -> DbResult<()> {
    const SQL: &str = "DELETE FROM processes WHERE id <> $1";
    on_tx!(tx, conn => sqlx::query(SQL).bind(id).execute(conn).await.map(drop))?;
    Ok(())
}

/// Puts back what a process that ends in order has claimed.
pub async fn give_back(tx: &mut Tx, id: &str) -> DbResult<()> {
    for over in claims::end(tx, id).await? {
        claims::put_back(tx, &over, "0").await?;
    }
    Ok(())
}

/// Strikes a process off that ends.
pub async fn leave(tx: &mut Tx, id: &str) -> DbResult<()> {
    const SQL: &str = "DELETE FROM processes WHERE id = $1";
    on_tx!(tx, conn => sqlx::query(SQL).bind(id).execute(conn).await.map(drop))?;
    Ok(())
}

/// Deaths at which a delivery was claimed and then in hand beside others: from now on it goes alone, so
/// that what happens is its own doing.
pub const ALONE_FROM: i64 = 2;
/// A process that dies so often with nothing but one delivery in hand dies of it.
const DEADLY: i64 = 3;
/// The reason of a delivery that nobody takes in hand any more.
const QUARANTINED: &str = "quarantined";

/// Puts claimed deliveries back whose process is gone or whose lease has run out. From its first time on
/// such a delivery is suspect: [`in_hand`] counts the next ones. Returns how many went back.
pub async fn reclaim(tx: &mut Tx, now: DateTime<Utc>) -> DbResult<u64> {
    let give_up = format!(
        "UPDATE deliveries SET state = 'failed', reason = '{QUARANTINED}', lease = NULL
         WHERE state = 'claimed' AND lease = $1 AND crashes >= {}
         RETURNING run_id, attempts > 0",
        ALONE_FROM + DEADLY
    );
    let (mut out, mut back) = (Vec::new(), 0);
    for over in claims::end_orphaned(tx, now).await? {
        let sql = AssertSqlSafe(give_up.as_str());
        out.extend(
            on_tx!(&mut *tx, conn => sqlx::query_as::<_, (i64, bool)>(sql).bind(&over.lease).fetch_all(conn).await)?,
        );
        back += claims::put_back(tx, &over, "CASE WHEN crashes = 0 THEN 1 ELSE crashes END").await?;
    }
    if !out.is_empty() {
        tracing::warn!(deliveries = out.len(), "in hand each time the process died; they are given up");
        left_out(tx, &out, |counts| &mut counts.failed, now).await?;
    }
    Ok(back)
}

/// Counts beforehand that the process dies with this delivery in hand; what it outlives is forgotten with
/// the delivery's next record.
pub async fn in_hand(tx: &mut Tx, delivery: i64, lease: &str) -> DbResult<()> {
    const SQL: &str = "UPDATE deliveries SET crashes = crashes + 1 WHERE id = $1 AND lease = $2";
    on_tx!(tx, conn => sqlx::query(SQL).bind(delivery).bind(lease).execute(conn).await.map(drop))?;
    Ok(())
}

/// Has a delivery that was in doubt go alone the next time.
pub async fn remember(tx: &mut Tx, delivery: i64) -> DbResult<()> {
    const SQL: &str = "UPDATE deliveries SET crashes = $2 WHERE id = $1 AND state = 'deferred'";
    on_tx!(tx, conn => sqlx::query(SQL).bind(delivery).bind(ALONE_FROM).execute(conn).await.map(drop))?;
    Ok(())
}

/// An armed delivery whose process is gone: its outcome is in doubt.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct InDoubt {
    pub id: i64,
    pub run_id: i64,
    pub attempts: i64,
    pub lease: String,
    pub hold: bool,
    /// Attempts before this one of which nobody knows whether the letter arrived.
    pub unknown: i64,
}

/// Armed deliveries whose claim has ended, at most so many.
pub async fn in_doubt(db: &Db, limit: i64) -> DbResult<Vec<InDoubt>> {
    const SQL: &str = "SELECT d.id, d.run_id, d.attempts, d.lease, g.policy = 'hold' AS hold,
         (SELECT COUNT(*) FROM attempts a WHERE a.delivery_id = d.id AND a.status = 'unknown') AS unknown
         FROM deliveries d JOIN runs r ON r.id = d.run_id JOIN mailings g ON g.id = r.mailing_id
         WHERE d.state = 'armed' AND d.lease IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM claims c WHERE c.lease = d.lease) ORDER BY d.id LIMIT $1";
    Ok(on_db!(db, pool => sqlx::query_as(SQL).bind(limit).fetch_all(pool).await)?)
}

/// Ends running imports whose process is gone, keeping their counts; returns how many.
pub async fn end_imports(tx: &mut Tx) -> DbResult<u64> {
    let sql = AssertSqlSafe(format!(
        "UPDATE imports SET state = 'failed', reason = $1 WHERE state = 'running' AND (process IS NULL OR {})",
        orphan("imports.process")
    ));
    Ok(on_tx!(tx, conn => sqlx::query(sql).bind(INTERRUPTED).execute(conn).await.map(|done| done.rows_affected()))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::db::testing;

    async fn signs_of_life(db: Db) {
        let now = "2026-05-04T10:00:00Z".parse().unwrap();
        let mut tx = db.begin().await.unwrap();
        for (id, trouble) in [("a", ""), ("b", ""), ("a", "refused"), ("c", "")] {
            beat(&mut tx, id, trouble, now).await.unwrap();
        }
        assert!(!remove(&mut tx, "a", 1).await.unwrap(), "it has beaten since");
        assert!(remove(&mut tx, "b", 1).await.unwrap());
        leave(&mut tx, "c").await.unwrap();
        beat(&mut tx, "d", "", now).await.unwrap();
        tx.commit().await.unwrap();
        let process = |id: &str, beat, trouble: &str| Process { id: id.into(), beat, trouble: trouble.into() };
        assert_eq!(list(&db).await.unwrap(), [process("a", 2, "refused"), process("d", 1, "")]);
        let mut tx = db.begin().await.unwrap();
        keep_only(&mut tx, "d").await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(list(&db).await.unwrap(), [process("d", 1, "")]);
    }

    #[tokio::test]
    async fn sqlite_signs_of_life() {
        let (db, _folder) = testing::sqlite().await;
        signs_of_life(db).await;
    }

    #[tokio::test]
    async fn postgres_signs_of_life() {
        signs_of_life(testing::postgres().await).await;
    }
}
