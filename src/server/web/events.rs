//! Live events: of a mailing's page, and the figures of the home page.

use super::guard;
use super::state::AppState;
use crate::domain::user::Permission;
use crate::server::db::sessions::stored_id;
use crate::server::services::Error;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, RETRY_AFTER};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::Stream;
use std::convert::Infallible;
use std::time::Duration;
use tower_sessions::Session;

/// `GET /events/mailings/{id}`.
pub fn routes() -> axum::Router<AppState> {
    axum::Router::new().route("/events/mailings/{id}", get(events))
}

/// `GET /events/home`: the figures whenever they change. One computation serves all who listen; who
/// comes when too many do gets 503, and a page without ticking figures.
pub fn public() -> axum::Router<AppState> {
    axum::Router::new().route("/events/home", get(home))
}

async fn home(State(state): State<AppState>) -> Response {
    let Some((figures, permit)) = state.blog.figures.follow() else {
        return (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "60")]).into_response();
    };
    let watch = (figures, permit, state.stop, true);
    let events = futures::stream::unfold(watch, |(mut figures, permit, stop, first)| async move {
        if !first || figures.borrow().is_none() {
            tokio::select! {
                () = stop.cancelled() => return None,
                changed = figures.changed() => changed.ok()?,
            }
        }
        let now = (*figures.borrow_and_update())?;
        let event = Event::default().json_data(now).ok()?;
        Some((Ok::<_, Infallible>(event), (figures, permit, stop, false)))
    });
    ([(CACHE_CONTROL, "no-store")], Sse::new(events).keep_alive(KeepAlive::default())).into_response()
}

/// Tells pages that their server is there: scripts do not see the comments that keep a connection alive.
pub fn beat() -> KeepAlive {
    /// A page that hears nothing for twice as long says so. Browsers drop an event without data.
    const BEAT: Duration = Duration::from_secs(2);
    KeepAlive::new().interval(BEAT).event(Event::default().event("beat").data("1"))
}

async fn events(
    State(state): State<AppState>,
    session: Session,
    Path(id): Path<i64>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Response> {
    let actor = guard::actor(&session, &state, Permission::Own).await.map_err(guard::refusal)?;
    let session = session.id().map(|id| stored_id(&id)).ok_or_else(|| guard::refusal(Error::Unauthenticated))?;
    let service = (&state.db, &state.clock, &state.stop);
    let follower = state.live.follow(service, actor, session, id).await.map_err(guard::refusal)?;
    let too_many = || (StatusCode::TOO_MANY_REQUESTS, "too many open pages").into_response();
    let follower = follower.ok_or_else(too_many)?;
    let events = futures::stream::unfold(follower, |mut follower| async move {
        let event = Event::default().json_data(follower.next().await?).ok()?;
        Some((Ok(event), follower))
    });
    Ok(Sse::new(events).keep_alive(beat()))
}
