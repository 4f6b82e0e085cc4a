//! What visitors read, kept in memory for all of them: see [`public`] for what each answer holds. An answer
//! holds until the blog changes or the next scheduled post appears; after ten seconds it is asked for again,
//! because views have been added by then.

use super::changes::Changes;
use super::public::{self, Entry, parse_cursor};
use crate::domain::lang::Lang;
use crate::domain::post::{Card, Found, Listing, Question, TAG_MAX};
use crate::domain::slug::SLUG_MAX;
use crate::server::cache::{Answers, Counts, Life, Moment};
use crate::server::clock::SharedClock;
use crate::server::db::Db;
use crate::server::services::Result;
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;

/// How long an answer is fresh.
const FRESH: TimeDelta = TimeDelta::seconds(10);
/// How long it is known when the next post appears, while nothing changes.
const NEXT: TimeDelta = TimeDelta::hours(1);
/// Most articles, of some 500 KB at the worst.
const ARTICLES: usize = 64;
/// Most pages of lists, of some 20 KB at the worst.
const LISTINGS: usize = 256;
/// Longest search whose answer is kept, in bytes.
const SEARCH_MAX: usize = 100;
/// Sets of posts that are picked at random, for each language.
const PICKS: usize = 2;
/// Feeds: one for each language, and one for all.
const FEEDS: usize = 3;

type SiteMap = Arc<Vec<(String, DateTime<Utc>)>>;

/// The answers, and what they hold for. Clones share them.
#[derive(Clone)]
pub struct Kept(Arc<Inner>);

struct Inner {
    clock: SharedClock,
    changes: Changes,
    counts: Arc<Counts>,
    next: Answers<(), Option<DateTime<Utc>>>,
    listings: Answers<(Question, Lang), Listing>,
    articles: Answers<String, (Found, Option<i64>)>,
    picks: Answers<(Lang, usize), Vec<Card>>,
    feeds: Answers<Option<Lang>, Arc<Vec<Entry>>>,
    sitemap: Answers<(), SiteMap>,
}

impl Kept {
    pub fn new(clock: SharedClock) -> Self {
        let counts = Arc::<Counts>::default();
        Self(Arc::new(Inner {
            clock,
            changes: Changes::default(),
            next: Answers::new(1, counts.clone()),
            listings: Answers::new(LISTINGS, counts.clone()),
            articles: Answers::new(ARTICLES, counts.clone()),
            picks: Answers::new(PICKS, counts.clone()),
            feeds: Answers::new(FEEDS, counts.clone()),
            sitemap: Answers::new(1, counts.clone()),
            counts,
        }))
    }

    /// Where writes tell of themselves.
    pub fn changes(&self) -> &Changes {
        &self.0.changes
    }

    /// How often something was kept already, and how often not.
    pub fn counts(&self) -> Arc<Counts> {
        Arc::clone(&self.0.counts)
    }

    fn moment(&self) -> Moment {
        Moment { generation: self.0.changes.generation(), now: self.0.clock.now() }
    }

    /// When the next scheduled post appears.
    ///
    /// # Errors
    /// Database errors.
    pub async fn next(&self, db: &Db) -> Result<Option<DateTime<Utc>>> {
        self.next_after(db, self.moment()).await
    }

    async fn next_after(&self, db: &Db, at: Moment) -> Result<Option<DateTime<Utc>>> {
        let ask = async || {
            let next = public::next(db, at.now).await?;
            Ok((next, Life { fresh: at.now + NEXT, ends: next }))
        };
        self.0.next.get((), at, ask).await
    }

    /// An answer as of that moment, with how long it holds.
    async fn holding<T>(&self, db: &Db, at: Moment, ask: impl Future<Output = Result<T>>) -> Result<(T, Life)> {
        let ends = self.next_after(db, at).await?;
        Ok((ask.await?, Life { fresh: at.now + FRESH, ends }))
    }

    /// [`public::listing`].
    ///
    /// # Errors
    /// Database errors.
    pub async fn listing(&self, db: &Db, question: &Question, reader: Lang, site: &str) -> Result<Listing> {
        let at = self.moment();
        let question = plain(question);
        let ask = || public::listing(db, &question, reader, at.now, site);
        if question.search.len() > SEARCH_MAX || question.tag.chars().count() > TAG_MAX {
            return ask().await;
        }
        self.0.listings.get((question.clone(), reader), at, async || self.holding(db, at, ask()).await).await
    }

    /// [`public::article`].
    ///
    /// # Errors
    /// [`crate::server::services::Error::NotFound`] if there is no such post, or not yet.
    pub async fn article(&self, db: &Db, slug: &str, site: &str) -> Result<(Found, Option<i64>)> {
        let at = self.moment();
        let ask = || public::article(db, slug, at.now, site);
        if slug.chars().count() > SLUG_MAX {
            return ask().await;
        }
        self.0.articles.get(slug.to_owned(), at, async || self.holding(db, at, ask()).await).await
    }

    /// [`public::random`].
    ///
    /// # Errors
    /// Database errors.
    pub async fn random(&self, db: &Db, reader: Lang, n: usize) -> Result<Vec<Card>> {
        let at = self.moment();
        let ask = async || self.holding(db, at, public::random(db, reader, at.now, n)).await;
        self.0.picks.get((reader, n), at, ask).await
    }

    /// [`public::feed`].
    ///
    /// # Errors
    /// Database errors.
    pub async fn feed(&self, db: &Db, lang: Option<Lang>) -> Result<Arc<Vec<Entry>>> {
        let at = self.moment();
        let ask = async || self.holding(db, at, async { Ok(Arc::new(public::feed(db, lang, at.now).await?)) }).await;
        self.0.feeds.get(lang, at, ask).await
    }

    /// [`public::sitemap`].
    ///
    /// # Errors
    /// Database errors.
    pub async fn sitemap(&self, db: &Db) -> Result<SiteMap> {
        let at = self.moment();
        let ask = async || self.holding(db, at, async { Ok(Arc::new(public::sitemap(db, at.now).await?)) }).await;
        self.0.sitemap.get((), at, ask).await
    }
}

/// A question in one of the many ways that it can be put: without what makes no difference to its answer.
fn plain(question: &Question) -> Question {
    let cursor = |text: &String| if parse_cursor(text).is_some() { text.clone() } else { String::new() };
    let before = cursor(&question.before);
    Question {
        lang: if question.lang == "all" || Lang::parse(&question.lang).is_some() {
            question.lang.clone()
        } else {
            String::new()
        },
        tag: question.tag.to_lowercase(),
        search: question.search.trim().to_lowercase(),
        after: if before.is_empty() { cursor(&question.after) } else { String::new() },
        before,
    }
}
