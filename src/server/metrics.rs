//! What the process has counted since its start, for `/metrics`. A few numbers of one process do not
//! need a registry that is looked up by name on each letter.

use crate::domain::delivery::AttemptStatus;
use std::fmt::Write;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// Attempts by what they came to, in the order of [`AttemptStatus::ALL`].
static ATTEMPTS: [AtomicU64; AttemptStatus::ALL.len()] = [const { AtomicU64::new(0) }; AttemptStatus::ALL.len()];

/// Answers to HTTP requests, by the first digit of the status.
static REQUESTS: [AtomicU64; 5] = [const { AtomicU64::new(0) }; 5];

/// Open connections to mail servers.
static CONNECTIONS: AtomicI64 = AtomicI64::new(0);

/// Times that commits of the record took.
static COMMITS: Histogram = Histogram::new();

/// Lines of the log that could not be written.
static LOST_LINES: AtomicU64 = AtomicU64::new(0);

/// Counts a line of the log that could not be written.
pub fn log_line_lost() {
    LOST_LINES.fetch_add(1, Ordering::Relaxed);
}

/// How many lines of the log could not be written.
pub fn log_lines_lost() -> u64 {
    LOST_LINES.load(Ordering::Relaxed)
}

/// Counts an attempt.
pub fn attempt(status: AttemptStatus) {
    if let Some(counter) = AttemptStatus::ALL.iter().position(|each| *each == status).and_then(|at| ATTEMPTS.get(at)) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// Counts an answer with this HTTP status.
pub fn request(status: u16) {
    if let Some(counter) = usize::from(status / 100).checked_sub(1).and_then(|at| REQUESTS.get(at)) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// Notes how long a commit of the record took.
pub fn commit(took: Duration) {
    COMMITS.note(took);
}

/// An open connection: counted while it lives.
#[derive(Debug)]
pub struct OpenConnection(());

impl OpenConnection {
    #[expect(clippy::new_without_default, reason = "to make one is to count it")]
    pub fn new() -> Self {
        CONNECTIONS.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        CONNECTIONS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Upper ends of the buckets, in seconds: from an SSD's commit to a database that hangs.
const BUCKETS: [f64; 12] = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];

struct Histogram {
    buckets: [AtomicU64; BUCKETS.len()],
    count: AtomicU64,
    micros: AtomicU64,
}

impl Histogram {
    const fn new() -> Self {
        Self {
            buckets: [const { AtomicU64::new(0) }; BUCKETS.len()],
            count: AtomicU64::new(0),
            micros: AtomicU64::new(0),
        }
    }

    fn note(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        if let Some(bucket) = BUCKETS.iter().position(|end| seconds <= *end).and_then(|at| self.buckets.get(at)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn write(&self, page: &mut Page, name: &str, help: &str) {
        page.head(name, help, "histogram");
        let mut sum = 0;
        for (end, bucket) in BUCKETS.iter().zip(&self.buckets) {
            sum += bucket.load(Ordering::Relaxed);
            page.line(&format!("{name}_bucket"), &[("le", &end.to_string())], sum);
        }
        let count = self.count.load(Ordering::Relaxed);
        page.line(&format!("{name}_bucket"), &[("le", "+Inf")], count);
        let micros = self.micros.load(Ordering::Relaxed);
        page.line(&format!("{name}_sum"), &[], micros as f64 / 1_000_000.0);
        page.line(&format!("{name}_count"), &[], count);
    }
}

/// A page in Prometheus' text format, version 0.0.4.
#[derive(Debug, Default)]
pub struct Page(String);

impl Page {
    fn head(&mut self, name: &str, help: &str, kind: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let labels: Vec<_> = labels.iter().map(|(key, value)| format!("{key}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    /// Adds one metric that goes up and down, with its values by their label.
    pub fn gauge(&mut self, name: &str, help: &str, label: &str, values: &[(&str, i64)]) {
        self.head(name, help, "gauge");
        for (key, value) in values {
            let labels = [(label, *key)];
            self.line(name, if label.is_empty() { &[] } else { &labels }, value);
        }
    }

    /// Adds one metric that only goes up, with its values by their label.
    pub fn counters(&mut self, name: &str, help: &str, label: &str, values: &[(&str, &AtomicU64)]) {
        self.head(name, help, "counter");
        for (key, value) in values {
            let labels = [(label, *key)];
            self.line(name, if label.is_empty() { &[] } else { &labels }, value.load(Ordering::Relaxed));
        }
    }

    /// Adds what this process has counted, and gives the whole page.
    pub fn finish(mut self) -> String {
        let attempts: Vec<_> = AttemptStatus::ALL.map(AttemptStatus::as_str).into_iter().zip(&ATTEMPTS).collect();
        self.counters("vestnik_attempts_total", "Attempts of this process since its start.", "class", &attempts);
        let requests: Vec<_> = ["1xx", "2xx", "3xx", "4xx", "5xx"].into_iter().zip(&REQUESTS).collect();
        self.counters("vestnik_http_requests_total", "HTTP requests answered.", "status", &requests);
        let open = CONNECTIONS.load(Ordering::Relaxed);
        self.gauge("vestnik_smtp_connections", "Open connections to mail servers.", "", &[("", open)]);
        let lost = [("", &LOST_LINES)];
        self.counters("vestnik_log_lines_lost_total", "Lines of the log that could not be written.", "", &lost);
        COMMITS.write(&mut self, "vestnik_commit_seconds", "Time of a commit of the record.");
        self.0
    }
}

/// A label's value: backslash, quote and line end are escaped.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_adds_up_to_its_count() {
        let times = Histogram::new();
        for millis in [0, 1, 3, 700, 60_000] {
            times.note(Duration::from_millis(millis));
        }
        let mut page = Page::default();
        times.write(&mut page, "x", "y");
        for line in ["x_bucket{le=\"0.0005\"} 1", "x_bucket{le=\"0.005\"} 3", "x_bucket{le=\"1\"} 4"] {
            assert!(page.0.contains(line), "{}", page.0);
        }
        assert!(page.0.ends_with("x_bucket{le=\"30\"} 4\nx_bucket{le=\"+Inf\"} 5\nx_sum 60.704\nx_count 5\n"));
    }

    #[test]
    fn labels_are_escaped() {
        let mut page = Page::default();
        page.gauge("x", "y", "z", &[("a\"b\\\n", 1)]);
        assert_eq!(page.0, "# HELP x y\n# TYPE x gauge\nx{z=\"a\\\"b\\\\\\n\"} 1\n");
    }
}
