//! Rendering pages and calling server functions: both get the same contexts.

use super::away::Away;
use super::cache::is_public_page;
use super::policy;
use super::preferences::cookie;
use super::state::AppState;
use crate::api::error::AppError;
use crate::domain::lang::Lang;
use crate::domain::user::Theme;
use crate::ui::assets::Assets;
use crate::ui::once::OnceKey;
use crate::ui::refused::{PAGE, Refused, provide_refused};
use crate::ui::status::StatusSetter;
use axum::body::Body;
use axum::http::header::{
    ACCEPT, ACCEPT_LANGUAGE, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, LOCATION, REFERER,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use leptos::nonce::Nonce;
use leptos::prelude::{provide_context, use_context};
use leptos::server_fn::error::ServerFnUrlError;
use leptos_axum::ResponseOptions;
use std::sync::Arc;
use url::Url;

/// What all pages share.
#[derive(Clone)]
pub struct Pages {
    state: AppState,
    assets: Assets,
    away: Away,
}

impl Pages {
    pub fn new(state: AppState, assets: Assets, away: Away) -> Self {
        Self { state, assets, away }
    }

    /// Renders a page whole, so that its status is right and it is complete without scripts.
    pub async fn render(self, request: Request<Body>) -> Response {
        self.page(request, || {}).await
    }

    /// A page with its policy. What else it may find in its context is provided by `more`.
    async fn page(self, request: Request<Body>, more: impl Fn() + Clone + Send + Sync + 'static) -> Response {
        let connect = self.state.config.dev_reload.clone().unwrap_or_default();
        let contexts = self.contexts(&request);
        let nonce = Nonce::new();
        let marked = nonce.clone();
        let contexts = move || {
            contexts();
            provide_context(marked.clone());
            provide_context(OnceKey(format!("{:032x}", rand::random::<u128>())));
            more();
        };
        let answer = leptos_axum::render_app_async_with_context(contexts, crate::ui::shell)(request).await;
        let (mut parts, body) = answer.into_parts();
        // It is whole already: this mode of rendering writes it in one piece.
        let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        let (html, policy) = policy::seal(&String::from_utf8_lossy(&body), &nonce, &connect);
        if let Some(policy) = policy {
            parts.headers.insert(CONTENT_SECURITY_POLICY, policy);
        }
        Response::from_parts(parts, Body::from(html))
    }

    /// Calls a server function. Where a plain form was refused, its page is the answer, with what was
    /// typed still in it; leptos would redirect there with nothing but the error.
    pub async fn call(self, request: Request<Body>) -> Response {
        let away = self.away.clone();
        if !is_plain_form(request.headers()) {
            return tokio::select! {
                biased;
                () = away.is() => Away::answer(),
                answer = self.function(request) => answer,
            };
        }
        let (mut parts, body) = request.into_parts();
        let Ok(body) = axum::body::to_bytes(body, super::BODY_MAX).await else {
            return StatusCode::PAYLOAD_TOO_LARGE.into_response();
        };
        let values: Vec<(String, String)> = url::form_urlencoded::parse(&body).into_owned().collect();
        let page = page_of(&values, &parts.headers);
        // leptos answers plain forms with a redirect to the Referer.
        let Ok(referer) = HeaderValue::from_str(page.as_str()) else { return StatusCode::BAD_REQUEST.into_response() };
        parts.headers.insert(REFERER, referer);
        let mut answer = tokio::select! {
            biased;
            () = away.is() => return away.form(&parts.headers, parts.uri.path(), &without_secrets(values)),
            answer = self.clone().function(Request::from_parts(parts.clone(), Body::from(body))) => answer,
        };
        let location = answer.headers().get(LOCATION).and_then(|location| location.to_str().ok());
        let Some(back) = location.and_then(|location| Url::parse(location).ok()).filter(is_here) else { return answer };
        match failed_action(back.query().unwrap_or_default()) {
            Some((action, error)) => {
                let page = page[url::Position::BeforePath..].to_owned();
                self.refused(parts, Refused { action, error, page, values: without_secrets(values) }).await
            }
            None => {
                if let Ok(path) = HeaderValue::from_str(&back[url::Position::BeforePath..]) {
                    answer.headers_mut().insert(LOCATION, path);
                }
                answer
            }
        }
    }

    async fn function(self, request: Request<Body>) -> Response {
        let contexts = self.contexts(&request);
        let answer = leptos_axum::handle_server_fns_with_context(contexts, request).await.into_response();
        if answer.status() == StatusCode::INTERNAL_SERVER_ERROR { blame(answer).await } else { answer }
    }

    /// Renders the page of a refused form again.
    async fn refused(self, mut parts: Parts, refused: Refused) -> Response {
        let Ok(uri) = refused.page.parse() else { return StatusCode::BAD_REQUEST.into_response() };
        (parts.method, parts.uri) = (Method::GET, uri);
        for name in [CONTENT_TYPE, CONTENT_LENGTH] {
            parts.headers.remove(name);
        }
        let status = ServerFnUrlError::<AppError>::decode_err(&refused.error).status();
        let said = move || {
            set_status(status);
            provide_refused(refused.clone());
        };
        self.page(Request::from_parts(parts, Body::empty()), said).await
    }

    fn contexts(self, request: &Request<Body>) -> impl Fn() + Clone + Send + Sync + 'static {
        let lang = lang_of(request.headers());
        let theme = cookie(request.headers(), "theme").and_then(Theme::parse).unwrap_or_default();
        let Self { state, mut assets, .. } = self;
        assets.calm =
            is_public_page(request.uri().path()) && cookie(request.headers(), super::session_cookie(&state)).is_none();
        move || {
            provide_context(state.clone());
            provide_context(assets.clone());
            provide_context(lang);
            provide_context(theme);
            provide_context(StatusSetter(Arc::new(set_status)));
        }
    }
}

