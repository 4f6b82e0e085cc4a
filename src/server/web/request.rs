//! What a server function asks of the request it serves.

use super::state::AppState;
use super::{device_cookie, preferences};
use crate::api::error::AppError;
use crate::domain::lang::Lang;
use crate::domain::settings::Registration;
use crate::domain::user::{Me, Permission, Session as Reader, Theme};
use crate::server::db::sessions::{EPOCH, USER, VISIT, Visit, stored_id};
use crate::server::db::users::{self, User};
use crate::server::db::{oversight, settings};
use crate::server::services::devices::{self, Visitor};
use crate::server::services::{self, Actor, Error};
use axum::http::StatusCode;
use axum::http::header::{ACCEPT, COOKIE, HeaderValue, SET_COOKIE, USER_AGENT};
use axum::http::request::Parts;
use chrono::{DateTime, TimeDelta, Utc};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;
use std::net::{IpAddr, Ipv4Addr};
use tower_sessions::{Session, session, session_store};

/// A session in use says so this often; it bounds how often it is written.
const SEEN_EVERY: TimeDelta = TimeDelta::minutes(5);
/// The key of [`Halfway`] in a session.
const HALFWAY: &str = "halfway";
/// How long a right password waits for its code.
const CODE_WITHIN: TimeDelta = TimeDelta::minutes(10);
/// Longest User-Agent that is kept, in characters.
const AGENT_MAX: usize = 300;
/// The longest life of a cookie that is not a session's, in seconds: a year.
const KEEP: u32 = 365 * 24 * 3600;

/// The service, from the context that the router provides.
///
/// # Errors
/// [`Error::Abandoned`] where what asks belongs to a page, or to a part of one, that is rendered no more: its context goes with
/// it, while a question that is under way goes on to its end. It must come to one, for the answer waits for it.
pub fn state() -> Result<AppState, Error> {
    use_context::<AppState>().ok_or(Error::Abandoned)
}

/// This browser's session.
///
/// # Errors
/// As [`state`]; if the session layer is missing, which only a wrong router can cause.
pub async fn session() -> Result<Session, Error> {
    state()?;
    leptos_axum::extract::<Session>().await.map_err(|error| Error::Internal(error.to_string()))
}

/// The user whom the session belongs to, as stored now.
///
/// # Errors
/// Database errors.
pub async fn user() -> Result<Option<User>, Error> {
    user_of(&session().await?, &state()?).await
}

/// The same for a route that is no server function.
///
/// # Errors
/// Database errors.
pub async fn user_of(session: &Session, state: &AppState) -> Result<Option<User>, Error> {
    let id: Option<i64> = session.get(USER).await.map_err(broken)?;
    let Some(id) = id else { return Ok(None) };
    let now = state.now();
    let visit: Visit = session.get(VISIT).await.map_err(broken)?.unwrap_or_default();
    if visit.seen.is_none_or(|seen| now - seen > SEEN_EVERY) {
        // Stored with the answer, which also renews the cookie.
        session.insert(VISIT, Visit { seen: Some(now), ..visit }).await.map_err(broken)?;
    }
    Ok(users::by_id(&state.db, id).await?)
}

fn broken(error: tower_sessions::session::Error) -> Error {
    match error {
        session::Error::Store(session_store::Error::Backend(why)) => Error::Away(why),
        error => Error::Internal(error.to_string()),
    }
}

/// The id of this browser's session among the stored ones.
///
/// # Errors
/// If the session layer is missing.
pub async fn session_id() -> Result<Option<String>, Error> {
    Ok(session().await?.id().map(|id| stored_id(&id)))
}

/// The address that asks.
pub fn peer() -> IpAddr {
    let (parts, state) = (use_context::<Parts>(), state().ok());
    parts.zip(state).map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |(parts, state)| {
        super::peer::of(&state, &parts.extensions, &parts.headers)
    })
}

/// Who asks to be let in.
///
/// # Errors
/// As [`state`].
pub fn visitor() -> Result<Visitor, Error> {
    let state = state()?;
    Ok(Visitor::new(peer(), state.sealer(), device(&state)))
}

/// The cookie of a browser that accounts were in before.
fn device(state: &AppState) -> String {
    let parts = use_context::<Parts>();
    let cookie = parts.as_ref().and_then(|parts| preferences::cookie(&parts.headers, device_cookie(state)));
    cookie.unwrap_or_default().to_owned()
}

/// Notes in the session who has logged in, as they were when that was checked; its id is renewed, so that one planted
/// before is worthless. A browser that has no language or theme of its own yet gets the user's.
///
/// # Errors
/// [`Error::Unauthenticated`] if what was checked holds no longer: the password is another one by now, or the role, or
/// they are blocked. If the session cannot be stored.
pub async fn remember(user: &User) -> Result<(), Error> {
    let (state, session) = (state()?, session().await?);
    services::accounts::admit(&state.db, user).await?;
    let now = state.now();
    session.clear().await;
    session.cycle_id().await.map_err(broken)?;
    session.insert(USER, user.id).await.map_err(broken)?;
    // It is stored after the answer is made, and the password may change until then: where the epoch is not the
    // account's any more, the session is none.
    session.insert(EPOCH, user.epoch).await.map_err(broken)?;
    let agent = header(USER_AGENT).chars().take(AGENT_MAX).collect();
    let visit = Visit { agent, address: peer().to_string(), began: Some(now), seen: Some(now) };
    session.insert(VISIT, visit).await.map_err(broken)?;
    let known = devices::cookie(&state.sealer(), user, &device(&state));
    set_cookie(&state, device_cookie(&state), &known, "; HttpOnly");
    let chosen = header(COOKIE);
    if !chosen.contains("lang=") && user.lang != lang() {
        keep("lang", user.lang.as_str());
    }
    if !chosen.contains("theme=") && user.theme != Theme::System {
        keep("theme", user.theme.as_str());
    }
    Ok(())
}

