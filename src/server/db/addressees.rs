//! Whom a letter went to: from its delivery, or, once its mailing is deleted, from the table `former_deliveries`.

use super::address::{address_key, key_of};
use super::{Db, DbResult, Tx, on_db, on_tx, word};
use crate::domain::email::EmailAddress;
use crate::domain::lang::Lang;
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;
use std::collections::BTreeMap;

/// The recipient of a letter, and who sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressee {
    pub delivery: i64,
    pub owner: i64,
    /// The owner's name, which the letter showed as its sender.
    pub sender: String,
    /// The address that the letter went to, whatever its client has by now.
    pub email: EmailAddress,
    /// What the letter was about, or [`NO_TOPIC`](crate::domain::suppression::NO_TOPIC): also where that topic is gone, since
    /// to leave it would be to leave nothing.
    pub topic: i64,
    pub lang: Lang,
    /// The letter's run; none once its mailing is deleted.
    pub run: Option<i64>,
}

/// Whom a delivery was for. None if it never was, or its owner's account is gone.
///
/// # Errors
/// Database errors.
pub async fn of(db: &Db, delivery: i64) -> DbResult<Option<Addressee>> {
    #[derive(sqlx::FromRow)]
    struct Row {
        owner_id: i64,
        name: String,
        email: String,
        topic_id: i64,
        lang: String,
        run_id: Option<i64>,
    }
    const SQL: &str = "SELECT g.owner_id, u.name, d.email, COALESCE(t.id, 0) AS topic_id, r.lang, d.run_id
        FROM deliveries d JOIN runs r ON r.id = d.run_id LEFT JOIN topics t ON t.id = r.topic_id JOIN mailings g ON g.id = r.mailing_id JOIN users u ON u.id = g.owner_id
        WHERE d.id = $1 AND u.deleted_at IS NULL
        UNION ALL SELECT f.owner_id, u.name, f.email, COALESCE(t.id, 0), f.lang, CAST(NULL AS BIGINT)
        FROM former_deliveries f JOIN users u ON u.id = f.owner_id LEFT JOIN topics t ON t.id = f.topic_id WHERE f.id = $1 AND u.deleted_at IS NULL";
    let row: Option<Row> = on_db!(db, pool => sqlx::query_as(SQL).bind(delivery).fetch_optional(pool).await)?;
    row.and_then(|row| Some((EmailAddress::parse(&row.email).ok()?, row)))
        .map(|(email, row)| {
            Ok(Addressee {
                delivery,
                owner: row.owner_id,
                sender: row.name,
                email,
                topic: row.topic_id,
                lang: word("runs.lang", &row.lang, Lang::parse)?,
                run: row.run_id,
            })
        })
        .transpose()
}

/// The newest letter that each user's mailings have sent to an address, of at most `most` users who have it as a client, and
/// as many whose mailings to it are deleted.
///
/// # Errors
/// Database errors.
pub async fn newest(db: &Db, email: &EmailAddress, most: i64) -> DbResult<Vec<i64>> {
    /// Letters of one client that are looked at: it may have had another address.
    const LOOKED_AT: i64 = 20;
    const WHO: &str = "SELECT c.id, c.owner_id FROM clients c JOIN users u ON u.id = c.owner_id
        WHERE c.address_key = $1 AND u.deleted_at IS NULL ORDER BY c.id LIMIT $2";
    const FORMER: &str = "SELECT MAX(f.id), f.owner_id FROM former_deliveries f JOIN users u ON u.id = f.owner_id
        WHERE f.address_key = $1 AND u.deleted_at IS NULL GROUP BY f.owner_id ORDER BY f.owner_id LIMIT $2";
    const LETTERS: &str = "SELECT d.id, d.email FROM mailings g JOIN runs r ON r.mailing_id = g.id
        JOIN deliveries d ON d.run_id = r.id AND d.client_id = $1
        WHERE g.owner_id = $2 AND d.attempts > 0 ORDER BY d.id DESC LIMIT $3";
    let key = address_key(email);
    let who: Vec<(i64, i64)> = on_db!(db, pool => sqlx::query_as(WHO).bind(&key).bind(most).fetch_all(pool).await)?;
    let mut newest: BTreeMap<i64, i64> = BTreeMap::new();
    for (client, owner) in who {
        let letters: Vec<(i64, String)> = on_db!(db, pool => sqlx::query_as(LETTERS)
            .bind(client)
            .bind(owner)
            .bind(LOOKED_AT)
            .fetch_all(pool)
            .await)?;
        if let Some((id, _)) = letters.into_iter().find(|(_, email)| key_of(email) == key) {
            let known = newest.entry(owner).or_insert(id);
            *known = id.max(*known);
        }
    }
    let former: Vec<(i64, i64)> =
        on_db!(db, pool => sqlx::query_as(FORMER).bind(&key).bind(most).fetch_all(pool).await)?;
    for (id, owner) in former {
        let known = newest.entry(owner).or_insert(id);
        *known = id.max(*known);
    }
    Ok(newest.into_values().collect())
}

