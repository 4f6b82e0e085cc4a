//! What came back for a letter, as it came.

use super::guard;
use super::state::AppState;
use crate::domain::user::Permission;
use crate::server::services::returns;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower_sessions::Session;

/// `GET /returns/{id}/source`.
pub fn routes() -> Router<AppState> {
    Router::new().route("/returns/{id}/source", get(source))
}

/// A file to save: anybody can have written it, so no browser is to show it.
async fn source(State(state): State<AppState>, session: Session, Path(id): Path<i64>) -> Result<Response, Response> {
    let actor = guard::actor(&session, &state, Permission::Own).await.map_err(guard::refusal)?;
    let raw = returns::source(&state.db, &actor, id).await.map_err(guard::refusal)?;
    let name = format!("attachment; filename=\"returned-{id}.eml\"");
    let headers = [(header::CONTENT_TYPE, "message/rfc822".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, raw).into_response())
}
