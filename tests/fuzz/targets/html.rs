//! HTML that somebody pastes into a message, and the plain text that is made of it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vestnik_fuzz::LETTER_MAX;
use vestnik_fuzz::server::mail::{markdown, plain};

fuzz_target!(|text: &str| {
    // An empty line would end the block of HTML.
    let html = format!("<div>{}", text.replace("\n\n", "\n"));
    if let Ok(html) = markdown::render(&html) {
        assert!(html.len() <= LETTER_MAX && !html.contains("<a href=\"javascript:"));
        assert!(plain::to_text(&html).len() <= LETTER_MAX);
    }
});
