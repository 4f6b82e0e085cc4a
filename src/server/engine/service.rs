//! The engine's loop: works while there is work, sleeps until there is more.

use super::{Engine, Wake};
use crate::server::db::{DbResult, mailings, runs};
use chrono::TimeDelta;
use std::time::Duration;

/// The longest sleep: what another process adds to the database is seen after this at the latest.
const LONGEST: Duration = Duration::from_secs(5);
/// The shortest, so that a due delivery that cannot be claimed does not spin.
const SHORTEST: Duration = Duration::from_millis(50);
/// After a database error.
const AFTER_ERROR: Duration = Duration::from_secs(1);

/// Runs until the engine is told to stop, then returns with nothing left in the air.
pub async fn serve(engine: Engine, wake: Wake, only_engine: bool) {
    let mut every = only_engine;
    while !engine.stop.is_cancelled() {
        let worked = async {
            engine.recover(every).await?;
            engine.pass(None).await?;
            engine.idle_for().await
        };
        let sleep = match worked.await {
            Ok(sleep) => {
                every = false;
                sleep
            }
            Err(error) => {
                tracing::error!(%error, "the engine cannot work; it tries again");
                AFTER_ERROR
            }
        };
        tokio::select! {
            () = engine.stop.cancelled() => {}
            () = wake.heard() => {}
            () = tokio::time::sleep(sleep) => {}
        }
    }
}

/// Sends the service's own letters until the engine is told to stop; `wake` rings for new ones.
pub async fn serve_letters(engine: Engine, wake: Wake) {
    while !engine.stop.is_cancelled() {
        let sleep = match engine.own_letters().await {
            Ok(()) => LONGEST,
            Err(error) => {
                tracing::error!(%error, "letters of the service cannot be sent; they are tried again");
                AFTER_ERROR
            }
        };
        tokio::select! {
            () = engine.stop.cancelled() => {}
            () = wake.heard() => {}
            () = tokio::time::sleep(sleep) => {}
        }
    }
}

impl Engine {
    /// How long there is nothing to do, as far as the database tells.
    async fn idle_for(&self) -> DbResult<Duration> {
        let now = self.clock.now();
        let mut next = mailings::next_due(&self.db).await?;
        for run in runs::open_runs(&self.db, None).await?.iter().filter(|run| !run.stopped) {
            let due = crate::server::db::deliveries::next_due(&self.db, run.id).await?;
            next = [next, due, Some(run.end_at)].into_iter().flatten().min();
        }
        let wait = next.map_or(TimeDelta::MAX, |next| next - now);
        Ok(wait.to_std().unwrap_or(SHORTEST).clamp(SHORTEST, LONGEST))
    }
}
