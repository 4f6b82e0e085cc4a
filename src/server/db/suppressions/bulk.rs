//! Entering many addresses at once, and lifting them again.

use super::super::address::address_key;
use super::super::{Db, DbResult, Tx, on_db, on_tx};
use super::{Added, act};
use crate::domain::email::EmailAddress;
use crate::domain::suppression::{EVIDENCE_MAX, NO_TOPIC, Reason, Source};
use chrono::{DateTime, SecondsFormat, Utc};
use sqlx::AssertSqlSafe;
use std::collections::{BTreeMap, HashMap, HashSet};

/// An entry that is to be made with others; as [`super::NewEntry`], but of no letter.
#[derive(Clone, Debug)]
pub struct Given<'a> {
    pub email: &'a EmailAddress,
    /// [`NO_TOPIC`] for everything.
    pub topic: i64,
    pub reason: Reason,
    pub source: Source,
    pub since: DateTime<Utc>,
    /// When it ends by itself, if it does.
    pub until: Option<DateTime<Utc>>,
    pub evidence: &'a str,
    pub actor: &'a str,
}

/// What tells entries of an owner apart.
type Key = (String, i64, &'static str);

impl Given<'_> {
    fn key(&self) -> Key {
        (address_key(self.email), self.topic, self.reason.as_str())
    }

    /// Whether an entry until then would be a longer one.
    fn outlasts(&self, until: Option<DateTime<Utc>>) -> bool {
        until.is_some_and(|until| self.until.is_none_or(|own| own > until))
    }

    fn holds(&self, now: DateTime<Utc>) -> bool {
        self.until.is_none_or(|until| until > now)
    }
}

/// As the databases keep an instant that is bound.
fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, false)
}

/// Enters addresses for an owner with an import's number, each as [`super::add`] does, and says what became of each. One
/// statement enters them all, in one order for everybody, so that of two files one waits for the other.
///
/// # Errors
/// Database errors; see [`super::super::DbError::is_deadlock`].
pub async fn add_all(
    tx: &mut Tx,
    (owner, import): (i64, i64),
    entries: &[Given<'_>],
    now: DateTime<Utc>,
) -> DbResult<Vec<Added>> {
    let fields = match tx {
        Tx::Sqlite(_) => {
            "json_extract(value, '$[0]') AS key, json_extract(value, '$[1]'), json_extract(value, '$[2]') AS topic,
             json_extract(value, '$[3]') AS reason, json_extract(value, '$[4]'), json_extract(value, '$[5]'),
             json_extract(value, '$[6]'), json_extract(value, '$[7]'), json_extract(value, '$[8]')"
        }
        Tx::Postgres(_) => {
            "value->>0 AS key, value->>1, CAST(value->>2 AS BIGINT) AS topic, value->>3 AS reason, value->>4,
             CAST(value->>5 AS TIMESTAMPTZ), CAST(value->>6 AS TIMESTAMPTZ), value->>7, value->>8"
        }
    };
    let list = match tx {
        Tx::Sqlite(_) => "json_each($4)",
        Tx::Postgres(_) => "json_array_elements(CAST($4 AS JSON)) AS e (value)",
    };
    let sql = AssertSqlSafe(format!(
        "INSERT INTO suppressions (owner_id, import_id, entered_at,
         address_key, email, topic_id, reason, source, since, until, evidence, actor)
         SELECT $1, $2, $3, given.* FROM (SELECT {fields} FROM {list}) given WHERE TRUE ORDER BY key, topic, reason
         ON CONFLICT (owner_id, address_key, topic_id, reason) DO UPDATE SET email = excluded.email,
         source = excluded.source, since = excluded.since, until = excluded.until, evidence = excluded.evidence,
         actor = excluded.actor, delivery_id = NULL, entered_at = excluded.entered_at,
         import_id = CASE WHEN suppressions.import_id IS NULL AND suppressions.until > $3 THEN NULL
         ELSE excluded.import_id END
         WHERE suppressions.until IS NOT NULL AND (excluded.until IS NULL OR excluded.until > suppressions.until)
         RETURNING address_key, topic_id, reason"
    ));
    // Of one that stands there twice the longest counts.
    let mut longest = BTreeMap::<Key, &Given<'_>>::new();
    for entry in entries {
        let kept = longest.entry(entry.key()).or_insert(entry);
        if entry.outlasts(kept.until) {
            *kept = entry;
        }
    }
    let clean = |text: &str| text.chars().filter(|c| *c != '\0').take(EVIDENCE_MAX).collect::<String>();
    let rows: Vec<_> = longest
        .iter()
        .map(|((key, topic, reason), entry)| {
            let (since, until) = (instant(entry.since), entry.until.map(instant));
            let (source, evidence, actor) = (entry.source.as_str(), clean(entry.evidence), clean(entry.actor));
            (key, entry.email.as_str(), topic, reason, source, since, until, evidence, actor)
        })
        .collect();
    let new: Vec<(String, i64, String)> = on_tx!(&mut *tx, conn => sqlx::query_as(sql)
        .bind(owner)
        .bind(Some(import).filter(|import| *import > 0))
        .bind(now)
        .bind(serde_json::json!(rows).to_string())
        .fetch_all(conn)
        .await)?;
    let mut new: HashSet<Key> =
        new.into_iter().filter_map(|(key, topic, word)| Some((key, topic, Reason::parse(&word)?.as_str()))).collect();
    if new.len() < longest.len() {
        said_again(tx, owner, import, longest.keys().filter(|key| !new.contains(*key))).await?;
    }
    let mut acting = BTreeMap::<(i64, Reason), Vec<&str>>::new();
    for (key, entry) in longest.iter().filter(|(key, entry)| new.contains(*key) && entry.holds(now)) {
        acting.entry((entry.topic, entry.reason)).or_default().push(&key.0);
    }
    for ((topic, reason), keys) in acting {
        if act::sends(tx, owner, topic).await? {
            act::leave_out(tx, &act::Why { owner, topic, reason, delivery: None, now }, &keys).await?;
        }
    }
    // The same address twice is new once.
    Ok(entries.iter().map(|entry| if new.remove(&entry.key()) { Added::New } else { Added::Known }).collect())
}

