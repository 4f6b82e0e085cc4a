//! The figures of the home page, computed once for all visitors.
//!
//! To count the addresses of a million clients takes a good part of a second, and nothing cheap tells
//! whether they changed: counters kept by every write would make imports wait for each other. So the
//! figures are kept for a second, or for twenty times as long as they took: counting never takes more
//! than a twentieth of a connection's time, and nothing is counted while nobody looks.

use crate::domain::post::Figures;
use crate::server::cache::{Answers, Counts, Life, Moment};
use crate::server::clock::SharedClock;
use crate::server::db::{Db, DbResult, figures};
use chrono::TimeDelta;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;

/// How long figures are kept at least.
const FRESH: Duration = Duration::from_secs(1);
/// How many times longer than it took.
const SHARE: u32 = 20;
/// Visitors that may follow the figures at once.
const WATCHERS: usize = 2_000;

/// The figures and who follows them, cheap to clone.
#[derive(Clone)]
pub struct SharedFigures {
    clock: SharedClock,
    kept: Arc<Answers<(), Figures>>,
    last: Arc<watch::Sender<Option<Figures>>>,
    room: Arc<Semaphore>,
}

impl SharedFigures {
    /// Counts in `counts` how often figures were kept already.
    pub fn new(clock: SharedClock, counts: Arc<Counts>) -> Self {
        Self {
            clock,
            kept: Arc::new(Answers::new(1, counts)),
            last: Arc::new(watch::Sender::new(None)),
            room: Arc::new(Semaphore::new(WATCHERS)),
        }
    }

    /// The figures as they were a moment ago. While somebody counts them, and when the database does
    /// not answer, everybody else gets the last ones.
    ///
    /// # Errors
    /// Database errors, before there are any.
    pub async fn get(&self, db: &Db) -> DbResult<Figures> {
        // Nothing tells that they have changed: their age alone counts.
        let at = Moment { now: self.clock.now(), generation: 0 };
        let count = async || {
            let begun = Instant::now();
            let figures = figures::count(db).await?;
            let keep = FRESH.max(begun.elapsed() * SHARE);
            self.last.send_if_modified(|last| last.replace(figures) != Some(figures));
            Ok((figures, Life { fresh: self.clock.now() + TimeDelta::from_std(keep).unwrap_or_default(), ends: None }))
        };
        self.kept.get((), at, count).await
    }

    /// Follows the figures; nothing when too many do already. The permit goes with the follower.
    pub fn follow(&self) -> Option<(watch::Receiver<Option<Figures>>, OwnedSemaphorePermit)> {
        let permit = Arc::clone(&self.room).try_acquire_owned().ok()?;
        Some((self.last.subscribe(), permit))
    }

    /// Counts for those who follow, until the service stops.
    pub async fn keep(self, db: Db, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(FRESH) => {}
            }
            if self.last.receiver_count() > 0
                && let Err(error) = self.get(&db).await
            {
                tracing::warn!(%error, "the figures could not be counted");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::clock::ManualClock;
    use crate::server::db::testing;

    fn shared() -> (SharedFigures, Arc<ManualClock>) {
        let clock = ManualClock::new(testing::made_at());
        (SharedFigures::new(clock.clone(), Arc::default()), clock)
    }

    async fn sql(db: &Db, sql: &'static str) {
        let mut tx = db.begin().await.unwrap();
        crate::server::db::on_tx!(&mut tx, conn => sqlx::query(sql).execute(conn).await.map(drop)).unwrap();
        tx.commit().await.unwrap();
    }

    testing::on_both!(counts_addresses_once_and_only_running_mailings);

    async fn counts_addresses_once_and_only_running_mailings(db: Db) {
        let db = &db;
        assert_eq!(figures::count(db).await.unwrap(), Figures::default());
        sql(
            db,
            "INSERT INTO users (id, email, email_key, name, password_hash, role, zone, lang, created_at)
             VALUES (1, 'a', 'a', '', '', 'user', 'UTC', 'en', '2026-05-04T10:00:00+00:00'),
                    (2, 'b', 'b', '', '', 'user', 'UTC', 'en', '2026-05-04T10:00:00+00:00')",
        )
        .await;
        sql(
            db,
            "INSERT INTO clients (owner_id, email, email_key, full_name, full_name_key, comment, search, created_at,
                updated_at, address_key)
             VALUES (1, 'x@e', 'x@e', '', '', '', '', '2026-05-04T10:00:00+00:00', '2026-05-04T10:00:00+00:00', 'x@e'),
                    (1, 'y@e', 'y@e', '', '', '', '', '2026-05-04T10:00:00+00:00', '2026-05-04T10:00:00+00:00', 'y@e'),
                    (2, 'X@e', 'X@e', '', '', '', '', '2026-05-04T10:00:00+00:00', '2026-05-04T10:00:00+00:00', 'x@e')",
        )
        .await;
        sql(
            db,
            "INSERT INTO messages (id, owner_id, subject, body, search, created_at, updated_at)
             VALUES (1, 1, '', '', '', '2026-05-04T10:00:00+00:00', '2026-05-04T10:00:00+00:00')",
        )
        .await;
        sql(
            db,
            "INSERT INTO mailings (owner_id, message_id, title, search, audience, start_local, zone, start_at, end_at,
                period, policy, status, paused_at, disabled_at, created_at, updated_at)
             VALUES (1, 1, '', '', '', '', 'UTC', '2026-05-04T10:00:00+00:00', '2026-05-04T10:00:00+00:00', 'once',
                'hold', 'running', NULL, NULL, '2026-05-04T10:00:00+00:00', '2026-05-04T10:00:00+00:00'),
                (1, 1, '', '', '', '', 'UTC', '2026-05-04T10:00:00+00:00', '2026-05-04T10:00:00+00:00', 'once',
                'hold', 'finished', NULL, NULL, '2026-05-04T10:00:00+00:00', '2026-05-04T10:00:00+00:00')",
        )
        .await;
        let (shared, _clock) = shared();
        let (mut follower, _permit) = shared.follow().unwrap();
        let figures = shared.get(db).await.unwrap();
        assert_eq!(figures, Figures { mailings: 2, active: 1, clients: 2 });
        assert!(follower.has_changed().unwrap());
        assert_eq!(*follower.borrow_and_update(), Some(figures));
        sql(db, "UPDATE mailings SET paused_at = '2026-05-04T10:00:00+00:00'").await;
        assert_eq!(figures::count(db).await.unwrap(), Figures { mailings: 2, active: 0, clients: 2 });
    }

    #[tokio::test]
    async fn the_last_figures_stand_while_the_database_is_away() {
        let (db, _folder) = testing::sqlite().await;
        let (known, clock) = shared();
        let figures = known.get(&db).await.unwrap();
        db.close().await;
        clock.advance(TimeDelta::hours(1));
        assert_eq!(known.get(&db).await.unwrap(), figures);
        assert!(shared().0.get(&db).await.is_err());
    }

    #[test]
    fn followers_are_bounded() {
        let (shared, _clock) = shared();
        let all: Vec<_> = std::iter::from_fn(|| shared.follow()).collect();
        assert_eq!(all.len(), WATCHERS);
        drop(all);
        assert!(shared.follow().is_some());
    }
}
