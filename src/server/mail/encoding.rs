//! Content-Transfer-Encoding (RFC 2045 6): 7-bit lines out of any text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lettre::message::header::{ContentTransferEncoding, ContentType};
use lettre::message::{Body, SinglePart};
use memchr::memchr_iter;
use std::io::Write;

/// RFC 2045 6.7 and 6.8: longest line of quoted-printable and base64.
const MAX_ENCODED_LINE: usize = 76;
/// RFC 5322 2.1.1.
const MAX_PLAIN_LINE: usize = 78;
const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// The plainest encoding that carries the text whole: as it is where it fits, else the shorter one.
fn choose(text: &str) -> ContentTransferEncoding {
    // Each by itself goes many bytes at a time, and a count that fits into a byte goes more of them.
    let wide: usize =
        text.as_bytes().chunks(128).map(|chunk| usize::from(chunk.iter().map(|b| b >> 7).sum::<u8>())).sum();
    let odd = text.bytes().fold(false, |odd, b| odd | (b == 0x7f) | ((b < b' ') & (b != b'\t') & (b != b'\n')));
    if wide == 0 && !odd && longest_line(text) <= MAX_PLAIN_LINE {
        ContentTransferEncoding::SevenBit
    } else if text.len() + 2 * wide < text.len() / 3 * 4 {
        ContentTransferEncoding::QuotedPrintable
    } else {
        ContentTransferEncoding::Base64
    }
}

/// In bytes, without the line end.
fn longest_line(text: &str) -> usize {
    let (mut longest, mut start) = (0, 0);
    for end in memchr_iter(b'\n', text.as_bytes()) {
        longest = longest.max(end - start);
        start = end + 1;
    }
    longest.max(text.len() - start)
}

/// A part of a letter. Line ends of `text` are `\n`.
pub fn part(kind: ContentType, text: &str) -> SinglePart {
    let mut out = Vec::new();
    let transfer = choose(text);
    encode(&mut out, text, transfer);
    SinglePart::builder().header(kind).body(Body::dangerous_pre_encoded(out, transfer))
}

/// Adds such a part, its head before it, to a letter; `kind` is the value of its Content-Type.
pub fn push_part(letter: &mut Vec<u8>, kind: &str, text: &str) {
    let transfer = choose(text);
    // A Vec takes everything.
    let _ = write!(letter, "Content-Type: {kind}\r\nContent-Transfer-Encoding: {transfer}\r\n\r\n");
    encode(letter, text, transfer);
    letter.extend_from_slice(b"\r\n");
}

/// About how many bytes a part takes.
pub fn room(text: &str) -> usize {
    let lines = text.len() / 32;
    if text.is_ascii() { text.len() + lines } else { text.len() / 3 * 4 + lines }
}

fn encode(out: &mut Vec<u8>, text: &str, transfer: ContentTransferEncoding) {
    let start = out.len();
    match transfer {
        ContentTransferEncoding::QuotedPrintable => quoted_printable(out, text),
        ContentTransferEncoding::Base64 => base64_lines(out, text),
        _ => crlf(out, text),
    }
    // The last line's end belongs to what follows the part (RFC 2046 5.1.1).
    if out[start..].ends_with(b"\r\n") {
        out.truncate(out.len() - 2);
    }
}

fn crlf(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + bytes.len() / 32);
    let mut start = 0;
    for end in memchr_iter(b'\n', bytes) {
        out.extend_from_slice(&bytes[start..end]);
        out.extend_from_slice(b"\r\n");
        start = end + 1;
    }
    out.extend_from_slice(&bytes[start..]);
}

/// Whether a byte may stand for itself; white space only where it does not end a line. Without branches, so that many
/// bytes are looked at together.
fn is_literal(b: u8) -> bool {
    ((b.wrapping_sub(b' ') <= b'~' - b' ') & (b != b'=')) | (b == b'\t')
}

