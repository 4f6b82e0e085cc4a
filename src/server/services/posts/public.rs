//! What visitors read. A post is public from its publication date on, by the service's clock: no job
//! has to run for it.

use crate::domain::lang::Lang;
use crate::domain::post::{Article, Card, Found, Listing, Question};
use crate::server::db::Db;
use crate::server::db::posts::public::{self, Wanted, Way};
use crate::server::services::{Error, Result};
use chrono::{DateTime, Utc};

/// Posts on a page of the blog.
const PAGE: usize = 12;
/// Tags that are offered.
const TAGS: i64 = 20;
const RELATED: i64 = 3;
/// Entries of a feed.
const FEED: i64 = 20;
/// Most addresses in a sitemap (its protocol's limit is 50 000).
const SITEMAP: i64 = 49_000;

fn cursor(card: &Card) -> String {
    format!("{}.{}", card.published_at.timestamp_micros(), card.id)
}

/// Where a page begins, as [`listing`] writes it.
pub(super) fn parse_cursor(text: &str) -> Option<(DateTime<Utc>, i64)> {
    let (micros, id) = text.split_once('.')?;
    Some((DateTime::from_timestamp_micros(micros.parse().ok()?)?, id.parse().ok()?))
}

/// The language that a question is about: none for all.
pub fn asked_lang(question: &str, reader: Lang) -> Option<Lang> {
    match question {
        "all" => None,
        text => Some(Lang::parse(text).unwrap_or(reader)),
    }
}

/// A page of the blog. A cursor that is not ours starts from the newest.
///
/// # Errors
/// Database errors.
pub async fn listing(db: &Db, question: &Question, reader: Lang, now: DateTime<Utc>, site: &str) -> Result<Listing> {
    let lang = asked_lang(&question.lang, reader);
    let tag = question.tag.to_lowercase();
    let wanted = Wanted { lang, tag: &tag, search: &question.search };
    let (before, after) = (parse_cursor(&question.before), parse_cursor(&question.after));
    let way = if before.is_some() { Way::Newer } else { Way::Older };
    let limit = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
    let mut cards = public::list(db, &wanted, now, way, before.or(after), limit).await?;
    let more = cards.len() > PAGE;
    cards.truncate(PAGE);
    if way == Way::Newer {
        cards.reverse();
    }
    // Whoever comes from the other side can go back there.
    let (is_older, is_newer) = if way == Way::Newer { (true, more) } else { (more, after.is_some()) };
    let older = cards.last().filter(|_| is_older).map(cursor);
    let newer = cards.first().filter(|_| is_newer).map(cursor);
    let tags = public::top_tags(db, lang, now, TAGS).await?;
    Ok(Listing { cards, older, newer, tags, site: site.to_owned() })
}

/// What stands at a post's address, and who wrote it.
///
/// # Errors
/// [`Error::NotFound`] if nothing does, or not yet.
pub async fn article(db: &Db, slug: &str, now: DateTime<Utc>, site: &str) -> Result<(Found, Option<i64>)> {
    let Some(whole) = public::by_slug(db, slug, now).await? else {
        let moved = public::moved(db, slug, now).await?.ok_or(Error::NotFound)?;
        return Ok((Found::Moved(moved), None));
    };
    let older = public::neighbour(db, &whole.card, Way::Older, now).await?;
    let newer = public::neighbour(db, &whole.card, Way::Newer, now).await?;
    let related = public::related(db, &whole.card, now, RELATED).await?;
    let public::Whole { card, html, updated_at, author_id } = whole;
    let article = Article { card, html, updated_at, older, newer, related, site: site.to_owned() };
    Ok((Found::Here(Box::new(article)), author_id))
}

/// Up to `n` public posts picked at random, those in the reader's language first. A few index
/// look-ups, however many posts there are; posts after a gap in the ids are a little more likely.
///
/// # Errors
/// Database errors.
pub async fn random(db: &Db, reader: Lang, now: DateTime<Utc>, n: usize) -> Result<Vec<Card>> {
    let mut picked: Vec<Card> = Vec::with_capacity(n);
    let Some((low, high)) = public::id_range(db).await? else { return Ok(picked) };
    for lang in [Some(reader), None] {
        for _ in 0..n * 3 {
            if picked.len() == n {
                return Ok(picked);
            }
            let from = rand::random_range(low..=high);
            let found = match public::from_id(db, from, lang, now).await? {
                Some(card) => Some(card),
                None => public::from_id(db, low, lang, now).await?,
            };
            match found {
                Some(card) if picked.iter().all(|known| known.id != card.id) => picked.push(card),
                Some(_) => {}
                None => break,
            }
        }
        // With few posts chance may have missed some: the newest fill up.
        let wanted = Wanted { lang, ..Wanted::default() };
        for card in public::list(db, &wanted, now, Way::Older, None, i64::try_from(n * 2).unwrap_or(i64::MAX)).await? {
            if picked.len() < n && picked.iter().all(|known| known.id != card.id) {
                picked.push(card);
            }
        }
    }
    Ok(picked)
}

/// A post as feeds have it.
#[derive(Debug)]
pub struct Entry {
    pub card: Card,
    pub html: String,
    pub updated_at: DateTime<Utc>,
}

/// The newest posts, of one language or of all.
///
/// # Errors
/// Database errors.
pub async fn feed(db: &Db, lang: Option<Lang>, now: DateTime<Utc>) -> Result<Vec<Entry>> {
    let wanted = Wanted { lang, ..Wanted::default() };
    let cards = public::list(db, &wanted, now, Way::Older, None, FEED).await?;
    let ids: Vec<i64> = cards.iter().map(|card| card.id).collect();
    let bodies = public::bodies(db, &ids).await?;
    Ok(cards.into_iter().zip(bodies).map(|(card, (html, updated_at))| Entry { card, html, updated_at }).collect())
}

/// Slug and last change of all public posts, the newest first.
///
/// # Errors
/// Database errors.
pub async fn sitemap(db: &Db, now: DateTime<Utc>) -> Result<Vec<(String, DateTime<Utc>)>> {
    Ok(public::addresses(db, now, SITEMAP).await?)
}

/// When the next scheduled post appears.
///
/// # Errors
/// Database errors.
pub async fn next(db: &Db, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
    Ok(public::next(db, now).await?)
}
