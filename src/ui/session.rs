//! Who reads the page.

use crate::api::error::AppError;
use crate::domain::user::Session;
use leptos::prelude::*;

/// The page's session; read it inside `Suspense` or `Transition`, and `refetch` it after a login.
pub type SessionResource = Resource<Result<Session, AppError>>;

/// Starts to load the session and provides it; called once, by the app.
pub fn provide_session() -> SessionResource {
    let session = Resource::new_blocking(|| (), |()| crate::api::accounts::session());
    provide_context(session);
    session
}

/// The session that the app provides.
pub fn use_session() -> SessionResource {
    use_context::<SessionResource>().unwrap_or_else(provide_session)
}