/// Keeps whom the letters of a mailing went to that is about to be deleted.
///
/// # Errors
/// Database errors.
pub async fn keep(tx: &mut Tx, owner: i64, mailing: i64, now: DateTime<Utc>) -> DbResult<()> {
    // Few addresses are beyond ASCII, which the databases do not fold.
    const BEYOND: &str = "SELECT id, email FROM former_deliveries WHERE address_key = '' AND owner_id = $1";
    const KEY: &str = "UPDATE former_deliveries SET address_key = $2 WHERE id = $1";
    let is_ascii = match tx {
        Tx::Sqlite(_) => "d.email NOT GLOB '*[^ -~]*'",
        Tx::Postgres(_) => "d.email ~ '^[ -~]*$'",
    };
    let sql = AssertSqlSafe(format!(
        "INSERT INTO former_deliveries (id, owner_id, email, topic_id, lang, deleted_at, address_key)
         SELECT d.id, g.owner_id, d.email, r.topic_id, r.lang, $3, CASE WHEN {is_ascii} THEN LOWER(d.email) ELSE '' END
         FROM mailings g JOIN runs r ON r.mailing_id = g.id JOIN deliveries d ON d.run_id = r.id
         WHERE g.id = $1 AND g.owner_id = $2 AND d.attempts > 0"
    ));
    on_tx!(&mut *tx, conn => sqlx::query(sql).bind(mailing).bind(owner).bind(now).execute(conn).await.map(drop))?;
    let beyond: Vec<(i64, String)> =
        on_tx!(&mut *tx, conn => sqlx::query_as(BEYOND).bind(owner).fetch_all(conn).await)?;
    for (id, email) in beyond {
        on_tx!(&mut *tx, conn => sqlx::query(KEY).bind(id).bind(key_of(&email)).execute(conn).await.map(drop))?;
    }
    Ok(())
}

/// Gives some of those beyond ASCII, of before there were keys, theirs; says how many.
///
/// # Errors
/// Database errors.
pub async fn fold(tx: &mut Tx, limit: i64) -> DbResult<usize> {
    const BEYOND: &str = "SELECT id, email FROM former_deliveries WHERE address_key = '' ORDER BY id LIMIT $1";
    const KEY: &str = "UPDATE former_deliveries SET address_key = $2 WHERE id = $1";
    let beyond: Vec<(i64, String)> =
        on_tx!(&mut *tx, conn => sqlx::query_as(BEYOND).bind(limit).fetch_all(conn).await)?;
    for (id, email) in &beyond {
        on_tx!(&mut *tx, conn => sqlx::query(KEY).bind(id).bind(key_of(email)).execute(conn).await.map(drop))?;
    }
    Ok(beyond.len())
}

/// Forgets some of those whose mailings were deleted before an instant; says how many.
///
/// # Errors
/// Database errors.
pub async fn forget_old(tx: &mut Tx, before: DateTime<Utc>, limit: i64) -> DbResult<u64> {
    const SQL: &str = "DELETE FROM former_deliveries WHERE id IN
        (SELECT id FROM former_deliveries WHERE deleted_at < $1 ORDER BY deleted_at LIMIT $2)";
    Ok(on_tx!(tx, conn => sqlx::query(SQL)
        .bind(before)
        .bind(limit)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?)
}
