//! What visitors may see: posts whose time has come.

use super::super::images::{far, pixels};
use super::super::{Db, DbResult, like_pattern, on_db, word};
use crate::domain::lang::Lang;
use crate::domain::post::{Card, Neighbour, Picture, tags};
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    slug: String,
    title: String,
    summary: String,
    lang: String,
    author: String,
    tags: String,
    published_at: DateTime<Utc>,
    views: i64,
    cover: Option<String>,
    cover_alt: String,
    width: Option<i64>,
    height: Option<i64>,
}

impl Row {
    fn into_card(self) -> DbResult<Card> {
        let cover = match (self.cover, self.width, self.height) {
            (Some(id), Some(width), Some(height)) => {
                Some(Picture { id, alt: self.cover_alt, width: pixels(width), height: pixels(height) })
            }
            _ => None,
        };
        Ok(Card {
            id: self.id,
            slug: self.slug,
            title: self.title,
            summary: self.summary,
            lang: word("posts.lang", &self.lang, Lang::parse)?,
            author: self.author,
            tags: tags(&self.tags),
            published_at: self.published_at,
            views: self.views,
            cover,
        })
    }
}

const CARD: &str = "SELECT p.id, p.slug, p.title, p.summary, p.lang, p.author, p.tags, p.published_at, p.views,
    p.cover, p.cover_alt, i.width, i.height FROM posts p LEFT JOIN images i ON i.id = p.cover ";

/// Which way a list goes from its cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Older,
    Newer,
}

/// Which posts a list has.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    pub lang: Option<Lang>,
    /// In lower case; empty for all.
    pub tag: &'a str,
    pub search: &'a str,
}

impl Wanted<'_> {
    /// Conditions on $1 (language), $2 (tag) and $3 (pattern).
    fn sql(&self) -> String {
        let lang = if self.lang.is_some() { "p.lang = $1" } else { "$1 = $1" };
        let tag = if self.tag.is_empty() {
            "$2 = $2"
        } else {
            "p.id IN (SELECT t.post_id FROM post_tags t WHERE t.tag = $2)"
        };
        let search = if self.search.trim().is_empty() { "$3 = $3" } else { "p.search LIKE $3 ESCAPE '\\'" };
        format!("{lang} AND {tag} AND {search}")
    }
}

/// Public posts on one side of the cursor, those nearest to it first.
pub async fn list(
    db: &Db,
    wanted: &Wanted<'_>,
    now: DateTime<Utc>,
    way: Way,
    from: Option<(DateTime<Utc>, i64)>,
    limit: i64,
) -> DbResult<Vec<Card>> {
    let (cmp, order) = if way == Way::Older { ("<", "DESC") } else { (">", "ASC") };
    let sql = AssertSqlSafe(format!(
        "{CARD} WHERE p.published_at <= $4 AND (p.published_at, p.id) {cmp} ($5, $6) AND {}
         ORDER BY p.published_at {order}, p.id {order} LIMIT $7",
        wanted.sql()
    ));
    let (at, id) = from.unwrap_or_else(|| (far(), i64::MAX));
    let rows: Vec<Row> = on_db!(db, pool => sqlx::query_as(sql)
        .bind(wanted.lang.map_or("", Lang::as_str))
        .bind(wanted.tag)
        .bind(like_pattern(wanted.search))
        .bind(now)
        .bind(at)
        .bind(id)
        .bind(limit)
        .fetch_all(pool)
        .await)?;
    rows.into_iter().map(Row::into_card).collect()
}

/// The post with this slug, if visitors may see it: its card, HTML, last change and author's id.
pub async fn by_slug(db: &Db, slug: &str, now: DateTime<Utc>) -> DbResult<Option<Whole>> {
    const BODY: &str = "SELECT html, updated_at, author_id FROM posts WHERE id = $1";
    let sql = AssertSqlSafe(format!("{CARD} WHERE p.slug = $1 AND p.published_at <= $2"));
    let row: Option<Row> = on_db!(db, pool => sqlx::query_as(sql).bind(slug).bind(now).fetch_optional(pool).await)?;
    let Some(card) = row.map(Row::into_card).transpose()? else { return Ok(None) };
    let body: Option<(String, DateTime<Utc>, Option<i64>)> =
        on_db!(db, pool => sqlx::query_as(BODY).bind(card.id).fetch_optional(pool).await)?;
    Ok(body.map(|(html, updated_at, author_id)| Whole { card, html, updated_at, author_id }))
}

/// A public post whole.
#[derive(Clone, Debug)]
pub struct Whole {
    pub card: Card,
    pub html: String,
    pub updated_at: DateTime<Utc>,
    pub author_id: Option<i64>,
}

/// The slug that the post with this old slug has now, if visitors may see it.
pub async fn moved(db: &Db, slug: &str, now: DateTime<Utc>) -> DbResult<Option<String>> {
    const SQL: &str = "SELECT p.slug FROM post_slugs s JOIN posts p ON p.id = s.post_id
        WHERE s.slug = $1 AND p.slug <> $1 AND p.published_at <= $2";
    Ok(on_db!(db, pool => sqlx::query_scalar(SQL).bind(slug).bind(now).fetch_optional(pool).await)?)
}

