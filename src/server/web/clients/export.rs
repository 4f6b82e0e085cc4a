//! Clients as a CSV file, streamed.

use super::super::guard::{actor, refusal};
use super::super::state::AppState;
use crate::domain::user::Permission;
use crate::server::services::clients::{Export, csv_head};
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::stream;
use serde::Deserialize;
use tower_sessions::Session;

#[derive(Deserialize)]
pub struct Params {
    #[serde(default)]
    search: String,
    #[serde(default)]
    left_out: bool,
}

/// `GET /clients/export?search=&left_out=`.
pub async fn export(State(state): State<AppState>, session: Session, Query(params): Query<Params>) -> Response {
    let actor = match actor(&session, &state, Permission::Own).await {
        Ok(actor) => actor,
        Err(error) => return refusal(error),
    };
    let left_out_at = params.left_out.then(|| state.now());
    let export = Export::new(state.db, &actor, params.search, left_out_at);
    let rest = stream::try_unfold(export, |mut export| async move {
        let next = export.next().await.inspect_err(|error| tracing::error!(%error, "an export ended early"))?;
        Ok::<_, crate::server::services::Error>(next.map(|bytes| (bytes, export)))
    });
    let body = stream::StreamExt::chain(stream::iter([Ok(csv_head())]), rest);
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"clients.csv\""),
    ];
    (headers, Body::from_stream(body)).into_response()
}
