//! HTML of a letter to its plain text.
//!
//! Lines are wrapped at spaces alone: a word is never cut, an address least of all. So long words are put aside while
//! html2text lays out the lines, and stand-ins hold their place.

use super::links::decoded;
use html2text::render::TextDecorator;
use std::ops::Range;
use unicode_width::UnicodeWidthChar;

/// Columns of the plain text, with room for a value that is longer than its mark.
const TEXT_WIDTH: usize = 72;
/// Columns that a list or a quote takes from what is in it.
const INDENT: usize = 5;
/// What is left at least, but in tables.
const WIDTH_MIN: usize = 12;

/// Bytes in which a table's first row is looked for.
const ROW_MAX: usize = 4096;

/// Private-use characters (plane 15) that stand for long words while lines are wrapped.
const FIRST_STAND_IN: u32 = 0xf_0000;
const STAND_INS: u32 = 0xfff0;
/// Takes the columns of a word behind its stand-in.
const FILLER: char = '\u{ffffd}';

/// The plain text of an HTML fragment as its sanitiser wrote it: wrapped, links followed by their address.
pub fn to_text(fragment: &str) -> String {
    let mut words = Words::default();
    let source = words.spare(&inline(&fragment.replace(is_reserved, "")));
    let config = html2text::config::with_decorator(Plain).no_table_borders().allow_width_overflow();
    // It fails only for want of width, which may overflow here.
    let text = config.string_from_read(source.as_bytes(), TEXT_WIDTH).unwrap_or_default();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let mut text = words.put_back(&lines.join("\n"));
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn is_reserved(c: char) -> bool {
    c == FILLER || (FIRST_STAND_IN..FIRST_STAND_IN + STAND_INS).contains(&u32::from(c))
}

/// A piece of HTML.
enum Piece<'a> {
    /// Between its brackets.
    Tag(&'a str),
    Text(&'a str),
}

impl<'a> Piece<'a> {
    /// The pieces of HTML in order, each with the place where it begins.
    fn all(html: &'a str) -> impl Iterator<Item = (usize, Self)> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let rest = html.get(at..).filter(|rest| !rest.is_empty())?;
            let start = at;
            if let Some(tag) = rest.strip_prefix('<') {
                let length = tag_length(tag);
                at += (length + 2).min(rest.len());
                return Some((start, Self::Tag(&tag[..length])));
            }
            let length = rest.find('<').unwrap_or(rest.len());
            at += length;
            Some((start, Self::Text(&rest[..length])))
        })
    }
}

/// How long a tag is up to its bracket; one in quotes is none.
fn tag_length(tag: &str) -> usize {
    let mut quoted = false;
    let end = tag.find(|c: char| {
        quoted ^= c == '"';
        c == '>' && !quoted
    });
    end.unwrap_or(tag.len())
}

/// Name of a tag, with its slash.
fn name(tag: &str) -> &str {
    tag.split([' ', '\n']).next().unwrap_or_default()
}

/// The value of an attribute, with its entities, as text.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let (value, _) = rest.split_once('"')?;
    Some(value.replace('<', "&lt;").replace('>', "&gt;"))
}

/// Makes words of what no layout is needed for: addresses of links, descriptions of pictures, struck text.
fn inline(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    // The address of the present link, and where its text begins.
    let mut link: Option<(String, usize)> = None;
    for (_, piece) in Piece::all(html) {
        let tag = match piece {
            Piece::Tag(tag) => tag,
            Piece::Text(text) => {
                out.push_str(text);
                continue;
            }
        };
        match name(tag) {
            "a" => link = attribute(tag, "href").map(|address| (address, out.len())),
            "/a" => {
                if let Some((address, _)) = link.take().filter(|(address, at)| !says(&out[*at..], address)) {
                    out.push_str(" &lt;");
                    out.push_str(&address);
                    out.push_str("&gt;");
                }
            }
            "img" => {
                out.push('[');
                out.push_str(&attribute(tag, "alt").unwrap_or_default());
                out.push(']');
            }
            "del" | "/del" | "s" | "/s" | "strike" | "/strike" => out.push_str("~~"),
            _ => {
                out.push('<');
                out.push_str(tag);
                out.push('>');
            }
        }
    }
    out
}

