//! Markdown to the HTML and the plain text of a letter.

use super::bounded::{self, TooMuch};
use ammonia::{Builder, UrlRelative};
use html2text::render::TextDecorator;
use pulldown_cmark::{Options, Parser, html};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::LazyLock;

/// Columns of the plain text, with room for a value that is longer than its mark.
const TEXT_WIDTH: usize = 72;

/// Private-use characters (plane 15) that stand for long addresses while lines are wrapped.
const FIRST_STAND_IN: u32 = 0xf_0000;
const STAND_INS: u32 = 0xfff0;

/// Styles that stand on the elements themselves, since mail programs drop style sheets.
const STYLES: [(&str, &str); 10] = [
    ("a", "color:#2563eb"),
    ("blockquote", "margin:0 0 1em;padding:0 0 0 1em;border-left:3px solid #9ca3af"),
    ("code", "font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.9em"),
    ("h1", "font-size:1.6em;line-height:1.25;margin:0 0 .6em"),
    ("h2", "font-size:1.3em;line-height:1.3;margin:1.2em 0 .5em"),
    ("img", "max-width:100%;height:auto"),
    ("p", "margin:0 0 1em"),
    ("pre", "overflow-x:auto;padding:.75em;border:1px solid #9ca3af;border-radius:6px"),
    ("table", "border-collapse:collapse;margin:0 0 1em"),
    ("td", "border:1px solid #9ca3af;padding:.3em .6em"),
];

/// Styles of what stands around the text.
const BODY_STYLE: &str = "margin:0;padding:0;color-scheme:light dark";
const FRAME_STYLE: &str = "max-width:600px;margin:0 auto;padding:24px 16px;\
    font:16px/1.55 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;overflow-wrap:break-word";

/// Every style that a letter of ours carries in an attribute.
pub fn styles() -> impl Iterator<Item = &'static str> {
    STYLES.into_iter().map(|(_, style)| style).chain([BODY_STYLE, FRAME_STYLE])
}

static SANITISER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::default();
    builder
        .url_schemes(HashSet::from(["http", "https", "mailto", "tel"]))
        // A letter has no address of its own that a relative link could start from.
        .url_relative(UrlRelative::Deny)
        .link_rel(None)
        .set_tag_attribute_values(
            STYLES.into_iter().map(|(tag, style)| (tag, HashMap::from([("style", style)]))).collect(),
        );
    builder
});

/// Renders Markdown (CommonMark with tables and strikethrough) that people wrote as safe HTML with inline styles. HTML
/// in the Markdown is sanitised, never trusted; links may be http, https, mailto and tel.
///
/// # Errors
/// If it would become more than the limits of [`bounded`] allow.
pub fn render(markdown: &str) -> Result<String, TooMuch> {
    let raw = bounded::html(markdown, parser(markdown).into_offset_iter())?;
    Ok(SANITISER.clean(&raw).to_string())
}

/// Whether [`render`] would make HTML of it.
///
/// # Errors
/// As there.
pub fn check(markdown: &str) -> Result<(), TooMuch> {
    bounded::html(markdown, parser(markdown).into_offset_iter()).map(|_| ())
}

/// The same for texts of our own, whose size and depth are known.
pub fn to_html(markdown: &str) -> String {
    let mut raw = String::with_capacity(markdown.len() * 3 / 2);
    html::push_html(&mut raw, parser(markdown));
    SANITISER.clean(&raw).to_string()
}

fn parser(markdown: &str) -> Parser<'_> {
    Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH)
}

/// A whole HTML letter around a fragment. `lang` is an RFC 5646 tag, `title` is already escaped.
pub fn document(fragment: &str, lang: &str, title: &str) -> String {
    let mut tag = String::new();
    super::fill::escape_html(&mut tag, lang);
    format!(
        "<!DOCTYPE html>\n<html lang=\"{tag}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"supported-color-schemes\" content=\"light dark\">\n<title>{title}</title>\n</head>\n\
         <body style=\"{BODY_STYLE}\">\n<div style=\"{FRAME_STYLE}\">\n{fragment}</div>\n</body>\n</html>\n"
    )
}

