//! Table `messages`.

use super::{Db, DbResult, Key, Tx, WHOLE, like_pattern, number_list, on_db, on_tx, word};
use crate::domain::design::{BuiltIn, Choice};
use crate::domain::message::{Message, MessageRow, MessageSort};
use crate::domain::page::Whole;
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;

/// What is written in a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    pub subject: String,
    pub preheader: String,
    pub body: String,
    pub design: Choice,
}

impl Content {
    /// As the table has the design: the word of a built-in one, and the id of one of the owner's.
    fn design(&self) -> (&'static str, Option<i64>) {
        match self.design {
            Choice::BuiltIn(design) => (design.as_str(), None),
            Choice::Own(id) => (BuiltIn::Plain.as_str(), Some(id)),
        }
    }
}

/// Reads what [`Content::design`] writes.
pub(super) fn choice(design: &str, id: Option<i64>) -> DbResult<Choice> {
    match id {
        Some(id) => Ok(Choice::Own(id)),
        None => word("messages.design", design, BuiltIn::parse).map(Choice::BuiltIn),
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    subject: String,
    preheader: String,
    body: String,
    design: String,
    design_id: Option<i64>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    mailings: i64,
}

impl Row {
    fn into_message(self) -> DbResult<Message> {
        let Row { id, subject, preheader, body, design, design_id, created_at, updated_at, mailings } = self;
        let design = choice(&design, design_id)?;
        Ok(Message { id, subject, preheader, body, design, created_at, updated_at, mailings })
    }
}

/// Inserts a message and returns its id.
pub async fn insert(tx: &mut Tx, owner: i64, content: &Content, now: DateTime<Utc>) -> DbResult<i64> {
    const SQL: &str = "INSERT INTO messages (owner_id, subject, body, search, created_at, updated_at, preheader,
        design, design_id) VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8) RETURNING id";
    let (design, design_id) = content.design();
    Ok(on_tx!(tx, conn => sqlx::query_scalar(SQL)
        .bind(owner)
        .bind(&content.subject)
        .bind(&content.body)
        .bind(content.subject.to_lowercase())
        .bind(now)
        .bind(&content.preheader)
        .bind(design)
        .bind(design_id)
        .fetch_one(conn)
        .await)?)
}

/// What is written in an owner's message; PostgreSQL keeps it from other writers until the end.
pub async fn lock(tx: &mut Tx, owner: i64, id: i64) -> DbResult<Option<Content>> {
    let wait = if matches!(tx, Tx::Postgres(_)) { "FOR UPDATE" } else { "" };
    let sql = AssertSqlSafe(format!(
        "SELECT subject, preheader, body, design, design_id FROM messages WHERE id = $1 AND owner_id = $2 {wait}"
    ));
    let row: Option<(String, String, String, String, Option<i64>)> =
        on_tx!(tx, conn => sqlx::query_as(sql).bind(id).bind(owner).fetch_optional(conn).await)?;
    row.map(|(subject, preheader, body, design, id)| {
        Ok(Content { subject, preheader, body, design: choice(&design, id)? })
    })
    .transpose()
}

