//! Markdown as the body of a letter.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vestnik_fuzz::LETTER_MAX;
use vestnik_fuzz::server::mail::{markdown, plain};

fuzz_target!(|text: &str| {
    match markdown::render(text) {
        Ok(html) => {
            assert!(html.len() <= LETTER_MAX);
            assert!(plain::to_text(&html).len() <= LETTER_MAX);
        }
        Err(error) => assert!(error.line as usize <= text.split('\n').count()),
    }
    // An escaped text is one line that nothing can be refused of.
    assert!(markdown::check(&markdown::escape(text)).is_ok());
});
