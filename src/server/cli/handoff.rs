//! `vestnik send` on an SQLite file that another process sends from: that one does the work, and this
//! one waits for it and says what came of it.

use crate::server::clock::SharedClock;
use crate::server::db::progress::{self, Progress};
use crate::server::db::{Db, DbResult, processes};
use crate::server::engine::Summary;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(200);
/// Looks in a row that find nothing to do, so that a look between two steps of the engine is no end.
const QUIET: u32 = 3;
/// Looks after which the other process is asked for, should it be gone.
const ASK: u32 = 25;

/// How things stood before.
pub struct Start {
    mailing: Option<i64>,
    before: Progress,
}

impl Start {
    /// Notes how things stand.
    pub async fn note(db: &Db, mailing: Option<i64>) -> DbResult<Self> {
        Ok(Self { mailing, before: progress::of(db, mailing, None).await? })
    }

    /// Waits until nothing is left to do now. None if it is time to see whether the other process lives.
    pub async fn wait(&self, db: &Db, clock: &SharedClock, stop: &CancellationToken) -> DbResult<Option<Summary>> {
        let mut quiet = 0;
        for _ in 0..ASK {
            let left = progress::is_left(db, self.mailing, clock.now()).await?;
            quiet = if left { 0 } else { quiet + 1 };
            if quiet >= QUIET || stop.is_cancelled() {
                return self.summary(db).await.map(Some);
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        Ok(None)
    }

    async fn summary(&self, db: &Db) -> DbResult<Summary> {
        let after = progress::of(db, self.mailing, Some(self.before.last_attempt)).await?;
        let since = |after: i64, before: i64| u64::try_from(after - before).unwrap_or_default();
        let (sent, failed, unknown) = (
            since(after.sent, self.before.sent),
            since(after.failed, self.before.failed),
            since(after.unknown, self.before.unknown),
        );
        let trouble = processes::list(db).await?.into_iter().map(|process| process.trouble);
        Ok(Summary {
            opened: since(after.runs, self.before.runs),
            sent,
            // Every attempt ends in one of the four.
            deferred: since(after.attempts, 0).saturating_sub(sent + failed + unknown),
            failed,
            unknown,
            put_back: 0,
            paused: since(after.paused, self.before.paused),
            relay_trouble: trouble.into_iter().find(|trouble| !trouble.is_empty()),
        })
    }
}
