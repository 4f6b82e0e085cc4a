//! The latest examination, kept in memory for its page: an examination takes up to a minute, which no request waits for.

use super::Result;
use crate::domain::checkup::{self, Checkup};
use crate::server::clock::SharedClock;
use std::cmp::Reverse;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use vestnik_doctor::{Finding, Level};

/// How long an examination may take altogether.
const DEADLINE: Duration = Duration::from_secs(90);

/// What [`Checkups::start`] has done in the background.
pub trait Examination: Future<Output = Result<Vec<Finding>>> + Send + 'static {}

impl<T: Future<Output = Result<Vec<Finding>>> + Send + 'static> Examination for T {}

/// The latest examination of this process. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Checkups(Arc<Mutex<Checkup>>);

impl Checkups {
    /// What is known now.
    #[must_use]
    pub fn latest(&self) -> Checkup {
        self.lock().clone()
    }

    /// Has somebody examined in the background, and keeps what was found. While one examination is under way, no second
    /// one begins.
    pub fn start(&self, clock: SharedClock, examination: impl Examination) {
        self.start_within(DEADLINE, clock, examination);
    }

    fn start_within(&self, deadline: Duration, clock: SharedClock, examination: impl Examination) {
        if std::mem::replace(&mut self.lock().running, true) {
            return;
        }
        let mut running = Running(self.clone(), false);
        tokio::spawn(async move {
            let found = match tokio::time::timeout(deadline, examination).await {
                Ok(Ok(found)) => Some(found),
                Ok(Err(error)) => {
                    tracing::error!(%error, "the examination of how email leaves failed");
                    None
                }
                Err(_) => {
                    tracing::warn!("the examination of how email leaves came to no end");
                    None
                }
            };
            running.1 = true;
            let mut kept = running.0.lock();
            kept.failed = found.is_none();
            kept.at = Some(clock.now());
            if let Some(mut found) = found {
                found.sort_by_key(|finding| Reverse(finding.level));
                kept.findings = found.into_iter().map(shown).collect();
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, Checkup> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// However an examination ends, another may begin; one that did not come to its end (`.1`) has failed.
struct Running(Checkups, bool);

impl Drop for Running {
    fn drop(&mut self) {
        let mut kept = self.0.lock();
        kept.failed |= !self.1;
        kept.running = false;
    }
}

fn shown(finding: Finding) -> checkup::Finding {
    let level = match finding.level {
        Level::Good => checkup::Level::Good,
        Level::Note => checkup::Level::Note,
        Level::Warning => checkup::Level::Warning,
        Level::Bad => checkup::Level::Bad,
    };
    let record = finding.record.map(|record| checkup::Record {
        name: record.name,
        kind: record.kind.to_owned(),
        value: record.value,
    });
    checkup::Finding {
        level,
        check: finding.check.as_str().to_owned(),
        key: finding.key.to_owned(),
        args: finding.args.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        record,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Error;
    use super::*;
    use crate::server::clock::ManualClock;
    use chrono::{DateTime, TimeZone, Utc};
    use vestnik_doctor::Check;

    fn clock() -> SharedClock {
        ManualClock::new(noon())
    }

    fn noon() -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 11, 23, 12, 0, 0).unwrap()
    }

    async fn ended(checkups: &Checkups) -> Checkup {
        while checkups.latest().running {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        checkups.latest()
    }

    fn found() -> Vec<Finding> {
        [(Check::Spf, Level::Good), (Check::Dkim, Level::Bad), (Check::Mx, Level::Note), (Check::Dmarc, Level::Bad)]
            .map(|(check, level)| Finding::new(check, level, "good").with("name", "a"))
            .to_vec()
    }

    #[tokio::test]
    async fn the_worst_stands_first() {
        let (checkups, clock) = (Checkups::default(), clock());
        assert_eq!(checkups.latest(), Checkup::default());
        checkups.start(clock, async { Ok(found()) });
        assert!(checkups.latest().running);
        let latest = ended(&checkups).await;
        let order: Vec<&str> = latest.findings.iter().map(|finding| finding.check.as_str()).collect();
        assert_eq!(order, ["dkim", "dmarc", "mx", "spf"]);
        assert_eq!((latest.at, latest.failed), (Some(noon()), false));
        assert_eq!((latest.count(checkup::Level::Bad), latest.count(checkup::Level::Warning)), (2, 0));
    }

    #[tokio::test]
    async fn one_that_hangs_fails_or_panics_ends_and_takes_nothing_away() {
        let (checkups, clock) = (Checkups::default(), clock());
        checkups.start(clock.clone(), async { Ok(found()) });
        let first = ended(&checkups).await;
        checkups.start_within(Duration::from_millis(50), clock.clone(), std::future::pending());
        // A second one beside it does not begin.
        checkups.start(clock.clone(), async { Ok(Vec::new()) });
        let second = ended(&checkups).await;
        assert_eq!((second.failed, second.findings), (true, first.findings));
        checkups.start(clock.clone(), async { Err(Error::RateLimited) });
        assert!(ended(&checkups).await.failed);
        checkups.start(clock.clone(), async { panic!("as a fault would") });
        assert!(ended(&checkups).await.failed);
        checkups.start(clock, async { Ok(Vec::new()) });
        let last = ended(&checkups).await;
        assert_eq!((last.failed, last.findings), (false, Vec::new()));
    }
}
