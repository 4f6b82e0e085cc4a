//! Table `suppressions`: the ledger of addresses that a user's mailings leave out.
//!
//! It is asked when a run is opened ([`super::runs::fill`]) and for what each claim took ([`among`]). An entry acts at once
//! on what waits in open runs ([`add`]); what is in hand there may not be armed any more ([`super::journals::may_leave`]).

mod act;
mod bulk;
mod list;

use super::address::{address_key, key_of};
use super::{Db, DbResult, Tx, on_db, on_tx, word};
use crate::domain::delivery::{Attempt, AttemptStatus, Stage};
use crate::domain::email::EmailAddress;
use crate::domain::mailing::Counts;
use crate::domain::suppression::{EVIDENCE_MAX, NO_TOPIC, Reason, Source, Suppression};
pub(super) use act::left_out;
pub use bulk::{Given, add_all, any_open, count_of_import, known, lift_of_import};
use chrono::{DateTime, TimeDelta, Utc};
pub use list::{Filter, count, list};
#[cfg(test)]
pub(super) use list::{count_sql, ended_sql, list_sql};
use sqlx::AssertSqlSafe;
use std::collections::HashMap;

/// A run may see an entry that somebody stored this long before it opened, and was not done with yet.
const OVERLAP: TimeDelta = TimeDelta::hours(1);

/// An entry that is to be made.
#[derive(Clone, Debug)]
pub struct NewEntry<'a> {
    pub owner: i64,
    pub email: &'a EmailAddress,
    /// [`NO_TOPIC`] for everything.
    pub topic: i64,
    pub reason: Reason,
    pub source: Source,
    /// Now: an entry that is made holds from then on.
    pub since: DateTime<Utc>,
    /// When it ends by itself, if it does.
    pub until: Option<DateTime<Utc>>,
    /// What was said; more than [`EVIDENCE_MAX`] characters are cut off.
    pub evidence: &'a str,
    /// Who enters it, where somebody does.
    pub actor: &'a str,
    /// The letter that it came of.
    pub delivery: Option<i64>,
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is new, or lasts longer than the one that was there.
    New,
    /// There was one already, which stays as it is.
    Known,
}

/// Whether an attempt says that the address itself does not work (RFC 3463 3.2): a refusal for good at
/// RCPT with 5.1.x. Of these 5.1.7 and 5.1.8 speak of the sender and 5.1.9 of the mail server, and 5.7.x
/// is a matter of rules, not of the address.
pub fn condemns(attempt: &Attempt) -> bool {
    attempt.stage == Stage::Rcpt
        && attempt.status == AttemptStatus::Failed
        && attempt
            .enhanced
            .as_deref()
            .and_then(|code| code.strip_prefix("5.1."))
            .is_some_and(|detail| detail.bytes().all(|b| b.is_ascii_digit()) && !matches!(detail, "" | "7" | "8" | "9"))
}

/// Enters the address of a delivery whose attempt [`condemns`] it.
///
/// # Errors
/// Database errors.
pub async fn condemn(tx: &mut Tx, delivery: i64, attempt: &Attempt, now: DateTime<Utc>) -> DbResult<()> {
    const WHOSE: &str = "SELECT d.email, g.owner_id FROM deliveries d JOIN runs r ON r.id = d.run_id
        JOIN mailings g ON g.id = r.mailing_id WHERE d.id = $1";
    let whose: Option<(String, i64)> =
        on_tx!(&mut *tx, conn => sqlx::query_as(WHOSE).bind(delivery).fetch_optional(conn).await)?;
    let Some((email, owner)) = whose else { return Ok(()) };
    let Ok(email) = EmailAddress::parse(&email) else { return Ok(()) };
    let entry = NewEntry {
        owner,
        email: &email,
        topic: NO_TOPIC,
        reason: Reason::HardBounce,
        source: Source::Smtp,
        since: now,
        until: None,
        evidence: &attempt.reply,
        actor: "",
        delivery: Some(delivery),
    };
    add(tx, &entry).await.map(drop)
}

