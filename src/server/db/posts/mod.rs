//! Tables `posts`, `post_slugs`, `post_tags` and `post_images`: what is stored of a post.

pub mod changes;
pub mod drafts;
pub mod public;
pub mod versions;
pub mod views;

use super::{Db, DbResult, Tx, like_pattern, on_db, on_tx, word};
use crate::domain::lang::Lang;
use crate::domain::post::{Content, PostState, tags};
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;

/// A post as stored.
#[derive(Clone, Debug)]
pub struct Post {
    pub id: i64,
    pub author_id: Option<i64>,
    pub content: Content,
    pub published_at: Option<DateTime<Utc>>,
    pub version: i64,
    pub updated_at: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    author_id: Option<i64>,
    author: String,
    lang: String,
    slug: String,
    title: String,
    summary: String,
    body: String,
    tags: String,
    cover: Option<String>,
    cover_alt: String,
    published_at: Option<DateTime<Utc>>,
    version: i64,
    updated_at: DateTime<Utc>,
}

impl Row {
    fn into_post(self) -> DbResult<Post> {
        let Self { id, author_id, author, slug, title, summary, body, tags, cover, cover_alt, .. } = self;
        let lang = word("posts.lang", &self.lang, Lang::parse)?;
        let content = Content { title, slug, summary, body, tags, lang, author, cover, cover_alt };
        let (published_at, version, updated_at) = (self.published_at, self.version, self.updated_at);
        Ok(Post { id, author_id, content, published_at, version, updated_at })
    }
}

/// What is written into a post's row.
#[derive(Debug)]
pub struct Write<'a> {
    pub content: &'a Content,
    pub html: &'a str,
    pub published_at: Option<DateTime<Utc>>,
    pub now: DateTime<Utc>,
}

fn search_text(content: &Content) -> String {
    [&content.title, &content.summary, &content.tags, &content.body].map(|text| text.to_lowercase()).join("\n")
}

/// A query that answers an id, with $1 to $13 bound to what a post's row is made of.
macro_rules! written {
    ($sql:expr, $write:expr) => {{
        let Write { content, html, published_at, now } = $write;
        sqlx::query_scalar::<_, i64>($sql)
            .bind(&content.author)
            .bind(content.lang.as_str())
            .bind(&content.slug)
            .bind(&content.title)
            .bind(&content.summary)
            .bind(&content.body)
            .bind(*html)
            .bind(&content.tags)
            .bind(&content.cover)
            .bind(&content.cover_alt)
            .bind(search_text(content))
            .bind(*published_at)
            .bind(*now)
    }};
}

/// Inserts a post at its first version and returns its id.
///
/// # Errors
/// A duplicate if a post has the slug.
pub async fn insert(tx: &mut Tx, author: i64, write: &Write<'_>) -> DbResult<i64> {
    const SQL: &str = "INSERT INTO posts (author, lang, slug, title, summary, body, html, tags, cover, cover_alt,
        search, published_at, created_at, updated_at, version, author_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13, 1, $14) RETURNING id";
    Ok(on_tx!(tx, conn => written!(SQL, write).bind(author).fetch_one(conn).await)?)
}

/// Changes a post that is still at this version. False if it is not, or is gone.
///
/// # Errors
/// A duplicate if another post has the slug.
pub async fn update(tx: &mut Tx, id: i64, version: i64, write: &Write<'_>) -> DbResult<bool> {
    const SQL: &str = "UPDATE posts SET author = $1, lang = $2, slug = $3, title = $4, summary = $5, body = $6,
        html = $7, tags = $8, cover = $9, cover_alt = $10, search = $11, published_at = $12, updated_at = $13,
        version = version + 1 WHERE id = $14 AND version = $15 RETURNING id";
    let found = on_tx!(tx, conn => written!(SQL, write).bind(id).bind(version).fetch_optional(conn).await)?;
    Ok(found.is_some())
}