/// How many bytes at the beginning may stand for themselves.
fn literals(bytes: &[u8]) -> usize {
    let whole = |chunk: &&[u8; 16]| chunk.iter().fold(true, |all, b| all & is_literal(*b));
    let sure = bytes.as_chunks::<16>().0.iter().take_while(whole).count() * 16;
    let rest = &bytes[sure..];
    sure + rest.iter().position(|b| !is_literal(*b)).unwrap_or(rest.len())
}

fn quoted_printable(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + text.len() / 16);
    for line in text.split_inclusive('\n') {
        let (line, ends) = line.strip_suffix('\n').map_or((line, false), |line| (line, true));
        let mut rest = line.as_bytes();
        let mut column = 0;
        while let [first, ..] = rest {
            // A soft break needs a column for its `=`.
            let room = &rest[..rest.len().min(MAX_ENCODED_LINE - 1 - column)];
            let mut run = literals(room);
            if run == rest.len() && matches!(rest[run - 1], b' ' | b'\t') {
                run -= 1;
            }
            out.extend_from_slice(&rest[..run]);
            column += run;
            let coded = column + 3 < MAX_ENCODED_LINE && run == 0;
            if coded {
                out.extend_from_slice(&[b'=', HEX[usize::from(first >> 4)], HEX[usize::from(first & 15)]]);
                column += 3;
            }
            rest = &rest[run + usize::from(coded)..];
            if run == 0 && !coded {
                out.extend_from_slice(b"=\r\n");
                column = 0;
            }
        }
        if ends {
            out.extend_from_slice(b"\r\n");
        }
    }
}

fn base64_lines(out: &mut Vec<u8>, text: &str) {
    let mut canonical = Vec::with_capacity(text.len() + text.len() / 32);
    crlf(&mut canonical, text);
    out.reserve(canonical.len() / 57 * 78 + 80);
    let mut line = [0u8; MAX_ENCODED_LINE];
    for chunk in canonical.chunks(MAX_ENCODED_LINE / 4 * 3) {
        // 57 octets make exactly the 76 of `line`: the slice is never too small.
        let length = STANDARD.encode_slice(chunk, &mut line).unwrap_or(0);
        out.extend_from_slice(&line[..length]);
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail_parser::MessageParser;
    use proptest::prelude::*;

    #[test]
    fn chooses_the_plainest() {
        assert_eq!(choose("Hello\nworld\n"), ContentTransferEncoding::SevenBit);
        assert_eq!(choose(&"long ".repeat(40)), ContentTransferEncoding::QuotedPrintable);
        assert_eq!(
            choose(&format!("Caf\u{e9} {}", "and some more words ".repeat(3))),
            ContentTransferEncoding::QuotedPrintable
        );
        assert_eq!(choose("Здравствуйте, Анна"), ContentTransferEncoding::Base64);
        assert_ne!(choose("a\rb"), ContentTransferEncoding::SevenBit);
    }

    #[test]
    fn every_byte_stands_for_itself_or_does_not_wherever_it_is() {
        for b in 0..=u8::MAX {
            let alone = literals(&[b]) == 1;
            assert_eq!(alone, matches!(b, b'\t' | b' '..=b'<' | b'>'..=b'~'), "{b}");
            for length in [16, 40] {
                for at in 0..length {
                    let mut bytes = vec![b'a'; length];
                    bytes[at] = b;
                    assert_eq!(literals(&bytes), if alone { length } else { at }, "{b} at {at} of {length}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn texts_survive(text in "[ -~\t\n\u{a0}-\u{4ff}=.]{0,400}") {
            let out = [b"MIME-Version: 1.0\r\n", &*part(ContentType::TEXT_PLAIN, &text).formatted()].concat();
            prop_assert!(out.is_ascii());
            for line in out.split(|b| *b == b'\n') {
                prop_assert!(line.len() <= MAX_PLAIN_LINE + 1);
            }
            let parsed = MessageParser::default().parse(&out).unwrap();
            let got = parsed.body_text(0).unwrap_or_default().replace("\r\n", "\n");
            prop_assert_eq!(got.trim_end_matches('\n'), text.trim_end_matches('\n'));
        }
    }
}
