//! Who asks, for handlers that are no server functions.

use super::request::USER;
use super::state::AppState;
use crate::domain::user::Permission;
use crate::server::db::users;
use crate::server::services::Actor;
use axum::http::StatusCode;
use tower_sessions::Session;

/// The actor of a session, if the permission is theirs.
///
/// # Errors
/// 401 if nobody is logged in, 403 if the user may not, 500 if the database fails.
pub async fn actor(state: &AppState, session: &Session, permission: Permission) -> Result<Actor, StatusCode> {
    let id: i64 = session.get(USER).await.map_err(failed)?.ok_or(StatusCode::UNAUTHORIZED)?;
    let user = users::by_id(&state.db, id).await.map_err(failed)?.ok_or(StatusCode::UNAUTHORIZED)?;
    Actor::prove(&user, permission).map_err(|_| StatusCode::FORBIDDEN)
}

fn failed(error: impl std::fmt::Display) -> StatusCode {
    tracing::error!(%error, "a session could not be read");
    StatusCode::INTERNAL_SERVER_ERROR
}
