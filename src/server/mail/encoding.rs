//! Content-Transfer-Encoding (RFC 2045 6): 7-bit lines out of any text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// RFC 2045 6.7 and 6.8: longest line of quoted-printable and base64.
const MAX_ENCODED_LINE: usize = 76;
/// RFC 5322 2.1.1.
const MAX_PLAIN_LINE: usize = 78;
const HEX: &[u8; 16] = b"0123456789ABCDEF";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transfer {
    SevenBit,
    QuotedPrintable,
    Base64,
}

/// The plainest encoding that carries the text whole: as it is where it fits, else the shorter one.
fn choose(text: &str) -> Transfer {
    let (mut wide, mut odd, mut line, mut longest) = (0usize, false, 0usize, 0usize);
    for b in text.bytes() {
        if b == b'\n' {
            longest = longest.max(line);
            line = 0;
        } else {
            line += 1;
            wide += usize::from(b >= 0x80);
            odd |= b == 0x7f || (b < b' ' && b != b'\t');
        }
    }
    longest = longest.max(line);
    if wide == 0 && !odd && longest <= MAX_PLAIN_LINE {
        Transfer::SevenBit
    } else if text.len() + 2 * wide < text.len() / 3 * 4 {
        Transfer::QuotedPrintable
    } else {
        Transfer::Base64
    }
}

/// Writes the headers and the encoded text of a part. Line ends of `text` are `\n`.
pub fn text_part(out: &mut Vec<u8>, subtype: &str, text: &str) {
    let transfer = choose(text);
    let name = match transfer {
        Transfer::SevenBit => "7bit",
        Transfer::QuotedPrintable => "quoted-printable",
        Transfer::Base64 => "base64",
    };
    for piece in ["Content-Type: text/", subtype, "; charset=utf-8\r\nContent-Transfer-Encoding: ", name, "\r\n\r\n"] {
        out.extend_from_slice(piece.as_bytes());
    }
    match transfer {
        Transfer::SevenBit => crlf(out, text),
        Transfer::QuotedPrintable => quoted_printable(out, text),
        Transfer::Base64 => base64_lines(out, text),
    }
    if !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
}

fn crlf(out: &mut Vec<u8>, text: &str) {
    for line in text.split_inclusive('\n') {
        match line.strip_suffix('\n') {
            Some(line) => {
                out.extend_from_slice(line.as_bytes());
                out.extend_from_slice(b"\r\n");
            }
            None => out.extend_from_slice(line.as_bytes()),
        }
    }
}

fn quoted_printable(out: &mut Vec<u8>, text: &str) {
    for line in text.split_inclusive('\n') {
        let (line, ends) = line.strip_suffix('\n').map_or((line, false), |line| (line, true));
        let bytes = line.as_bytes();
        let mut column = 0;
        for (index, &b) in bytes.iter().enumerate() {
            let last = index + 1 == bytes.len();
            let literal = match b {
                b' ' | b'\t' => !last,
                b'=' => false,
                _ => (b'!'..=b'~').contains(&b),
            };
            let width = if literal { 1 } else { 3 };
            // A soft break needs a column for its `=`.
            if column + width > MAX_ENCODED_LINE - 1 {
                out.extend_from_slice(b"=\r\n");
                column = 0;
            }
            if literal {
                out.push(b);
            } else {
                out.extend_from_slice(&[b'=', HEX[usize::from(b >> 4)], HEX[usize::from(b & 15)]]);
            }
            column += width;
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
        assert_eq!(choose("Hello\nworld\n"), Transfer::SevenBit);
        assert_eq!(choose(&"long ".repeat(40)), Transfer::QuotedPrintable);
        assert_eq!(choose(&format!("Caf\u{e9} {}", "and some more words ".repeat(3))), Transfer::QuotedPrintable);
        assert_eq!(choose("Здравствуйте, Анна"), Transfer::Base64);
        assert_ne!(choose("a\rb"), Transfer::SevenBit);
    }

    proptest! {
        #[test]
        fn texts_survive(text in "[ -~\t\n\u{a0}-\u{4ff}=.]{0,400}") {
            let mut out = b"MIME-Version: 1.0\r\n".to_vec();
            text_part(&mut out, "plain", &text);
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
