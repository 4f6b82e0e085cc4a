//! What users may have at most, and how much of it they have: clients, and letters on a day (UTC), which
//! are counted in the table `letter_days`.

use super::{Db, DbResult, Tx, claims, number_list, on_db, on_tx};
use crate::domain::mailing::Held;
use crate::domain::settings::UserLimits;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use std::collections::BTreeMap;

/// A limit of the user `u`: their own, or that of the settings.
pub(super) const LETTERS_MAX: &str = "COALESCE(u.letters_max, (SELECT CAST(s.value AS BIGINT) FROM settings s
    WHERE s.key = 'letters_max'))";
const CLIENTS_MAX: &str = "COALESCE(u.clients_max, (SELECT CAST(s.value AS BIGINT) FROM settings s
    WHERE s.key = 'clients_max'))";

/// Whether the letters of the user `u` have used up the day that the parameter names.
pub(super) fn used_up(parameter: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM letter_days l WHERE l.owner_id = u.id AND l.day = {parameter} AND l.n >= {LETTERS_MAX})"
    )
}

/// The day of an instant, as the table writes it.
pub fn day_of(at: DateTime<Utc>) -> String {
    at.date_naive().to_string()
}

/// When the day after an instant begins.
pub fn next_day(at: DateTime<Utc>) -> DateTime<Utc> {
    let day = at.date_naive().checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX);
    day.and_time(NaiveTime::MIN).and_utc()
}

/// Gives a user limits of their own; none follows the settings. False if there is no such user.
pub async fn set(tx: &mut Tx, user: i64, limits: UserLimits) -> DbResult<bool> {
    const SQL: &str = "UPDATE users SET clients_max = $2, letters_max = $3 WHERE id = $1";
    let rows = on_tx!(tx, conn => sqlx::query(SQL)
        .bind(user)
        .bind(limits.clients)
        .bind(limits.letters)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// How many clients a user may have, and how many more; none without a limit. Whoever else asks waits for
/// the end of the transaction, so that two imports cannot fill the same room.
pub async fn clients_room(tx: &mut Tx, owner: i64) -> DbResult<Option<(i64, i64)>> {
    // As many rows are counted as the limit has, and no more.
    const COUNT: &str = "SELECT COUNT(*) FROM (SELECT 1 AS one FROM clients WHERE owner_id = $1 LIMIT $2) c";
    let lock = match tx {
        Tx::Sqlite(_) => "",
        // Rows that refer to the user may be written meanwhile.
        Tx::Postgres(_) => "FOR NO KEY UPDATE",
    };
    let sql = sqlx::AssertSqlSafe(format!("SELECT {CLIENTS_MAX} FROM users u WHERE u.id = $1"));
    let limit: Option<Option<i64>> =
        on_tx!(&mut *tx, conn => sqlx::query_scalar(sql).bind(owner).fetch_optional(conn).await)?;
    let Some(limit) = limit.flatten() else { return Ok(None) };
    let sql = sqlx::AssertSqlSafe(format!("SELECT id FROM users WHERE id = $1 {lock}"));
    on_tx!(&mut *tx, conn => sqlx::query(sql).bind(owner).execute(conn).await.map(drop))?;
    let count: i64 = on_tx!(tx, conn => sqlx::query_scalar(COUNT).bind(owner).bind(limit).fetch_one(conn).await)?;
    Ok(Some((limit, limit - count)))
}

/// Letters that are in the hands of engines: they may leave, or come back.
fn in_hand() -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(format!(
        "SELECT CAST(COALESCE(SUM({}), 0) AS BIGINT) FROM runs r JOIN mailings g ON g.id = r.mailing_id
         WHERE r.state = 'open' AND g.owner_id = $1",
        claims::in_hand("r.id", "d.run_id = r.id")
    ))
}

/// How many letters of an owner with this limit may be claimed now. The owner's count is held until the
/// transaction ends: nobody else claims or counts meanwhile, so that what left and what is in hand never
/// exceed the limit, whichever process has it.
pub async fn letters_left(tx: &mut Tx, owner: i64, limit: i64, now: DateTime<Utc>) -> DbResult<i64> {
    const LOCK: &str = "INSERT INTO letter_days (owner_id, day, n) VALUES ($1, $2, 0)
        ON CONFLICT (owner_id, day) DO UPDATE SET n = letter_days.n RETURNING n";
    let n: i64 =
        on_tx!(&mut *tx, conn => sqlx::query_scalar(LOCK).bind(owner).bind(day_of(now)).fetch_one(conn).await)?;
    let in_hand: i64 = on_tx!(tx, conn => sqlx::query_scalar(in_hand()).bind(owner).fetch_one(conn).await)?;
    Ok((limit - n - in_hand).max(0))
}

/// Counts a letter that leaves outside any run, if the owner's limit has room for it; the owner's count is held until
/// the transaction ends.
pub async fn take_letter(tx: &mut Tx, owner: i64, now: DateTime<Utc>) -> DbResult<bool> {
    const ADD: &str = "INSERT INTO letter_days (owner_id, day, n) VALUES ($1, $2, 1)
        ON CONFLICT (owner_id, day) DO UPDATE SET n = letter_days.n + 1";
    let sql = sqlx::AssertSqlSafe(format!("SELECT {LETTERS_MAX} FROM users u WHERE u.id = $1"));
    let limit: Option<i64> = on_tx!(&mut *tx, conn => sqlx::query_scalar(sql).bind(owner).fetch_one(conn).await)?;
    if let Some(limit) = limit
        && letters_left(tx, owner, limit, now).await? == 0
    {
        return Ok(false);
    }
    on_tx!(tx, conn => sqlx::query(ADD).bind(owner).bind(day_of(now)).execute(conn).await.map(drop))?;
    Ok(true)
}

/// Takes back a letter that [`take_letter`] counted at `at`: it did not leave.
pub async fn give_letter_back(tx: &mut Tx, owner: i64, at: DateTime<Utc>) -> DbResult<()> {
    const LESS: &str = "UPDATE letter_days SET n = n - 1 WHERE owner_id = $1 AND day = $2";
    const NONE: &str = "DELETE FROM letter_days WHERE owner_id = $1 AND day = $2 AND n <= 0";
    for sql in [LESS, NONE] {
        on_tx!(&mut *tx, conn => sqlx::query(sql).bind(owner).bind(day_of(at)).execute(conn).await.map(drop))?;
    }
    Ok(())
}

/// Whether nothing of an owner's may be claimed until the next day, or until what is in hand comes back.
pub async fn is_used_up(db: &Db, owner: i64, limit: i64, now: DateTime<Utc>) -> DbResult<bool> {
    let in_hand: i64 = on_db!(db, pool => sqlx::query_scalar(in_hand()).bind(owner).fetch_one(pool).await)?;
    Ok(letters_on(db, owner, now).await? + in_hand >= limit)
}

/// Letters of an owner that left on the day of that instant.
pub async fn letters_on(db: &Db, owner: i64, at: DateTime<Utc>) -> DbResult<i64> {
    const SQL: &str = "SELECT n FROM letter_days WHERE owner_id = $1 AND day = $2";
    let n: Option<i64> =
        on_db!(db, pool => sqlx::query_scalar(SQL).bind(owner).bind(day_of(at)).fetch_optional(pool).await)?;
    Ok(n.unwrap_or_default())
}

/// How many letters an owner may send on a day, and how many of today's have left; none without a limit.
pub async fn daily(db: &Db, owner: i64, now: DateTime<Utc>) -> DbResult<Option<(i64, i64)>> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT {LETTERS_MAX} FROM users u WHERE u.id = $1"));
    let limit: Option<Option<i64>> =
        on_db!(db, pool => sqlx::query_scalar(sql).bind(owner).fetch_optional(pool).await)?;
    Ok(match limit.flatten() {
        Some(limit) => Some((limit, letters_on(db, owner, now).await?)),
        None => None,
    })
}