/// Changes a message. False if the owner has no such message.
pub async fn update(tx: &mut Tx, owner: i64, id: i64, content: &Content, now: DateTime<Utc>) -> DbResult<bool> {
    const SQL: &str = "UPDATE messages SET subject = $3, body = $4, search = $5, updated_at = $6, preheader = $7,
        design = $8, design_id = $9 WHERE id = $1 AND owner_id = $2";
    let (design, design_id) = content.design();
    let rows = on_tx!(tx, conn => sqlx::query(SQL)
        .bind(id)
        .bind(owner)
        .bind(&content.subject)
        .bind(&content.body)
        .bind(content.subject.to_lowercase())
        .bind(now)
        .bind(&content.preheader)
        .bind(design)
        .bind(design_id)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Deletes a message. False if the owner has no such message.
///
/// # Errors
/// `DbError::is_in_use` if a mailing uses it.
pub async fn delete(tx: &mut Tx, owner: i64, id: i64) -> DbResult<bool> {
    const SQL: &str = "DELETE FROM messages WHERE id = $1 AND owner_id = $2";
    let rows =
        on_tx!(tx, conn => sqlx::query(SQL).bind(id).bind(owner).execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// One message.
pub async fn get(db: &Db, owner: i64, id: i64) -> DbResult<Option<Message>> {
    const SQL: &str = "SELECT m.id, m.subject, m.preheader, m.body, m.design, m.design_id, m.created_at,
        m.updated_at,
        (SELECT COUNT(*) FROM mailings g WHERE g.message_id = m.id) AS mailings
        FROM messages m WHERE m.id = $1 AND m.owner_id = $2";
    let row: Option<Row> = on_db!(db, pool => sqlx::query_as(SQL).bind(id).bind(owner).fetch_optional(pool).await)?;
    row.map(Row::into_message).transpose()
}

/// Whose message it is.
pub async fn owner(db: &Db, id: i64) -> DbResult<Option<i64>> {
    const SQL: &str = "SELECT owner_id FROM messages WHERE id = $1";
    Ok(on_db!(db, pool => sqlx::query_scalar(SQL).bind(id).fetch_optional(pool).await)?)
}

/// The owner's ($1) messages that a pattern ($2) finds.
fn found(search: bool) -> String {
    let search = if search { "m.search LIKE $2 ESCAPE '\\'" } else { "$2 = $2" };
    format!("m.owner_id = $1 AND {search}")
}

pub(super) fn list_sql(search: bool, sort: MessageSort, descending: bool, after: bool) -> String {
    let column = match sort {
        MessageSort::Created => "m.id",
        MessageSort::Subject => "m.search",
        MessageSort::Updated => "m.updated_at",
    };
    let (cmp, order) = if descending { ("<", "DESC") } else { (">", "ASC") };
    let from = match (after, sort) {
        (false, _) => "$3 = $3 AND $4 = $4".to_owned(),
        (true, MessageSort::Created) => format!("$3 = $3 AND m.id {cmp} $4"),
        (true, _) => format!("({column}, m.id) {cmp} ($3, $4)"),
    };
    format!(
        "SELECT m.id, m.subject, m.updated_at,
         (SELECT COUNT(*) FROM mailings g WHERE g.message_id = m.id) AS mailings
         FROM messages m WHERE {} AND {from} ORDER BY {column} {order}, m.id {order} LIMIT $5",
        found(search)
    )
}

/// A page of messages in the order of the column and then of the id, from after the key on.
pub async fn list(
    db: &Db,
    owner: i64,
    search: &str,
    sort: MessageSort,
    descending: bool,
    after: Option<&Key>,
    limit: i64,
) -> DbResult<Vec<MessageRow>> {
    #[derive(sqlx::FromRow)]
    struct ListRow {
        id: i64,
        subject: String,
        updated_at: DateTime<Utc>,
        mailings: i64,
    }
    let sql = AssertSqlSafe(list_sql(!search.trim().is_empty(), sort, descending, after.is_some()));
    let (key, id) = after.map_or(("", 0), |key| (key.text.as_str(), key.id));
    // A key that is no instant is not ours: the list begins anew.
    let at = key.parse().unwrap_or(if descending { DateTime::<Utc>::MAX_UTC } else { DateTime::UNIX_EPOCH });
    let rows: Vec<ListRow> = on_db!(db, pool => {
        let query = sqlx::query_as(sql).bind(owner).bind(like_pattern(search));
        let query = if sort == MessageSort::Updated { query.bind(at) } else { query.bind(key) };
        query.bind(id).bind(limit).fetch_all(pool).await
    })?;
    let row = |ListRow { id, subject, updated_at, mailings }| MessageRow { id, subject, updated_at, mailings };
    Ok(rows.into_iter().map(row).collect())
}

/// A message's place in a list of that order.
pub fn key(message: &MessageRow, sort: MessageSort) -> Key {
    let text = match sort {
        MessageSort::Created => String::new(),
        MessageSort::Subject => message.subject.to_lowercase(),
        MessageSort::Updated => message.updated_at.to_rfc3339(),
    };
    Key { text, id: message.id }
}

/// The ids of all messages that the search finds.
pub async fn ids(db: &Db, owner: i64, search: &str) -> DbResult<Vec<i64>> {
    const SQL: &str = "SELECT id FROM messages WHERE owner_id = $1 AND ($2 = '%%' OR search LIKE $2 ESCAPE '\\')";
    Ok(on_db!(db, pool => sqlx::query_scalar(SQL).bind(owner).bind(like_pattern(search)).fetch_all(pool).await)?)
}

/// Deletes those of the ids that are the owner's and that no mailing uses; returns how many.
pub async fn delete_unused(tx: &mut Tx, owner: i64, ids: &[i64]) -> DbResult<u64> {
    let sql = AssertSqlSafe(format!(
        "DELETE FROM messages WHERE owner_id = $1 AND id IN ({})
         AND NOT EXISTS (SELECT 1 FROM mailings g WHERE g.message_id = messages.id)",
        number_list(ids)
    ));
    Ok(on_tx!(tx, conn => sqlx::query(sql)
        .persistent(false)
        .bind(owner)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?)
}

/// The messages that the search finds.
pub async fn whole(db: &Db, owner: i64, search: &str) -> DbResult<Whole> {
    let found = found(!search.trim().is_empty());
    let sql = AssertSqlSafe(format!("SELECT {WHOLE} FROM messages m WHERE {found}"));
    let all: (i64, i64) =
        on_db!(db, pool => sqlx::query_as(sql).bind(owner).bind(like_pattern(search)).fetch_one(pool).await)?;
    Ok(all.into())
}
