//! Ends the process or a task at a named place, for tests of the program as a whole; in release builds nothing.

#[cfg(debug_assertions)]
pub use armed::{panic, reach};

#[cfg(not(debug_assertions))]
pub fn reach(_place: &str, _text: &str) {}

#[cfg(not(debug_assertions))]
pub fn panic(_place: &str) {}

#[cfg(debug_assertions)]
mod armed {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicI64, Ordering};

    /// Ends the process without a word if `VESTNIK_FAILPOINT` is `place:text`, as a letter would that makes
    /// it crash.
    pub fn reach(place: &str, text: &str) {
        if std::env::var("VESTNIK_FAILPOINT").is_ok_and(|wanted| wanted == format!("{place}:{text}")) {
            std::process::abort();
        }
    }

    /// A place, how often it is passed before, and how often it panics then.
    struct Point {
        place: String,
        before: i64,
        times: i64,
        passed: AtomicI64,
    }

    /// `VESTNIK_PANIC`: places as `place:before:times`, parted by commas.
    static POINTS: LazyLock<Vec<Point>> = LazyLock::new(|| {
        let point = |text: &str| {
            let mut parts = text.rsplitn(3, ':');
            let (times, before) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
            Some(Point { place: parts.next()?.to_owned(), before, times, passed: AtomicI64::new(0) })
        };
        let points = std::env::var("VESTNIK_PANIC").unwrap_or_default();
        points.split(',').filter_map(point).collect()
    });

    /// Panics if `VESTNIK_PANIC` says so.
    pub fn panic(place: &str) {
        for point in POINTS.iter().filter(|point| point.place == place) {
            let passed = point.passed.fetch_add(1, Ordering::Relaxed);
            assert!(
                !(point.before..point.before + point.times).contains(&passed),
                "a panic that was asked for: {place}"
            );
        }
    }
}
