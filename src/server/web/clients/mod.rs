//! Files of clients: in by upload, out by export; and uploads for the ledger of addresses that are left out.

mod export;
mod faulty;
mod upload;

use super::state::AppState;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

/// `POST /clients/upload`, `POST /suppressions/upload`, `GET /clients/export` and `GET /clients/import/{id}/faulty`. The uploads
/// limit their size themselves: merge these routes outside of any limit on bodies, and inside the session layer.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/clients/upload", post(upload::clients).layer(DefaultBodyLimit::disable()))
        .route("/suppressions/upload", post(upload::suppressions).layer(DefaultBodyLimit::disable()))
        .route("/clients/export", get(export::export))
        .route("/clients/import/{id}/faulty", get(faulty::faulty))
}
