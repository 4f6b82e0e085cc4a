//! The service's own letters, from their queue to the mail server.

use super::Engine;
use crate::server::db::outgoing::{self, Claimed};
use crate::server::db::{DbResult, Tx, settings};
use crate::server::mail::hand_over::{HandedOver, hand_over};
use crate::server::mail::smtp::Parcel;
use crate::server::services::letters::Origin;
use crate::server::services::telling;
use chrono::TimeDelta;
use futures::future::join_all;
use std::time::Duration;

/// Letters that are handed over at once.
const BATCH: i64 = 8;
/// How long handing one over may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long nobody else may take a claimed letter: longer than any hand-over.
const LEASE: TimeDelta = TimeDelta::minutes(5);
/// Waits between tries; the last one repeats until the letter is of no use any more.
const WAITS: [TimeDelta; 6] = [
    TimeDelta::seconds(5),
    TimeDelta::seconds(30),
    TimeDelta::minutes(2),
    TimeDelta::minutes(5),
    TimeDelta::minutes(15),
    TimeDelta::minutes(30),
];

impl Engine {
    /// Sends the service's own letters until none is due.
    ///
    /// # Errors
    /// Database errors; a letter that is under way then is tried again when its lease is over.
    pub async fn own_letters(&self) -> DbResult<()> {
        while !self.stop.is_cancelled() {
            let now = self.clock.now();
            if outgoing::next_due(&self.db).await?.is_none_or(|due| due > now) {
                return Ok(());
            }
            let lease = format!("{:032x}", rand::random::<u128>());
            let mut tx = self.db.begin().await?;
            let late = outgoing::remove_expired(&mut tx, now).await?;
            let claimed = outgoing::claim(&mut tx, &lease, now + LEASE, now, BATCH).await?;
            tx.commit().await?;
            if late > 0 {
                tracing::error!(late, "letters of the service were given up");
            }
            let sender = settings::sender(&self.db, &self.config.from).await?;
            let results =
                join_all(claimed.iter().map(|letter| self.own_letter(sender.email.as_str(), &lease, letter))).await;
            let mut tx = self.db.begin().await?;
            for (letter, result) in claimed.iter().zip(results) {
                self.settle_own(&mut tx, &lease, letter, result).await?;
            }
            tx.commit().await?;
        }
        Ok(())
    }

    /// Writes letters about what people are told without asking.
    ///
    /// # Errors
    /// Those of the database; what was not told is told the next time.
    pub async fn tell(&self) -> crate::server::services::Result<()> {
        let origin = Origin { from: &self.config.from, site: &self.config.site };
        telling::tell(&self.db, origin, self.clock.now()).await
    }

    async fn own_letter(&self, sender: &str, lease: &str, letter: &Claimed) -> HandedOver {
        let signed = self.config.dkim.as_ref().map(|signer| signer.signed(letter.raw.clone(), self.clock.now()));
        let bytes = signed.as_ref().unwrap_or(&letter.raw);
        let parcel = Parcel { sender, recipient: &letter.recipient, bytes, needs_smtputf8: letter.smtputf8 };
        // One that must not arrive twice is known to have left, or not, whenever this process dies.
        let before_dot = async || {
            if !letter.once {
                return Ok(());
            }
            let mut tx = self.db.begin().await.map_err(|error| error.to_string())?;
            let ours = outgoing::arm(&mut tx, letter.id, lease).await.map_err(|error| error.to_string())?;
            tx.commit().await.map_err(|error| error.to_string())?;
            if ours { Ok(()) } else { Err("its lease is lost".to_owned()) }
        };
        match self.relays.for_one().await {
            Some((relay, _permission)) => hand_over(&relay, &self.config.timeouts, parcel, PATIENCE, before_dot).await,
            None => HandedOver::NotNow("no mail server may be used now".to_owned()),
        }
    }

    async fn settle_own(&self, tx: &mut Tx, lease: &str, letter: &Claimed, result: HandedOver) -> DbResult<()> {
        match result {
            HandedOver::Taken => outgoing::remove(tx, letter.id, lease).await,
            HandedOver::Refused(reply) => {
                tracing::warn!(reply, "a letter of the service was refused");
                outgoing::remove(tx, letter.id, lease).await
            }
            HandedOver::InDoubt(trouble) if letter.once => {
                tracing::warn!(
                    trouble,
                    "it is not known whether a letter of the service arrived; it is not sent twice"
                );
                outgoing::remove(tx, letter.id, lease).await
            }
            HandedOver::NotNow(trouble) | HandedOver::InDoubt(trouble) => {
                tracing::warn!(trouble, "a letter of the service was not taken; it is tried again");
                let tries = usize::try_from(letter.tries).unwrap_or(usize::MAX);
                let wait = WAITS[tries.min(WAITS.len() - 1)];
                outgoing::put_back(tx, letter.id, lease, self.clock.now() + wait).await
            }
        }
    }
}
