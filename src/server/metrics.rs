//! What the process has counted since its start, and the page `/metrics` in OpenMetrics' text format.

use crate::domain::delivery::AttemptStatus;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::LazyLock;
use std::time::Duration;

/// One label and its value.
type Label = [(&'static str, String); 1];

/// Attempts by what they came to. Each class is there from the start, so that a rate can be taken of it.
static ATTEMPTS: LazyLock<Family<Label, Counter>> =
    LazyLock::new(|| family("class", AttemptStatus::ALL.map(AttemptStatus::as_str)));

/// Answers to HTTP requests, by the first digit of the status.
static REQUESTS: LazyLock<Family<Label, Counter>> = LazyLock::new(|| family("status", STATUS_CLASSES));

const STATUS_CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// Open connections to mail servers.
static CONNECTIONS: LazyLock<Gauge> = LazyLock::new(Gauge::default);

/// Times that commits of the record took, in seconds: from an SSD's commit to a database that hangs.
static COMMITS: LazyLock<Histogram> =
    LazyLock::new(|| Histogram::new([0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0]));

fn family<const N: usize>(label: &'static str, values: [&str; N]) -> Family<Label, Counter> {
    let family = Family::default();
    for value in values {
        drop(family.get_or_create(&[(label, value.to_owned())]));
    }
    family
}

/// Lines of the log that could not be written.
static LOST_LINES: LazyLock<Counter> = LazyLock::new(Counter::default);

/// Counts a line of the log that could not be written.
pub fn log_line_lost() {
    LOST_LINES.inc();
}

/// How many lines of the log could not be written.
pub fn log_lines_lost() -> u64 {
    LOST_LINES.get()
}

/// Counts an attempt.
pub fn attempt(status: AttemptStatus) {
    ATTEMPTS.get_or_create(&[("class", status.as_str().to_owned())]).inc();
}

/// Counts an answer with this HTTP status.
pub fn request(status: u16) {
    if let Some(class) = usize::from(status / 100).checked_sub(1).and_then(|at| STATUS_CLASSES.get(at)) {
        REQUESTS.get_or_create(&[("status", (*class).to_owned())]).inc();
    }
}

/// Notes how long a commit of the record took.
pub fn commit(took: Duration) {
    COMMITS.observe(took.as_secs_f64());
}

/// An open connection: counted while it lives.
#[derive(Debug)]
pub struct OpenConnection(());

impl OpenConnection {
    #[expect(clippy::new_without_default, reason = "to make one is to count it")]
    pub fn new() -> Self {
        CONNECTIONS.inc();
        Self(())
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        CONNECTIONS.dec();
    }
}

/// What `/metrics` answers, while it is put together.
#[derive(Debug, Default)]
pub struct Page(Registry);

impl Page {
    /// The media type of what [`Page::finish`] gives.
    pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// Adds a number that goes up and down. `help` has no full stop at its end: the library writes one.
    pub fn gauge(&mut self, name: &str, help: &str, value: i64) {
        let gauge: Gauge = Gauge::default();
        gauge.set(value);
        self.0.register(name, help, gauge);
    }

    /// Adds numbers that go up and down, by the values of one label.
    pub fn gauges<'a>(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        values: impl IntoIterator<Item = (&'a str, i64)>,
    ) {
        let family = Family::<Label, Gauge>::default();
        for (key, value) in values {
            family.get_or_create(&[(label, key.to_owned())]).set(value);
        }
        self.0.register(name, help, family);
    }

    /// Adds a number that only goes up; the page shows `name` with `_total` behind it.
    pub fn counter(&mut self, name: &str, help: &str, value: u64) {
        let counter: Counter = Counter::default();
        counter.inc_by(value);
        self.0.register(name, help, counter);
    }

    /// Adds numbers that only go up, by the values of one label; the page shows `name` with `_total` behind it.
    pub fn counters<'a>(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        values: impl IntoIterator<Item = (&'a str, u64)>,
    ) {
        let family = Family::<Label, Counter>::default();
        for (key, value) in values {
            family.get_or_create(&[(label, key.to_owned())]).inc_by(value);
        }
        self.0.register(name, help, family);
    }

    /// Adds what this process has counted, and gives the whole page.
    pub fn finish(mut self) -> String {
        self.0.register("vestnik_attempts", "Attempts of this process since its start", ATTEMPTS.clone());
        self.0.register("vestnik_http_requests", "HTTP requests answered", REQUESTS.clone());
        self.0.register("vestnik_smtp_connections", "Open connections to mail servers", CONNECTIONS.clone());
        self.0.register("vestnik_log_lines_lost", "Lines of the log that could not be written", LOST_LINES.clone());
        self.0.register("vestnik_commit_seconds", "Time of a commit of the record", COMMITS.clone());
        let mut page = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut page, &self.0);
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_what_was_counted_and_ends_as_it_must() {
        commit(Duration::from_millis(3));
        let mut page = Page::default();
        page.gauge("x", "An x", -3);
        page.counter("y", "A y", 7);
        let page = page.finish();
        for line in [
            "# HELP x An x.\n# TYPE x gauge\nx -3\n",
            "# TYPE y counter\ny_total 7\n",
            "vestnik_attempts_total{class=\"deferred\"} ",
            "vestnik_http_requests_total{status=\"5xx\"} ",
            "vestnik_commit_seconds_bucket{le=\"0.005\"} ",
            "vestnik_commit_seconds_bucket{le=\"+Inf\"} ",
        ] {
            assert!(page.contains(line), "{line}: {page}");
        }
        assert!(page.ends_with("# EOF\n"), "{page}");
    }

    #[test]
    fn labels_are_escaped() {
        let mut page = Page::default();
        page.gauges("x", "An x", "z", [("a\"b\\\n", 1)]);
        let page = page.finish();
        assert!(page.contains("x{z=\"a\\\"b\\\\\\n\"} 1\n"), "{page}");
    }
}
