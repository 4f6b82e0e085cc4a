//! Everything that belongs to one user, read in the order of its keys for the file that they take away.

use super::deliveries::{AFTER, STATE_OF};
use super::{Db, DbResult, on_db};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::AssertSqlSafe;

/// The account itself.
#[derive(Debug, Serialize, sqlx::FromRow)]
pub struct OwnAccount {
    pub name: String,
    pub email: String,
    pub role: String,
    pub lang: String,
    pub theme: String,
    pub zone: String,
    pub second_factor: bool,
    pub created_at: DateTime<Utc>,
    pub confirmed_at: Option<DateTime<Utc>>,
}

/// The account.
pub async fn account(db: &Db, user: i64) -> DbResult<Option<OwnAccount>> {
    const SQL: &str = "SELECT name, email, role, lang, theme, zone, totp_since IS NOT NULL AS second_factor,
        created_at, confirmed_at FROM users WHERE id = $1";
    Ok(on_db!(db, pool => sqlx::query_as(SQL).bind(user).fetch_optional(pool).await)?)
}

/// A client's address that is not written to any more.
#[derive(Debug, Serialize, sqlx::FromRow)]
pub struct OwnSuppression {
    pub id: i64,
    pub email: String,
    pub topic_id: i64,
    pub reason: String,
    pub source: String,
    pub since: DateTime<Utc>,
    pub until: Option<DateTime<Utc>>,
    pub evidence: String,
    pub actor: String,
}

/// Suppressed addresses, from after the id on.
pub async fn suppressions(db: &Db, owner: i64, after: i64, limit: i64) -> DbResult<Vec<OwnSuppression>> {
    const SQL: &str = "SELECT id, email, topic_id, reason, source, since, until, evidence, actor FROM suppressions
        WHERE owner_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    Ok(on_db!(db, pool => sqlx::query_as(SQL).bind(owner).bind(after).bind(limit).fetch_all(pool).await)?)
}

/// A message.
#[derive(Debug, Serialize, sqlx::FromRow)]
pub struct OwnMessage {
    pub id: i64,
    pub subject: String,
    pub preheader: String,
    pub body: String,
    pub design: String,
    pub design_id: Option<i64>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// Messages, from after the id on.
pub async fn messages(db: &Db, owner: i64, after: i64, limit: i64) -> DbResult<Vec<OwnMessage>> {
    const SQL: &str = "SELECT id, subject, preheader, body, design, design_id, created_at, updated_at
        FROM messages
        WHERE owner_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    Ok(on_db!(db, pool => sqlx::query_as(SQL).bind(owner).bind(after).bind(limit).fetch_all(pool).await)?)
}

/// A mailing.
#[derive(Debug, Serialize, sqlx::FromRow)]
pub struct OwnMailing {
    pub id: i64,
    pub message_id: i64,
    pub title: String,
    pub audience: String,
    pub start_local: String,
    pub zone: String,
    pub end_at: DateTime<Utc>,
    pub period: String,
    pub policy: String,
    pub status: String,
    pub paused_at: Option<DateTime<Utc>>,
    pub disabled_at: Option<DateTime<Utc>>,
    pub disabled_reason: String,
    pub created_at: DateTime<Utc>,
}

/// Mailings, from after the id on.
pub async fn mailings(db: &Db, owner: i64, after: i64, limit: i64) -> DbResult<Vec<OwnMailing>> {
    const SQL: &str = "SELECT id, message_id, title, audience, start_local, zone, end_at, period, policy, status,
        paused_at, disabled_at, disabled_reason, created_at FROM mailings
        WHERE owner_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    Ok(on_db!(db, pool => sqlx::query_as(SQL).bind(owner).bind(after).bind(limit).fetch_all(pool).await)?)
}

/// A run.
#[derive(Debug, Serialize, sqlx::FromRow)]
pub struct OwnRun {
    pub id: i64,
    pub occurrence: DateTime<Utc>,
    pub state: String,
    pub reason: String,
    pub subject: String,
    pub body: String,
    pub opened_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
}

/// Runs of a mailing, from after the occurrence on.
pub async fn runs(db: &Db, mailing: i64, after: DateTime<Utc>, limit: i64) -> DbResult<Vec<OwnRun>> {
    const SQL: &str = "SELECT id, occurrence, state, reason, subject, body, opened_at, finished_at FROM runs
        WHERE mailing_id = $1 AND occurrence > $2 ORDER BY occurrence LIMIT $3";
    Ok(on_db!(db, pool => sqlx::query_as(SQL).bind(mailing).bind(after).bind(limit).fetch_all(pool).await)?)
}

/// A delivery.
#[derive(Debug, Serialize, sqlx::FromRow)]
pub struct OwnDelivery {
    #[serde(skip)]
    pub id: i64,
    pub email: String,
    pub full_name: String,
    pub comment: String,
    pub state: String,
    pub reason: String,
}

/// Deliveries of a run in the order of their clients, from after this one on.
pub async fn deliveries(db: &Db, run: i64, after: i64, limit: i64) -> DbResult<Vec<OwnDelivery>> {
    let sql = AssertSqlSafe(format!(
        "SELECT d.id, d.email, d.full_name, d.comment, {STATE_OF} AS state, d.reason FROM deliveries d
         WHERE d.run_id = $1 AND d.client_id > {AFTER} ORDER BY d.client_id LIMIT $3"
    ));
    Ok(on_db!(db, pool => sqlx::query_as(sql).bind(run).bind(after).bind(limit).fetch_all(pool).await)?)
}

/// A post of the blog.
#[derive(Debug, Serialize, sqlx::FromRow)]
pub struct OwnPost {
    pub id: i64,
    pub lang: String,
    pub slug: String,
    pub title: String,
    pub summary: String,
    pub body: String,
    pub tags: String,
    pub published_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// Posts that the user has begun, from after the id on.
pub async fn posts(db: &Db, author: i64, after: i64, limit: i64) -> DbResult<Vec<OwnPost>> {
    const SQL: &str = "SELECT id, lang, slug, title, summary, body, tags, published_at, created_at, updated_at
        FROM posts WHERE author_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    Ok(on_db!(db, pool => sqlx::query_as(SQL).bind(author).bind(after).bind(limit).fetch_all(pool).await)?)
}

/// How much there is of each kind: clients, messages, mailings, deliveries.
pub async fn counts(db: &Db, owner: i64) -> DbResult<(i64, i64, i64, i64)> {
    const SQL: &str = "SELECT (SELECT COUNT(*) FROM clients WHERE owner_id = $1),
        (SELECT COUNT(*) FROM messages WHERE owner_id = $1), (SELECT COUNT(*) FROM mailings WHERE owner_id = $1),
        (SELECT CAST(COALESCE(SUM(r.waiting + r.deferred + r.sent + r.failed + r.unknown + r.not_sent), 0) AS BIGINT)
            FROM mailings g JOIN runs r ON r.mailing_id = g.id WHERE g.owner_id = $1)";
    Ok(on_db!(db, pool => sqlx::query_as(SQL).bind(owner).fetch_one(pool).await)?)
}
