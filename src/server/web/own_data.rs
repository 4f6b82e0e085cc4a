//! Everything that is the reader's own, as a file.

use super::guard::{actor, refusal};
use super::peer;
use super::quota::Slot;
use super::state::AppState;
use crate::domain::user::Permission;
use crate::server::services::{Actor, accounts};
use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::StreamExt;
use tower_sessions::Session;

/// `GET /account/data.json`.
pub fn routes() -> axum::Router<AppState> {
    axum::Router::new().route("/account/data.json", get(own_data))
}

async fn own_data(State(state): State<AppState>, session: Session, parts: Parts) -> Result<Response, Response> {
    let actor = actor(&session, &state, Permission::Own).await.map_err(refusal)?;
    let actor = Actor { address: peer::of(&state, &parts.extensions, &parts.headers).to_string(), ..actor };
    let too_many = || (StatusCode::TOO_MANY_REQUESTS, "one file at a time").into_response();
    let slot: Slot = state.takeaways.take(actor.id).ok_or_else(too_many)?;
    let pieces = accounts::own_data(state.db.clone(), &actor, state.now()).await.map_err(refusal)?;
    let pieces = futures::stream::unfold((pieces, slot), |(mut pieces, slot)| async move {
        let piece = pieces.recv().await?;
        let piece = piece.map_err(|error| {
            tracing::error!(%error, "a file of somebody's own data broke off");
            std::io::Error::other("the file broke off")
        });
        Some((piece, (pieces, slot)))
    });
    // Compression asks once more after the end.
    let body = pieces.fuse();
    let name = format!("attachment; filename=\"vestnik-{}.json\"", state.now().date_naive());
    let headers = [(header::CONTENT_TYPE, "application/json".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(body)).into_response())
}
