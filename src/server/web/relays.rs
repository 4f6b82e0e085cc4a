//! Mail servers: what follows a change, and the live events of their page.

use super::state::AppState;
use super::{guard, request};
use crate::domain::relay::RelaysReport;
use crate::domain::user::Permission;
use crate::server::services::Error;
use axum::extract::State;
use axum::response::Response;
use axum::response::sse::{Event, Sse};
use axum::routing::get;
use futures::Stream;
use std::convert::Infallible;
use std::time::Duration;
use tower_sessions::Session;

/// Time between two looks.
const LOOK: Duration = Duration::from_secs(1);

/// Takes changed settings into use, here at once, elsewhere within seconds, and goes to the list.
///
/// # Errors
/// Database errors.
pub async fn changed(state: &AppState, done: &str) -> Result<(), Error> {
    state.relays.reload().await?;
    state.wake.ring();
    request::go(&format!("/relays?done={done}"));
    Ok(())
}

/// `GET /events/relays`. A stream ends when the reader leaves or the service stops.
pub fn routes() -> axum::Router<AppState> {
    axum::Router::new().route("/events/relays", get(events))
}

async fn events(
    State(state): State<AppState>,
    session: Session,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Response> {
    guard::actor(&session, &state, Permission::Settings).await.map_err(guard::refusal)?;
    let events = futures::stream::unfold((state, session, None), |(state, session, last)| async move {
        let (report, event) = next(&state, &session, last).await?;
        Some((Ok(event), (state, session, Some(report))))
    });
    Ok(Sse::new(events).keep_alive(super::events::beat()))
}

/// The next look that differs from the last one; none when the service stops, or the reader is no
/// administrator any more.
async fn next(state: &AppState, session: &Session, last: Option<RelaysReport>) -> Option<(RelaysReport, Event)> {
    loop {
        if last.is_some() {
            tokio::select! {
                () = state.stop.cancelled() => return None,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        guard::actor(session, state, Permission::Settings).await.ok()?;
        let report = state.relays.overview().await.ok()?;
        if last.as_ref() != Some(&report) {
            let event = Event::default().json_data(&report).ok()?;
            return Some((report, event));
        }
    }
}
