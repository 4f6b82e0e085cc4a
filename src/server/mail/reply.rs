//! Replies of a mail server (RFC 5321 4.2), read within bounds.

use super::secrets::Secrets;
use crate::domain::bidi;
use std::borrow::Cow;

/// Longest line, line end included.
pub const MAX_LINE: usize = 4096;
/// Most lines of one reply.
pub const MAX_LINES: usize = 100;
/// Longest text that is kept, in characters.
const MAX_TEXT: usize = 1000;

/// What the server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub code: u16,
    /// Enhanced status code (RFC 3463) such as `5.1.1`.
    pub enhanced: Option<String>,
    /// The lines without their codes, joined with spaces: lossy UTF-8, control characters escaped, at
    /// most 1000 characters.
    pub text: String,
    /// The first word of each line after the first, upper case: the keywords of an EHLO reply.
    pub(super) lines: Vec<String>,
}

impl Reply {
    /// Takes what is secret out of the text, before it is cut off.
    pub(super) fn hide(&mut self, secrets: &Secrets) {
        if self.lines.iter().any(|line| matches!(secrets.hide(line), Cow::Owned(_))) {
            let lines: Vec<_> = self.lines.iter().map(|line| secrets.hide(line)).collect();
            self.text = shown(lines.join(" ").trim());
        }
    }

    /// The lines as they came, without their codes, lossy UTF-8, secrets and all: not to be shown.
    pub(super) fn lines(&self) -> &[String] {
        &self.lines
    }
}

/// Why bytes are not a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    #[error("the server's reply is not SMTP")]
    Garbage,
    #[error("the lines of the server's reply have different codes")]
    MixedCodes,
    #[error("the server's reply has a line that is too long")]
    LongLine,
    #[error("the server's reply has too many lines")]
    ManyLines,
}

/// Gathers the lines of one reply.
#[derive(Debug, Default)]
pub struct ReplyParser {
    code: Option<u16>,
    lines: Vec<String>,
}

impl ReplyParser {
    /// Takes one line without its line end; gives the reply with its last line.
    ///
    /// # Errors
    /// If the line cannot belong to this reply.
    pub fn line(&mut self, line: &[u8]) -> Result<Option<Reply>, ReplyError> {
        let (digits, rest) = line.split_at_checked(3).ok_or(ReplyError::Garbage)?;
        if !digits.iter().all(u8::is_ascii_digit) || !(b'1'..=b'5').contains(&digits[0]) {
            return Err(ReplyError::Garbage);
        }
        let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
        if *self.code.get_or_insert(code) != code {
            return Err(ReplyError::MixedCodes);
        }
        let (last, text) = match rest.split_first() {
            None => (true, rest),
            Some((b' ', text)) => (true, text),
            Some((b'-', text)) => (false, text),
            Some(_) => return Err(ReplyError::Garbage),
        };
        if self.lines.len() == MAX_LINES {
            return Err(ReplyError::ManyLines);
        }
        self.lines.push(String::from_utf8_lossy(text).into_owned());
        Ok(last.then(|| finish(code, std::mem::take(&mut self.lines))))
    }
}

fn finish(code: u16, lines: Vec<String>) -> Reply {
    let joined = match lines.as_slice() {
        [one] => Cow::Borrowed(one.as_str()),
        several => Cow::Owned(several.join(" ")),
    };
    let whole = joined.trim();
    let plain = whole.len() <= MAX_TEXT && !whole.contains(is_hidden);
    let text = if plain { whole.to_owned() } else { shown(whole) };
    let enhanced = enhanced(code, lines.first().map_or("", String::as_str));
    Reply { code, enhanced, text, lines }
}

/// As much of a text as is kept, with its control characters and those of direction escaped.
fn shown(whole: &str) -> String {
    let mut text = String::new();
    let mut length = 0;
    for c in whole.chars() {
        let width = if is_hidden(c) { c.escape_default().count() } else { 1 };
        if length + width > MAX_TEXT {
            break;
        }
        length += width;
        if is_hidden(c) { text.extend(c.escape_default()) } else { text.push(c) }
    }
    text
}

/// Control characters, and those that turn a text around.
fn is_hidden(c: char) -> bool {
    c.is_control() || bidi::is_control(c)
}

/// Reads an enhanced status code at the start of a text. Its class must be that of the reply
/// (RFC 2034 4).
fn enhanced(code: u16, text: &str) -> Option<String> {
    let word = text.split_whitespace().next()?;
    let (class, rest) = word.split_once('.')?;
    let (subject, detail) = rest.split_once('.')?;
    let number = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let fits = matches!(class, "2" | "4" | "5") && class.parse() == Ok(code / 100);
    (fits && number(subject) && number(detail)).then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(lines: &[&[u8]]) -> Result<Option<Reply>, ReplyError> {
        let mut parser = ReplyParser::default();
        let mut last = Ok(None);
        for line in lines {
            last = parser.line(line);
            if last.is_err() {
                break;
            }
        }
        last
    }

    fn one(line: &[u8]) -> Reply {
        parse(&[line]).unwrap().unwrap()
    }

    #[test]
    fn reads_codes_and_enhanced_codes() {
        let reply = one(b"550 5.1.1 No such user");
        assert_eq!((reply.code, reply.enhanced.as_deref()), (550, Some("5.1.1")));
        assert_eq!(reply.text, "5.1.1 No such user");
        assert_eq!(one(b"250").text, "");
        for line in [&b"550 4.1.1 x"[..], b"550 5.1 x", b"550 5.1.1000 x", b"550 5.a.1 x", b"350 3.1.1 x"] {
            assert_eq!(one(line).enhanced, None);
        }
        let reply = parse(&[b"250-one", b"250-two", b"250 three"]).unwrap().unwrap();
        assert_eq!(reply.text, "one two three");
    }

    #[test]
    fn refuses_what_is_not_a_reply() {
        for line in [&b"HTTP/1.1 400"[..], b"", b"25", b"650 x", b"250x", b"\xff\xfe\xfd"] {
            assert_eq!(parse(&[line]), Err(ReplyError::Garbage));
        }
        assert_eq!(parse(&[b"250-a", b"550 b"]), Err(ReplyError::MixedCodes));
        assert_eq!(parse(&[&b"250-a"[..]; MAX_LINES + 1]), Err(ReplyError::ManyLines));
    }

    #[test]
    fn text_is_printable_and_bounded() {
        assert_eq!(one(b"550 a\x1b[31m\x00\xff").text, "a\\u{1b}[31m\\u{0}\u{fffd}");
        assert_eq!(one("550 a\u{202e}b\u{2066}".as_bytes()).text, "a\\u{202e}b\\u{2066}");
        let long = [b"550 ".as_slice(), &b"x".repeat(3000)].concat();
        assert_eq!(one(&long).text.len(), MAX_TEXT);
    }

    proptest! {
        #[test]
        fn never_panics(line in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(Some(reply)) = parse(&[&line]) {
                prop_assert!(!reply.text.contains(char::is_control));
            }
        }
    }
}