/// Whether the text of a link is its address, which would otherwise be shown twice.
fn says(text: &str, address: &str) -> bool {
    let (text, address) = (decoded(text), decoded(address));
    let begins = ["", "mailto:", "https://"];
    begins.iter().any(|begin| address.strip_prefix(begin) == Some(&*text))
}

/// Long words, put aside.
#[derive(Default)]
struct Words(Vec<String>);

impl Words {
    /// Puts stand-ins into the place of the words that would be cut.
    fn spare(&mut self, html: &str) -> String {
        let mut out = String::with_capacity(html.len());
        let mut end = 0;
        for (range, width) in long_words(html) {
            out.push_str(&html[end..range.start]);
            out.push_str(&self.stand_in(&html[range.clone()], width));
            end = range.end;
        }
        out.push_str(&html[end..]);
        out
    }

    fn stand_in(&mut self, word: &str, width: usize) -> String {
        let index = u32::try_from(self.0.len()).ok().filter(|n| *n < STAND_INS);
        let Some(stand_in) = index.and_then(|n| char::from_u32(FIRST_STAND_IN + n)) else {
            return word.to_owned();
        };
        self.0.push(unescape(word));
        std::iter::once(stand_in).chain(std::iter::repeat_n(FILLER, width.saturating_sub(1))).collect()
    }

    fn put_back(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for c in text.chars().filter(|c| *c != FILLER) {
            match u32::from(c).checked_sub(FIRST_STAND_IN).and_then(|index| self.0.get(index as usize)) {
                Some(word) => out.push_str(word),
                None => out.push(c),
            }
        }
        out
    }
}

/// The pieces of words that are wider than their place, and the columns that each is to take.
fn long_words(html: &str) -> Vec<(Range<usize>, usize)> {
    let mut found = Vec::new();
    let mut place = Place::default();
    // The pieces of the present word, which inline elements do not end, and its columns.
    let (mut word, mut columns) = (Vec::<(Range<usize>, usize)>::new(), 0);
    let mut flush = |word: &mut Vec<(Range<usize>, usize)>, columns: &mut usize, width: usize| {
        let pieces = word.drain(..);
        if *columns > width {
            let share = (width / pieces.len().max(1)).max(1);
            found.extend(pieces.map(|(range, columns)| (range, columns.min(share))));
        }
        *columns = 0;
    };
    for (at, piece) in Piece::all(html) {
        match piece {
            Piece::Tag(tag) if is_inline(tag) => {}
            Piece::Tag(tag) => {
                flush(&mut word, &mut columns, place.width());
                place.enter(tag, &html[at..]);
            }
            Piece::Text(text) => {
                let mut start = at;
                for part in text.split_inclusive(char::is_whitespace) {
                    let letters = part.trim_end_matches(char::is_whitespace);
                    let width = columns_of(letters);
                    if width > 0 {
                        word.push((start..start + letters.len(), width));
                        columns += width;
                    }
                    start += part.len();
                    if letters.len() < part.len() {
                        flush(&mut word, &mut columns, place.width());
                    }
                }
            }
        }
    }
    flush(&mut word, &mut columns, place.width());
    found
}

/// Columns of a text in which entities stand for one sign each.
fn columns_of(text: &str) -> usize {
    let mut entity = false;
    text.chars()
        .filter(|c: &char| {
            let counts = !entity;
            entity = if entity { *c != ';' } else { *c == '&' };
            counts
        })
        .map(|c| c.width().unwrap_or(0))
        .sum()
}

