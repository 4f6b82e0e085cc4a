//! A letter's parts (RFC 2045, RFC 2046), within bounds: mail-parser reads fields and decodes, but follows letters in
//! letters as deep as they go, and gives them back by recursion.

use crate::fields::{self, Fields};
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::decoders::html::html_to_text;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{HeaderName, MessageParser};
use std::borrow::Cow;

/// How deep parts may lie in one another.
const DEPTH_MAX: usize = 6;
/// Most parts of a letter.
const PARTS_MAX: usize = 50;
/// Most bytes of a part that are decoded.
const BODY_MAX: usize = 256 * 1024;

/// One part, or the letter itself.
#[derive(Debug)]
pub struct Part<'a> {
    /// Such as `text/plain`, in lower case.
    pub kind: String,
    /// The parameter `report-type` in lower case, or nothing.
    pub report_type: String,
    pub fields: Fields,
    /// Within how many letters it stands: 0 for a part of the letter itself.
    pub inside: usize,
    subject: Option<String>,
    charset: Option<String>,
    body: &'a [u8],
}

impl Part<'_> {
    /// Its bytes without their transfer encoding, at most 256 KiB of them.
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        let body = &self.body[..self.body.len().min(BODY_MAX)];
        let encoding = self.fields.get("content-transfer-encoding").unwrap_or_default();
        let decoded = if encoding.eq_ignore_ascii_case("base64") {
            base64_decode(body)
        } else if encoding.eq_ignore_ascii_case("quoted-printable") {
            quoted_printable_decode(body)
        } else {
            None
        };
        decoded.map_or(Cow::Borrowed(body), Cow::Owned)
    }

    /// Its text in its charset; a charset that is not known is taken for UTF-8, HTML is made plain.
    pub fn text(&self) -> String {
        let bytes = self.bytes();
        let decoder = self.charset.as_deref().and_then(|name| charset_decoder(name.as_bytes()));
        let text = decoder.map_or_else(|| String::from_utf8_lossy(&bytes).into_owned(), |decode| decode(&bytes));
        if self.kind == "text/html" { html_to_text(&text) } else { text }
    }

    /// Its subject, decoded (RFC 2047).
    pub fn subject(&self) -> Option<String> {
        self.subject.clone()
    }

    /// Whether people are to read it.
    pub fn is_prose(&self) -> bool {
        matches!(self.kind.as_str(), "text/plain" | "text/html")
    }

    /// Whether it is a letter, or the header of one.
    pub fn is_letter(&self) -> bool {
        matches!(
            self.kind.as_str(),
            "message/rfc822"
                | "message/global"
                | "text/rfc822-headers"
                | "message/rfc822-headers"
                | "message/global-headers"
        )
    }
}

/// All parts of a letter in their order, the letter itself first. A letter within the letter is a part, and its own
/// parts follow it.
pub fn parts(letter: &[u8]) -> Vec<Part<'_>> {
    let mut found = Vec::new();
    descend(letter, "text/plain", 0, 0, &mut found);
    found
}

fn descend<'a>(bytes: &'a [u8], default: &str, depth: usize, inside: usize, found: &mut Vec<Part<'a>>) {
    if found.len() == PARTS_MAX {
        return;
    }
    let (block, body) = fields::split(bytes);
    let block = &block[..block.len().min(fields::BLOCK_MAX)];
    // An empty line behind it, or mail-parser takes the last field for cut off.
    let closed = [block, b"\r\n\r\n"].concat();
    let parser = MessageParser::new().with_mime_headers().header_text(HeaderName::Subject);
    let head = parser.parse_headers(&closed);
    let content_type = head.as_ref().and_then(|head| {
        head.parts.first()?.headers.iter().find(|h| h.name == HeaderName::ContentType)?.value.as_content_type()
    });
    let kind = content_type.and_then(|kind| Some(format!("{}/{}", kind.ctype(), kind.subtype()?).to_ascii_lowercase()));
    let attribute = |name| content_type.and_then(|kind| kind.attribute(name));
    let boundary = attribute("boundary").filter(|boundary| !boundary.is_empty()).map(str::to_owned);
    let part = Part {
        kind: kind.unwrap_or_else(|| default.to_owned()),
        report_type: attribute("report-type").unwrap_or_default().to_ascii_lowercase(),
        fields: Fields::read(block),
        inside,
        subject: head.as_ref().and_then(|head| head.subject().map(str::to_owned)),
        charset: attribute("charset").map(str::to_owned),
        body,
    };
    let kind = part.kind.clone();
    let plain = part.fields.get("content-transfer-encoding").is_none_or(|encoding| {
        !encoding.eq_ignore_ascii_case("base64") && !encoding.eq_ignore_ascii_case("quoted-printable")
    });
    found.push(part);
    if depth == DEPTH_MAX {
        return;
    }
    if let Some(boundary) = boundary.filter(|_| kind.starts_with("multipart/")) {
        let default = if kind == "multipart/digest" { "message/rfc822" } else { "text/plain" };
        for piece in pieces(body, boundary.as_bytes()) {
            descend(piece, default, depth + 1, inside, found);
        }
    } else if plain && matches!(kind.as_str(), "message/rfc822" | "message/global") {
        descend(body, "text/plain", depth + 1, inside + 1, found);
    }
}

