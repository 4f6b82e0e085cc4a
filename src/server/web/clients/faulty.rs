//! The lines that an import did not take, as a file.

use super::super::guard::{actor, refusal};
use super::super::state::AppState;
use crate::domain::user::Permission;
use crate::server::services::import;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::stream;
use tokio::io::AsyncReadExt;
use tower_sessions::Session;

/// Bytes that are read at once.
const PIECE: usize = 64 * 1024;

/// `GET /clients/import/{id}/faulty`.
pub async fn faulty(
    State(state): State<AppState>,
    session: Session,
    Path(id): Path<i64>,
) -> Result<Response, Response> {
    let actor = actor(&session, &state, Permission::Own).await.map_err(refusal)?;
    let file = import::faulty::open(&state.db, &actor, id).await.map_err(refusal)?;
    let pieces = stream::try_unfold(file, |mut file| async move {
        let mut piece = vec![0; PIECE];
        let n = file.read(&mut piece).await?;
        piece.truncate(n);
        Ok::<_, std::io::Error>((n > 0).then_some((piece, file)))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"left-out-{id}.csv\"")),
    ];
    Ok((headers, Body::from_stream(pieces)).into_response())
}