/// Deletes a post with all that belongs to it. False if there is none.
pub async fn delete(tx: &mut Tx, id: i64) -> DbResult<bool> {
    const DRAFTS: &str = "DELETE FROM post_drafts WHERE post_id = $1";
    const POST: &str = "DELETE FROM posts WHERE id = $1";
    on_tx!(&mut *tx, conn => sqlx::query(DRAFTS).bind(id).execute(conn).await.map(drop))?;
    let rows = on_tx!(tx, conn => sqlx::query(POST).bind(id).execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// The post that has or had this slug.
pub async fn slug_owner(tx: &mut Tx, slug: &str) -> DbResult<Option<i64>> {
    const SQL: &str = "SELECT post_id FROM post_slugs WHERE slug = $1";
    Ok(on_tx!(tx, conn => sqlx::query_scalar(SQL).bind(slug).fetch_optional(conn).await)?)
}

/// Notes tags, pictures and slug of a post, beside the slugs that it had.
pub async fn relate(tx: &mut Tx, id: i64, content: &Content, images: &[String]) -> DbResult<()> {
    const SLUG: &str = "INSERT INTO post_slugs (slug, post_id) VALUES ($1, $2) ON CONFLICT (slug) DO NOTHING";
    const TAG: &str = "INSERT INTO post_tags (tag, post_id) VALUES ($1, $2)";
    const IMAGE: &str = "INSERT INTO post_images (image_id, post_id) VALUES ($1, $2)";
    for sql in ["DELETE FROM post_tags WHERE post_id = $1", "DELETE FROM post_images WHERE post_id = $1"] {
        on_tx!(&mut *tx, conn => sqlx::query(sql).bind(id).execute(conn).await.map(drop))?;
    }
    let tags = tags(&content.tags);
    let rows = [(SLUG, content.slug.clone())]
        .into_iter()
        .chain(tags.iter().map(|tag| (TAG, tag.to_lowercase())))
        .chain(images.iter().map(|image| (IMAGE, image.clone())));
    for (sql, value) in rows {
        on_tx!(&mut *tx, conn => sqlx::query(sql).bind(value).bind(id).execute(conn).await.map(drop))?;
    }
    Ok(())
}

const COLUMNS: &str = "SELECT id, author_id, author, lang, slug, title, summary, body, tags, cover, cover_alt,
    published_at, version, updated_at FROM posts WHERE ";

/// One post.
pub async fn get(db: &Db, id: i64) -> DbResult<Option<Post>> {
    let sql = AssertSqlSafe(format!("{COLUMNS} id = $1"));
    let row: Option<Row> = on_db!(db, pool => sqlx::query_as(sql).bind(id).fetch_optional(pool).await)?;
    row.map(Row::into_post).transpose()
}

/// A post as the editors' list needs it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Line {
    pub id: i64,
    pub title: String,
    pub slug: String,
    pub lang: String,
    pub author: String,
    pub published_at: Option<DateTime<Utc>>,
    pub updated_at: DateTime<Utc>,
    pub views: i64,
}

fn of_state(state: Option<PostState>) -> &'static str {
    match state {
        None => "$2 = $2",
        Some(PostState::Draft) => "published_at IS NULL AND $2 = $2",
        Some(PostState::Scheduled) => "published_at > $2",
        Some(PostState::Published) => "published_at <= $2",
    }
}

/// A page of posts, the newest first, from before the id on.
pub async fn list(
    db: &Db,
    search: &str,
    state: Option<PostState>,
    now: DateTime<Utc>,
    before: Option<i64>,
    limit: i64,
) -> DbResult<Vec<Line>> {
    let sql = AssertSqlSafe(format!(
        "SELECT id, title, slug, lang, author, published_at, updated_at, views FROM posts
         WHERE search LIKE $1 ESCAPE '\\' AND {} AND id < $3 ORDER BY id DESC LIMIT $4",
        of_state(state)
    ));
    Ok(on_db!(db, pool => sqlx::query_as(sql)
        .bind(like_pattern(search))
        .bind(now)
        .bind(before.unwrap_or(i64::MAX))
        .bind(limit)
        .fetch_all(pool)
        .await)?)
}

/// How many posts the search and the state find.
pub async fn count(db: &Db, search: &str, state: Option<PostState>, now: DateTime<Utc>) -> DbResult<i64> {
    let sql =
        AssertSqlSafe(format!("SELECT COUNT(*) FROM posts WHERE search LIKE $1 ESCAPE '\\' AND {}", of_state(state)));
    Ok(on_db!(db, pool => sqlx::query_scalar(sql).bind(like_pattern(search)).bind(now).fetch_one(pool).await)?)
}