/// Arguments that cannot be read are the caller's fault; leptos says 500 of them as of everything.
async fn blame(answer: Response) -> Response {
    let (mut parts, body) = answer.into_parts();
    let Ok(body) = axum::body::to_bytes(body, super::BODY_MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    if let Ok(error @ AppError::Network(_)) = serde_json::from_slice::<AppError>(&body) {
        parts.status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
    }
    Response::from_parts(parts, Body::from(body))
}

/// The reader's language: their choice, or what their browser asks for.
pub fn lang_of(headers: &HeaderMap) -> Lang {
    let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    Lang::choose(cookie(headers, "lang"), accepted)
}

fn set_status(status: u16) {
    if let Some(options) = use_context::<ResponseOptions>()
        && let Ok(status) = StatusCode::from_u16(status)
    {
        options.set_status(status);
    }
}

/// Stands before the paths of pages where only a whole address will do.
const HERE: &str = "http://here.invalid";

fn is_here(url: &Url) -> bool {
    url.origin().ascii_serialization() == HERE
}

/// Whether a form was sent without scripts.
fn is_plain_form(headers: &HeaderMap) -> bool {
    let holds = |name, what| {
        headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).is_some_and(|text| text.contains(what))
    };
    holds(ACCEPT, "text/html") && holds(CONTENT_TYPE, "application/x-www-form-urlencoded")
}

/// The page that a form stands on, behind [`HERE`]: as its hidden field says, else as the Referer does.
fn page_of(values: &[(String, String)], headers: &HeaderMap) -> Url {
    let named = values.iter().find(|(name, _)| name == PAGE).map(|(_, page)| page.clone());
    let referer = || {
        let url = Url::parse(headers.get(REFERER)?.to_str().ok()?).ok()?;
        Some(url[url::Position::BeforePath..url::Position::AfterQuery].to_owned())
    };
    let page = named.or_else(referer).unwrap_or_default();
    let inside = Url::parse(HERE).and_then(|here| here.join(&page)).ok().filter(is_here);
    // Nothing under /api is a page.
    let inside = inside.filter(|url| !url.path().starts_with("/api/"));
    inside.unwrap_or_else(|| Url::parse(HERE).unwrap_or_else(|_| unreachable!("a constant that is an address")))
}

/// What leptos puts into the address it redirects a refused form to.
fn failed_action(query: &str) -> Option<(String, String)> {
    let find = |name: &str| url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
    Some((find("__path")?.1.into_owned(), find("__err")?.1.into_owned()))
}

/// What may go back into a page.
fn without_secrets(values: Vec<(String, String)>) -> Vec<(String, String)> {
    let secret = |name: &str| ["password", "code", "token", "setup"].iter().any(|word| name.contains(word));
    values.into_iter().filter(|(name, _)| !secret(name) && name != PAGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(named: Option<&str>, referer: &'static str) -> String {
        let values: Vec<_> = named.map(|page| (PAGE.to_owned(), page.to_owned())).into_iter().collect();
        let mut headers = HeaderMap::new();
        headers.insert(REFERER, HeaderValue::from_static(referer));
        page_of(&values, &headers)[url::Position::BeforePath..].to_owned()
    }

    #[test]
    fn a_form_comes_back_to_its_own_page_and_to_no_other_place() {
        assert_eq!(page(Some("/clients/new?a=b"), "http://x/api/save_client"), "/clients/new?a=b");
        assert_eq!(
            page(None, "https://mail.example.org/mailings/new?step=review&title=%D1%86"),
            "/mailings/new?step=review&title=%D1%86"
        );
        for other in ["//evil.example/x", "https://evil.example/", "/api/session", "/\\evil.example"] {
            assert_eq!(page(Some(other), "http://x/"), "/", "{other}");
        }
    }

    #[test]
    fn passwords_do_not_come_back() {
        let pair = |name: &str| (name.to_owned(), "x".to_owned());
        let kept =
            without_secrets(vec![pair("form[email]"), pair("form[password]"), pair("form[new_password]"), pair(PAGE)]);
        assert_eq!(kept, [pair("form[email]")]);
    }
}