/// Enters an address, and takes what waits for it out of its owner's open runs: at once, as `not_sent` with the reason.
/// What is in hand there may not be armed any more. The same entry again changes nothing, unless it lasts longer.
///
/// # Errors
/// Database errors.
pub async fn add(tx: &mut Tx, entry: &NewEntry<'_>) -> DbResult<Added> {
    const SQL: &str = "INSERT INTO suppressions
        (owner_id, address_key, email, topic_id, reason, source, since, until, evidence, actor, delivery_id, entered_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $7)
        ON CONFLICT (owner_id, address_key, topic_id, reason) DO UPDATE SET email = excluded.email,
        source = excluded.source, since = excluded.since, until = excluded.until, evidence = excluded.evidence,
        actor = excluded.actor, delivery_id = excluded.delivery_id, import_id = NULL, entered_at = excluded.entered_at
        WHERE suppressions.until IS NOT NULL AND (excluded.until IS NULL OR excluded.until > suppressions.until)";
    let key = address_key(entry.email);
    let evidence: String = entry.evidence.chars().filter(|c| *c != '\0').take(EVIDENCE_MAX).collect();
    let rows = on_tx!(&mut *tx, conn => sqlx::query(SQL)
        .bind(entry.owner)
        .bind(&key)
        .bind(entry.email.as_str())
        .bind(entry.topic)
        .bind(entry.reason.as_str())
        .bind(entry.source.as_str())
        .bind(entry.since)
        .bind(entry.until)
        .bind(evidence)
        .bind(entry.actor)
        .bind(entry.delivery)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    if rows == 0 {
        // What a file said as well is not taken back with the file.
        const THEIRS: &str = "UPDATE suppressions SET import_id = NULL WHERE owner_id = $1 AND address_key = $2
            AND topic_id = $3 AND reason = $4 AND import_id IS NOT NULL";
        on_tx!(tx, conn => sqlx::query(THEIRS)
            .bind(entry.owner)
            .bind(&key)
            .bind(entry.topic)
            .bind(entry.reason.as_str())
            .execute(conn)
            .await
            .map(drop))?;
        return Ok(Added::Known);
    }
    let NewEntry { owner, topic, reason, delivery, since: now, .. } = *entry;
    act::leave_out(tx, &act::Why { owner, topic, reason, delivery, now }, &[&key]).await?;
    Ok(Added::New)
}

/// SQL: that an entry of the table holds for a topic at an instant.
pub(super) fn holds(topic: &str, now: &str) -> String {
    format!("topic_id IN (0, {topic}) AND (until IS NULL OR until > {now})")
}

/// What of a claim must not be sent, with the reason. An entry acts on what waits when it is made, and a run asks
/// when it is opened; this finds what was entered while the run was being opened, and letters to an address that its
/// client does not have any more. For a run that saw no new entry it is one look into an index.
///
/// # Errors
/// Database errors.
pub async fn among<'a>(
    db: &Db,
    (owner, topic): (i64, i64),
    opened_at: DateTime<Utc>,
    now: DateTime<Utc>,
    addresses: impl Iterator<Item = (i64, &'a str)>,
) -> DbResult<Vec<(i64, String)>> {
    const NEWER: &str = "SELECT EXISTS (SELECT 1 FROM suppressions WHERE owner_id = $1 AND entered_at >= $2)";
    let newer: bool =
        on_db!(db, pool => sqlx::query_scalar(NEWER).bind(owner).bind(opened_at - OVERLAP).fetch_one(pool).await)?;
    if !newer {
        return Ok(Vec::new());
    }
    let of: Vec<(i64, String)> = addresses.map(|(id, email)| (id, key_of(email))).collect();
    let keys: Vec<&str> = of.iter().map(|(_, key)| key.as_str()).collect();
    let found = reasons(db, (owner, topic), &keys, now).await?;
    Ok(of.into_iter().filter_map(|(id, key)| Some((id, found.get(&key)?.clone()))).collect())
}

/// Those of the keys (as [`address_key`] folds addresses) that a user's mailings about a topic leave out, each with the reason
/// as deliveries have it.
///
/// # Errors
/// Database errors.
async fn reasons(
    db: &Db,
    (owner, topic): (i64, i64),
    keys: &[&str],
    now: DateTime<Utc>,
) -> DbResult<HashMap<String, String>> {
    let keys = serde_json::json!(keys).to_string();
    let list = match db {
        Db::Sqlite { .. } => "SELECT value FROM json_each($2)",
        Db::Postgres(_) => "SELECT json_array_elements_text($2::json)",
    };
    let sql = AssertSqlSafe(format!(
        "SELECT address_key, 'suppressed_' || MIN(reason) FROM suppressions WHERE owner_id = $1 AND address_key IN ({list})
         AND {} GROUP BY address_key",
        holds("$3", "$4")
    ));
    let found: Vec<(String, String)> = on_db!(db, pool => sqlx::query_as(sql)
        .bind(owner)
        .bind(&keys)
        .bind(topic)
        .bind(now)
        .fetch_all(pool)
        .await)?;
    Ok(found.into_iter().collect())
}

/// Why all of a user's mailings leave each of some addresses out, in their order; none for those that get letters.
///
/// # Errors
/// Database errors.
pub async fn why<'a>(
    db: &Db,
    owner: i64,
    emails: impl Iterator<Item = &'a str>,
    now: DateTime<Utc>,
) -> DbResult<Vec<Option<Reason>>> {
    let keys: Vec<String> = emails.map(key_of).collect();
    let found = reasons(db, (owner, NO_TOPIC), &keys.iter().map(String::as_str).collect::<Vec<_>>(), now).await?;
    let reason = |key: &String| found.get(key).and_then(|word| Reason::parse(word.strip_prefix("suppressed_")?));
    Ok(keys.iter().map(reason).collect())
}