/// What keeps an owner's mailings until the next day, if anything does.
pub async fn held(db: &Db, owner: i64, now: DateTime<Utc>) -> DbResult<Option<Held>> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT {LETTERS_MAX} FROM users u WHERE u.id = $1 AND {}", used_up("$2")));
    let limit: Option<i64> =
        on_db!(db, pool => sqlx::query_scalar(sql).bind(owner).bind(day_of(now)).fetch_optional(pool).await)?;
    Ok(limit.map(|limit| Held { limit, until: next_day(now) }))
}

/// Counts letters that left, by run and day.
pub async fn count_letters(tx: &mut Tx, left: &BTreeMap<(i64, NaiveDate), i64>) -> DbResult<()> {
    const ADD: &str = "INSERT INTO letter_days (owner_id, day, n) SELECT id, $2, $3 FROM users WHERE id = $1
        ON CONFLICT (owner_id, day) DO UPDATE SET n = letter_days.n + excluded.n";
    if left.is_empty() {
        return Ok(());
    }
    let runs: Vec<i64> = left.keys().map(|(run, _)| *run).collect();
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT r.id, g.owner_id FROM runs r JOIN mailings g ON g.id = r.mailing_id WHERE r.id IN ({})",
        number_list(&runs)
    ));
    let owners: Vec<(i64, i64)> =
        on_tx!(&mut *tx, conn => sqlx::query_as(sql).persistent(false).fetch_all(conn).await)?;
    let owners: BTreeMap<i64, i64> = owners.into_iter().collect();
    let mut sums: BTreeMap<(i64, NaiveDate), i64> = BTreeMap::new();
    for ((run, day), n) in left {
        if let Some(owner) = owners.get(run) {
            *sums.entry((*owner, *day)).or_default() += n;
        }
    }
    // In one order, so that two engines cannot wait for each other.
    for ((owner, day), n) in sums {
        on_tx!(&mut *tx, conn => sqlx::query(ADD)
            .bind(owner)
            .bind(day.to_string())
            .bind(n)
            .execute(conn)
            .await
            .map(drop))?;
    }
    Ok(())
}

/// Forgets days that count for nothing any more.
pub async fn forget_days(tx: &mut Tx, before: NaiveDate) -> DbResult<()> {
    const SQL: &str = "DELETE FROM letter_days WHERE day < $1";
    on_tx!(tx, conn => sqlx::query(SQL).bind(before.to_string()).execute(conn).await.map(drop))?;
    Ok(())
}