/// The public post next to one in its language.
pub async fn neighbour(db: &Db, card: &Card, way: Way, now: DateTime<Utc>) -> DbResult<Option<Neighbour>> {
    let wanted = Wanted { lang: Some(card.lang), ..Wanted::default() };
    let found = list(db, &wanted, now, way, Some((card.published_at, card.id)), 1).await?;
    Ok(found.into_iter().next().map(|card| Neighbour { slug: card.slug, title: card.title }))
}

/// Public posts in the same language that share the most tags.
pub async fn related(db: &Db, card: &Card, now: DateTime<Utc>, limit: i64) -> DbResult<Vec<Card>> {
    let sql = AssertSqlSafe(format!(
        "{CARD} JOIN (SELECT t.post_id, COUNT(*) AS n FROM post_tags t
            WHERE t.tag IN (SELECT o.tag FROM post_tags o WHERE o.post_id = $1) AND t.post_id <> $1
            GROUP BY t.post_id) r ON r.post_id = p.id
         WHERE p.lang = $2 AND p.published_at <= $3 ORDER BY r.n DESC, p.published_at DESC, p.id DESC LIMIT $4"
    ));
    let rows: Vec<Row> = on_db!(db, pool => sqlx::query_as(sql)
        .bind(card.id)
        .bind(card.lang.as_str())
        .bind(now)
        .bind(limit)
        .fetch_all(pool)
        .await)?;
    rows.into_iter().map(Row::into_card).collect()
}

/// The tags of public posts that are used most, in lower case, and how often.
pub async fn top_tags(db: &Db, lang: Option<Lang>, now: DateTime<Utc>, limit: i64) -> DbResult<Vec<(String, i64)>> {
    const SQL: &str = "SELECT t.tag, COUNT(*) AS n FROM post_tags t JOIN posts p ON p.id = t.post_id
        WHERE p.published_at <= $1 AND (p.lang = $2 OR $2 = '')
        GROUP BY t.tag ORDER BY n DESC, t.tag LIMIT $3";
    Ok(on_db!(db, pool => sqlx::query_as(SQL)
        .bind(now)
        .bind(lang.map_or("", Lang::as_str))
        .bind(limit)
        .fetch_all(pool)
        .await)?)
}

/// The lowest and the highest id of all posts.
pub async fn id_range(db: &Db) -> DbResult<Option<(i64, i64)>> {
    const SQL: &str = "SELECT MIN(id), MAX(id) FROM posts";
    let (low, high): (Option<i64>, Option<i64>) = on_db!(db, pool => sqlx::query_as(SQL).fetch_one(pool).await)?;
    Ok(low.zip(high))
}

/// The first public post from an id on.
pub async fn from_id(db: &Db, id: i64, lang: Option<Lang>, now: DateTime<Utc>) -> DbResult<Option<Card>> {
    let sql = AssertSqlSafe(format!(
        "{CARD} WHERE p.id >= $1 AND p.published_at <= $2 AND (p.lang = $3 OR $3 = '') ORDER BY p.id LIMIT 1"
    ));
    let row: Option<Row> = on_db!(db, pool => sqlx::query_as(sql)
        .bind(id)
        .bind(now)
        .bind(lang.map_or("", Lang::as_str))
        .fetch_optional(pool)
        .await)?;
    row.map(Row::into_card).transpose()
}

/// Slug and last change of public posts, the newest first: for the sitemap.
pub async fn addresses(db: &Db, now: DateTime<Utc>, limit: i64) -> DbResult<Vec<(String, DateTime<Utc>)>> {
    const SQL: &str = "SELECT slug, updated_at FROM posts WHERE published_at <= $1
        ORDER BY published_at DESC, id DESC LIMIT $2";
    Ok(on_db!(db, pool => sqlx::query_as(SQL).bind(now).bind(limit).fetch_all(pool).await)?)
}

/// The HTML and the last change of posts, for feeds.
pub async fn bodies(db: &Db, ids: &[i64]) -> DbResult<Vec<(String, DateTime<Utc>)>> {
    const SQL: &str = "SELECT html, updated_at FROM posts WHERE id = $1";
    let mut bodies = Vec::with_capacity(ids.len());
    for id in ids {
        let body: Option<(String, DateTime<Utc>)> =
            on_db!(db, pool => sqlx::query_as(SQL).bind(id).fetch_optional(pool).await)?;
        bodies.push(body.unwrap_or_default());
    }
    Ok(bodies)
}

/// The first publication date after an instant.
pub async fn next(db: &Db, now: DateTime<Utc>) -> DbResult<Option<DateTime<Utc>>> {
    const SQL: &str = "SELECT MIN(published_at) FROM posts WHERE published_at > $1";
    Ok(on_db!(db, pool => sqlx::query_scalar(SQL).bind(now).fetch_one(pool).await)?)
}