/// Those of the addresses, as often as they stand there, that all of a user's mailings leave out.
///
/// # Errors
/// Database errors.
pub async fn held<'a>(
    db: &Db,
    owner: i64,
    emails: impl Iterator<Item = &'a EmailAddress>,
    now: DateTime<Utc>,
) -> DbResult<Vec<&'a EmailAddress>> {
    let of: Vec<(&EmailAddress, String)> = emails.map(|email| (email, address_key(email))).collect();
    let keys: Vec<&str> = of.iter().map(|(_, key)| key.as_str()).collect();
    let found = reasons(db, (owner, NO_TOPIC), &keys, now).await?;
    Ok(of.into_iter().filter(|(_, key)| found.contains_key(key)).map(|(email, _)| email).collect())
}

/// Takes deliveries that were claimed under a lease out of their run, each with its reason and whether it had been
/// deferred, and closes the run if nothing is left of it.
///
/// # Errors
/// Database errors.
pub async fn leave_out_claimed(
    tx: &mut Tx,
    (run, lease): (i64, &str),
    deliveries: &[(i64, String, bool)],
    now: DateTime<Utc>,
) -> DbResult<()> {
    let sql = format!(
        "UPDATE deliveries SET state = 'not_sent', reason = $3, loose = FALSE, lease = NULL, crashes = 0
         WHERE id = $2 AND {}",
        super::claims::HELD
    );
    let mut out = Vec::new();
    for (id, reason, deferred) in deliveries {
        let sql = AssertSqlSafe(sql.clone());
        let rows = on_tx!(&mut *tx, conn => sqlx::query(sql)
            .bind(lease)
            .bind(id)
            .bind(reason)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        if rows == 1 {
            out.push((run, *deferred));
        }
    }
    left_out(tx, &out, |counts: &mut Counts| &mut counts.not_sent, now).await
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    email: String,
    topic_id: i64,
    topic_name: Option<String>,
    reason: String,
    source: String,
    since: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
    evidence: String,
    actor: String,
    import_id: Option<i64>,
}

const COLUMNS: &str =
    "id, email, topic_id, (SELECT t.name FROM topics t WHERE t.id = suppressions.topic_id) AS topic_name,
    reason, source, since, until, evidence, actor, import_id";

impl Row {
    fn into_entry(self) -> DbResult<Suppression> {
        Ok(Suppression {
            id: self.id,
            email: self.email,
            topic: self.topic_id,
            topic_name: self.topic_name.unwrap_or_default(),
            reason: word("suppressions.reason", &self.reason, Reason::parse)?,
            source: word("suppressions.source", &self.source, Source::parse)?,
            since: self.since,
            until: self.until,
            evidence: self.evidence,
            actor: self.actor,
            import: self.import_id,
            ended: false,
        })
    }
}

/// Why the owner's mailings leave an address out: all entries that hold now, of every topic.
///
/// # Errors
/// Database errors.
pub async fn of_address(db: &Db, owner: i64, email: &EmailAddress, now: DateTime<Utc>) -> DbResult<Vec<Suppression>> {
    let sql = AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM suppressions WHERE owner_id = $1 AND address_key = $2
         AND (until IS NULL OR until > $3) ORDER BY id"
    ));
    let rows: Vec<Row> = on_db!(db, pool => sqlx::query_as(sql)
        .bind(owner)
        .bind(address_key(email))
        .bind(now)
        .fetch_all(pool)
        .await)?;
    rows.into_iter().map(Row::into_entry).collect()
}

