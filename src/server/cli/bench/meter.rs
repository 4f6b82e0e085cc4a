//! What a measurement costs: processor time and memory as Linux tells them, and speed over time.

use super::Failure;
use crate::server::engine::Engine;
use std::fs::read_to_string;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// How often it is looked how far the engine has come.
const TICK: Duration = Duration::from_millis(5);
/// Clock ticks a second in /proc: USER_HZ, 100 on all of Linux' architectures that Rust knows.
const TICKS_PER_SECOND: f64 = 100.0;

/// A measurement under way.
pub struct Meter {
    cpu_before: f64,
    total: u64,
    watch: JoinHandle<Course>,
}

/// What it found.
pub struct Measured {
    pub cpu_s: f64,
    pub peak_rss_mb: f64,
    pub last_tenth_ratio: f64,
}

/// When the first tenth of the letters had been sent, and when all but the last.
#[derive(Clone, Copy, Debug, Default)]
struct Course {
    first: Option<Duration>,
    before_last: Option<Duration>,
}

impl Course {
    fn see(&mut self, sent: u64, total: u64, now: Duration) {
        for (mark, slot) in [(total.div_ceil(10), &mut self.first), (total - total / 10, &mut self.before_last)] {
            if sent >= mark {
                slot.get_or_insert(now);
            }
        }
    }

    /// The last tenth's speed over the first's, when all was done after `end`.
    fn ratio(&self, end: Duration) -> f64 {
        let (first, before_last) = (self.first.unwrap_or(end), self.before_last.unwrap_or(end));
        first.as_secs_f64() / end.saturating_sub(before_last).max(TICK).as_secs_f64()
    }
}

impl Meter {
    /// Begins to watch an engine that is about to send `total` letters.
    pub fn start(engine: Engine, total: u64) -> Result<Self, Failure> {
        let watch = tokio::spawn(async move {
            let (mut course, began) = (Course::default(), Instant::now());
            while course.before_last.is_none() {
                tokio::time::sleep(TICK).await;
                course.see(engine.summary().sent, total, began.elapsed());
            }
            course
        });
        Ok(Self { cpu_before: cpu_seconds()?, total, watch })
    }

    /// Ends it: `sent` letters took so long.
    pub async fn stop(self, sent: u64, took: Duration) -> Result<Measured, Failure> {
        let cpu_s = cpu_seconds()? - self.cpu_before;
        let last_tenth_ratio = if sent == self.total {
            self.watch.await?.ratio(took)
        } else {
            self.watch.abort();
            0.0
        };
        Ok(Measured { cpu_s, peak_rss_mb: peak_rss_mb()?, last_tenth_ratio })
    }
}

fn strange(file: &str) -> Failure {
    Failure::Failed(format!("{file}: not as Linux writes it"))
}

/// Processor time of this process so far, user and system.
fn cpu_seconds() -> Result<f64, Failure> {
    const FILE: &str = "/proc/self/stat";
    let stat = read_to_string(FILE)?;
    // The name stands in brackets and may hold anything; utime and stime are the 12th and 13th behind it.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let mut ticks = fields.split_whitespace().skip(11).map(str::parse::<f64>);
    match (ticks.next(), ticks.next()) {
        (Some(Ok(user)), Some(Ok(system))) => Ok((user + system) / TICKS_PER_SECOND),
        _ => Err(strange(FILE)),
    }
}

/// The most memory that this process has had, in megabytes (10^6 bytes).
fn peak_rss_mb() -> Result<f64, Failure> {
    const FILE: &str = "/proc/self/status";
    let status = read_to_string(FILE)?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or_else(|| strange(FILE))?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse().map_err(|_| strange(FILE))?;
    Ok(kib * 1024.0 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenths_are_compared() {
        let mut course = Course::default();
        for (sent, ms) in [(50, 5), (100, 10), (200, 20), (900, 100), (1000, 120)] {
            course.see(sent, 1000, Duration::from_millis(ms));
        }
        assert!((course.ratio(Duration::from_millis(120)) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn the_process_costs_something() {
        assert!(cpu_seconds().unwrap() >= 0.0 && peak_rss_mb().unwrap() > 1.0);
    }
}
