//! Whole pages for visitors without a session, kept as they leave: rendered once for all, compressed once.

mod front;
mod key;
mod page;
#[cfg(test)]
mod tests;

pub use front::Front;
pub use page::{CONTROL, SERVER_TIMING, Said};

use super::readers::Shown;
use super::state::AppState;
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
pub use key::is_public_page;
use key::{Key, Wanted};
use page::{Age, Made, Page};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tower::ServiceExt;

/// Bytes of pages whose number the blog itself bounds.
const NAMED: u64 = 64 * 1024 * 1024;
/// Bytes of pages that visitors think up: searches and the like. They cannot push out the others.
const OPEN: u64 = 8 * 1024 * 1024;
/// What a page weighs, about.
const TYPICAL: u64 = 64 * 1024;
/// What pages depend on beside their address; the session, because who has one gets pages of their own.
const PEOPLE: &str = "accept-encoding, accept-language, cookie";
const PROGRAMS: &str = "accept-encoding";

#[derive(Clone, Debug)]
struct Bytewise;

impl Weighter<Key, Arc<Page>> for Bytewise {
    fn weight(&self, _key: &Key, page: &Arc<Page>) -> u64 {
        u64::try_from(page.weight()).unwrap_or(u64::MAX)
    }
}

type Shelf = Cache<Key, Arc<Page>, Bytewise>;
/// A page that is being rendered, for all who wait for it.
type Render = Shared<BoxFuture<'static, Arc<Page>>>;

/// How many answers came about in which way, since the start.
#[derive(Debug, Default)]
pub struct Counts {
    pub hits: AtomicU64,
    pub stale: AtomicU64,
    pub misses: AtomicU64,
    pub renders: AtomicU64,
}

impl Counts {
    fn add(&self, said: Said) {
        let counter = match said {
            Said::Hit => &self.hits,
            Said::Stale => &self.stale,
            Said::Miss => &self.misses,
            Said::Pass => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// The pages that are kept.
#[derive(Debug)]
pub struct PageCache {
    named: Shelf,
    open: Shelf,
    /// By page and generation: what was begun before a change is not what is wanted after it.
    renders: Mutex<HashMap<(Key, u64), Render>>,
    counts: Counts,
}

impl Default for PageCache {
    fn default() -> Self {
        let shelf = |bytes: u64| Cache::with_weighter(usize::try_from(bytes / TYPICAL).unwrap_or(1), bytes, Bytewise);
        Self { named: shelf(NAMED), open: shelf(OPEN), renders: Mutex::default(), counts: Counts::default() }
    }
}

impl PageCache {
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Bytes that all kept pages take.
    pub fn weight(&self) -> u64 {
        self.named.weight() + self.open.weight()
    }

    fn shelf(&self, key: &Key) -> &Shelf {
        if key.is_open() { &self.open } else { &self.named }
    }

    fn find(&self, wanted: &Wanted<'_>) -> Option<Arc<Page>> {
        self.named.get(wanted).or_else(|| self.open.get(wanted))
    }

    fn renders(&self) -> MutexGuard<'_, HashMap<(Key, u64), Render>> {
        self.renders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The page being rendered, by somebody else or from now on. `router` renders what it is asked for.
    fn render(&self, key: Key, state: &AppState, router: &Router) -> Render {
        let generation = state.blog.kept.changes().generation();
        let mut renders = self.renders();
        if let Some(render) = renders.get(&(key.clone(), generation)) {
            return render.clone();
        }
        // One may have been finished since somebody looked for it.
        if let Some(page) = self.shelf(&key).peek(&key)
            && page.age(state.now(), generation) == Age::Fresh
        {
            return futures::future::ready(page).boxed().shared();
        }
        self.counts.renders.fetch_add(1, Ordering::Relaxed);
        let (state, router, whose) = (state.clone(), router.clone(), (key.clone(), generation));
        // A task of its own: whoever asked for it first may go away.
        let task = tokio::spawn(async move {
            let page = AssertUnwindSafe(rendered(&key, generation, &state, router)).catch_unwind().await;
            let page = Arc::new(page.unwrap_or_else(|_| failed()));
            let pages = &state.blog.pages;
            if page.is_found() {
                pages.shelf(&key).insert(key.clone(), page.clone());
            }
            pages.renders().remove(&(key, generation));
            page
        });
        let render = task.map(|page| page.unwrap_or_else(|_| Arc::new(failed()))).boxed().shared();
        renders.insert(whose, render.clone());
        render
    }
}

/// Renders a page from its key.
async fn rendered(key: &Key, generation: u64, state: &AppState, router: Router) -> Page {
    let Some(mut request) = key.request() else { return failed() };
    let shown = Shown::default();
    request.extensions_mut().insert(shown.clone());
    let at = state.now();
    let Ok(answer) = router.oneshot(request).await;
    // Without knowing when the next post appears nobody knows how long the page holds.
    let next = state.blog.kept.next(&state.db).await;
    let (parts, body) = answer.into_parts();
    let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else { return failed() };
    let ends = next.unwrap_or(Some(at));
    let made = Made { at, generation, ends, post: shown.post() };
    let vary = if key.has_reader() { PEOPLE } else { PROGRAMS };
    let page = tokio::task::spawn_blocking(move || Page::new(parts.status, parts.headers, body, made, vary));
    page.await.unwrap_or_else(|_| failed())
}

/// What stands for a page that could not be made at all.
fn failed() -> Page {
    let made = Made { at: chrono::DateTime::UNIX_EPOCH, generation: 0, ends: None, post: None };
    Page::new(StatusCode::INTERNAL_SERVER_ERROR, HeaderMap::new(), Bytes::new(), made, PROGRAMS)
}
