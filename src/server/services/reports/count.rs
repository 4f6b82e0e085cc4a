//! Counting attempts for reports. A run that has closed is counted once and for good; one that is still
//! sending is counted anew when somebody looks, but a large one no more than once a minute and behind
//! the reader's back, for that reads its whole record.

use super::super::Result;
use crate::server::db::Db;
use crate::server::db::tallies::{self, Uncounted};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// Attempts that are counted while the reader waits.
const AT_ONCE: i64 = 20_000;
/// Age up to which the count of a large open run is good enough.
const FRESH: TimeDelta = TimeDelta::seconds(60);

/// Owners whose large runs are being counted by this process.
static COUNTING: Mutex<Option<HashSet<i64>>> = Mutex::new(None);

fn with_counting<T>(act: impl FnOnce(&mut HashSet<i64>) -> T) -> T {
    // A set of numbers is whole even if a thread died while it held it.
    act(COUNTING.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default())
}

/// Large runs of an owner that nobody waits for.
#[must_use = "they are counted by `start`"]
pub struct Rest {
    owner: i64,
    runs: Vec<Uncounted>,
}

impl Rest {
    /// How many were never counted and so are missing from a report.
    pub fn missing(&self) -> i64 {
        let missing = self.runs.iter().filter(|run| run.tallied_at.is_none()).count();
        i64::try_from(missing).unwrap_or(i64::MAX)
    }

    /// Has them counted in the background, unless that is under way.
    pub fn start(self, db: &Db, now: DateTime<Utc>) {
        let Self { owner, runs } = self;
        if runs.is_empty() || !with_counting(|counting| counting.insert(owner)) {
            return;
        }
        let db = db.clone();
        tokio::spawn(async move {
            let _counting = Counting(owner);
            for run in &runs {
                if let Err(error) = one(&db, run, now).await {
                    tracing::error!(%error, run = run.id, "the attempts of a run could not be counted");
                    break;
                }
            }
        });
    }
}

/// An owner's runs are being counted for as long as this lives, however it ends.
struct Counting(i64);

impl Drop for Counting {
    fn drop(&mut self) {
        with_counting(|counting| counting.remove(&self.0));
    }
}

/// Counts small runs at once; large ones are left to [`Rest::start`], once what there is has been read.
pub async fn most(db: &Db, owner: i64, now: DateTime<Utc>) -> Result<Rest> {
    let mut left = AT_ONCE;
    let mut large = Vec::new();
    for run in tallies::uncounted(db, owner).await? {
        if run.size <= left {
            left -= run.size;
            one(db, &run, now).await?;
        } else if run.done || run.tallied_at.is_none_or(|at| at <= now - FRESH) {
            large.push(run);
        }
    }
    Ok(Rest { owner, runs: large })
}

/// Counts everything that is not counted for good.
pub async fn all(db: &Db, owner: i64, now: DateTime<Utc>) -> Result<()> {
    for run in tallies::uncounted(db, owner).await? {
        one(db, &run, now).await?;
    }
    Ok(())
}

/// Reads outside the transaction, which only keeps what was counted: whoever writes is not held up.
async fn one(db: &Db, run: &Uncounted, now: DateTime<Utc>) -> Result<()> {
    let counted = tallies::count(db, run.id).await?;
    let mut tx = db.begin().await?;
    tallies::store(&mut tx, run, counted, now).await?;
    Ok(tx.commit().await?)
}
