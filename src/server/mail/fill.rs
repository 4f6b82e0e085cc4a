//! Filling values into finished HTML and text.
//!
//! A value that a template prints never passes through Markdown. The template leaves a *mark* in its
//! place, one private-use character that carries the value's index, and the Markdown is turned into
//! HTML and text with the marks inside. [`Pattern`] is such an output, cut at its marks; filling it
//! escapes each value for the place where it stands.

use super::links::{self, Kind};
use std::fmt::Write;

/// Marks are U+E000 to U+EFFF: exactly the characters whose UTF-8 begins with 0xEE.
const FIRST_MARK: u32 = 0xe000;
/// How many values one letter can hold.
pub const MAX_VALUES: usize = 0x1000;

/// Whether a character is reserved for marks.
pub fn is_mark(c: char) -> bool {
    (0xe000..=0xefff).contains(&u32::from(c))
}

/// A text without marks, as they are and percent-encoded: nothing in it is taken for the place of a value.
pub fn without_marks(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        match value_at(rest, true) {
            Some((_, length)) => rest = &rest[length..],
            None => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    out
}

/// The mark of the value at an index below [`MAX_VALUES`].
pub fn mark(index: usize) -> Option<char> {
    if index >= MAX_VALUES {
        return None;
    }
    char::from_u32(FIRST_MARK + u32::try_from(index).ok()?)
}

/// Where a value stands, which says how it is escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// HTML text or a quoted attribute.
    Html,
    /// Inside a URL: percent-encoded.
    Url,
    /// Inside a mailto: URL, where `@` keeps its meaning.
    Mailto,
    /// The beginning of a URL: nothing but an address may stand here.
    Address(Kind),
    /// Plain text.
    Text,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(Box<str>),
    Value(usize, Place),
}

/// Text with places for values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pattern {
    pieces: Vec<Piece>,
    literal: usize,
    is_html: bool,
}

impl Pattern {
    /// Cuts HTML as its sanitiser wrote it: attributes in double quotes, `<` only where a tag begins.
    pub fn html(source: &str) -> Self {
        let mut builder = Builder::default();
        builder.pattern.is_html = true;
        let mut state = State::Text;
        let mut attribute_start = 0;
        // Where the value of the present attribute begins.
        let mut value_start = 0;
        let mut rest = source;
        while let Some(c) = rest.chars().next() {
            let at = source.len() - rest.len();
            let place = match state {
                State::Attribute(Place::Address(kind)) if at == value_start => Place::Address(kind),
                State::Attribute(Place::Address(_)) => Place::Url,
                State::Attribute(place) => place,
                State::Text | State::Tag => Place::Html,
            };
            if let Some((index, length)) = value_at(rest, place != Place::Html) {
                builder.value(index, place);
                rest = &rest[length..];
                continue;
            }
            state = match (state, c) {
                (State::Text, '<') => {
                    attribute_start = at;
                    State::Tag
                }
                (State::Tag, '>') => State::Text,
                (State::Tag, ' ') => {
                    attribute_start = at + 1;
                    State::Tag
                }
                (State::Tag, '"') => {
                    value_start = at + 1;
                    State::Attribute(attribute_place(&source[attribute_start..at], &rest[1..]))
                }
                (State::Attribute(_), '"') => State::Tag,
                (state, _) => state,
            };
            builder.push(c);
            rest = &rest[c.len_utf8()..];
        }
        builder.finish()
    }

    /// Cuts plain text; a percent-encoded mark stands in a URL that the text shows.
    pub fn text(source: &str) -> Self {
        let mut builder = Builder::default();
        // Where the word begins that is being read.
        let mut word = 0;
        let mut rest = source;
        while let Some(c) = rest.chars().next() {
            let at = source.len() - rest.len();
            if c.is_whitespace() || c == '<' {
                word = at + c.len_utf8();
            }
            if is_mark(c) {
                builder.value((u32::from(c) - FIRST_MARK) as usize, Place::Text);
            } else if let Some((index, length)) = value_at(rest, true) {
                let place = if at == word { Place::Address(Kind::Link) } else { url_place(&source[word..at]) };
                builder.value(index, place);
                rest = &rest[length..];
                continue;
            } else {
                builder.push(c);
            }
            rest = &rest[c.len_utf8()..];
        }
        builder.finish()
    }

