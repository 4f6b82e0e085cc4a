//! Letters as pages of their own, for frames: with their own styles and pictures, and nothing that acts. A page of ours
//! allows no style that is not its own, and a frame without an address would inherit that.

use super::guard::{actor, refusal};
use super::state::AppState;
use crate::domain::user::Permission;
use crate::server::services::{Result, designs, messages};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use tower_sessions::Session;

/// The policy of these pages. Scripts run in none of them; ours, around the frame, puts the letter in that is being written,
/// which is why the page keeps its origin.
const POLICY: &str = "sandbox allow-same-origin; default-src 'none'; style-src 'unsafe-inline'; \
    img-src 'self' https: http: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// `GET /letter`, an empty page; `GET /messages/{id}/page`; `GET /designs/{word}/page`, a sample of a design: of one's own by its
/// id, or of one that everybody has.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/letter", get(|| async { page(String::from("<!DOCTYPE html><title></title>")) }))
        .route("/messages/{id}/page", get(message))
        .route("/designs/{word}/page", get(sample))
}

fn page(html: String) -> Response {
    let headers = [(header::CONTENT_SECURITY_POLICY, POLICY), (header::CACHE_CONTROL, "private, no-store")];
    (headers, Html(html)).into_response()
}

fn answer(html: Result<String>) -> Response {
    html.map_or_else(refusal, page)
}

async fn message(State(state): State<AppState>, session: Session, Path(id): Path<i64>) -> Response {
    match actor(&session, &state, Permission::Own).await {
        Ok(actor) => answer(messages::page(&state.db, &actor, id, &state.config.public_url).await),
        Err(error) => refusal(error),
    }
}

async fn sample(State(state): State<AppState>, session: Session, Path(word): Path<String>) -> Response {
    match actor(&session, &state, Permission::Own).await {
        Ok(actor) => answer(designs::sample_of(&state.db, &actor, &word, &state.config.public_url).await),
        Err(error) => refusal(error),
    }
}
