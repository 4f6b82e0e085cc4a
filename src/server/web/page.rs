//! Rendering pages and calling server functions: both get the same contexts.

use super::preferences::cookie;
use super::state::AppState;
use crate::domain::lang::Lang;
use crate::domain::user::Theme;
use crate::ui::assets::Assets;
use crate::ui::status::StatusSetter;
use axum::body::Body;
use axum::http::header::{ACCEPT_LANGUAGE, CONTENT_SECURITY_POLICY, HeaderValue};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use leptos::nonce::{provide_nonce, use_nonce};
use leptos::prelude::{ServerActionError, provide_context, use_context};
use leptos_axum::ResponseOptions;
use std::sync::Arc;

/// What all pages share.
#[derive(Clone)]
pub struct Pages {
    state: AppState,
    assets: Assets,
}

impl Pages {
    pub fn new(state: AppState, assets: Assets) -> Self {
        Self { state, assets }
    }

    /// Renders a page whole, so that its status is right and it is complete without scripts.
    pub async fn render(self, request: Request<Body>) -> Response {
        let contexts = self.contexts(&request);
        leptos_axum::render_app_async_with_context(contexts, crate::ui::shell)(request).await
    }

    /// Calls a server function.
    pub async fn call(self, request: Request<Body>) -> Response {
        let contexts = self.contexts(&request);
        leptos_axum::handle_server_fns_with_context(contexts, request).await.into_response()
    }

    fn contexts(self, request: &Request<Body>) -> impl Fn() + Clone + Send + 'static {
        let lang = lang_of(request.headers());
        let theme = cookie(request.headers(), "theme").and_then(Theme::parse).unwrap_or_default();
        let failed = failed_action(request.uri().query().unwrap_or_default());
        let Self { state, assets } = self;
        let dev = state.config.dev_reload.clone();
        move || {
            provide_context(state.clone());
            provide_context(assets.clone());
            provide_context(lang);
            provide_context(theme);
            provide_context(StatusSetter(Arc::new(set_status)));
            if let Some((path, error)) = &failed {
                provide_context(ServerActionError::new(path, error));
            }
            provide_nonce();
            if let Some(options) = use_context::<ResponseOptions>()
                && let Some(policy) = policy(dev.as_deref())
            {
                options.insert_header(CONTENT_SECURITY_POLICY, policy);
            }
        }
    }
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

/// What a form that was sent without scripts is told: leptos puts it into the address it redirects to.
fn failed_action(query: &str) -> Option<(String, String)> {
    let find = |name: &str| url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
    Some((find("__path")?.1.into_owned(), find("__err")?.1.into_owned()))
}

/// Scripts are ours, or carry this page's nonce. Styles may stand in attributes: letters are shown in
/// frames that inherit this policy.
fn policy(dev: Option<&str>) -> Option<HeaderValue> {
    let nonce = use_nonce()?;
    let dev = dev.unwrap_or_default();
    let policy = format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; \
         img-src 'self' data:; connect-src 'self' {dev}; object-src 'none'; base-uri 'self'; form-action 'self'; \
         frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).ok()
}
