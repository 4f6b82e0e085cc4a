//! Language and theme: kept in cookies, so that they work before log-in and without scripts.

use super::is_secure;
use super::request::is_local;
use super::state::AppState;
use crate::domain::lang::Lang;
use crate::domain::user::Theme;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;

/// A year, in seconds.
const KEEP: u32 = 365 * 24 * 3600;

#[derive(Deserialize)]
struct Choice {
    to: String,
    #[serde(default)]
    next: String,
}

/// The routes of the two switches.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/language", get(|state, choice| choose(state, choice, "lang", |to| Lang::parse(to).is_some())))
        .route("/theme", get(|state, choice| choose(state, choice, "theme", |to| Theme::parse(to).is_some())))
}

async fn choose(
    State(state): State<AppState>,
    Query(choice): Query<Choice>,
    cookie: &str,
    known: fn(&str) -> bool,
) -> Response {
    let next = if is_local(&choice.next) { &choice.next } else { "/" };
    let value = if known(&choice.to) { choice.to.as_str() } else { "" };
    let secure = if is_secure(&state) { "; Secure" } else { "" };
    let set = format!("{cookie}={value}; Path=/; Max-Age={KEEP}; SameSite=Lax{secure}");
    let set = HeaderValue::from_str(&set).unwrap_or(HeaderValue::from_static(""));
    (AppendHeaders([(SET_COOKIE, set)]), Redirect::to(next)).into_response()
}

/// The value of a cookie.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';')).find_map(
        |pair| {
            let (key, value) = pair.trim().split_once('=')?;
            (key == name).then_some(value)
        },
    )
}
