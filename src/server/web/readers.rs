//! Whose look at a post counts as a view.

use super::request;
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use leptos::prelude::use_context;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// What programs that read for no person call themselves.
const BOTS: [&str; 9] =
    ["bot", "crawl", "spider", "slurp", "facebookexternalhit", "mediapartners", "lighthouse", "preview", "feedfetcher"];

/// Whether a request is a person's look at a page: no HEAD, and no program that says it is one.
pub fn is_reader(method: &Method, headers: &HeaderMap) -> bool {
    let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
    method != Method::HEAD && !BOTS.iter().any(|bot| agent.contains(bot))
}

/// Which post a page shows that is rendered for many: an extension of its request. Its views are counted when
/// it is handed out.
#[derive(Clone, Debug, Default)]
pub struct Shown(Arc<AtomicI64>);

impl Shown {
    pub fn post(&self) -> Option<i64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|post| *post != 0)
    }
}

/// Counts the answer that is being made as a view of a post that this user wrote. Authors do not count.
pub async fn count(post: i64, author: Option<i64>) {
    let shown = use_context::<Parts>().and_then(|parts| parts.extensions.get::<Shown>().cloned());
    match shown {
        Some(Shown(shown)) => shown.store(post, Ordering::Relaxed),
        None if reads(author).await => {
            if let Ok(state) = request::state() {
                state.blog.views.count(post);
            }
        }
        None => {}
    }
}

async fn reads(author: Option<i64>) -> bool {
    let person = use_context::<Parts>().is_some_and(|parts| is_reader(&parts.method, &parts.headers));
    if !person {
        return false;
    }
    // Whoever cannot be told from the author, because the database is away, is a visitor.
    let reader = request::user().await.ok().flatten();
    reader.is_none_or(|reader| Some(reader.id) != author)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn bots_and_head_are_no_readers() {
        let agent = |text: &'static str| HeaderMap::from_iter([(USER_AGENT, HeaderValue::from_static(text))]);
        let person = agent("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0");
        assert!(is_reader(&Method::GET, &person) && is_reader(&Method::GET, &HeaderMap::new()));
        assert!(!is_reader(&Method::HEAD, &person));
        for bot in [
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 (compatible; YandexBot/3.0)",
            "TelegramBot (like TwitterBot)",
            "facebookexternalhit/1.1",
        ] {
            assert!(!is_reader(&Method::GET, &agent(bot)), "{bot}");
        }
    }
}
