//! A caught letter as a file, and as a page of its own.

use super::guard::refusal;
use super::request;
use super::state::AppState;
use crate::server::services::{Error, outbox};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use leptos::prelude::use_context;
use tower_sessions::Session;

/// `GET /outbox/{id}/source`, and `GET /outbox/{id}/page`, which stands in a frame.
pub fn routes() -> Router<AppState> {
    Router::new().route("/outbox/{id}/source", get(source)).route("/outbox/{id}/page", get(page))
}

async fn source(State(state): State<AppState>, session: Session, Path(id): Path<i64>, parts: Parts) -> Response {
    match read(&state, &session, &parts, id).await {
        Ok(raw) => {
            let name = format!("attachment; filename=\"letter-{id}.eml\"");
            let headers = [(header::CONTENT_TYPE, "message/rfc822".to_owned()), (header::CONTENT_DISPOSITION, name)];
            (headers, raw).into_response()
        }
        Err(error) => refusal(error),
    }
}

async fn page(State(state): State<AppState>, session: Session, Path(id): Path<i64>, parts: Parts) -> Response {
    match show(&state, &session, &parts, id).await {
        Ok(html) => {
            let headers =
                [(header::CONTENT_SECURITY_POLICY, outbox::page::POLICY), (header::CACHE_CONTROL, "no-store")];
            (headers, Html(html)).into_response()
        }
        Err(error) => refusal(error),
    }
}

async fn read(state: &AppState, session: &Session, parts: &Parts, id: i64) -> Result<Vec<u8>, Error> {
    outbox::source(&state.db, reader_of(state, session, parts).await?, id).await
}

async fn show(state: &AppState, session: &Session, parts: &Parts, id: i64) -> Result<String, Error> {
    outbox::as_page(&state.db, reader_of(state, session, parts).await?, id).await
}

async fn reader_of(state: &AppState, session: &Session, parts: &Parts) -> Result<outbox::Reader, Error> {
    let user = request::user_of(session, state).await?;
    outbox::reader(state.catching(), state.outbox_is_open(parts), user.as_ref())
}

/// Proves that whoever asks may read the Outbox.
///
/// # Errors
/// As [`outbox::reader`].
pub async fn reader() -> Result<outbox::Reader, Error> {
    let state = request::state()?;
    let user = request::user().await?;
    let open = use_context::<Parts>().is_some_and(|parts| state.outbox_is_open(&parts));
    outbox::reader(state.catching(), open, user.as_ref())
}
