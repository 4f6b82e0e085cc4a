//! Markdown to the HTML of a letter.

use super::bounded::{self, TooMuch};
use super::links::{self, Kind, Lost};
use super::typed::Typed;
use crate::domain::bidi::{Direction, direction, is_right_to_left};
use ammonia::{Builder, UrlRelative};
use pulldown_cmark::{Options, Parser, html};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// Styles that stand on the elements themselves, since mail programs drop style sheets.
const STYLES: [(&str, &str); 11] = [
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
    ("th", "border:1px solid #9ca3af;padding:.3em .6em"),
];

/// The colour of links is for a light ground; on a dark one, where mail programs have one, they need another.
const DARK_STYLE: &str = "@media (prefers-color-scheme:dark){a{color:#93c5fd!important}}";

/// Styles of what stands around the text.
const BODY_STYLE: &str = "margin:0;padding:0;color-scheme:light dark";
const FRAME_STYLE: &str = "max-width:600px;margin:0 auto;padding:24px 16px;\
    font:16px/1.55 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;overflow-wrap:break-word";

/// Every style that a letter of ours carries.
pub fn styles() -> impl Iterator<Item = &'static str> {
    let own = [BODY_STYLE, FRAME_STYLE, DARK_STYLE];
    STYLES.into_iter().map(|(_, style)| style).chain(own).chain(super::leave_link::STYLES)
}

/// Elements that find out their own direction where a letter has texts of both.
const BLOCKS: [&str; 11] = ["p", "h1", "h2", "h3", "h4", "h5", "h6", "li", "blockquote", "td", "th"];

static SANITISER: LazyLock<Builder<'static>> = LazyLock::new(|| sanitiser(&[]));
static SANITISER_OF_BOTH_DIRECTIONS: LazyLock<Builder<'static>> = LazyLock::new(|| sanitiser(&BLOCKS));

fn sanitiser(own_direction: &[&'static str]) -> Builder<'static> {
    let mut set: HashMap<&str, HashMap<&str, &str>> =
        STYLES.into_iter().map(|(tag, style)| (tag, HashMap::from([("style", style)]))).collect();
    for tag in own_direction {
        set.entry(tag).or_default().insert("dir", "auto");
    }
    let mut builder = Builder::default();
    builder
        .url_schemes(Kind::Link.schemes().iter().copied().collect::<HashSet<_>>())
        // A letter has no address of its own that a relative link could start from.
        .url_relative(UrlRelative::Custom(Box::new(kept_link)))
        .link_rel(None)
        .set_tag_attribute_values(set);
    builder
}

fn kept_link(address: &str) -> Option<Cow<'_, str>> {
    links::kept(address, Kind::Link)
}

/// HTML of Markdown, made safe. Alignment of cells stands in an attribute that the sanitiser keeps; no text can look
/// like the style that it stands in at first, for it is escaped.
fn clean(raw: &str) -> String {
    let mut raw = Cow::Borrowed(raw);
    if raw.contains(" style=\"text-align: ") {
        for side in ["left", "center", "right"] {
            raw = raw.replace(&format!(" style=\"text-align: {side}\">"), &format!(" align=\"{side}\">")).into();
        }
    }
    let builder = if direction(&raw) == Direction::Both { &*SANITISER_OF_BOTH_DIRECTIONS } else { &*SANITISER };
    builder.clean(&raw).to_string()
}

/// Renders Markdown (CommonMark with tables and strikethrough) that people typed as safe HTML with inline styles. Lines
/// stay as they were ended, and bare addresses are links. HTML in the Markdown is sanitised, never trusted; links may be
/// http, https, mailto and tel, and one that could be no such address is left out ([`check`] names it).
///
/// # Errors
/// If it would become more than the limits of [`bounded`] allow.
pub fn render(markdown: &str) -> Result<String, TooMuch> {
    Ok(clean(&bounded::html(markdown, Typed::new(parser(markdown).into_offset_iter()))?.html))
}

/// Whether [`render`] would make HTML of it, and the first link or picture that would lose its address.
///
/// # Errors
/// As there.
pub fn check(markdown: &str) -> Result<Option<Lost>, TooMuch> {
    bounded::html(markdown, Typed::new(parser(markdown).into_offset_iter())).map(|html| html.lost)
}

/// HTML of a text of our own, whose size and depth are known. What others typed may stand in it, escaped, and becomes
/// no link.
pub fn to_html(markdown: &str) -> String {
    let mut raw = String::with_capacity(markdown.len() * 3 / 2);
    html::push_html(&mut raw, parser(markdown));
    clean(&raw)
}

fn parser(markdown: &str) -> Parser<'_> {
    Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH)
}

