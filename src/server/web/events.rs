//! Live events of a mailing's page.

use super::guard;
use super::state::AppState;
use crate::domain::mailing::MailingLive;
use crate::domain::user::Permission;
use crate::server::services::{Actor, mailings};
use axum::extract::{Path, State};
use axum::response::Response;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::get;
use chrono::{DateTime, Utc};
use futures::Stream;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;
use tower_sessions::Session;

/// Time between two looks at a mailing.
const LOOK: Duration = Duration::from_secs(1);
/// Looks that the rate is taken over.
const LOOKS: usize = 6;

/// `GET /events/mailings/{id}`. A stream ends when the reader leaves or the service stops.
pub fn routes() -> axum::Router<AppState> {
    axum::Router::new().route("/events/mailings/{id}", get(events))
}

async fn events(
    State(state): State<AppState>,
    session: Session,
    Path(id): Path<i64>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Response> {
    let actor = guard::actor(&session, &state, Permission::Own).await.map_err(guard::refusal)?;
    if let Err(error) = mailings::live(&state.db, &actor, id, state.now()).await {
        return Err(guard::refusal(error));
    }
    let watch = Watch { state, actor, id, rate: Rate::default(), last: None };
    let events = futures::stream::unfold(watch, |mut watch| async move {
        let event = watch.next().await?;
        Some((Ok(event), watch))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

struct Watch {
    state: AppState,
    actor: Actor,
    id: i64,
    rate: Rate,
    last: Option<MailingLive>,
}

impl Watch {
    /// The next event worth sending; none when the mailing is gone or the service stops.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if self.last.is_some() {
                tokio::select! {
                    () = self.state.stop.cancelled() => return None,
                    () = tokio::time::sleep(LOOK) => {}
                }
            }
            let now = self.state.now();
            let mut live = mailings::live(&self.state.db, &self.actor, self.id, now).await.ok()?;
            if let Some(run) = &live.run {
                live.rate = self.rate.add(run.id, run.counts.finals(), now);
            }
            let same = self.last.as_ref().is_some_and(|last| MailingLive { now, ..last.clone() } == live);
            self.last = Some(live);
            if !same {
                return Event::default().json_data(self.last.as_ref()?).ok();
            }
        }
    }
}

/// How fast deliveries become final.
#[derive(Default)]
struct Rate {
    run: i64,
    seen: VecDeque<(DateTime<Utc>, i64)>,
}

impl Rate {
    /// Notes a count and returns deliveries a second over the looks that are remembered.
    fn add(&mut self, run: i64, finals: i64, now: DateTime<Utc>) -> f64 {
        if self.run != run {
            self.run = run;
            self.seen.clear();
        }
        self.seen.push_back((now, finals));
        if self.seen.len() > LOOKS {
            self.seen.pop_front();
        }
        let Some((since, before)) = self.seen.front() else { return 0.0 };
        let millis = now.signed_duration_since(*since).num_milliseconds();
        if millis <= 0 { 0.0 } else { (finals - before) as f64 * 1000.0 / millis as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn the_rate_is_that_of_the_last_seconds_of_one_run() {
        let mut rate = Rate::default();
        let begin = DateTime::UNIX_EPOCH;
        assert_eq!(rate.add(1, 500, begin), 0.0);
        assert_eq!(rate.add(1, 600, begin + TimeDelta::seconds(1)), 100.0);
        for second in 2..20 {
            rate.add(1, 600, begin + TimeDelta::seconds(second));
        }
        assert_eq!(rate.add(1, 600, begin + TimeDelta::seconds(20)), 0.0);
        assert_eq!(rate.add(2, 5, begin + TimeDelta::seconds(21)), 0.0);
    }
}
