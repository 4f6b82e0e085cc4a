//! What every request meets first: pages that are kept leave from here, before anything else looks at the request.

use super::key::{Wanted, wanted};
use super::page::{Age, Page, Said};
use super::{PageCache, SERVER_TIMING};
use crate::server::metrics;
use crate::server::web::readers::is_reader;
use crate::server::web::state::AppState;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, Response};
use futures::FutureExt;
use futures::future::{BoxFuture, Either, Ready, ready};
use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower::{Service, ServiceExt};

/// The pages that are kept, in front of the router that renders them. It is cloned for every request.
#[derive(Clone)]
pub struct Front(Arc<Inner>);

struct Inner {
    state: AppState,
    router: Router,
    /// The name of the session's cookie.
    session: &'static str,
}

type Answer = Result<Response<Body>, Infallible>;

impl Front {
    pub fn new(state: AppState, router: Router, session: &'static str) -> Self {
        Self(Arc::new(Inner { state, router, session }))
    }

    fn pages(&self) -> &PageCache {
        &self.0.state.blog.pages
    }

    fn wanted<'a>(&self, request: &'a Request<Body>) -> Option<Wanted<'a>> {
        let outbox = || self.0.state.outbox_is_open(request);
        wanted(request.method(), request.uri(), request.headers(), self.0.session, outbox)
    }

    /// The answer to a request whose page is kept.
    fn kept(&self, request: &Request<Body>) -> Option<Response<Body>> {
        let wanted = self.wanted(request)?;
        let page = self.pages().find(&wanted)?;
        let said = match page.age(self.0.state.now(), self.0.state.blog.kept.changes().generation()) {
            Age::Fresh => Said::Hit,
            Age::Stale => {
                // Rendered by a task of its own, which nobody waits for.
                drop(self.pages().render(wanted.key(), &self.0.state, &self.0.router));
                Said::Stale
            }
            Age::Old | Age::Wrong => return None,
        };
        Some(self.answer(request.method(), request.headers(), &page, said))
    }

    async fn rest(self, request: Request<Body>) -> Response<Body> {
        let Some(wanted) = self.wanted(&request) else { return self.pass(request).await };
        let key = wanted.key();
        let page = self.pages().render(key, &self.0.state, &self.0.router).await;
        if page.is_failed()
            && let Some(old) = self.pages().find(&wanted)
            && old.age(self.0.state.now(), self.0.state.blog.kept.changes().generation()) != Age::Wrong
        {
            return self.answer(request.method(), request.headers(), &old, Said::Stale);
        }
        self.answer(request.method(), request.headers(), &page, Said::Miss)
    }

    async fn pass(self, request: Request<Body>) -> Response<Body> {
        let Ok(mut answer) = self.0.router.clone().oneshot(request).await;
        answer.headers_mut().entry(SERVER_TIMING).or_insert(Said::Pass.header());
        metrics::request(answer.status().as_u16());
        answer
    }

    fn answer(&self, method: &Method, asked: &HeaderMap, page: &Arc<Page>, said: Said) -> Response<Body> {
        let answer = page.answer(asked, said);
        if let Some(post) = page.made().post
            && is_reader(method, asked)
        {
            self.0.state.blog.views.count(post);
        }
        self.pages().counts().add(said);
        metrics::request(answer.status().as_u16());
        answer
    }
}

impl Service<Request<Body>> for Front {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<Ready<Answer>, BoxFuture<'static, Answer>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match self.kept(&request) {
            Some(answer) => Either::Left(ready(Ok(answer))),
            None => Either::Right(self.clone().rest(request).map(Ok).boxed()),
        }
    }
}
