//! Table `clients`. Every function takes the owner: another's client is as good as absent.

use super::address::address_key;
use super::{Db, DbResult, Tx, WHOLE, doubles, like_pattern, on_db, on_tx};
use crate::domain::client::{Client, ClientSort, search_text};
use crate::domain::email::EmailAddress;
use crate::domain::page::Whole;
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    id: i64,
    email: String,
    full_name: String,
    comment: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Row> for Client {
    fn from(row: Row) -> Self {
        let Row { id, email, full_name, comment, created_at, updated_at } = row;
        Self { id, email, full_name, comment, created_at, updated_at }
    }
}

/// What a client is made of.
#[derive(Clone, Debug)]
pub struct NewClient {
    pub email: EmailAddress,
    pub full_name: String,
    pub comment: String,
}

/// What [`upsert`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upsert {
    Added,
    Updated,
    Skipped,
    /// It would be one more than the owner may have.
    Refused,
}

/// Where a page of the list begins: after this sort key and id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct After {
    pub key: String,
    pub id: i64,
}

/// Which of an owner's clients are meant.
#[derive(Clone, Copy, Debug, Default)]
pub struct Found<'a> {
    /// Part of the address, the name or the comment; empty for all.
    pub search: &'a str,
    /// Only those whom all of the owner's mailings leave out at this instant.
    pub left_out_at: Option<DateTime<Utc>>,
}

impl<'a> From<&'a str> for Found<'a> {
    fn from(search: &'a str) -> Self {
        Self { search, left_out_at: None }
    }
}

impl Found<'_> {
    /// SQL: that client of `$1` is meant, the pattern being `$2`, and `now` standing for the instant. From the ledger to
    /// the clients, of whom there are many more.
    fn sql(&self, now: &str) -> String {
        let found = if self.search.trim().is_empty() { "$2 = $2" } else { "search LIKE $2 ESCAPE '\\'" };
        let left_out = match self.left_out_at {
            Some(_) => format!(
                "id IN (SELECT o.id FROM suppressions s JOIN clients o ON o.owner_id = s.owner_id
                 AND o.address_key = s.address_key WHERE s.owner_id = $1 AND s.topic_id = 0
                 AND (s.until IS NULL OR s.until > {now}))"
            ),
            None => format!("{now} = {now}"),
        };
        format!("{found} AND {left_out}")
    }

    /// What is bound for the pattern and for the instant.
    fn bound(&self) -> (String, DateTime<Utc>) {
        (like_pattern(self.search), self.left_out_at.unwrap_or_default())
    }

    /// What `selections` binds, and its SQL, with the owner at `$1`, the pattern at `$2` and the instant at `$3`.
    pub(super) fn condition(&self) -> (String, (String, DateTime<Utc>)) {
        (self.sql("$3"), self.bound())
    }
}

/// Inserts a client and returns its id.
///
/// # Errors
/// A duplicate if the owner has the address already, in whatever spelling.
pub async fn insert(tx: &mut Tx, owner: i64, new: &NewClient, now: DateTime<Utc>) -> DbResult<i64> {
    const SQL: &str = "INSERT INTO clients
        (owner_id, email, email_key, full_name, full_name_key, comment, search, created_at, updated_at, address_key)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9) RETURNING id";
    Ok(on_tx!(tx, conn => sqlx::query_scalar(SQL)
        .bind(owner)
        .bind(new.email.as_str())
        .bind(new.email.key())
        .bind(&new.full_name)
        .bind(new.full_name.to_lowercase())
        .bind(&new.comment)
        .bind(search_text(new.email.as_str(), &new.full_name, &new.comment))
        .bind(now)
        .bind(address_key(&new.email))
        .fetch_one(conn)
        .await)?)
}

