//! Uploads that nobody needs any more.

use super::faulty::beside;
use super::uploads::remove;
use super::{Error, Result};
use crate::server::clock::SharedClock;
use crate::server::db::Db;
use crate::server::db::imports;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long an upload waits to be started.
const KEPT: TimeDelta = TimeDelta::days(1);
/// Time between two sweeps.
const EVERY: Duration = Duration::from_secs(3600);

/// Removes uploads that nobody started for a day, lines that were not taken a day ago, and files that belong to no upload:
/// those a day old, or `all` of them, where no other process can be writing one. Returns how many went.
///
/// # Errors
/// Database errors, and a folder that cannot be read.
pub async fn sweep(db: &Db, folder: &Path, all: bool, now: DateTime<Utc>) -> Result<usize> {
    let before = now - KEPT;
    let mut swept = 0;
    for (id, path) in imports::stale(db, before).await? {
        let mut tx = db.begin().await?;
        let dropped = imports::drop_waiting(&mut tx, id, "error.import.expired").await?;
        tx.commit().await?;
        // Somebody may have started it just now.
        if dropped {
            remove(&path).await;
            swept += 1;
        }
    }
    let needed = imports::files(db, before).await?.into_iter().map(PathBuf::from);
    let needed: HashSet<PathBuf> = needed.flat_map(|path| [beside(&path), path]).collect();
    let fail = |error: std::io::Error| Error::Internal(format!("{}: {error}", folder.display()));
    let mut entries = match tokio::fs::read_dir(folder).await {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(swept),
        Err(error) => return Err(fail(error)),
    };
    while let Some(entry) = entries.next_entry().await.map_err(fail)? {
        let path = entry.path();
        let old = async { Some(DateTime::<Utc>::from(entry.metadata().await.ok()?.modified().ok()?) < before) };
        if !needed.contains(&path) && (all || old.await == Some(true)) {
            remove(&path.to_string_lossy()).await;
            swept += 1;
        }
    }
    Ok(swept)
}

/// Sweeps every hour until the service stops.
pub async fn keep_sweeping(db: Db, folder: PathBuf, clock: SharedClock, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        if let Err(error) = sweep(&db, &folder, false, clock.now()).await {
            tracing::error!(%error, "uploads could not be swept");
        }
    }
}
