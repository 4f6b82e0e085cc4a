//! Who asks, for routes that are no server functions.

use super::request::user_of;
use super::state::AppState;
use crate::api::error::AppError;
use crate::domain::user::Permission;
use crate::server::services::{Actor, Error, Result};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tower_sessions::Session;

/// The actor of a request, if the permission is theirs.
///
/// # Errors
/// [`Error::Unauthenticated`] or [`Error::Forbidden`].
pub async fn actor(session: &Session, state: &AppState, permission: Permission) -> Result<Actor> {
    let user = user_of(session, state).await?.ok_or(Error::Unauthenticated)?;
    Actor::prove(&user, permission)
}

/// An error as a bare answer, with its status and nothing of its cause.
pub fn refusal(error: impl Into<Error>) -> Response {
    let error = AppError::from(error.into());
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, error.to_string()).into_response()
}
