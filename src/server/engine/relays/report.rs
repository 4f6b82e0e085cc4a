//! What administrators see: all relays with their state, as all engines on the database see them.

use super::pool::Pool;
use crate::domain::relay::{RelayLive, RelayRow, RelayState, RelaysReport};
use crate::server::db::{DbResult, progress, relay_usage};
use chrono::TimeDelta;

/// An engine that has said nothing for so long is gone.
const SILENT: TimeDelta = TimeDelta::seconds(30);

impl Pool {
    /// Says in the database what this process sees, for the pages of others.
    pub(super) async fn report(&self) -> DbResult<()> {
        let now = self.0.clock.now();
        let mut tx = self.0.db.begin().await?;
        for live in self.0.all().iter() {
            relay_usage::report(&mut tx, live.settings.id, &self.0.holder, &live.look(now), now).await?;
        }
        relay_usage::forget_reports(&mut tx, now - SILENT).await?;
        tx.commit().await
    }

    /// All relays as they are now.
    ///
    /// # Errors
    /// Database errors.
    pub async fn overview(&self) -> DbResult<RelaysReport> {
        let now = self.0.clock.now();
        let others = relay_usage::reports(&self.0.db, &self.0.holder, now - SILENT).await?;
        let mut relays = Vec::new();
        for live in self.0.all().iter() {
            let mut all = live.look(now);
            for (_, other) in others.iter().filter(|(id, _)| *id == live.settings.id) {
                add(&mut all, other);
            }
            all.limits = live.allowance.uses().await?;
            relays.push(RelayRow { settings: live.settings.clone(), live: all });
        }
        let (queue, oldest_due) = (progress::queue(&self.0.db).await?, progress::oldest_due(&self.0.db, now).await?);
        Ok(RelaysReport { relays, catching: self.catching(), queue, oldest_due })
    }
}

/// Adds what another engine sees of the same relay.
fn add(all: &mut RelayLive, other: &RelayLive) {
    all.open += other.open;
    all.allowed += other.allowed;
    all.rate += other.rate;
    all.per_connection = [all.per_connection, other.per_connection].into_iter().flatten().min();
    if other.trouble.as_ref().map(|trouble| trouble.at) > all.trouble.as_ref().map(|trouble| trouble.at) {
        all.trouble.clone_from(&other.trouble);
    }
    // What any of them suffers is worth showing; pauses and switches are the same for all.
    if all.state == RelayState::Ready && matches!(other.state, RelayState::Resting | RelayState::Limited) {
        (all.state, all.until) = (other.state, other.until);
    }
}
