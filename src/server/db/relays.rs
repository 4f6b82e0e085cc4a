//! Tables `relays` and `relay_pauses`: the mail servers that administrators have added, and those that
//! refused user and password. Usage and limits stand in `relay_usage.rs`.

use super::{Db, DbError, DbResult, Tx, on_db, on_tx, word};
use crate::domain::relay::{Fault, Limits, RelaySettings, TlsMode, Trouble};
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// A relay as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub settings: RelaySettings,
    /// As `server::seal` made it; empty without a user.
    pub sealed: String,
}

/// What a password is sealed for: with another host or user it cannot be opened, so that nobody can
/// have it sent elsewhere.
pub fn context(settings: &RelaySettings) -> String {
    format!("{}\n{}", settings.host, settings.user)
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    name: String,
    host: String,
    port: i64,
    tls: String,
    username: String,
    password: String,
    connections: i64,
    per_second: Option<i64>,
    per_hour: Option<i64>,
    per_day: Option<i64>,
    priority: i64,
    enabled: bool,
}

impl Row {
    fn into_stored(self) -> DbResult<Stored> {
        let settings = RelaySettings {
            id: self.id,
            name: self.name,
            host: self.host,
            port: u16::try_from(self.port)
                .map_err(|_| DbError::Corrupt { column: "relays.port", value: self.port.to_string() })?,
            tls: word("relays.tls", &self.tls, TlsMode::parse)?,
            user: self.username,
            has_password: !self.password.is_empty(),
            connections: self.connections,
            limits: Limits { second: self.per_second, hour: self.per_hour, day: self.per_day },
            priority: self.priority,
            enabled: self.enabled,
        };
        Ok(Stored { settings, sealed: self.password })
    }
}

const COLUMNS: &str = "SELECT id, name, host, port, tls, username, password, connections, per_second, per_hour,
    per_day, priority, enabled FROM relays";

/// All relays, the one that goes first at the top. There are few: no pages.
pub async fn all(db: &Db) -> DbResult<Vec<Stored>> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} ORDER BY priority, id"));
    let rows: Vec<Row> = on_db!(db, pool => sqlx::query_as(sql).fetch_all(pool).await)?;
    rows.into_iter().map(Row::into_stored).collect()
}

/// One relay.
pub async fn get(db: &Db, id: i64) -> DbResult<Option<Stored>> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE id = $1"));
    let row: Option<Row> = on_db!(db, pool => sqlx::query_as(sql).bind(id).fetch_optional(pool).await)?;
    row.map(Row::into_stored).transpose()
}

/// The relay of that name, whatever its case.
pub async fn by_name(db: &Db, name: &str) -> DbResult<Option<Stored>> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE name_key = $1"));
    let row: Option<Row> =
        on_db!(db, pool => sqlx::query_as(sql).bind(name.to_lowercase()).fetch_optional(pool).await)?;
    row.map(Row::into_stored).transpose()
}

/// Stores a relay, a new one while its id is 0; returns the id, or none if there is no such row.
///
/// # Errors
/// A duplicate (see `DbError::is_duplicate`) if the name is taken.
pub async fn save(tx: &mut Tx, relay: &Stored, now: DateTime<Utc>) -> DbResult<Option<i64>> {
    const INSERT: &str = "INSERT INTO relays (name, name_key, host, port, tls, username, password, connections,
        per_second, per_hour, per_day, priority, enabled, created_at, updated_at)
        VALUES ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15) RETURNING id + 0 * $1";
    const UPDATE: &str = "UPDATE relays SET name = $2, name_key = $3, host = $4, port = $5, tls = $6, username = $7,
        password = $8, connections = $9, per_second = $10, per_hour = $11, per_day = $12, priority = $13,
        enabled = $14, updated_at = $15 WHERE id = $1 RETURNING id";
    let RelaySettings { id, name, host, port, tls, user, connections, limits, priority, enabled, .. } = &relay.settings;
    let sql = if *id == 0 { INSERT } else { UPDATE };
    Ok(on_tx!(tx, conn => sqlx::query_scalar(sql)
        .bind(id)
        .bind(name)
        .bind(name.to_lowercase())
        .bind(host)
        .bind(i64::from(*port))
        .bind(tls.as_str())
        .bind(user)
        .bind(&relay.sealed)
        .bind(connections)
        .bind(limits.second)
        .bind(limits.hour)
        .bind(limits.day)
        .bind(priority)
        .bind(enabled)
        .bind(now)
        .fetch_optional(conn)
        .await)?)
}

/// Switches a relay on or off; false if there is none.
pub async fn set_enabled(tx: &mut Tx, id: i64, enabled: bool, now: DateTime<Utc>) -> DbResult<bool> {
    const SQL: &str = "UPDATE relays SET enabled = $2, updated_at = $3 WHERE id = $1";
    let rows = on_tx!(tx, conn => sqlx::query(SQL)
        .bind(id)
        .bind(enabled)
        .bind(now)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Removes a relay and what is known of it; false if there is none. Attempts keep its name.
pub async fn delete(tx: &mut Tx, id: i64) -> DbResult<bool> {
    const FIRST: &str = "DELETE FROM relays WHERE id = $1";
    const OTHERS: [&str; 4] = [
        "DELETE FROM relay_pauses WHERE relay_id = $1",
        "DELETE FROM relay_usage WHERE relay_id = $1",
        "DELETE FROM relay_holds WHERE relay_id = $1",
        "DELETE FROM relay_reports WHERE relay_id = $1",
    ];
    let rows = on_tx!(&mut *tx, conn => sqlx::query(FIRST)
        .bind(id)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    for sql in OTHERS {
        on_tx!(&mut *tx, conn => sqlx::query(sql).bind(id).execute(conn).await.map(drop))?;
    }
    Ok(rows == 1)
}

/// Why a relay is paused, and for which settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    pub fingerprint: String,
    pub trouble: Trouble,
}

/// Pauses a relay until somebody acts.
pub async fn pause(tx: &mut Tx, id: i64, pause: &Pause) -> DbResult<()> {
    const SQL: &str = "INSERT INTO relay_pauses (relay_id, fingerprint, fault, at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (relay_id) DO UPDATE SET fingerprint = $2, fault = $3, at = $4,
        told = relay_pauses.told AND relay_pauses.fingerprint = $2";
    let fault = serde_json::to_string(&pause.trouble.fault).unwrap_or_default();
    on_tx!(tx, conn => sqlx::query(SQL)
        .bind(id)
        .bind(&pause.fingerprint)
        .bind(fault)
        .bind(pause.trouble.at)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Ends a relay's pause.
pub async fn resume(tx: &mut Tx, id: i64) -> DbResult<()> {
    const SQL: &str = "DELETE FROM relay_pauses WHERE relay_id = $1";
    on_tx!(tx, conn => sqlx::query(SQL).bind(id).execute(conn).await.map(drop))?;
    Ok(())
}

/// All pauses, by relay.
pub async fn pauses(db: &Db) -> DbResult<HashMap<i64, Pause>> {
    const SQL: &str = "SELECT relay_id, fingerprint, fault, at FROM relay_pauses";
    let rows: Vec<(i64, String, String, DateTime<Utc>)> =
        on_db!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?;
    rows.into_iter()
        .map(|(id, fingerprint, fault, at)| {
            let fault: Fault = word("relay_pauses.fault", &fault, |text| serde_json::from_str(text).ok())?;
            Ok((id, Pause { fingerprint, trouble: Trouble { at, fault } }))
        })
        .collect()
}
