//! Whether what is kept of the blog still holds. Each write that visitors see counts the blog's version up in
//! the database; every process compares it twice a second, and at once when PostgreSQL tells of a change.

use crate::server::db::posts::changes::{self, Watcher};
use crate::server::db::{Db, DbResult};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Between two looks at the version. SQLite tells nobody of another process's writes, and a NOTIFY may be
/// lost with its connection.
const LOOK: Duration = Duration::from_millis(500);

/// What this process knows of changes. Clones share it.
#[derive(Clone, Debug)]
pub struct Changes(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Counts the changes that this process has heard of.
    generation: AtomicU64,
    /// The version that the generation goes with.
    version: watch::Sender<i64>,
    away: watch::Sender<bool>,
}

impl Default for Changes {
    fn default() -> Self {
        let (version, away) = (watch::Sender::new(-1), watch::Sender::new(false));
        Self(Arc::new(Inner { generation: AtomicU64::new(0), version, away }))
    }
}

impl Changes {
    /// What was made under another generation does not hold any more. Read it before what is to be kept is
    /// read from the database.
    pub fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Acquire)
    }

    /// Notes the version as it is in the database. It only counts up: one that was read before another was noted
    /// is no news.
    pub(super) fn saw(&self, version: i64) {
        self.0.version.send_if_modified(|known| {
            let newer = *known < version;
            if newer {
                *known = version;
                self.0.generation.fetch_add(1, Ordering::AcqRel);
            }
            newer
        });
    }

    /// Lets nothing of what is kept hold any more, whatever the version.
    pub fn outdate(&self) {
        self.0.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// Waits until the database does not answer.
    pub async fn away(&self) {
        // The sender lives as long as this does.
        let _ = self.0.away.subscribe().wait_for(|away| *away).await;
    }

    /// Follows what other processes change until the service stops.
    pub async fn follow(self, db: Db, stop: CancellationToken) {
        let follow = async {
            loop {
                if let Err(error) = self.watch(&db).await {
                    tracing::debug!(%error, "the blog's version is not heard; trying again");
                }
                // The pool may still have what a new connection does not get.
                match changes::version(&db).await {
                    Ok(version) => self.there(version),
                    Err(error) => {
                        if !self.0.away.send_replace(true) {
                            tracing::warn!(%error, "the database is away: pages that are kept go on");
                        }
                    }
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = follow => {}
        }
    }

    async fn watch(&self, db: &Db) -> DbResult<()> {
        let mut watcher = Watcher::connect(db).await?;
        loop {
            self.there(watcher.version().await?);
            watcher.heard(LOOK).await?;
        }
    }

    fn there(&self, version: i64) {
        self.saw(version);
        self.0.away.send_if_modified(std::mem::take);
    }
}