/// One of the owner's entries.
///
/// # Errors
/// Database errors.
pub async fn get(db: &Db, owner: i64, id: i64) -> DbResult<Option<Suppression>> {
    let sql = AssertSqlSafe(format!("SELECT {COLUMNS} FROM suppressions WHERE owner_id = $1 AND id = $2"));
    let row: Option<Row> = on_db!(db, pool => sqlx::query_as(sql).bind(owner).bind(id).fetch_optional(pool).await)?;
    row.map(Row::into_entry).transpose()
}

/// Takes one entry out, for the runs to come. False if the owner has no such entry.
///
/// # Errors
/// Database errors.
pub async fn lift(tx: &mut Tx, owner: i64, id: i64) -> DbResult<bool> {
    const SQL: &str = "DELETE FROM suppressions WHERE owner_id = $1 AND id = $2";
    let rows =
        on_tx!(tx, conn => sqlx::query(SQL).bind(owner).bind(id).execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Takes the entry of an address out that has this topic and reason. False if there is none.
///
/// # Errors
/// Database errors.
pub async fn undo(tx: &mut Tx, owner: i64, email: &EmailAddress, topic: i64, reason: Reason) -> DbResult<bool> {
    const SQL: &str =
        "DELETE FROM suppressions WHERE owner_id = $1 AND address_key = $2 AND topic_id = $3 AND reason = $4";
    let rows = on_tx!(tx, conn => sqlx::query(SQL)
        .bind(owner)
        .bind(address_key(email))
        .bind(topic)
        .bind(reason.as_str())
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Gives entries beyond ASCII of before the keys of today theirs; of two that are the same by it the newer one goes.
///
/// # Errors
/// Database errors.
pub async fn fold(tx: &mut Tx) -> DbResult<()> {
    const ALL: &str = "SELECT id, owner_id, email, address_key FROM suppressions ORDER BY id";
    const GO: &str = "DELETE FROM suppressions WHERE id = $1 AND EXISTS (SELECT 1 FROM suppressions o
        WHERE o.owner_id = $2 AND o.address_key = $3 AND o.topic_id = suppressions.topic_id
        AND o.reason = suppressions.reason AND o.id <> suppressions.id)";
    const SET: &str = "UPDATE suppressions SET address_key = $3 WHERE id = $1 AND owner_id = $2";
    let all: Vec<(i64, i64, String, String)> = on_tx!(&mut *tx, conn => sqlx::query_as(ALL).fetch_all(conn).await)?;
    for (id, owner, email, key) in all {
        let folded = key_of(&email);
        if folded == key {
            continue;
        }
        for sql in [GO, SET] {
            on_tx!(&mut *tx, conn => sqlx::query(sql).bind(id).bind(owner).bind(&folded).execute(conn).await.map(drop))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_speaks_of_the_address_condemns_it() {
        let at = |stage, status, enhanced: &str| {
            let enhanced = Some(enhanced.to_owned()).filter(|code| !code.is_empty());
            let (relay, reply) = (String::new(), String::new());
            condemns(&Attempt { number: 1, at: now(), ms: 0, stage, status, relay, code: Some(550), enhanced, reply })
        };
        for code in ["5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"] {
            assert!(at(Stage::Rcpt, AttemptStatus::Failed, code), "{code}");
            assert!(!at(Stage::Dot, AttemptStatus::Failed, code), "after the dot it is about the letter");
            assert!(!at(Stage::Rcpt, AttemptStatus::Deferred, code), "552 is to be tried again");
        }
        for code in ["", "5.7.1", "5.1.7", "5.1.8", "5.1.9", "5.2.1", "4.1.1", "5.1.", "5.11.1"] {
            assert!(!at(Stage::Rcpt, AttemptStatus::Failed, code), "{code}");
        }
    }

    fn now() -> DateTime<Utc> {
        "2026-05-04T10:00:00Z".parse().unwrap()
    }
}
