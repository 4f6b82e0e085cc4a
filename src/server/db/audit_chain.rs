//! Table `audit_chain`: the lines of the audit log, each tied to the one before it by a hash. A line comes
//! into it a moment after its act, so that acts do not wait for each other.

use super::audit_erasing::words;
use super::{Db, DbResult, Tx, number_list, on_db, on_tx};
use crate::domain::audit::Target;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

/// Of the processes on a PostgreSQL, one at a time seals.
const LOCK: i64 = 0x7665_7374_6175_6469;

/// A line with all that its hash is made of.
#[derive(Clone, Debug, sqlx::FromRow)]
struct Line {
    id: i64,
    at: DateTime<Utc>,
    actor_id: Option<i64>,
    act: String,
    target_id: Option<i64>,
    actor: String,
    address: String,
    actor_salt: String,
    target: String,
    reason: String,
    before: String,
    after: String,
    target_salt: String,
}

/// As JSON, so that no text can pass for the end of a field.
fn digest(fields: &impl serde::Serialize) -> String {
    let text = serde_json::to_string(fields).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes()))
}

impl Line {
    fn who(&self) -> String {
        digest(&(&self.actor_salt, &self.actor, &self.address))
    }

    fn what(&self) -> String {
        digest(&(&self.target_salt, &self.target, &self.reason, &self.before, &self.after))
    }

    /// The hash of the link with these digests behind one with that hash.
    fn hash(&self, previous: &str, seq: i64, who: &str, what: &str) -> String {
        let line = (self.id, self.at.timestamp_micros(), self.actor_id, &self.act, self.target_id);
        digest(&(previous, seq, line, who, what))
    }
}

/// Ties up to `limit` lines that wait into the chain, and says how many; none while another process does.
pub async fn seal(tx: &mut Tx, limit: i64) -> DbResult<usize> {
    if let Tx::Postgres(tx) = tx {
        let mine: bool =
            sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1)").bind(LOCK).fetch_one(&mut **tx).await?;
        if !mine {
            return Ok(0);
        }
    }
    const WAITING: &str = "SELECT a.id, a.at, a.actor_id, a.act, a.target_id, a.actor, a.address, a.actor_salt,
        a.target, a.reason, a.before, a.after, a.target_salt
        FROM audit_waiting w JOIN audit a ON a.id = w.line_id ORDER BY w.line_id LIMIT $1";
    const LAST: &str = "SELECT seq, hash FROM audit_chain ORDER BY seq DESC LIMIT 1";
    const LINK: &str = "INSERT INTO audit_chain (seq, line_id, who, what, hash) VALUES ($1, $2, $3, $4, $5)";
    let lines: Vec<Line> = on_tx!(&mut *tx, conn => sqlx::query_as(WAITING).bind(limit).fetch_all(conn).await)?;
    if lines.is_empty() {
        return Ok(0);
    }
    let last: Option<(i64, String)> = on_tx!(&mut *tx, conn => sqlx::query_as(LAST).fetch_optional(conn).await)?;
    let (mut seq, mut previous) = last.unwrap_or_default();
    for line in &lines {
        seq += 1;
        let (who, what) = (line.who(), line.what());
        previous = line.hash(&previous, seq, &who, &what);
        on_tx!(&mut *tx, conn => sqlx::query(LINK)
            .bind(seq)
            .bind(line.id)
            .bind(&who)
            .bind(&what)
            .bind(&previous)
            .execute(conn)
            .await
            .map(drop))?;
    }
    let ids: Vec<i64> = lines.iter().map(|line| line.id).collect();
    let sql = sqlx::AssertSqlSafe(format!("DELETE FROM audit_waiting WHERE line_id IN ({})", number_list(&ids)));
    on_tx!(tx, conn => sqlx::query(sql).persistent(false).execute(conn).await.map(drop))?;
    Ok(lines.len())
}

/// Whether a line waits.
pub async fn is_waiting(db: &Db) -> DbResult<bool> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM audit_waiting)";
    Ok(on_db!(db, pool => sqlx::query_scalar(SQL).fetch_one(pool).await)?)
}

/// A link as it is found.
#[derive(Clone, Debug)]
pub struct Link {
    pub seq: i64,
    pub line: i64,
    pub hash: String,
    /// It fits the hash that was given for the one before it, and its line is as it was written.
    pub fits: bool,
}

#[derive(sqlx::FromRow)]
struct Found {
    seq: i64,
    line_id: i64,
    who: String,
    what: String,
    hash: String,
    /// Texts were taken out that do not belong to an account that is gone.
    forged: bool,
    #[sqlx(flatten)]
    line: Line,
}

/// Links in their order, from after this one on (its number and hash).
pub async fn links(db: &Db, (after, previous): (i64, &str), limit: i64) -> DbResult<Vec<Link>> {
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT c.seq, c.line_id, c.who, c.what, c.hash,
         (a.actor_salt = '' AND EXISTS (SELECT 1 FROM users u WHERE u.id = a.actor_id AND u.deleted_at IS NULL))
         OR (a.target_salt = '' AND CASE
            WHEN a.act IN ({}) THEN EXISTS (SELECT 1 FROM users u WHERE u.id = a.target_id AND u.deleted_at IS NULL)
            WHEN a.act IN ({}) THEN EXISTS (SELECT 1 FROM mailings g WHERE g.id = a.target_id)
            ELSE a.act NOT IN ({}) END) AS forged,
         a.id, a.at, a.actor_id, a.act, a.target_id, a.actor, a.address, a.actor_salt, a.target, a.reason, a.before,
         a.after, a.target_salt
         FROM audit_chain c JOIN audit a ON a.id = c.line_id WHERE c.seq > $1 ORDER BY c.seq LIMIT $2",
        words(Target::User),
        words(Target::Mailing),
        words(Target::Invitation)
    ));
    let rows: Vec<Found> = on_db!(db, pool => sqlx::query_as(sql).bind(after).bind(limit).fetch_all(pool).await)?;
    let (mut seq, mut previous) = (after, previous.to_owned());
    let link = |found: Found| {
        let Found { who, what, hash, forged, line, .. } = found;
        let known =
            (line.actor_salt.is_empty() || line.who() == who) && (line.target_salt.is_empty() || line.what() == what);
        let chained = found.seq == seq + 1 && line.hash(&previous, found.seq, &who, &what) == hash;
        seq = found.seq;
        previous.clone_from(&hash);
        Link { seq, line: found.line_id, hash, fits: known && chained && !forged }
    };
    Ok(rows.into_iter().map(link).collect())
}

/// The first line that is neither in the chain nor waits for it: nobody of ours has written it. Or the line
/// of the first link whose line is gone.
pub async fn stray(db: &Db) -> DbResult<Option<i64>> {
    const WRITTEN: &str = "SELECT MIN(a.id) FROM audit a
        WHERE NOT EXISTS (SELECT 1 FROM audit_chain c WHERE c.line_id = a.id)
        AND NOT EXISTS (SELECT 1 FROM audit_waiting w WHERE w.line_id = a.id)";
    const GONE: &str = "SELECT MIN(c.line_id) FROM audit_chain c
        WHERE NOT EXISTS (SELECT 1 FROM audit a WHERE a.id = c.line_id)";
    for sql in [GONE, WRITTEN] {
        let found: Option<i64> = on_db!(db, pool => sqlx::query_scalar(sql).fetch_one(pool).await)?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}
