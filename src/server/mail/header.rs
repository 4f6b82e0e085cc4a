//! Header fields (RFC 5322 2.2, 3.4) with encoded words (RFC 2047), folded to 78 columns.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// RFC 5322 2.1.1: lines should hold no more than this.
const MAX_LINE: usize = 78;
/// RFC 2047 2: a line with encoded words holds no more than this.
const MAX_ENCODED_LINE: usize = 76;
/// RFC 2047 2: an encoded word holds no more than 75 characters; 45 octets make 72.
const MAX_WORD_OCTETS: usize = 45;
const WORD_START: &str = "=?utf-8?B?";
const WORD_END: &str = "?=";

/// Drops what could end a header line or hide in it; white space of any kind becomes a space.
pub fn clean(text: &str) -> String {
    let spaced: String = text
        .replace("\r\n", " ")
        .chars()
        .map(|c| if c.is_whitespace() && c != '\u{a0}' { ' ' } else { c })
        .filter(|c| !c.is_control())
        .collect();
    spaced.trim().to_owned()
}

/// Writes `Name: value` for a text without structure, such as a subject.
pub fn unstructured(out: &mut Vec<u8>, name: &str, value: &str) {
    let value = clean(value);
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    let column = name.len() + 2;
    let plain = value.bytes().all(|b| (b' '..=b'~').contains(&b))
        && !value.contains("=?")
        && !value.contains("  ")
        && value.split(' ').all(|word| word.len() < MAX_LINE - column);
    if plain {
        let mut used = column;
        for (index, word) in value.split(' ').enumerate() {
            if index > 0 {
                if used + 1 + word.len() > MAX_LINE {
                    out.extend_from_slice(b"\r\n");
                    used = 0;
                }
                out.push(b' ');
                used += 1;
            }
            out.extend_from_slice(word.as_bytes());
            used += word.len();
        }
    } else {
        encoded_words(out, column, &value);
    }
    out.extend_from_slice(b"\r\n");
}

/// Writes `Name: Display Name <address>`; the address must already be fit for the wire.
pub fn mailbox(out: &mut Vec<u8>, name: &str, display: &str, address: &str) {
    let display = clean(display);
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    if display.is_empty() {
        out.extend_from_slice(address.as_bytes());
        out.extend_from_slice(b"\r\n");
        return;
    }
    let column = name.len() + 2;
    let used = phrase(out, column, &display);
    let length = address.len() + 3;
    out.extend_from_slice(if used + length > MAX_LINE { b"\r\n <" } else { b" <" });
    out.extend_from_slice(address.as_bytes());
    out.extend_from_slice(b">\r\n");
}

/// Writes a display name as atoms, a quoted string or encoded words; returns the column reached.
fn phrase(out: &mut Vec<u8>, column: usize, text: &str) -> usize {
    let fits = column + text.len() + 2 <= MAX_LINE - 4;
    let printable = text.bytes().all(|b| (b' '..=b'~').contains(&b)) && !text.contains("=?");
    if !fits || !printable {
        return encoded_words(out, column, text);
    }
    let atoms = text.bytes().all(|b| b == b' ' || b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
        && !text.contains("  ");
    if atoms {
        out.extend_from_slice(text.as_bytes());
        return column + text.len();
    }
    let before = out.len();
    out.push(b'"');
    for b in text.bytes() {
        if matches!(b, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(b);
    }
    out.push(b'"');
    column + out.len() - before
}

/// Writes a text as base64 encoded words that break at characters; returns the column reached.
fn encoded_words(out: &mut Vec<u8>, column: usize, text: &str) -> usize {
    let mut column = column;
    let mut rest = text;
    loop {
        let room = MAX_ENCODED_LINE.saturating_sub(column + WORD_START.len() + WORD_END.len()) / 4 * 3;
        let mut end = rest.len().min(room.min(MAX_WORD_OCTETS));
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let word = STANDARD.encode(&rest[..end]);
        out.extend_from_slice(WORD_START.as_bytes());
        out.extend_from_slice(word.as_bytes());
        out.extend_from_slice(WORD_END.as_bytes());
        column += WORD_START.len() + word.len() + WORD_END.len();
        rest = &rest[end..];
        if rest.is_empty() {
            return column;
        }
        out.extend_from_slice(b"\r\n ");
        column = 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail_parser::MessageParser;
    use proptest::prelude::*;

    fn subject(value: &str) -> String {
        let mut out = Vec::new();
        unstructured(&mut out, "Subject", value);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn ascii_stays_readable_and_folds() {
        assert_eq!(subject("Hello, world"), "Subject: Hello, world\r\n");
        let long = subject(&"word ".repeat(40));
        assert!(long.lines().all(|line| line.len() <= MAX_LINE) && !long.contains("=?"), "{long}");
    }

    #[test]
    fn names_with_specials_are_quoted() {
        let mut out = Vec::new();
        mailbox(&mut out, "To", "Kim, \"Ann\" \\", "a@b.co");
        assert_eq!(out, b"To: \"Kim, \\\"Ann\\\" \\\\\" <a@b.co>\r\n");
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
            let mut out = Vec::new();
            mailbox(&mut out, "To", &value, "anna@example.org");
            prop_assert!(out.split(|b| *b == b'\n').all(|line| line.len() <= MAX_LINE + 1));
            let parsed = MessageParser::default().parse(&out).unwrap();
            let to = parsed.to().unwrap().first().unwrap();
            prop_assert_eq!(to.address().unwrap(), "anna@example.org");
            prop_assert_eq!(to.name().unwrap_or(""), wanted);
        }
    }
}