/// The plain text of an HTML fragment: wrapped, links followed by their address.
pub fn to_text(fragment: &str) -> String {
    let plain = Plain::default();
    let long = Rc::clone(&plain.long);
    let config = html2text::config::with_decorator(plain)
        .link_footnotes(false)
        .no_link_wrapping()
        .no_table_borders()
        .allow_width_overflow();
    let source = unlink_plain_addresses(fragment, &long);
    // It fails only for want of width, which may overflow here.
    let text = config.string_from_read(source.as_bytes(), TEXT_WIDTH).unwrap_or_default();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let mut text = put_back(&lines.join("\n"), &long.borrow());
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// Escapes a text so that Markdown shows it as it is, in one line.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if c.is_control() {
            out.push(' ');
        } else {
            if c.is_ascii_punctuation() {
                out.push('\\');
            }
            out.push(c);
        }
    }
    out
}

/// Takes the link off where its text is its address, which would otherwise be shown twice.
fn unlink_plain_addresses(fragment: &str, long: &RefCell<Vec<String>>) -> String {
    let mut out = String::with_capacity(fragment.len());
    let mut rest = fragment;
    while let Some(start) = rest.find("<a ") {
        let Some(link) = Link::read(&rest[start..]) else {
            out.push_str(&rest[..start + 3]);
            rest = &rest[start + 3..];
            continue;
        };
        let shown = encode_marks(link.text);
        out.push_str(&rest[..start]);
        if link.href == shown || link.href.strip_prefix("mailto:") == Some(shown.as_str()) {
            let text = link.text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
            if keep_whole(&text) {
                out.push_str(&stand_in(text, long));
            } else {
                out.push_str(link.text);
            }
        } else {
            out.push_str(&rest[start..start + link.length]);
        }
        rest = &rest[start + link.length..];
    }
    out.push_str(rest);
    out
}

/// Whether an address would be broken by wrapping, which leaves none that works.
fn keep_whole(url: &str) -> bool {
    url.chars().count() > TEXT_WIDTH - 12
}

/// Puts a long address aside and gives the character that stands for it while lines are wrapped.
fn stand_in(url: String, long: &RefCell<Vec<String>>) -> String {
    let mut long = long.borrow_mut();
    let place =
        u32::try_from(long.len()).ok().filter(|n| *n < STAND_INS).and_then(|n| char::from_u32(FIRST_STAND_IN + n));
    match place {
        Some(c) => {
            long.push(url);
            c.to_string()
        }
        None => url,
    }
}

fn put_back(text: &str, long: &[String]) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match u32::from(c).checked_sub(FIRST_STAND_IN).and_then(|index| long.get(index as usize)) {
            Some(url) => out.push_str(url),
            None => out.push(c),
        }
    }
    out
}

struct Link<'a> {
    href: &'a str,
    text: &'a str,
    length: usize,
}

impl<'a> Link<'a> {
    /// Reads `<a .. href="U" ..>T</a>` where T holds no element.
    fn read(source: &'a str) -> Option<Self> {
        let open = source.find('>')?;
        let (_, after) = source[..open].split_once(" href=\"")?;
        let (href, _) = after.split_once('"')?;
        let (text, tail) = source[open + 1..].split_once('<')?;
        tail.starts_with("/a>").then_some(Link { href, text, length: open + 1 + text.len() + 4 })
    }
}

fn encode_marks(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if super::fill::is_mark(c) {
            let mut octets = [0; 4];
            for b in c.encode_utf8(&mut octets).bytes() {
                out.push_str(&format!("%{b:02X}"));
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// How elements look in plain text.
#[derive(Clone, Default)]
struct Plain {
    links: Vec<String>,
    long: Rc<RefCell<Vec<String>>>,
}

impl TextDecorator for Plain {
    type Annotation = ();

    fn decorate_link_start(&mut self, url: &str) -> (String, ()) {
        self.links.push(url.to_owned());
        (String::new(), ())
    }

    fn decorate_link_end(&mut self) -> String {
        let Some(url) = self.links.pop() else {
            return String::new();
        };
        format!(" <{}>", if keep_whole(&url) { stand_in(url, &self.long) } else { url })
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
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn html_is_safe() {
        let html = to_html("<script>x</script>[a](javascript:alert(1)) <img src=x onerror=y> <b onclick=z>b</b>");
        for bad in ["<script", "href", "onerror", "onclick", "src="] {
            assert!(!html.contains(bad), "{bad}: {html}");
        }
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
    fn the_document_says_its_language() {
        let html = document("<p>x</p>", "ru", "T");
        assert!(html.starts_with("<!DOCTYPE html>\n<html lang=\"ru\">") && html.contains("color-scheme"));
    }

    proptest! {
        #[test]
        fn any_markdown_renders(markdown in "[ -~\n\u{400}-\u{450}]{0,200}") {
            to_text(&to_html(&markdown));
        }
    }
}
