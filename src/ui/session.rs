//! Who reads the page.

use crate::api::error::AppError;
use crate::domain::settings::Registration;
use crate::domain::user::Session;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// The page's session; read it inside `Suspense` or `Transition`.
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

/// Who may make an account, once the session is known.
pub fn use_registration() -> impl Fn() -> Option<Registration> + Copy + Send + Sync + 'static {
    let session = use_session();
    move || session.get().map(|session| session.unwrap_or_default().registration)
}

/// Why this reader has no pages of their own, where that is so.
pub fn refusal(session: &Session) -> Option<AppError> {
    match &session.me {
        Some(me) if me.confirmed => None,
        None if session.blocked.is_none() => Some(AppError::Unauthenticated),
        _ => Some(AppError::Forbidden),
    }
}

/// Pages that let somebody in or out, or change what the header says of them.
const CHANGING: [&str; 11] = [
    "/login",
    "/login/code",
    "/reset",
    "/setup",
    "/confirm",
    "/invitation",
    "/account",
    "/account/email",
    "/account/security",
    "/relays",
    "/relays/new",
];

/// Asks anew who reads the page when one of [`CHANGING`] has been left. Inside the router.
#[component]
pub fn RefreshSession() -> impl IntoView {
    let (session, path) = (use_session(), use_location().pathname);
    Effect::new(move |before: Option<String>| {
        let here = path.get();
        if before.is_some_and(|before| before != here && CHANGING.contains(&before.as_str())) {
            session.refetch();
        }
        here
    });
}