fn is_inline(tag: &str) -> bool {
    let name = name(tag).trim_start_matches('/');
    [
        "a", "abbr", "b", "bdi", "bdo", "cite", "code", "em", "i", "ins", "kbd", "mark", "q", "samp", "small", "span",
        "strong", "sub", "sup", "tt", "u", "var", "wbr",
    ]
    .contains(&name)
}

/// What encloses the present place of a text.
#[derive(Default)]
struct Place {
    indented: usize,
    /// Columns of each table around it.
    tables: Vec<usize>,
}

impl Place {
    fn enter(&mut self, tag: &str, html: &str) {
        match name(tag) {
            "ul" | "ol" | "dl" | "blockquote" => self.indented += 1,
            "/ul" | "/ol" | "/dl" | "/blockquote" => self.indented = self.indented.saturating_sub(1),
            "table" => {
                // Whoever writes longer rows writes no words into them.
                let begin = &html[..html.floor_char_boundary(ROW_MAX.min(html.len()))];
                let row = begin.split("</tr>").next().unwrap_or_default();
                let cells = row.matches("<td").count() + row.matches("<th").count() - row.matches("<thead").count();
                self.tables.push(cells.max(1));
            }
            "/table" => drop(self.tables.pop()),
            _ => {}
        }
    }

    /// Columns that a word has.
    fn width(&self) -> usize {
        let width = TEXT_WIDTH.saturating_sub(self.indented * INDENT).max(WIDTH_MIN);
        self.tables.iter().fold(width, |width, cells| (width / cells).saturating_sub(2).max(1))
    }
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&nbsp;", "\u{a0}")
        .replace("&amp;", "&")
}

/// How elements look in plain text. Links and pictures have become words before.
#[derive(Clone, Copy, Default)]
struct Plain;

impl TextDecorator for Plain {
    type Annotation = ();

    fn decorate_link_start(&mut self, _url: &str) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_link_end(&mut self) -> String {
        String::new()
    }

    fn decorate_em_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_em_end(&self) -> String {
        String::new()
    }

    fn decorate_strong_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_strong_end(&self) -> String {
        String::new()
    }

    fn decorate_strikeout_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_strikeout_end(&self) -> String {
        String::new()
    }

    fn decorate_code_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_code_end(&self) -> String {
        String::new()
    }

    fn decorate_preformat_first(&self) {}

    fn decorate_preformat_cont(&self) {}

    fn decorate_image(&mut self, _src: &str, title: &str) -> (String, ()) {
        (format!("[{title}]"), ())
    }

    fn header_prefix(&self, level: usize) -> String {
        "#".repeat(level) + " "
    }

    fn quote_prefix(&self) -> String {
        "> ".to_owned()
    }

    fn unordered_item_prefix(&self) -> String {
        "- ".to_owned()
    }

    fn ordered_item_prefix(&self, i: i64) -> String {
        format!("{i}. ")
    }

    fn make_subblock_decorator(&self) -> Self {
        *self
    }
}

#[cfg(test)]
mod tests {
    use super::super::markdown::{escape, render, to_html};
    use super::*;
    use proptest::prelude::*;

    fn text_of(markdown: &str) -> String {
        to_text(&render(markdown).unwrap())
    }

