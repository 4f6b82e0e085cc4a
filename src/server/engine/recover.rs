//! What a process that is gone left behind: claimed deliveries go back without risk, armed ones are
//! in doubt and go the way of their mailing's policy.

use super::Engine;
use super::decide::{Decision, decide};
use super::recorder::{Record, Ticket};
use crate::domain::delivery::{Attempt, Stage};
use crate::server::db::{DbResult, deliveries};
use crate::server::mail::classify::OutcomeKind;

/// The sentence in the record of an attempt whose engine ended before the reply came.
const CUT_OFF: &str = "Vestnik stopped after the letter was handed over and before the reply came";

impl Engine {
    /// Takes over what is abandoned: everything if `every` (the only engine, at its start), otherwise
    /// what no engine has renewed in time.
    ///
    /// # Errors
    /// Database errors; a later call goes on.
    pub async fn recover(&self, every: bool) -> DbResult<()> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let back = deliveries::reclaim(&mut tx, now, every).await?;
        tx.commit().await?;
        if back > 0 {
            tracing::info!(deliveries = back, "took back what had been claimed");
        }
        for doubt in deliveries::in_doubt(&self.db, now, every).await? {
            let number = doubt.attempts + 1;
            let decision = decide(OutcomeKind::InDoubt, number, doubt.hold, &self.config.retry, 0.0);
            let Decision::Settle { status, state, reason, .. } = decision else { continue };
            let attempt = Attempt {
                number,
                at: now,
                ms: 0,
                stage: Stage::Dot,
                status,
                relay: self.relay_name(),
                code: None,
                enhanced: None,
                reply: CUT_OFF.to_owned(),
            };
            let ticket =
                Ticket { id: doubt.id, run: doubt.run_id, lease: doubt.lease, was_deferred: doubt.attempts > 0 };
            // Due at once: the wait was the time the service was away.
            self.recorder.record(&ticket, Record::Settle { attempt, state, reason, due_at: now }).await;
        }
        Ok(())
    }
}
