//! What a process that is gone left behind: claimed deliveries go back without risk, armed ones are
//! in doubt and go the way of their mailing's policy.

use super::Engine;
use super::decide::{Decision, Tries, decide};
use super::recorder::{Record, Ticket};
use super::watch::Watch;
use crate::domain::delivery::{Attempt, DeliveryState, Stage};
use crate::server::db::{DbResult, processes};
use crate::server::mail::classify::OutcomeKind;
use crate::server::metrics;

/// The sentence in the record of an attempt whose engine ended before the reply came.
const CUT_OFF: &str = "Vestnik stopped when the letter was about to leave or had left, and no reply had come";
/// Deliveries in doubt that are looked at together.
const AT_ONCE: i64 = 1000;

impl Engine {
    /// Enters this process in the table of processes, before its first claim. `alone` strikes all
    /// others off: for SQLite, where the lock tells that there are none.
    ///
    /// # Errors
    /// Database errors.
    pub async fn enter(&self, alone: bool) -> DbResult<()> {
        let mut tx = self.db.begin().await?;
        if alone {
            processes::keep_only(&mut tx, self.wake.process()).await?;
        }
        tx.commit().await?;
        self.recorder.recover(&self.db, alone, self.clock.now()).await?;
        self.beat(&mut Watch::default()).await
    }

    /// Shows that this process lives, strikes off those that do not, and takes over their work.
    ///
    /// # Errors
    /// Database errors; a later beat goes on.
    pub(super) async fn beat(&self, watch: &mut Watch) -> DbResult<()> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let trouble = self.relays.trouble();
        processes::beat(&mut tx, self.wake.process(), trouble.as_deref().unwrap_or_default(), now).await?;
        tx.commit().await?;
        self.recorder.take_up_notes(&self.db).await?;
        let found = processes::list(&self.db).await?;
        let dead = watch.look(self.wake.process(), found, self.clock.now(), self.takeover);
        if !dead.is_empty() {
            let mut tx = self.db.begin().await?;
            for process in dead {
                if processes::remove(&mut tx, &process.id, process.beat).await? {
                    tracing::warn!(process = process.id, "a process shows no sign of life; its work is taken over");
                }
            }
            tx.commit().await?;
        }
        self.recover().await?;
        self.wake.feel(|pulse| {
            pulse.beat = Some(now);
            pulse.trouble = None;
            pulse.relay_trouble = trouble;
        });
        Ok(())
    }

    /// Takes over what no living process holds.
    ///
    /// # Errors
    /// Database errors; a later call goes on.
    pub async fn recover(&self) -> DbResult<()> {
        let now = self.clock.now();
        self.recorder.recover(&self.db, false, now).await?;
        let mut tx = self.db.begin().await?;
        let back = processes::reclaim(&mut tx, now).await?;
        processes::end_imports(&mut tx).await?;
        tx.commit().await?;
        if back > 0 {
            tracing::info!(deliveries = back, "took back what had been claimed");
            self.wake.ring();
        }
        for doubt in processes::in_doubt(&self.db, AT_ONCE).await? {
            let number = doubt.attempts + 1;
            let tries = Tries { all: number, unknown: doubt.unknown };
            let decision = decide(OutcomeKind::InDoubt, tries, doubt.hold, &self.config.retry, 0.0);
            let Decision::Settle { status, state, reason, .. } = decision else { continue };
            let attempt = Attempt {
                number,
                at: now,
                ms: 0,
                stage: Stage::Dot,
                status,
                relay: self.relays.only_name(),
                code: None,
                enhanced: None,
                reply: CUT_OFF.to_owned(),
            };
            let ticket =
                Ticket { id: doubt.id, run: doubt.run_id, lease: doubt.lease, was_deferred: doubt.attempts > 0 };
            // Due at once: the wait was the time the service was away.
            self.recorder.record(&ticket, Record::Settle { attempt, state, reason: reason.into(), due_at: now }).await;
            metrics::attempt(status);
            self.wake.ring();
            if state == DeliveryState::Deferred {
                let mut tx = self.db.begin().await?;
                processes::remember(&mut tx, doubt.id).await?;
                tx.commit().await?;
            }
        }
        Ok(())
    }

    /// Gives back what this process has claimed and strikes it off. What is armed stays so: the next
    /// process decides on it.
    ///
    /// # Errors
    /// Database errors; then others take over as from a dead process.
    pub(super) async fn leave(&self) -> DbResult<()> {
        let mut tx = self.db.begin().await?;
        processes::give_back(&mut tx, self.wake.process()).await?;
        processes::leave(&mut tx, self.wake.process()).await?;
        tx.commit().await?;
        self.wake.ring();
        Ok(())
    }

    /// A new lease of this process.
    pub(super) fn lease_word(&self) -> String {
        format!("{}-{:032x}", self.wake.process(), rand::random::<u128>())
    }
}
