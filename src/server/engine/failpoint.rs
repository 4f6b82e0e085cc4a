//! Ends the process at a named place, for tests of the program as a whole; in release builds nothing.

/// Ends the process without a word if `VESTNIK_FAILPOINT` is `place:text`, as a letter would that makes
/// it crash.
#[cfg(debug_assertions)]
pub fn reach(place: &str, text: &str) {
    if std::env::var("VESTNIK_FAILPOINT").is_ok_and(|wanted| wanted == format!("{place}:{text}")) {
        std::process::abort();
    }
}

#[cfg(not(debug_assertions))]
pub fn reach(_place: &str, _text: &str) {}
