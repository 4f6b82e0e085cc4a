//! A letter that came back.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vestnik_reports::{DIAGNOSTIC_MAX, read};

fuzz_target!(|letter: &[u8]| {
    let report = read(letter);
    assert!(report.diagnostic.chars().count() <= DIAGNOSTIC_MAX);
    assert!(!report.diagnostic.contains(char::is_control));
    for name in [&report.recipient, &report.message_id].into_iter().flatten() {
        assert!(name.contains('@') && !name.contains(|c: char| c.is_control() || c.is_whitespace()));
    }
});
