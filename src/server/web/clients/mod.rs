//! Files of clients: in by upload, out by export.

mod export;
mod upload;

use super::state::AppState;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

/// `POST /clients/upload` and `GET /clients/export`. The upload limits its size itself: merge these
/// routes outside of any limit on bodies, and inside the session layer.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/clients/upload", post(upload::upload).layer(DefaultBodyLimit::disable()))
        .route("/clients/export", get(export::export))
}
