//! Fields of a letter's head as lettre takes them: encoded words (RFC 2047), folded to 78 columns.
//!
//! lettre's own subject and names leave a word that looks encoded, and one longer than a line, as they are.

use email_encoding::headers::rfc2047;
use email_encoding::headers::writer::EmailWriter;
use lettre::message::header::{HeaderName, HeaderValue};
use std::borrow::Cow;
use std::fmt::Write;

/// RFC 5322 2.1.1: lines should hold no more than this.
const MAX_LINE: usize = 78;

/// Drops what could end a header line or hide in it; white space of any kind becomes a space.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return Cow::Borrowed(text.trim());
    }
    let spaced: String = text
        .replace("\r\n", " ")
        .chars()
        .map(|c| if c.is_whitespace() && c != '\u{a0}' { ' ' } else { c })
        .filter(|c| !c.is_control())
        .collect();
    Cow::Owned(spaced.trim().to_owned())
}

/// A field without structure, such as a subject.
pub fn unstructured(name: &'static str, value: &str) -> HeaderValue {
    let mut encoded = String::new();
    write_unstructured(&mut encoded, name, value);
    HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(name), clean(value).into_owned(), encoded)
}

/// A field with one name and address; the address must already be fit for the wire.
pub fn mailbox(name: &'static str, display: &str, address: &str) -> HeaderValue {
    let mut encoded = String::new();
    write_mailbox(&mut encoded, name, display, address);
    HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(name), address.to_owned(), encoded)
}

/// Adds an [`unstructured`] field to a head, its line end included.
pub fn push_unstructured(head: &mut String, name: &str, value: &str) {
    push(head, name, |head| write_unstructured(head, name, value));
}

/// Adds a [`mailbox`] field to a head, its line end included.
pub fn push_mailbox(head: &mut String, name: &str, display: &str, address: &str) {
    push(head, name, |head| write_mailbox(head, name, display, address));
}

fn push(head: &mut String, name: &str, write: impl FnOnce(&mut String)) {
    head.push_str(name);
    head.push_str(": ");
    write(head);
    head.push_str("\r\n");
}

fn write_unstructured(out: &mut String, name: &str, value: &str) {
    let value = clean(value);
    written(out, name, |writer| {
        if is_plain(name, &value) { writer.folding().write_str(&value) } else { rfc2047::encode(&value, writer) }
    });
}

fn write_mailbox(out: &mut String, name: &str, display: &str, address: &str) {
    let display = clean(display);
    written(out, name, |writer| {
        if display.is_empty() {
            return writer.write_str(address);
        }
        let phrase = phrase(&display);
        if is_plain(name, &display) && name.len() + 2 + phrase.len() <= MAX_LINE {
            writer.write_str(&phrase)?;
        } else {
            rfc2047::encode(&display, writer)?;
        }
        writer.space();
        writer.folding().write_str(&format!("<{address}>"))
    });
}

/// A display name as atoms, or as a quoted string (RFC 5322 3.2.3, 3.2.4). The library below would encode most of what
/// must be quoted, where source and filters no longer read it, and takes a dot for part of an atom.
fn phrase(display: &str) -> Cow<'_, str> {
    let atom = |b: u8| b == b' ' || b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
    if display.bytes().all(atom) {
        return Cow::Borrowed(display);
    }
    Cow::Owned(format!("\"{}\"", display.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// Whether a text may stand for itself: readers see what is there, and it can be folded.
fn is_plain(name: &str, text: &str) -> bool {
    text.bytes().all(|b| (b' '..=b'~').contains(&b))
        && !text.contains("=?")
        && !text.contains("  ")
        && text.split(' ').all(|word| word.len() + name.len() + 2 < MAX_LINE)
}

fn written(out: &mut String, name: &str, write: impl FnOnce(&mut EmailWriter<'_>) -> std::fmt::Result) {
    // A String takes everything.
    let _ = write(&mut EmailWriter::new(out, name.len() + 2, 0, false));
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail_parser::MessageParser;
    use proptest::prelude::*;

    fn in_a_letter(value: HeaderValue) -> String {
        let mut headers = lettre::message::header::Headers::new();
        headers.insert_raw(value);
        headers.to_string()
    }

    fn subject(value: &str) -> String {
        in_a_letter(unstructured("Subject", value))
    }

    #[test]
    fn ascii_stays_readable_and_folds() {
        assert_eq!(subject("Hello, world"), "Subject: Hello, world\r\n");
        let long = subject(&"word ".repeat(40));
        assert!(long.lines().all(|line| line.len() <= MAX_LINE) && !long.contains("=?"), "{long}");
    }

    #[test]
    fn names_with_specials_are_quoted() {
        for (name, shown) in [
            ("Kim, \"Ann\" \\", "\"Kim, \\\"Ann\\\" \\\\\""),
            ("Example.com", "\"Example.com\""),
            ("O'Brien & Sons", "O'Brien & Sons"),
        ] {
            assert_eq!(in_a_letter(mailbox("To", name, "a@b.co")), format!("To: {shown} <a@b.co>\r\n"));
        }
    }

    proptest! {
        #[test]
        fn subjects_survive(value in "\\PC{0,200}") {
            let wanted = clean(&value);
            let text = subject(&value);
            prop_assert!(text.is_ascii());
            prop_assert!(text.lines().all(|line| line.len() <= MAX_LINE), "{}", text);
            let parsed = MessageParser::default().parse(text.as_bytes()).unwrap();
            prop_assert_eq!(parsed.subject().unwrap_or(""), wanted);
        }

        #[test]
        fn names_survive(value in "\\PC{0,100}") {
            let wanted = clean(&value);
            let out = in_a_letter(mailbox("To", &value, "anna@example.org"));
            prop_assert!(out.lines().all(|line| line.len() <= MAX_LINE), "{}", out);
            let parsed = MessageParser::default().parse(&out).unwrap();
            let to = parsed.to().unwrap().first().unwrap();
            prop_assert_eq!(to.address().unwrap(), "anna@example.org");
            prop_assert_eq!(to.name().unwrap_or(""), wanted);
        }
    }
}