fn header(name: axum::http::HeaderName) -> String {
    let parts = use_context::<Parts>();
    let value = parts.as_ref().and_then(|parts| parts.headers.get(name)?.to_str().ok());
    value.unwrap_or_default().to_owned()
}

/// Lets the browser keep a language or a theme, as `/language` and `/theme` do.
pub fn keep(cookie: &str, value: &str) {
    if let Ok(state) = state() {
        set_cookie(&state, cookie, value, "");
    }
}

fn set_cookie(state: &AppState, cookie: &str, value: &str, more: &str) {
    let secure = if super::is_secure(state) { "; Secure" } else { "" };
    let text = format!("{cookie}={value}; Path=/; Max-Age={KEEP}; SameSite=Lax{secure}{more}");
    if let Some(options) = use_context::<ResponseOptions>()
        && let Ok(text) = HeaderValue::from_str(&text)
    {
        options.append_header(SET_COOKIE, text);
    }
}

/// Does something apart from the answer, which takes as long whatever there is to do.
pub fn apart(what: &'static str, work: impl Future<Output = Result<(), Error>> + Send + 'static) {
    tokio::spawn(async move {
        match work.await {
            Ok(()) | Err(Error::RateLimited) => {}
            Err(error) => tracing::error!(%error, "{what} failed"),
        }
    });
}

/// Lets somebody in whose password, or link to a new one, is right, and goes to a page: with a second factor
/// to that which asks for the code.
///
/// # Errors
/// If they may not come in, or the session cannot be stored.
pub async fn enter(user: &User, next: &str) -> Result<(), Error> {
    services::accounts::may_enter(user)?;
    if !user.totp {
        remember(user).await?;
        go(next);
        return Ok(());
    }
    let session = session().await?;
    session.clear().await;
    session.cycle_id().await.map_err(broken)?;
    let until = state()?.now() + CODE_WITHIN;
    let halfway = Halfway { user: user.id, epoch: user.epoch, until, next: next.to_owned() };
    session.insert(HALFWAY, halfway).await.map_err(broken)?;
    go("/login/code");
    Ok(())
}

/// Somebody whose password was right and whose code is waited for.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Halfway {
    pub user: i64,
    /// In which the password was right.
    #[serde(default)]
    pub epoch: i64,
    until: DateTime<Utc>,
    pub next: String,
}

/// Who is halfway in, in this session.
///
/// # Errors
/// [`Error::Unauthenticated`] if nobody is, or it took too long.
pub async fn halfway() -> Result<Halfway, Error> {
    let halfway: Option<Halfway> = session().await?.get(HALFWAY).await.map_err(broken)?;
    let now = state()?.now();
    halfway.filter(|halfway| now < halfway.until).ok_or(Error::Unauthenticated)
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
        Ok(Actor { address: peer().to_string(), ..Actor::prove(&user, permission)? })
    };
    answer(proof.await)
}

/// Who reads the page, and what every page needs to know.
///
/// # Errors
/// Database errors.
pub async fn reader() -> Result<Reader, Error> {
    let state = state()?;
    let found = user().await?;
    let blocked = match &found {
        Some(user) if user.blocked_at.is_some() => {
            oversight::user(&state.db, user.id).await?.and_then(|user| user.blocked)
        }
        _ => None,
    };
    let user = found.filter(|user| user.blocked_at.is_none());
    let outbox = use_context::<Parts>().is_some_and(|parts| state.outbox_is_open(&parts))
        || state.catching() && user.as_ref().is_some_and(|user| user.role.may(Permission::Outbox));
    let settings = user.as_ref().is_some_and(|user| user.role.may(Permission::Settings));
    let alerts = if settings { state.relays.alerts() } else { Vec::new() };
    let me = user.map(|user| Me {
        id: user.id,
        email: user.email,
        name: user.name,
        role: user.role,
        zone: user.zone,
        confirmed: user.confirmed_at.is_some(),
    });
    let contact = match &blocked {
        Some(_) => settings::sender(&state.db, state.from()).await?.email.as_str().to_owned(),
        None => String::new(),
    };
    let registration = match &me {
        Some(_) => Registration::default(),
        None => services::settings::registration(&state.db).await?,
    };
    Ok(Reader { me, blocked, contact, registration, catching: state.catching(), outbox, alerts })
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
    leptos_axum::redirect(if is_local(path) { path } else { "/overview" });
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
    use crate::api::error::AppError;

    /// What is asked for a part of a page that is rendered no more still comes to an end: the whole answer waits for it.
    #[tokio::test]
    async fn a_question_whose_page_is_gone_has_an_answer() {
        assert_eq!(crate::api::mailings::count_missed(1, 1).await, Err(AppError::Unavailable));
        assert_eq!(crate::api::accounts::session().await, Err(AppError::Unavailable));
        assert_eq!(crate::api::doctor::get_checkup().await, Err(AppError::Unavailable));
    }

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
