//! Entering many addresses at once.

use super::super::address::address_key;
use super::super::{DbResult, Tx, on_tx};
use super::{Added, NewEntry, act};
use crate::domain::email::EmailAddress;
use sqlx::AssertSqlSafe;
use std::collections::HashSet;

/// Enters addresses that have all else in common with `like`, each as [`super::add`] does, and says what became of each.
/// Entries that are there stay as they are. One statement enters them all, in one order for everybody, so that of two files one
/// waits for the other; where the owner has no open run nothing else is done.
///
/// # Errors
/// Database errors.
pub async fn add_all(tx: &mut Tx, like: &NewEntry<'_>, emails: &[&EmailAddress]) -> DbResult<Vec<Added>> {
    let list = match tx {
        Tx::Sqlite(_) => {
            "SELECT json_extract(value, '$[0]') AS key, json_extract(value, '$[1]') AS email FROM json_each($2)"
        }
        Tx::Postgres(_) => {
            "SELECT value->>0 AS key, value->>1 AS email FROM json_array_elements(CAST($2 AS JSON)) AS e (value)"
        }
    };
    let sql = AssertSqlSafe(format!(
        "INSERT INTO suppressions
         (owner_id, address_key, email, topic_id, reason, source, since, until, evidence, actor, delivery_id)
         SELECT $1, key, email, $3, $4, $5, $6, NULL, $7, $8, NULL FROM ({list}) given WHERE TRUE ORDER BY key
         ON CONFLICT (owner_id, address_key, topic_id, reason) DO NOTHING RETURNING address_key"
    ));
    let keys: Vec<String> = emails.iter().map(|email| address_key(email)).collect();
    let pairs: Vec<(&str, &str)> =
        keys.iter().map(String::as_str).zip(emails.iter().map(|email| email.as_str())).collect();
    let new: Vec<String> = on_tx!(&mut *tx, conn => sqlx::query_scalar(sql)
        .bind(like.owner)
        .bind(serde_json::json!(pairs).to_string())
        .bind(like.topic)
        .bind(like.reason.as_str())
        .bind(like.source.as_str())
        .bind(like.since)
        .bind(like.evidence)
        .bind(like.actor)
        .fetch_all(conn)
        .await)?;
    let open = !new.is_empty() && act::sends(tx, like.owner, like.topic).await?;
    // The same address twice is new once.
    let mut new: HashSet<String> = new.into_iter().collect();
    let mut added = Vec::with_capacity(emails.len());
    for (key, email) in keys.iter().zip(emails) {
        if !new.remove(key) {
            added.push(Added::Known);
            continue;
        }
        if open {
            act::leave_out(tx, &NewEntry { email, ..like.clone() }, key).await?;
        }
        added.push(Added::New);
    }
    Ok(added)
}
