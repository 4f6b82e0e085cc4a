//! The web server: router, middleware, and what requests share.

pub mod assets;
mod away;
pub mod cache;
pub mod clients;
pub mod doctor;
mod drain;
pub mod events;
pub mod exports;
pub mod feeds;
pub mod guard;
pub mod health;
pub mod hooks;
pub mod images;
mod leaving;
mod letter_pages;
#[cfg(test)]
mod limits_tests;
pub mod listen;
pub mod live;
pub mod loopback;
mod origin;
pub mod outbox;
pub mod own_data;
pub mod pace;
mod page;
mod peer;
mod policy;
mod preferences;
pub mod quota;
pub mod readers;
pub mod relays;
pub mod reports;
pub mod request;
mod returns;
#[cfg(test)]
mod rights;
pub mod site;
pub mod state;
#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;

use crate::server::db::sessions::Sessions;
use crate::ui::assets::Assets;
use axum::Router;
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, HeaderName, HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::response::{IntoResponse, Redirect};
use axum::routing::{get, post};
use cache::Front;
use state::AppState;
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use tower_sessions::cookie::SameSite;
use tower_sessions::{Expiry, Session, SessionManagerLayer};

/// How long a session lasts without a visit.
const SESSION_DAYS: i64 = 30;
/// For a year browsers ask this host over TLS alone (RFC 6797); other hosts of the domain are not ours to bind.
const ALWAYS_HTTPS: &str = "max-age=31536000";
/// Pages of other sites that open ours, or are opened by it, get no hold of its window.
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
/// What browsers can do and our pages never ask for; the clipboard is used.
const UNUSED: &str = "accelerometer=(), autoplay=(), bluetooth=(), browsing-topics=(), camera=(), display-capture=(), \
     encrypted-media=(), geolocation=(), gyroscope=(), hid=(), idle-detection=(), local-fonts=(), magnetometer=(), \
     microphone=(), midi=(), payment=(), picture-in-picture=(), publickey-credentials-get=(), screen-wake-lock=(), \
     serial=(), usb=(), web-share=(), xr-spatial-tracking=()";
/// Largest body of a form or server function, in bytes.
const BODY_MAX: usize = 4 * 1024 * 1024;
/// How long an answer may take, its body apart; a test letter takes a minute at most. Files take what they take.
const ANSWER_WITHIN: Duration = Duration::from_secs(100);

/// The whole service: pages that are kept, and the router of all else.
pub fn service(state: AppState, assets: Assets) -> Front {
    let session = session_cookie(&state);
    Front::new(state.clone(), router(state, assets), session)
}

fn is_secure(state: &AppState) -> bool {
    state.config.public_url.starts_with("https:")
}

fn session_cookie(state: &AppState) -> &'static str {
    if is_secure(state) { "__Host-vestnik" } else { "vestnik" }
}

/// Holds which accounts were in this browser before.
fn device_cookie(state: &AppState) -> &'static str {
    if is_secure(state) { "__Host-vestnik-device" } else { "vestnik-device" }
}

fn router(state: AppState, assets: Assets) -> Router {
    // A second router in the same process (tests) finds it set already.
    let _ = any_spawner::Executor::init_tokio();
    let sessions = SessionManagerLayer::new(Sessions::new(state.db.clone(), state.clock.clone()))
        .with_name(session_cookie(&state))
        .with_secure(is_secure(&state))
        // Strict would make people who follow a link in a letter look logged out.
        .with_same_site(SameSite::Lax)
        .with_expiry(Expiry::OnInactivity(time::Duration::days(SESSION_DAYS)));
    let away = away::Away::new(&state, assets.css.clone());
    let leaving = leaving::routes(&assets.css);
    let pages = page::Pages::new(state.clone(), assets, away.clone());
    let functions = pages.clone();
    let secure = is_secure(&state);
    let mut router = Router::new()
        // Read as a page, the address of a refused form leads home.
        .route(
            "/api/{*function}",
            post(move |request| functions.clone().call(request)).get(|| async { Redirect::to("/") }),
        )
        .route("/logout", post(log_out))
        .merge(events::routes())
        .merge(exports::routes())
        .merge(reports::routes())
        .merge(letter_pages::routes())
        .merge(outbox::routes())
        .merge(returns::routes())
        .merge(own_data::routes())
        .merge(preferences::routes())
        .merge(relays::routes())
        .fallback(get(move |request| pages.clone().render(request)))
        .layer(tower_http::limit::RequestBodyLimitLayer::new(BODY_MAX))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, ANSWER_WITHIN))
        .merge(clients::routes())
        .merge(images::uploads())
        .layer(SetResponseHeaderLayer::if_not_present(CACHE_CONTROL, HeaderValue::from_static("private, no-store")))
        .layer(sessions)
        .layer(origin::layer(&state.config.public_url))
        .layer(axum::middleware::from_fn_with_state(
            std::sync::Arc::<str>::from(&*state.config.public_url),
            origin::explain,
        ))
        .layer(axum::middleware::from_fn(origin::from_referer))
        .layer(axum::middleware::from_fn_with_state(state.clone(), pace::limit))
        // Nothing of these depends on who asks, so no session is looked up for them.
        .merge(events::public())
        .merge(feeds::routes())
        .layer(CompressionLayer::new())
        .merge(images::routes())
        .layer(axum::middleware::from_fn_with_state(away, away::guard))
        .merge(site::routes(&state))
        .merge(health::routes())
        // Signed by programs, which have no session and come from nowhere.
        .merge(hooks::routes())
        .layer(SetResponseHeaderLayer::overriding(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")))
        .layer(SetResponseHeaderLayer::overriding(X_FRAME_OPTIONS, HeaderValue::from_static("DENY")))
        .layer(SetResponseHeaderLayer::overriding(REFERRER_POLICY, HeaderValue::from_static("same-origin")))
        .layer(SetResponseHeaderLayer::overriding(OPENER_POLICY, HeaderValue::from_static("same-origin")))
        .layer(SetResponseHeaderLayer::overriding(PERMISSIONS_POLICY, HeaderValue::from_static(UNUSED)));
    // Of all that stands above it needs nothing, and some of it would be in the way.
    router = router.merge(leaving);
    if secure {
        router = router.layer(SetResponseHeaderLayer::overriding(
            STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static(ALWAYS_HTTPS),
        ));
    }
    let read_on = axum::middleware::from_fn_with_state(state.clone(), drain::read_on);
    router.layer(CatchPanicLayer::new()).layer(read_on).with_state(state)
}

async fn log_out(session: Session) -> impl IntoResponse {
    if let Err(error) = session.flush().await {
        tracing::error!(%error, "a session could not be ended");
    }
    Redirect::to("/")
}
