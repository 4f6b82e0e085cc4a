//! The engine's loop: works while there is work, sleeps until there is more; its heartbeat; its end.

use super::recorder::{Record, Ticket};
use super::watch::Watch;
use super::{Engine, Wake};
use crate::server::db::{DbResult, claims, limits, mailings, processes, runs};
use crate::server::failpoint;
use chrono::TimeDelta;
use std::time::Duration;

/// The longest sleep: what nobody rang for is seen after this at the latest.
const LONGEST: Duration = Duration::from_secs(5);
/// The shortest, so that a due delivery that cannot be claimed does not spin.
const SHORTEST: Duration = Duration::from_millis(50);
/// Time between two looks for sessions, links and tries that are over.
const TIDY_EVERY: TimeDelta = TimeDelta::hours(1);
/// After a database error.
const AFTER_ERROR: Duration = Duration::from_secs(1);
/// How long the last words to the database may take.
const FAREWELL: Duration = Duration::from_secs(5);
/// Beats in the time after which a process counts as gone.
pub const BEATS: u32 = 3;

/// Runs an engine that has entered until it is told to stop. Letters under way then may end within the
/// grace; nothing is left in the air but those that were past the final dot when it was over.
pub async fn serve(engine: Engine, grace: Duration) {
    let _running = Running::mark(&engine.wake);
    let mut anew = false;
    let turn = || engine.turn(std::mem::replace(&mut anew, true));
    engine.within(grace, engine.supervisor.keep("engine", turn)).await;
}

/// Sends the service's own letters until the engine is told to stop, and tidies the accounts now and then;
/// `wake` rings for new letters.
pub async fn serve_letters(engine: Engine, wake: Wake) {
    let mut tidied = None;
    while !engine.stop.is_cancelled() {
        let now = engine.clock.now();
        if tidied.is_none_or(|last| now - last > TIDY_EVERY) {
            tidied = Some(now);
            if let Err(error) = crate::server::services::accounts::tidy(&engine.db, now).await {
                tracing::error!(%error, "what is over could not be forgotten");
            }
        }
        if let Err(error) = engine.tell().await {
            tracing::error!(%error, "what happened could not be told; it is tried again");
        }
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
    /// Does some work of an engine that has entered, with a heart that beats beside it. None if it was
    /// cut short, because it was told to stop and the grace is over.
    pub async fn within<T>(&self, grace: Duration, work: impl Future<Output = T>) -> Option<T> {
        let cut = async {
            self.stop.cancelled().await;
            tokio::time::sleep(grace).await;
        };
        let beat = async {
            self.supervisor.keep("heartbeat", || self.live()).await;
            // Without it the process stops, which has its grace.
            std::future::pending::<()>().await;
        };
        let done = tokio::select! {
            done = work => Some(done),
            () = cut => {
                tracing::warn!("some letters got no answer within the grace; what becomes of them is settled later");
                None
            }
            () = beat => None,
        };
        match tokio::time::timeout(FAREWELL, self.farewell()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.note("the last words could not be recorded", &error),
            Err(_) => tracing::error!("the database took no last words; the next start takes over"),
        }
        done
    }

    /// Works until it is told to stop; `anew` if a panic has ended it before.
    async fn turn(&self, anew: bool) {
        let mut failed = anew;
        while !self.stop.is_cancelled() {
            let worked = async {
                if failed {
                    self.give_back_strays().await?;
                }
                failpoint::panic("pass");
                self.pass(None).await?;
                self.idle_for().await
            };
            let sleep = match worked.await {
                Ok(sleep) => {
                    failed = false;
                    sleep
                }
                Err(error) => {
                    failed = true;
                    self.note("the engine cannot work; it tries again", &error);
                    AFTER_ERROR
                }
            };
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = self.wake.heard() => {}
                () = tokio::time::sleep(sleep) => {}
            }
        }
    }

    /// Between two passes nothing is in hand. What is claimed nevertheless was claimed in a transaction
    /// whose answer got lost, or by a pass that a panic ended: nobody would come back to it while this process lives.
    /// What is armed is in doubt from then on, and the next beat settles it.
    pub(super) async fn give_back_strays(&self) -> DbResult<()> {
        // What is on record is no stray.
        if !self.recorder.flush().await {
            return Ok(());
        }
        let mut tx = self.db.begin().await?;
        processes::give_back(&mut tx, self.wake.process()).await?;
        tx.commit().await
    }

    /// Beats for ever.
    async fn live(&self) {
        let pause = self.takeover.to_std().unwrap_or(AFTER_ERROR) / BEATS;
        let mut watch = Watch::default();
        loop {
            tokio::time::sleep(pause).await;
            failpoint::panic("beat");
            if let Err(error) = self.beat(&mut watch).await {
                self.note("the database takes no sign of life", &error);
            }
        }
    }

    /// Everything recorded, nothing claimed, no name in the table.
    async fn farewell(&self) -> DbResult<()> {
        // The recorder works in order: once it has answered to nothing at all, it has written all before.
        let nothing = Ticket { id: 0, run: 0, lease: String::new(), was_deferred: false };
        if !self.recorder.record(&nothing, Record::PutBack { due_at: self.clock.now() }).await {
            tracing::error!("not all that happened is in the tables; the next start carries it over");
            return Ok(());
        }
        self.leave().await
    }

    fn note(&self, what: &str, error: &dyn std::fmt::Display) {
        tracing::error!(%error, "{what}");
        self.wake.feel(|pulse| pulse.trouble = Some(error.to_string()));
    }

    /// How long there is nothing to do, as far as the database tells.
    async fn idle_for(&self) -> DbResult<Duration> {
        let now = self.clock.now();
        let mut next = mailings::next_due(&self.db).await?;
        for run in runs::open_runs(&self.db, None).await?.iter().filter(|run| !run.stopped) {
            let mut due = claims::next_due(&self.db, run.id).await?;
            if let Some(most) = run.letters_max
                && limits::is_used_up(&self.db, run.owner_id, most, now).await?
            {
                due = due.map(|due| due.max(limits::next_day(now)));
            }
            next = [next, due, Some(run.end_at)].into_iter().flatten().min();
        }
        // What is due cannot go out while no relay can be used.
        let next = next.map(|next| next.max(self.relays.closed_until(now).unwrap_or(next)));
        let wait = next.map_or(TimeDelta::MAX, |next| next - now);
        Ok(wait.to_std().unwrap_or(SHORTEST).clamp(SHORTEST, LONGEST))
    }
}

/// The pulse says that the loop runs for as long as this lives, however the loop ends.
struct Running(Wake);

impl Running {
    fn mark(wake: &Wake) -> Self {
        wake.feel(|pulse| pulse.running = true);
        Self(wake.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.feel(|pulse| pulse.running = false);
    }
}
