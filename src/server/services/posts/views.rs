//! How often posts are read: counted in memory, added to the database in batches.

use crate::server::clock::SharedClock;
use crate::server::db::{Db, DbResult, posts};
use chrono::NaiveDate;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Time between two batches.
const EVERY: Duration = Duration::from_secs(5);
/// Views that are not in the database yet, cheap to clone.
#[derive(Clone)]
pub struct Views {
    clock: SharedClock,
    pending: Arc<Mutex<HashMap<(i64, NaiveDate), i64>>>,
}

impl Views {
    pub fn new(clock: SharedClock) -> Self {
        Self { clock, pending: Arc::default() }
    }

    /// Counts one view of a post. Call it once for each answer that shows the post, wherever that
    /// answer comes from, if `web::readers` says so.
    pub fn count(&self, post: i64) {
        let day = self.clock.now().date_naive();
        *self.pending.lock().unwrap_or_else(PoisonError::into_inner).entry((post, day)).or_default() += 1;
    }

    /// Adds what has been counted to the database, all in one transaction. What could not be added is
    /// counted again with the next batch.
    ///
    /// # Errors
    /// Database errors.
    pub async fn flush(&self, db: &Db) -> DbResult<()> {
        let batch = std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner));
        if batch.is_empty() {
            return Ok(());
        }
        let result = add(db, &batch).await;
        if result.is_err() {
            let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            for (key, n) in batch {
                *pending.entry(key).or_default() += n;
            }
        }
        result
    }

    /// Adds batches until the service stops; call [`Views::flush`] once more when the last request is
    /// answered.
    pub async fn keep(self, db: Db, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
            if let Err(error) = self.flush(&db).await {
                tracing::warn!(%error, "views could not be added, and will be with the next batch");
            }
        }
    }
}

async fn add(db: &Db, batch: &HashMap<(i64, NaiveDate), i64>) -> DbResult<()> {
    let mut tx = db.begin().await?;
    // In one order everywhere, so that two processes do not wait for each other in a circle.
    let mut rows: Vec<_> = batch.iter().collect();
    rows.sort_unstable();
    for ((post, day), n) in rows {
        posts::views::add(&mut tx, *post, *day, *n).await?;
    }
    tx.commit().await
}
