//! Table `suppressions`: addresses that are left out because a mail server said they do not exist.

use super::claims::WAITS;
use super::{Db, DbResult, Tx, mailings, on_db, on_tx, runs};
use crate::domain::client::Suppression;
use crate::domain::delivery::{Attempt, AttemptStatus, Stage};
use crate::domain::email::EmailAddress;
use crate::domain::mailing::Counts;
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;
use std::collections::BTreeMap;

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

/// Puts the address of a delivery on its owner's list, and leaves it out of the owner's other open runs
/// as far as it is not in hand there.
pub async fn add(tx: &mut Tx, delivery: i64, attempt: &Attempt, now: DateTime<Utc>) -> DbResult<()> {
    const WHOSE: &str = "SELECT d.email, d.client_id, g.owner_id FROM deliveries d JOIN runs r ON r.id = d.run_id
        JOIN mailings g ON g.id = r.mailing_id WHERE d.id = $1";
    const ADD: &str = "INSERT INTO suppressions (owner_id, email_key, since, code, reply) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT DO NOTHING";
    const OPEN: &str = "(SELECT r.id FROM runs r JOIN mailings g ON g.id = r.mailing_id
        WHERE r.state = 'open' AND g.owner_id = $1)";
    let whose: Option<(String, i64, i64)> =
        on_tx!(&mut *tx, conn => sqlx::query_as(WHOSE).bind(delivery).fetch_optional(conn).await)?;
    let Some((email, client, owner)) = whose else { return Ok(()) };
    let Ok(email) = EmailAddress::parse(&email) else { return Ok(()) };
    on_tx!(&mut *tx, conn => sqlx::query(ADD)
        .bind(owner)
        .bind(email.key())
        .bind(now)
        .bind(attempt.code.unwrap_or_default())
        .bind(&attempt.reply)
        .execute(conn)
        .await
        .map(drop))?;
    if let Tx::Postgres(tx) = tx {
        // Nobody takes it in order meanwhile.
        let sql = format!("SELECT run_id FROM queues WHERE run_id IN {OPEN} ORDER BY run_id FOR SHARE");
        sqlx::query(AssertSqlSafe(sql)).bind(owner).execute(&mut **tx).await?;
    }
    let leave_out = AssertSqlSafe(format!(
        "UPDATE deliveries SET state = 'not_sent', reason = 'suppressed', loose = FALSE
         WHERE client_id = $2 AND {WAITS} AND run_id IN {OPEN} RETURNING run_id, attempts > 0"
    ));
    let out: Vec<(i64, bool)> =
        on_tx!(&mut *tx, conn => sqlx::query_as(leave_out).bind(owner).bind(client).fetch_all(conn).await)?;
    left_out(tx, &out, |counts| &mut counts.not_sent, now).await
}

/// Moves deliveries in their runs' counters to where they went, and closes runs that are through. Each is
/// given by its run, and whether it had been deferred.
pub(super) async fn left_out(
    tx: &mut Tx,
    deliveries: &[(i64, bool)],
    to: impl Fn(&mut Counts) -> &mut i64,
    now: DateTime<Utc>,
) -> DbResult<()> {
    let mut changes = BTreeMap::<i64, Counts>::new();
    for (run, deferred) in deliveries {
        let change = changes.entry(*run).or_default();
        *(if *deferred { &mut change.deferred } else { &mut change.waiting }) -= 1;
        *to(change) += 1;
    }
    for (run, change) in changes {
        runs::count(tx, run, &change).await?;
        if runs::close(tx, run, now).await? {
            mailings::finish_after(tx, run).await?;
        }
    }
    Ok(())
}

/// Why the owner's mailings leave an address out, if they do.
pub async fn get(db: &Db, owner: i64, email_key: &str) -> DbResult<Option<Suppression>> {
    const SQL: &str = "SELECT since, reply FROM suppressions WHERE owner_id = $1 AND email_key = $2";
    let row: Option<(DateTime<Utc>, String)> =
        on_db!(db, pool => sqlx::query_as(SQL).bind(owner).bind(email_key).fetch_optional(pool).await)?;
    Ok(row.map(|(since, reply)| Suppression { since, reply }))
}

/// Takes an address off the owner's list. False if it was not on it.
pub async fn lift(tx: &mut Tx, owner: i64, email_key: &str) -> DbResult<bool> {
    const SQL: &str = "DELETE FROM suppressions WHERE owner_id = $1 AND email_key = $2";
    let rows = on_tx!(tx, conn => sqlx::query(SQL)
        .bind(owner)
        .bind(email_key)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
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