    #[test]
    fn no_word_is_cut() {
        for length in [73, 100, 400] {
            let (word, url) = ("w".repeat(length), format!("https://example.org/{}?a=b&c=\"d\"", "p".repeat(length)));
            let glued = format!("aaa**{word}**bbb");
            for (source, whole) in [
                (word.clone(), &word),
                (format!("# {word}"), &word),
                (format!("some words before {url} and some behind it"), &url),
                (format!("[a link]({})", url.replace('"', "%22")), &url.replace('"', "%22")),
                (format!("> > - 1. - {word} x"), &word),
                (format!("![{word}](https://x.org/a.png)"), &word),
                (glued.clone(), &glued.replace("**", "")),
                (format!("| a | b | c |\n|---|---|---|\n| {word} | b | c |"), &word),
                (format!("```\n{word}\n```"), &word),
                (format!("one two \\\n{word}"), &word),
            ] {
                let text = text_of(&source);
                assert!(text.contains(whole.as_str()), "{source}:\n{text}");
                assert!(!text.contains(is_reserved), "{text}");
            }
        }
        // Signs of two columns each.
        for wide in ["页".repeat(30), "🙂".repeat(40), format!("https://example.cn/{}", "页".repeat(30))] {
            assert!(text_of(&wide).contains(&wide), "{}", text_of(&wide));
        }
        // Where lists and quotes leave little room, shorter words are long.
        let deep = format!("{} {}", ">".repeat(12), "w".repeat(60));
        assert!(text_of(&deep).contains(&"w".repeat(60)), "{}", text_of(&deep));
        let cells = format!("|{}\n|{}\n|{}", "a|".repeat(10), "-|".repeat(10), "eleven_sign|".repeat(10));
        assert_eq!(text_of(&cells).matches("eleven_sign").count(), 10, "{}", text_of(&cells));
    }

    #[test]
    fn what_was_typed_in_lines_stays_in_lines() {
        assert_eq!(text_of("See you,\nMarya\nBakery"), "See you,\nMarya\nBakery\n");
        assert_eq!(text_of("- a\n- b\n  c"), "- a\n- b\n  c\n");
        assert_eq!(text_of("one  \ntwo"), "one\ntwo\n");
    }

    #[test]
    fn struck_text_is_read() {
        assert_eq!(text_of("~~100~~ 80"), "~~100~~ 80\n");
        assert_eq!(text_of("a ~~b **c**~~ <s>d</s>"), "a ~~b c~~ ~~d~~\n");
        assert!(!text_of("~~Цена~~").contains('\u{336}'));
    }

    #[test]
    fn bare_addresses_stand_once() {
        assert_eq!(
            text_of("www.example.com, https://example.org/страница or anna@example.org"),
            "www.example.com, https://example.org/страница or anna@example.org\n"
        );
        assert_eq!(text_of("[![a cat](https://x.org/c.png)](https://x.org)"), "[a cat] <https://x.org>\n");
    }

    #[test]
    fn text_shows_links_once() {
        let text = to_text(&to_html(
            "# Hello\n\nRead [the *news*](https://example.org/a?b=c&d=e), <https://example.org/>, <a@example.org>.\n\n\
             - one\n- two\n\n> quoted\n",
        ));
        assert_eq!(
            text,
            "# Hello\n\nRead the news <https://example.org/a?b=c&d=e>, https://example.org/,\na@example.org.\n\
             - one\n- two\n\n> quoted\n"
        );
    }

    #[test]
    fn text_is_wrapped_but_addresses_are_not() {
        let url = format!("https://example.org/{}", "a".repeat(120));
        let text = to_text(&to_html(&format!("{} [link]({url})", "word ".repeat(60))));
        assert!(text.contains(&url), "{text}");
        assert!(text.lines().filter(|line| !line.contains("https")).all(|line| line.len() <= TEXT_WIDTH));
    }

    #[test]
    fn escaped_text_is_shown_as_written() {
        let nasty = "*x* <b> [a](http://b) `c` # d & 1. \\";
        assert_eq!(to_text(&to_html(&escape(nasty))).trim(), nasty);
    }

    #[test]
    fn reserved_signs_bring_no_word_back() {
        let word = "w".repeat(90);
        assert_eq!(text_of(&format!("{word} \u{f0000}\u{ffffd}")).matches(&word).count(), 1);
    }

    proptest! {
        #[test]
        fn any_markdown_renders(markdown in "[ -~\n\u{400}-\u{450}]{0,200}") {
            to_text(&to_html(&markdown));
        }
    }
}