/// What stands between the lines `--boundary`, up to `--boundary--` or the end.
fn pieces<'a>(body: &'a [u8], boundary: &[u8]) -> Vec<&'a [u8]> {
    let mut found = Vec::new();
    let (mut at, mut start) = (0, None);
    while at < body.len() && found.len() < PARTS_MAX {
        let end = body[at..].iter().position(|&b| b == b'\n').map_or(body.len(), |found| at + found + 1);
        if let Some(rest) = body[at..end].strip_prefix(b"--").and_then(|line| line.strip_prefix(boundary)) {
            let last = rest.starts_with(b"--");
            if last || rest.trim_ascii().is_empty() {
                if let Some(start) = start.replace(end) {
                    // The line end before the boundary belongs to the boundary.
                    let piece: &[u8] = &body[start..at];
                    let piece = piece.strip_suffix(b"\n").unwrap_or(piece);
                    found.push(piece.strip_suffix(b"\r").unwrap_or(piece));
                }
                if last {
                    return found;
                }
            }
        }
        at = end;
    }
    found.extend(start.map(|start| &body[start..]));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(letter: &str) -> Vec<(String, usize)> {
        parts(letter.as_bytes()).into_iter().map(|part| (part.kind, part.inside)).collect()
    }

    #[test]
    fn parts_and_letters_within() {
        let letter = "Content-Type: multipart/mixed; boundary=\"b b\"\n\npreamble\n--b b\n\ntext\n--b b  \n\
            Content-Type: Message/RFC822\n\nContent-Type: text/html\n\n<p>x\n--b b--\nepilogue\n--b b\n\nno part\n";
        let expected = [("multipart/mixed", 0), ("text/plain", 0), ("message/rfc822", 0), ("text/html", 1)];
        assert_eq!(kinds(letter), expected.map(|(kind, inside)| (kind.to_owned(), inside)));
    }

    #[test]
    fn a_boundary_that_begins_like_another_is_another() {
        let letter = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\na\n--bb\nb\n--b--\n";
        let found = parts(letter.as_bytes());
        assert_eq!(found.len(), 2);
        assert_eq!(found[1].text(), "a\n--bb\nb");
    }

    #[test]
    fn texts_in_their_charsets() {
        for (head, body, text) in [
            ("charset=koi8-r\nContent-Transfer-Encoding: base64", "8NLJ18XU", "Привет"),
            ("charset=gb2312\nContent-Transfer-Encoding: quoted-printable", "=D3=CA=CF=E4", "邮箱"),
            ("charset=no-such", "plain", "plain"),
            ("charset=utf-8\nContent-Transfer-Encoding: base64", "!!!", "!!!"),
        ] {
            let letter = format!("Content-Type: text/plain; {head}\n\n{body}");
            assert_eq!(parts(letter.as_bytes())[0].text(), text, "{head}");
        }
    }

    #[test]
    fn depth_and_number_are_bounded() {
        let deep = "Content-Type: message/rfc822\n\n".repeat(20_000);
        assert_eq!(parts(deep.as_bytes()).len(), DEPTH_MAX + 1);
        let wide = format!("Content-Type: multipart/mixed; boundary=b\n\n{}", "--b\n\nx\n".repeat(20_000));
        assert!(parts(wide.as_bytes()).len() <= PARTS_MAX);
    }
}
