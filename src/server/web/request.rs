//! What a server function asks of the request it serves.

use super::state::AppState;
use crate::api::error::AppError;
use crate::domain::lang::Lang;
use crate::domain::user::{Me, Permission, Session as Reader};
use crate::server::db::users::{self, User};
use crate::server::db::{Db, oversight};
use crate::server::services::{self, Actor, Error};
use axum::http::StatusCode;
use axum::http::header::ACCEPT;
use axum::http::request::Parts;
use leptos::prelude::{expect_context, use_context};
use leptos_axum::ResponseOptions;
use tower_sessions::Session;

/// The key of the user's id in a session.
pub(super) const USER: &str = "user";

/// The service, from the context that the router provides.
pub fn state() -> AppState {
    expect_context::<AppState>()
}

/// This browser's session.
///
/// # Errors
/// If the session layer is missing, which only a wrong router can cause.
pub async fn session() -> Result<Session, Error> {
    leptos_axum::extract::<Session>().await.map_err(|error| Error::Internal(error.to_string()))
}

/// The user whom the session belongs to, as stored now.
///
/// # Errors
/// Database errors.
pub async fn user() -> Result<Option<User>, Error> {
    user_of(&session().await?, &state().db).await
}

/// The same for a route that is no server function.
///
/// # Errors
/// Database errors.
pub async fn user_of(session: &Session, db: &Db) -> Result<Option<User>, Error> {
    let id: Option<i64> = session.get(USER).await.map_err(|error| Error::Internal(error.to_string()))?;
    match id {
        Some(id) => Ok(users::by_id(db, id).await?),
        None => Ok(None),
    }
}

/// Notes in the session who has logged in; its id is renewed, so that one planted before is worthless.
///
/// # Errors
/// If the session cannot be stored.
pub async fn remember(user: i64) -> Result<(), Error> {
    let session = session().await?;
    let fail = |error: tower_sessions::session::Error| Error::Internal(error.to_string());
    session.cycle_id().await.map_err(fail)?;
    session.insert(USER, user).await.map_err(fail)
}

/// Ends the session.
///
/// # Errors
/// If the session cannot be deleted.
pub async fn forget() -> Result<(), Error> {
    session().await?.flush().await.map_err(|error| Error::Internal(error.to_string()))
}

/// The actor of this request, if the permission is theirs. Sets the response's status otherwise.
///
/// # Errors
/// [`AppError::Unauthenticated`] or [`AppError::Forbidden`].
pub async fn require(permission: Permission) -> Result<Actor, AppError> {
    let proof = async {
        let user = user().await?.ok_or(Error::Unauthenticated)?;
        Actor::prove(&user, permission)
    };
    answer(proof.await)
}

/// Who reads the page, and what every page needs to know.
///
/// # Errors
/// Database errors.
pub async fn reader() -> Result<Reader, Error> {
    let state = state();
    let found = user().await?;
    let blocked = match &found {
        Some(user) if user.blocked_at.is_some() => {
            oversight::user(&state.db, user.id).await?.and_then(|user| user.blocked)
        }
        _ => None,
    };
    let user = found.filter(|user| user.blocked_at.is_none());
    let outbox =
        state.outbox_is_open() || state.catching && user.as_ref().is_some_and(|user| user.role.may(Permission::Outbox));
    let me = user.map(|user| Me {
        id: user.id,
        email: user.email,
        name: user.name,
        role: user.role,
        zone: user.zone,
        confirmed: user.confirmed_at.is_some(),
    });
    let contact = state.from().as_str().to_owned();
    Ok(Reader { me, blocked, contact, catching: state.catching, outbox, now: state.now() })
}

/// The language of this request.
pub fn lang() -> Lang {
    use_context::<Lang>().unwrap_or_default()
}

/// Whether a form was sent without scripts. Its answer is a redirect back to the page, whose status
/// must stay a redirect's.
pub fn sent_by_form() -> bool {
    use_context::<Parts>().is_some_and(|parts| {
        let accept = parts.headers.get(ACCEPT).and_then(|value| value.to_str().ok());
        parts.method == axum::http::Method::POST && accept.is_some_and(|accept| accept.contains("text/html"))
    })
}

/// Turns a service's answer into the wire's, and gives an error its HTTP status: server functions
/// answer every error with 500 otherwise.
///
/// # Errors
/// The error of the service, as the browser may see it.
pub fn answer<T>(result: services::Result<T>) -> Result<T, AppError> {
    result.map_err(|error| {
        let error = AppError::from(error);
        if !sent_by_form()
            && let Some(options) = use_context::<ResponseOptions>()
            && let Ok(status) = StatusCode::from_u16(error.status())
        {
            options.set_status(status);
        }
        error
    })
}

/// Sends the browser to a page of this service. Anything that could lead elsewhere, or break a
/// header, leads to the overview.
pub fn go(path: &str) {
    leptos_axum::redirect(if is_local(path) { path } else { "/mailings" });
}

/// Answers a page's request with a permanent redirect (308) to another page of this service. A server
/// function that was called by a script is not redirected: its caller knows what to do.
pub fn moved(path: &str) {
    let page = use_context::<Parts>().is_some_and(|parts| parts.method != axum::http::Method::POST);
    if page
        && is_local(path)
        && let Some(options) = use_context::<ResponseOptions>()
        && let Ok(location) = axum::http::HeaderValue::from_str(path)
    {
        options.set_status(StatusCode::PERMANENT_REDIRECT);
        options.insert_header(axum::http::header::LOCATION, location);
    }
}

/// Whether a path stays on this service: a single slash first, no control characters.
pub fn is_local(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && !path.starts_with("/\\")
        && path.chars().all(|c| c.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn redirects_stay_here() {
        for good in ["/", "/mailings/5?state=sent", "/a//b"] {
            assert!(is_local(good), "{good}");
        }
        for bad in
            ["", "//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nSet-Cookie: x", "/ж", "mailings"]
        {
            assert!(!is_local(bad), "{bad}");
        }
    }
}
