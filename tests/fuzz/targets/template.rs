//! A message as somebody types it: the first line is the subject.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vestnik_fuzz::LETTER_MAX;
use vestnik_fuzz::server::mail::template::{Recipient, Template, check};

fuzz_target!(|text: &str| {
    let (subject, body) = text.split_once('\n').unwrap_or(("s", text));
    let checked = check(subject, body);
    let Ok(template) = Template::new(subject, body, "en") else {
        assert!(checked.is_err(), "what is saved can be used");
        return;
    };
    for (full_name, comment) in [("Anna <b>", "*x* https://example.org/?a=\"b\""), ("", "")] {
        if let Ok(letter) = template.render(&Recipient { email: "anna@example.org", full_name, comment }) {
            assert!(!letter.subject.contains(['\r', '\n']));
            assert!(letter.html.len() <= LETTER_MAX && letter.text.len() <= LETTER_MAX);
        }
    }
});