/// A whole HTML letter around a fragment. `lang` is an RFC 5646 tag, `title` is already escaped. The direction is that of
/// most of the text.
pub fn document(fragment: &str, lang: &str, title: &str) -> String {
    let mut tag = String::new();
    super::fill::escape_html(&mut tag, lang);
    // Some mail programs keep what stands in the body alone.
    let dir = if is_right_to_left(fragment) { " dir=\"rtl\"" } else { "" };
    format!(
        "<!DOCTYPE html>\n<html lang=\"{tag}\"{dir}>\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"supported-color-schemes\" content=\"light dark\">\n<title>{title}</title>\n\
         <style>{DARK_STYLE}</style>\n</head>\n<body style=\"{BODY_STYLE}\">\n<div{dir} style=\"{FRAME_STYLE}\">\n{fragment}</div>\n</body>\n</html>\n"
    )
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_is_safe() {
        let html = to_html("<script>x</script>[a](javascript:alert(1)) <img src=x onerror=y> <b onclick=z>b</b>");
        for bad in ["<script", "href", "onerror", "onclick", "src="] {
            assert!(!html.contains(bad), "{bad}: {html}");
        }
    }

    #[test]
    fn the_document_says_its_language() {
        let html = document("<p>x</p>", "ru", "T");
        assert!(html.starts_with("<!DOCTYPE html>\n<html lang=\"ru\">") && html.contains("color-scheme"));
    }

    fn made(markdown: &str) -> String {
        render(markdown).unwrap()
    }

    #[test]
    fn typed_lines_stay_and_bare_addresses_are_links() {
        let html = made("See you,\nMarya\nBakery");
        assert_eq!(html.trim(), "<p style=\"margin:0 0 1em\">See you,<br>\nMarya<br>\nBakery</p>");
        let html =
            made("See https://example.org/a_b_c?d=e&f=g, www.example.com or anna@example.org.\n- `www.code.example`");
        for link in
            ["https://example.org/a_b_c?d=e&amp;f=g\"", "https://www.example.com\"", "mailto:anna@example.org\""]
        {
            assert!(html.contains(&format!("<a href=\"{link}")), "{link}: {html}");
        }
        assert_eq!(html.matches("<a ").count(), 3, "{html}");
        assert_eq!(
            made("[www.x.example](https://y.example) <a href=\"https://z.example\">www.z.example</a>")
                .matches("<a ")
                .count(),
            2
        );
        assert!(!to_html(&escape("www.example.com")).contains("<a "), "what others typed into a letter of ours");
    }

    #[test]
    fn addresses_are_made_whole_or_named_at_their_line() {
        for (source, whole) in [
            ("[a](www.example.com)", "href=\"https://www.example.com\""),
            ("[a](//example.com/x)", "href=\"https://example.com/x\""),
            ("<a href=\"//example.com/x\">a</a>", "href=\"https://example.com/x\""),
            ("[a](anna@example.com)", "href=\"mailto:anna@example.com\""),
            ("![a](//example.com/x.png)", "src=\"https://example.com/x.png\""),
            ("<anna@example.com>", "href=\"mailto:anna@example.com\""),
            ("[a][b]\n\n[b]: www.example.com:8080/x", "href=\"https://www.example.com:8080/x\""),
        ] {
            assert!(made(source).contains(whole), "{source}: {}", made(source));
            assert_eq!(check(source), Ok(None), "{source}");
        }
        for (source, kind, address) in [
            ("[a](/blog/a)", Kind::Link, "/blog/a"),
            ("[a](#top)", Kind::Link, "#top"),
            ("[a](tg://resolve?domain=x)", Kind::Link, "tg://resolve?domain=x"),
            ("[a](</страница 1>)", Kind::Link, "/страница 1"),
            ("[a]()", Kind::Link, ""),
            ("<b>x</b> <a\nhref='/raw'>a</a>", Kind::Link, "/raw"),
            ("![a](images/a.png)", Kind::Picture, "images/a.png"),
            ("<img src=\"data:image/png;base64,AA\">", Kind::Picture, "data:image/png;base64,AA"),
        ] {
            let lost = check(&format!("one\n\n{source}")).unwrap();
            let lost = lost.unwrap_or_else(|| panic!("{source}"));
            assert_eq!((lost.kind, lost.address.as_str(), lost.line), (kind, address, 3), "{source}");
        }
    }

    #[test]
    fn tables_keep_their_alignment_and_borders() {
        let html = made("| a | b |\n|--:|:-:|\n| 1 | 2 |");
        assert!(
            html.contains("<td align=\"right\" style=\"border:")
                && html.contains("<th align=\"center\" style=\"border:"),
            "{html}"
        );
    }

    #[test]
    fn right_to_left_text_says_so() {
        let letter = |markdown: &str| document(&made(markdown), "en", "T");
        let arabic = letter("مرحبا بكم في متجرنا https://shop.example/a");
        assert!(arabic.contains("<html lang=\"en\" dir=\"rtl\">") && arabic.contains("<div dir=\"rtl\""), "{arabic}");
        assert!(letter("שלום עולם").contains("dir=\"rtl\""));
        assert!(!letter("Hello **world**").contains("dir="));
        let both = letter("An English letter with a word\n\nשלום");
        assert!(both.contains("dir=\"auto\"") && !both.contains("dir=\"rtl\""), "{both}");
    }

    /// WCAG 2.2, 1.4.3, on the grounds that browsers and mail programs have.
    #[test]
    fn links_are_read_on_light_and_dark() {
        let light = |colour: u32| {
            let part = |shift: u32| {
                let part = f64::from((colour >> shift) & 0xff) / 255.0;
                if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * part(16) + 0.7152 * part(8) + 0.0722 * part(0)
        };
        let contrast = |a: u32, b: u32| {
            let (a, b) = (light(a), light(b));
            (a.max(b) + 0.05) / (a.min(b) + 0.05)
        };
        let colour = |style: &str| {
            let digits = style.split('#').nth(1).and_then(|rest| rest.get(..6)).unwrap();
            u32::from_str_radix(digits, 16).unwrap()
        };
        assert!(contrast(colour(STYLES[0].1), 0xff_ffff) >= 4.5);
        for dark in [0x00_0000, 0x12_1212, 0x2b_2b2b] {
            assert!(contrast(colour(DARK_STYLE), dark) >= 4.5, "{dark:x}");
        }
        assert!(document("", "en", "T").contains(&format!("<style>{DARK_STYLE}</style>")));
    }
}