    /// Writes the text with its values; a mark without a value (typed by hand) leaves nothing.
    ///
    /// # Errors
    /// If it takes more than `most` bytes, or a value that must be an address is none.
    pub fn fill(&self, values: &[String], most: usize) -> Result<String, Unfillable> {
        let mut out = String::with_capacity(self.literal + self.pieces.len() * 16);
        for piece in &self.pieces {
            if out.len() > most {
                return Err(Unfillable::TooLarge);
            }
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Value(index, place) => {
                    let value = values.get(*index).map_or("", String::as_str);
                    match place {
                        Place::Html => escape_html(&mut out, value),
                        Place::Url => escape_url(&mut out, value, false),
                        Place::Mailto => escape_url(&mut out, value, true),
                        Place::Address(kind) => {
                            let address = links::of_value(value, *kind).ok_or(Unfillable::NoAddress(*index))?;
                            // Both may stand in an address, and in HTML only escaped.
                            if self.is_html { escape_html(&mut out, &address) } else { out.push_str(&address) }
                        }
                        Place::Text => out.push_str(value),
                    }
                }
            }
        }
        if out.len() <= most { Ok(out) } else { Err(Unfillable::TooLarge) }
    }
}

/// Why a text cannot be filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfillable {
    TooLarge,
    /// The value at this index should be the address of a link or a picture.
    NoAddress(usize),
}

#[derive(Clone, Copy)]
enum State {
    Text,
    Tag,
    Attribute(Place),
}

#[derive(Default)]
struct Builder {
    pattern: Pattern,
    literal: String,
}

impl Builder {
    fn push(&mut self, c: char) {
        self.literal.push(c);
    }

    fn value(&mut self, index: usize, place: Place) {
        self.cut();
        self.pattern.pieces.push(Piece::Value(index, place));
    }

    fn cut(&mut self) {
        if !self.literal.is_empty() {
            self.pattern.literal += self.literal.len();
            self.pattern.pieces.push(Piece::Literal(std::mem::take(&mut self.literal).into_boxed_str()));
        }
    }

    fn finish(mut self) -> Pattern {
        self.cut();
        self.pattern
    }
}

/// The mark at the start of a text, as a character or (in URLs) percent-encoded, and its length.
fn value_at(rest: &str, encoded: bool) -> Option<(usize, usize)> {
    let first = rest.chars().next()?;
    if is_mark(first) {
        return Some(((u32::from(first) - FIRST_MARK) as usize, first.len_utf8()));
    }
    if !encoded || first != '%' {
        return None;
    }
    let bytes = rest.as_bytes().get(..9)?;
    let octet = |at: usize| -> Option<u8> {
        let digits = std::str::from_utf8(&bytes[at + 1..at + 3]).ok()?;
        if bytes[at] == b'%' { u8::from_str_radix(digits, 16).ok() } else { None }
    };
    let octets = [octet(0)?, octet(3)?, octet(6)?];
    let c = std::str::from_utf8(&octets).ok()?.chars().next()?;
    is_mark(c).then(|| ((u32::from(c) - FIRST_MARK) as usize, 9))
}

fn attribute_place(name: &str, value: &str) -> Place {
    match name.trim_end_matches('=') {
        "href" if begins_with_mark(value) => Place::Address(Kind::Link),
        "src" if begins_with_mark(value) => Place::Address(Kind::Picture),
        "href" | "src" | "cite" => url_place(value),
        _ => Place::Html,
    }
}

/// Whether a URL begins with a value.
pub fn begins_with_mark(url: &str) -> bool {
    value_at(url, true).is_some()
}