/// What a file brought and is said again, otherwise than by that file, does not go with it any more.
async fn said_again(tx: &mut Tx, owner: i64, import: i64, keys: impl Iterator<Item = &Key>) -> DbResult<()> {
    let list = match tx {
        Tx::Sqlite(_) => {
            "SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]')
             FROM json_each($3)"
        }
        Tx::Postgres(_) => {
            "SELECT value->>0, CAST(value->>1 AS BIGINT), value->>2
             FROM json_array_elements(CAST($3 AS JSON)) AS e (value)"
        }
    };
    let sql = AssertSqlSafe(format!(
        "UPDATE suppressions SET import_id = NULL WHERE owner_id = $1 AND import_id <> $2
         AND (address_key, topic_id, reason) IN ({list})"
    ));
    let keys: Vec<&Key> = keys.collect();
    on_tx!(tx, conn => sqlx::query(sql)
        .bind(owner)
        .bind(import)
        .bind(serde_json::json!(keys).to_string())
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Which of some entries an owner has already, for as long.
///
/// # Errors
/// Database errors.
pub async fn known(db: &Db, owner: i64, entries: &[Given<'_>]) -> DbResult<Vec<bool>> {
    let list = match db {
        Db::Sqlite { .. } => "SELECT value FROM json_each($2)",
        Db::Postgres(_) => "SELECT json_array_elements_text($2::json)",
    };
    let sql = AssertSqlSafe(format!(
        "SELECT address_key, topic_id, reason, until FROM suppressions WHERE owner_id = $1 AND address_key IN ({list})"
    ));
    let keys: Vec<Key> = entries.iter().map(Given::key).collect();
    let addresses: Vec<&str> = keys.iter().map(|(key, ..)| key.as_str()).collect();
    let found: Vec<(String, i64, String, Option<DateTime<Utc>>)> = on_db!(db, pool => sqlx::query_as(sql)
        .bind(owner)
        .bind(serde_json::json!(addresses).to_string())
        .fetch_all(pool)
        .await)?;
    let found: HashMap<Key, Option<DateTime<Utc>>> = found
        .into_iter()
        .filter_map(|(key, topic, word, until)| Some(((key, topic, Reason::parse(&word)?.as_str()), until)))
        .collect();
    let is_known = |(entry, key): (&Given<'_>, &Key)| found.get(key).is_some_and(|until| !entry.outlasts(*until));
    Ok(entries.iter().zip(&keys).map(is_known).collect())
}

/// Whether an owner has open runs at all, so that an entry has more to do.
///
/// # Errors
/// Database errors.
pub async fn any_open(db: &Db, owner: i64) -> DbResult<bool> {
    let sql = AssertSqlSafe(act::sends_sql());
    Ok(on_db!(db, pool => sqlx::query_scalar(sql).bind(owner).bind(NO_TOPIC).fetch_one(pool).await)?)
}

/// How many entries of an import are there.
///
/// # Errors
/// Database errors.
pub async fn count_of_import(db: &Db, owner: i64, import: i64) -> DbResult<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM suppressions WHERE owner_id = $1 AND import_id = $2";
    Ok(on_db!(db, pool => sqlx::query_scalar(SQL).bind(owner).bind(import).fetch_one(pool).await)?)
}

/// Takes up to `limit` entries of an import out, for the runs to come, and returns how many went.
///
/// # Errors
/// Database errors.
pub async fn lift_of_import(tx: &mut Tx, owner: i64, import: i64, limit: i64) -> DbResult<u64> {
    // Asked twice: a reader may say it again while this waits for the row.
    const SQL: &str = "DELETE FROM suppressions WHERE owner_id = $1 AND import_id = $2 AND id IN
        (SELECT id FROM suppressions WHERE owner_id = $1 AND import_id = $2 ORDER BY id LIMIT $3)";
    Ok(on_tx!(tx, conn => sqlx::query(SQL)
        .bind(owner)
        .bind(import)
        .bind(limit)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?)
}
