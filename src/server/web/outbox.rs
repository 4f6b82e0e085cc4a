//! A caught letter as a file.

use super::request;
use super::state::AppState;
use crate::api::error::AppError;
use crate::server::services::{Error, outbox};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use leptos::prelude::use_context;
use tower_sessions::Session;

/// `GET /outbox/{id}/source`.
pub fn routes() -> Router<AppState> {
    Router::new().route("/outbox/{id}/source", get(source))
}

async fn source(State(state): State<AppState>, session: Session, Path(id): Path<i64>, parts: Parts) -> Response {
    match read(&state, &session, &parts, id).await {
        Ok(raw) => {
            let name = format!("attachment; filename=\"letter-{id}.eml\"");
            let headers = [(header::CONTENT_TYPE, "message/rfc822".to_owned()), (header::CONTENT_DISPOSITION, name)];
            (headers, raw).into_response()
        }
        Err(error) => {
            let error = AppError::from(error);
            let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, error.to_string()).into_response()
        }
    }
}

async fn read(state: &AppState, session: &Session, parts: &Parts, id: i64) -> Result<Vec<u8>, Error> {
    let user = request::user_of(session, state).await?;
    let reader = outbox::reader(state.catching(), state.outbox_is_open(parts), user.as_ref())?;
    outbox::source(&state.db, reader, id).await
}

/// Proves that whoever asks may read the Outbox.
///
/// # Errors
/// As [`outbox::reader`].
pub async fn reader() -> Result<outbox::Reader, Error> {
    let state = request::state();
    let user = request::user().await?;
    let open = use_context::<Parts>().is_some_and(|parts| state.outbox_is_open(&parts));
    outbox::reader(state.catching(), open, user.as_ref())
}