fn url_place(url: &str) -> Place {
    if url.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("mailto:")) { Place::Mailto } else { Place::Url }
}

/// Escapes for HTML text and quoted attributes alike.
pub fn escape_html(out: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

/// Percent-encodes all but the unreserved characters of RFC 3986 2.3.
fn escape_url(out: &mut String, value: &str, keep_at: bool) {
    for b in value.bytes() {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) || (keep_at && b == b'@') {
            out.push(char::from(b));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{b:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_by_place() {
        let m = mark(0).unwrap();
        let source = format!(
            "<p title=\"{m}\">{m}</p><a href=\"https://x.org/%EE%80%80?q={m}\">l</a><a href=\"mailto:%EE%80%80\">m</a>"
        );
        assert_eq!(
            Pattern::html(&source).fill(&["a@b\"<&".to_owned()], 1000).unwrap(),
            "<p title=\"a@b&quot;&lt;&amp;\">a@b&quot;&lt;&amp;</p>\
             <a href=\"https://x.org/a%40b%22%3C%26?q=a%40b%22%3C%26\">l</a><a href=\"mailto:a@b%22%3C%26\">m</a>"
        );
        let text = format!("Hi {m}, see <https://x.org/%EE%80%80> or <mailto:%EE%80%80>");
        assert_eq!(
            Pattern::text(&text).fill(&["a@b c".to_owned()], 1000).unwrap(),
            "Hi a@b c, see <https://x.org/a%40b%20c> or <mailto:a@b%20c>"
        );
    }

    #[test]
    fn marks_end_where_their_range_does() {
        assert_eq!(mark(MAX_VALUES - 1), Some('\u{efff}'));
        assert_eq!(mark(MAX_VALUES), None);
        assert!(!is_mark('\u{f000}') && !is_mark('\u{d7ff}'));
    }

    #[test]
    fn what_would_be_too_large_is_not_written() {
        let pattern = Pattern::html(&"\u{e000}".repeat(3));
        let value = ["&".to_owned()];
        assert_eq!(pattern.fill(&value, 15).as_deref(), Ok("&amp;&amp;&amp;"));
        assert_eq!(pattern.fill(&value, 14), Err(Unfillable::TooLarge));
    }

    #[test]
    fn a_url_that_a_value_begins_takes_addresses_alone() {
        let source = "<a href=\"%EE%80%80/x?n=%EE%80%81\">l</a><img src=\"%EE%80%80\">";
        let values = |first: &str| [first.to_owned(), "a&b".to_owned()];
        assert_eq!(
            Pattern::html(source).fill(&values("https://pay.example/?a=1&b=\"2\""), 1000).unwrap(),
            "<a href=\"https://pay.example/?a=1&amp;b=%222%22/x?n=a%26b\">l</a>\
             <img src=\"https://pay.example/?a=1&amp;b=%222%22\">"
        );
        assert_eq!(
            Pattern::text("l <%EE%80%80?n=%EE%80%81>").fill(&values("https://pay.example/"), 1000).unwrap(),
            "l <https://pay.example/?n=a%26b>"
        );
        for bad in ["", "Comment", "javascript:alert(1)", "tel:+7"] {
            assert_eq!(Pattern::html(source).fill(&values(bad), 1000), Err(Unfillable::NoAddress(0)), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn values_open_no_tag(value in "\\PC{0,40}") {
            let m = mark(0).unwrap();
            let filled = Pattern::html(&format!("<b>{m}</b><a href=\"https://x/{m}\">x</a>")).fill(&[value], 10_000).unwrap();
            prop_assert_eq!(filled.matches('<').count(), 4);
            prop_assert_eq!(filled.matches('"').count(), 2);
        }

        #[test]
        fn anything_can_be_cut(source in ".{0,80}") {
            let _ = Pattern::html(&source).fill(&[], 1000);
            let _ = Pattern::text(&source).fill(&[], 1000);
        }
    }
}