/// Address, name and comment of an owner's client; PostgreSQL keeps it from other writers until the end.
pub async fn lock(tx: &mut Tx, owner: i64, id: i64) -> DbResult<Option<(String, String, String)>> {
    let wait = if matches!(tx, Tx::Postgres(_)) { "FOR UPDATE" } else { "" };
    let sql =
        AssertSqlSafe(format!("SELECT email, full_name, comment FROM clients WHERE id = $1 AND owner_id = $2 {wait}"));
    Ok(on_tx!(tx, conn => sqlx::query_as(sql).bind(id).bind(owner).fetch_optional(conn).await)?)
}

/// Changes a client. False if the owner has no such client.
///
/// # Errors
/// A duplicate if another of the owner's clients has the address.
pub async fn update(tx: &mut Tx, owner: i64, id: i64, new: &NewClient, now: DateTime<Utc>) -> DbResult<bool> {
    const SQL: &str = "UPDATE clients SET email = $3, email_key = $4, full_name = $5, full_name_key = $6,
        comment = $7, search = $8, updated_at = $9, address_key = $10,
        double_id = CASE WHEN address_key = $10 THEN double_id ELSE 0 END WHERE id = $1 AND owner_id = $2";
    const KEY: &str = "SELECT address_key FROM clients WHERE id = $1 AND owner_id = $2";
    let key = address_key(&new.email);
    let before: Option<String> =
        on_tx!(&mut *tx, conn => sqlx::query_scalar(KEY).bind(id).bind(owner).fetch_optional(conn).await)?;
    let rows = on_tx!(&mut *tx, conn => sqlx::query(SQL)
        .bind(id)
        .bind(owner)
        .bind(new.email.as_str())
        .bind(new.email.key())
        .bind(&new.full_name)
        .bind(new.full_name.to_lowercase())
        .bind(&new.comment)
        .bind(search_text(new.email.as_str(), &new.full_name, &new.comment))
        .bind(now)
        .bind(&key)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    // One of those that were its doubles may stay now.
    if before.is_some_and(|before| before != key) {
        doubles::promote(tx, owner).await?;
    }
    Ok(rows == 1)
}

/// Stores name and comment of a client as they are given.
pub async fn set_texts(tx: &mut Tx, client: &Client, now: DateTime<Utc>) -> DbResult<()> {
    const SQL: &str =
        "UPDATE clients SET full_name = $2, full_name_key = $3, comment = $4, search = $5, updated_at = $6
        WHERE id = $1";
    let Client { id, email, full_name, comment, .. } = client;
    on_tx!(tx, conn => sqlx::query(SQL)
        .bind(id)
        .bind(full_name)
        .bind(full_name.to_lowercase())
        .bind(comment)
        .bind(search_text(email, full_name, comment))
        .bind(now)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Some clients of any owner whose address has no key yet: those beyond ASCII of before there were any.
pub async fn without_key(tx: &mut Tx, limit: i64) -> DbResult<Vec<(i64, String)>> {
    const SQL: &str = "SELECT id, email FROM clients WHERE address_key = '' ORDER BY id LIMIT $1";
    Ok(on_tx!(tx, conn => sqlx::query_as(SQL).bind(limit).fetch_all(conn).await)?)
}

/// Gives a client the key of its address; where its owner has that already, it is a double.
pub async fn set_key(tx: &mut Tx, id: i64, key: &str) -> DbResult<()> {
    const SQL: &str = "UPDATE clients SET address_key = $2, double_id = CASE WHEN EXISTS (SELECT 1 FROM clients o
        WHERE o.owner_id = clients.owner_id AND o.address_key = $2 AND o.id <> clients.id) THEN id ELSE 0 END
        WHERE id = $1";
    on_tx!(tx, conn => sqlx::query(SQL).bind(id).bind(key).execute(conn).await.map(drop))?;
    Ok(())
}

/// What becomes of a client in [`upsert`].
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// One that has the address already is changed.
    pub overwrite: bool,
    /// One more may be added.
    pub room: bool,
}

/// Inserts a client, or treats the one that has the address, in whatever spelling, as `way` says. Of doubles the one that
/// is spelled so is meant.
pub async fn upsert(tx: &mut Tx, owner: i64, new: &NewClient, way: Way, now: DateTime<Utc>) -> DbResult<Upsert> {
    const INSERT: &str = "INSERT INTO clients
        (owner_id, email, email_key, full_name, full_name_key, comment, search, created_at, updated_at, address_key)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9) ON CONFLICT DO NOTHING";
    const UPDATE: &str =
        "UPDATE clients SET email = $2, email_key = $3, full_name = $4, full_name_key = $5, comment = $6,
        search = $7, updated_at = $8 WHERE id = (SELECT id FROM clients WHERE owner_id = $1 AND address_key = $9
        ORDER BY email_key = $3 DESC, double_id LIMIT 1)";
    const KNOWN: &str = "SELECT EXISTS (SELECT 1 FROM clients WHERE owner_id = $1 AND address_key = $2)";
    let email_key = new.email.key();
    let address_key = address_key(&new.email);
    let name_key = new.full_name.to_lowercase();
    let search = search_text(new.email.as_str(), &new.full_name, &new.comment);
    for (sql, done) in [(INSERT, Upsert::Added), (UPDATE, Upsert::Updated)] {
        let wanted = if done == Upsert::Updated { way.overwrite } else { way.room };
        if !wanted {
            continue;
        }
        let rows = on_tx!(&mut *tx, conn => sqlx::query(sql)
            .bind(owner)
            .bind(new.email.as_str())
            .bind(&email_key)
            .bind(&new.full_name)
            .bind(&name_key)
            .bind(&new.comment)
            .bind(&search)
            .bind(now)
            .bind(&address_key)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        if rows == 1 {
            return Ok(done);
        }
    }
    if way.room {
        return Ok(Upsert::Skipped);
    }
    let known: bool =
        on_tx!(tx, conn => sqlx::query_scalar(KNOWN).bind(owner).bind(&address_key).fetch_one(conn).await)?;
    Ok(if known { Upsert::Skipped } else { Upsert::Refused })
}

/// Deletes those of the ids that are the owner's, and returns how many.
pub async fn delete(tx: &mut Tx, owner: i64, ids: &[i64]) -> DbResult<u64> {
    const SQL: &str = "DELETE FROM clients WHERE id = $1 AND owner_id = $2";
    let mut deleted = 0;
    for id in ids {
        deleted += on_tx!(&mut *tx, conn => sqlx::query(SQL)
            .bind(id)
            .bind(owner)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
    }
    doubles::promote(tx, owner).await?;
    Ok(deleted)
}

/// Deletes all of the owner's clients that are meant, and returns which ones they were.
pub async fn delete_found(tx: &mut Tx, owner: i64, found: Found<'_>) -> DbResult<Whole> {
    let (condition, (pattern, now)) = found.condition();
    let delete = format!("DELETE FROM clients WHERE owner_id = $1 AND {condition}");
    let count = format!("SELECT {WHOLE} FROM");
    let gone: (i64, i64) = match &mut *tx {
        Tx::Postgres(conn) => {
            let sql = AssertSqlSafe(format!("WITH gone AS ({delete} RETURNING id) {count} gone"));
            sqlx::query_as(sql).bind(owner).bind(pattern).bind(now).fetch_one(&mut **conn).await?
        }
        // What deletes answers nothing there, but nobody else writes meanwhile.
        Tx::Sqlite(conn) => {
            let sql = AssertSqlSafe(format!("{count} clients WHERE owner_id = $1 AND {condition}"));
            let gone = sqlx::query_as(sql).bind(owner).bind(&pattern).bind(now).fetch_one(&mut **conn).await?;
            sqlx::query(AssertSqlSafe(delete)).bind(owner).bind(&pattern).bind(now).execute(&mut **conn).await?;
            gone
        }
    };
    doubles::promote(tx, owner).await?;
    Ok(gone.into())
}

/// One client.
pub async fn get(db: &Db, owner: i64, id: i64) -> DbResult<Option<Client>> {
    const SQL: &str = "SELECT id, email, full_name, comment, created_at, updated_at
        FROM clients WHERE id = $1 AND owner_id = $2";
    let row: Option<Row> = on_db!(db, pool => sqlx::query_as(SQL).bind(id).bind(owner).fetch_optional(pool).await)?;
    Ok(row.map(Client::from))
}

/// The owner's clients with an address, as each spells it, the one that stays first.
pub async fn spellings(db: &Db, owner: i64, email: &EmailAddress) -> DbResult<Vec<String>> {
    const SQL: &str = "SELECT email FROM clients WHERE owner_id = $1 AND address_key = $2 ORDER BY double_id";
    Ok(on_db!(db, pool => sqlx::query_scalar(SQL).bind(owner).bind(address_key(email)).fetch_all(pool).await)?)
}

/// Which of these addresses (as [`address_key`] folds them) the owner has.
pub async fn known(db: &Db, owner: i64, keys: &[String]) -> DbResult<Vec<String>> {
    const SQLITE: &str = "SELECT address_key FROM clients
        WHERE owner_id = $1 AND address_key IN (SELECT value FROM json_each($2))";
    const POSTGRES: &str = "SELECT address_key FROM clients
        WHERE owner_id = $1 AND address_key IN (SELECT json_array_elements_text($2::json))";
    let sql = if matches!(db, Db::Sqlite { .. }) { SQLITE } else { POSTGRES };
    let keys = serde_json::json!(keys).to_string();
    Ok(on_db!(db, pool => sqlx::query_scalar(sql).bind(owner).bind(keys).fetch_all(pool).await)?)
}

pub(super) fn list_sql(found: &Found<'_>, sort: ClientSort, descending: bool, after: bool) -> String {
    let (cmp, order) = if descending { ("<", "DESC") } else { (">", "ASC") };
    // Ids and the addresses of one owner are unique; the id decides between equal names.
    let (from, by) = match sort {
        ClientSort::Created => (format!("$3 = $3 AND id {cmp} $4"), format!("id {order}")),
        ClientSort::Email => (format!("email_key {cmp} $3 AND $4 = $4"), format!("email_key {order}")),
        ClientSort::FullName => {
            (format!("(full_name_key, id) {cmp} ($3, $4)"), format!("full_name_key {order}, id {order}"))
        }
    };
    let from = if after { from.as_str() } else { "$3 = $3 AND $4 = $4" };
    let found = found.sql("$6");
    format!(
        "SELECT id, email, full_name, comment, created_at, updated_at FROM clients
         WHERE owner_id = $1 AND {found} AND {from} ORDER BY {by} LIMIT $5"
    )
}

/// A page of the owner's clients, in the order of the column and then of the id.
pub async fn list(
    db: &Db,
    owner: i64,
    found: impl Into<Found<'_>>,
    sort: ClientSort,
    descending: bool,
    after: Option<&After>,
    limit: i64,
) -> DbResult<Vec<Client>> {
    let found = found.into();
    let sql = list_sql(&found, sort, descending, after.is_some());
    let (pattern, now) = found.bound();
    let rows: Vec<Row> = on_db!(db, pool => sqlx::query_as(AssertSqlSafe(sql))
        .bind(owner)
        .bind(pattern)
        .bind(after.map_or("", |after| after.key.as_str()))
        .bind(after.map_or(0, |after| after.id))
        .bind(limit)
        .bind(now)
        .fetch_all(pool)
        .await)?;
    Ok(rows.into_iter().map(Client::from).collect())
}

/// The owner's clients that are meant.
pub async fn whole(db: &Db, owner: i64, found: Found<'_>) -> DbResult<Whole> {
    let (condition, (pattern, now)) = found.condition();
    let sql = AssertSqlSafe(format!("SELECT {WHOLE} FROM clients WHERE owner_id = $1 AND {condition}"));
    let all: (i64, i64) =
        on_db!(db, pool => sqlx::query_as(sql).bind(owner).bind(pattern).bind(now).fetch_one(pool).await)?;
    Ok(all.into())
}

/// How many of the owner's clients are meant.
pub async fn count(db: &Db, owner: i64, found: impl Into<Found<'_>>) -> DbResult<i64> {
    Ok(whole(db, owner, found.into()).await?.total)
}
