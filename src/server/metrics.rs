//! What the process has counted since its start, and the page `/metrics` in OpenMetrics' text format.

use crate::domain::delivery::AttemptStatus;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::TypedMetric;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};
use std::sync::LazyLock;
use std::time::Duration;

/// One label and its value.
type Label = [(&'static str, String); 1];

/// Attempts by what they came to.
static ATTEMPTS: LazyLock<Classes<4>> =
    LazyLock::new(|| Classes::new("class", AttemptStatus::ALL.map(AttemptStatus::as_str)));

/// Answers to HTTP requests, by the first digit of the status.
static REQUESTS: LazyLock<Classes<5>> = LazyLock::new(|| Classes::new("status", ["1xx", "2xx", "3xx", "4xx", "5xx"]));

/// Counters by the values of one label. Each is there from the start, so that a rate can be taken of it; and each is at
/// hand, since the family would make a label and take a lock for every letter and every answer.
struct Classes<const N: usize> {
    family: Family<Label, Counter>,
    counters: [Counter; N],
}

impl<const N: usize> Classes<N> {
    fn new(label: &'static str, values: [&str; N]) -> Self {
        let family = Family::<Label, Counter>::default();
        let counters = values.map(|value| family.get_or_create_owned(&[(label, value.to_owned())]));
        Self { family, counters }
    }
}

/// Open connections to mail servers.
static CONNECTIONS: LazyLock<Gauge> = LazyLock::new(Gauge::default);

/// Times that commits of the record took, in seconds: from an SSD's commit to a database that hangs.
static COMMITS: LazyLock<Histogram> =
    LazyLock::new(|| Histogram::new([0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0]));

/// Lines of the log that could not be written.
static LOST_LINES: LazyLock<Counter> = LazyLock::new(Counter::default);

/// Calls of hooks without a good signature.
static REFUSED_HOOKS: LazyLock<Counter> = LazyLock::new(Counter::default);

/// Counts a call of a hook without a good signature.
pub fn hook_refused() {
    REFUSED_HOOKS.inc();
}

/// Recipients whom the listener for what comes back does not know.
static REFUSED_RECIPIENTS: LazyLock<Counter> = LazyLock::new(Counter::default);

/// Counts a recipient whom the listener does not know.
pub fn recipient_refused() {
    REFUSED_RECIPIENTS.inc();
}

/// One-click leavings by a token that is not ours.
static UNKNOWN_ONE_CLICKS: LazyLock<Counter> = LazyLock::new(Counter::default);

/// Counts one click by a letter that nobody knows.
pub fn unknown_one_click() {
    UNKNOWN_ONE_CLICKS.inc();
}

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
    ATTEMPTS.counters[status as usize].inc();
}

/// Counts an answer with this HTTP status.
pub fn request(status: u16) {
    if let Some(counter) = usize::from(status / 100).checked_sub(1).and_then(|at| REQUESTS.counters.get(at)) {
        counter.inc();
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
        self.add(name, help, |gauge: &Gauge| _ = gauge.set(value));
    }

    /// Adds numbers that go up and down, by the values of one label.
    pub fn gauges<'a>(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        values: impl IntoIterator<Item = (&'a str, i64)>,
    ) {
        let set = |gauge: &Gauge, value| _ = gauge.set(value);
        self.add_by_label(name, help, label, values, set);
    }

    /// Adds a number that only goes up; the page shows `name` with `_total` behind it.
    pub fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.add(name, help, |counter: &Counter| _ = counter.inc_by(value));
    }

    /// Adds numbers that only go up, by the values of one label; the page shows `name` with `_total` behind it.
    pub fn counters<'a>(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        values: impl IntoIterator<Item = (&'a str, u64)>,
    ) {
        let add = |counter: &Counter, value| _ = counter.inc_by(value);
        self.add_by_label(name, help, label, values, add);
    }

    fn add<M: Metric + Default>(&mut self, name: &str, help: &str, fill: impl FnOnce(&M)) {
        let metric = M::default();
        fill(&metric);
        self.0.register(name, help, metric);
    }

    fn add_by_label<'a, M: TypedMetric + Metric + Default + Clone, V>(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        values: impl IntoIterator<Item = (&'a str, V)>,
        fill: impl Fn(&M, V),
    ) {
        let family = Family::<Label, M>::default();
        for (key, value) in values {
            fill(&family.get_or_create(&[(label, key.to_owned())]), value);
        }
        self.0.register(name, help, family);
    }

    /// Adds what this process has counted, and gives the whole page.
    pub fn finish(mut self) -> String {
        self.0.register("vestnik_attempts", "Attempts of this process since its start", ATTEMPTS.family.clone());
        self.0.register("vestnik_http_requests", "HTTP requests answered", REQUESTS.family.clone());
        self.0.register("vestnik_smtp_connections", "Open connections to mail servers", CONNECTIONS.clone());
        self.0.register("vestnik_hooks_refused", "Calls of hooks without a good signature", REFUSED_HOOKS.clone());
        self.0.register(
            "vestnik_recipients_refused",
            "Recipients turned away by the listener for what comes back",
            REFUSED_RECIPIENTS.clone(),
        );
        self.0.register("vestnik_log_lines_lost", "Lines of the log that could not be written", LOST_LINES.clone());
        self.0.register(
            "vestnik_unknown_one_clicks",
            "One-click unsubscribes by a token that is not ours",
            UNKNOWN_ONE_CLICKS.clone(),
        );
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
