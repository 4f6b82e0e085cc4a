//! Markdown to the HTML of a letter.

use super::bounded::{self, TooMuch};
use super::links::{self, Kind, Lost};
use super::theme::{PLAIN_ACCENT, Theme};
use super::typed::{self, Typed};
use crate::domain::bidi::{Direction, direction, is_right_to_left};
use crate::domain::colour::Colour;
use ammonia::{Builder, UrlRelative};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, html};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// Where stored pictures stand in a text that is only looked at.
const SAMPLE_SITE: &str = "https://example.org";

/// The colour of the plain letter's links on a dark ground, where mail programs have one.
const DARK_ACCENT: Colour = Colour::from_rgb(0x93_c5fd);
const BODY_STYLE: &str = "margin:0;padding:0;color-scheme:light dark";
const FRAME_STYLE: &str = "max-width:600px;margin:0 auto;padding:24px 16px;\
    font:16px/1.55 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;overflow-wrap:break-word";

/// The plain letter's style sheet: links on a dark ground, and columns on a phone.
fn plain_sheet() -> String {
    format!(
        "@media (prefers-color-scheme:dark){{a{{color:{DARK_ACCENT}!important}}a.v-btn{{color:{}!important}}}}{COLUMNS_ON_PHONES}",
        PLAIN_ACCENT.on()
    )
}

/// Columns stand below one another where there is no room beside.
pub const COLUMNS_ON_PHONES: &str =
    "@media (max-width:520px){.v-col{display:block!important;width:100%!important;padding:0!important}}";

/// Elements that find out their own direction where a letter has texts of both.
const BLOCKS: [&str; 11] = ["p", "h1", "h2", "h3", "h4", "h5", "h6", "li", "blockquote", "td", "th"];

static PLAIN: LazyLock<Sanitiser<'static>> = LazyLock::new(|| Sanitiser::new(Theme::plain()));

/// Makes HTML safe and gives it the styles of a theme: for texts of one direction, and of both.
pub struct Sanitiser<'a>([Builder<'a>; 2]);

impl<'a> Sanitiser<'a> {
    pub fn new(theme: &'a Theme) -> Self {
        Self([sanitiser(theme, &[]), sanitiser(theme, &BLOCKS)])
    }
}

fn sanitiser<'a>(theme: &'a Theme, own_direction: &[&'static str]) -> Builder<'a> {
    let mut set: HashMap<&str, HashMap<&str, &str>> =
        theme.elements().map(|(tag, style)| (tag, HashMap::from([("style", style)]))).collect();
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
fn clean(raw: &str, sanitiser: &Sanitiser<'_>) -> String {
    let mut raw = Cow::Borrowed(raw);
    if raw.contains(" style=\"text-align: ") {
        for side in ["left", "center", "right"] {
            raw = raw.replace(&format!(" style=\"text-align: {side}\">"), &format!(" align=\"{side}\">")).into();
        }
    }
    let both = direction(&raw) == Direction::Both;
    sanitiser.0[usize::from(both)].clean(&raw).to_string()
}

/// Renders Markdown (CommonMark with tables and strikethrough) that people typed as safe HTML with inline styles. Lines
/// stay as they were ended, and bare addresses are links. HTML in the Markdown is sanitised, never trusted; links may be
/// http, https, mailto and tel, and one that could be no such address is left out ([`check`] names it).
///
/// # Errors
/// If it would become more than the limits of [`bounded`] allow.
pub fn render(markdown: &str) -> Result<String, TooMuch> {
    render_in(markdown, &PLAIN, SAMPLE_SITE)
}

/// The same in another dress; stored pictures are found at `site`.
///
/// # Errors
/// As there.
pub fn render_in(markdown: &str, sanitiser: &Sanitiser<'_>, site: &str) -> Result<String, TooMuch> {
    let markdown = typed::guarded(markdown);
    let events = Typed::new(parser(&markdown).into_offset_iter(), site);
    Ok(clean(&bounded::html(&markdown, events)?.html, sanitiser))
}

/// Whether [`render`] would make HTML of it, and the first link or picture that would lose its address.
///
/// # Errors
/// As there.
pub fn check(markdown: &str) -> Result<Option<Lost>, TooMuch> {
    let markdown = typed::guarded(markdown);
    bounded::html(&markdown, Typed::new(parser(&markdown).into_offset_iter(), SAMPLE_SITE)).map(|html| html.lost)
}

/// Where pictures begin that nothing describes, in a text.
pub fn undescribed(markdown: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let mut begun = None;
    for (event, place) in parser(markdown).into_offset_iter() {
        match event {
            Event::Start(Tag::Image { .. }) => begun = Some(place.start),
            Event::End(TagEnd::Image) => found.extend(begun.take()),
            _ => begun = None,
        }
    }
    found
}

/// HTML of a text of our own, whose size and depth are known. What others typed may stand in it, escaped, and becomes
/// no link.
pub fn to_html(markdown: &str) -> String {
    let mut raw = String::with_capacity(markdown.len() * 3 / 2);
    html::push_html(&mut raw, parser(markdown));
    clean(&raw, &PLAIN)
}

/// Reads a letter's Markdown: CommonMark with tables and strikethrough.
pub fn parser(markdown: &str) -> Parser<'_> {
    Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH)
}

/// A whole HTML letter around a fragment. `lang` is an RFC 5646 tag, `title` is already escaped. The direction is that of
/// most of the text.
pub fn document(fragment: &str, lang: &str, title: &str) -> String {
    plain_letter(fragment, lang, title, "")
}

/// The same with what stands before the text, as [`super::layout::preheader`] makes it.
pub fn plain_letter(fragment: &str, lang: &str, title: &str, before: &str) -> String {
    let mut tag = String::new();
    super::fill::escape_html(&mut tag, lang);
    // Some mail programs keep what stands in the body alone.
    let dir = if is_right_to_left(fragment) { " dir=\"rtl\"" } else { "" };
    format!(
        "<!DOCTYPE html>\n<html lang=\"{tag}\"{dir}>\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"supported-color-schemes\" content=\"light dark\">\n<title>{title}</title>\n\
         <style>{}</style>\n</head>\n<body style=\"{BODY_STYLE}\">\n{before}<div{dir} style=\"{FRAME_STYLE}\">\n{fragment}</div>\n</body>\n</html>\n",
        plain_sheet()
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

    /// On the grounds that browsers and mail programs have.
    #[test]
    fn links_are_read_on_light_and_dark() {
        assert!(PLAIN_ACCENT.contrast(Colour::WHITE) >= 4.5);
        for dark in [0x00_0000, 0x12_1212, 0x2b_2b2b] {
            assert!(DARK_ACCENT.contrast(Colour::from_rgb(dark)) >= 4.5, "{dark:x}");
        }
        assert!(document("", "en", "T").contains(&format!("a{{color:{DARK_ACCENT}!important}}")));
    }

    #[test]
    fn stored_pictures_are_found_from_everywhere() {
        let id = "0123456789abcdef0123456789abcdef";
        for address in [format!("/images/{id}"), format!("/images/{id}/480")] {
            let html = made(&format!("![Bread]({address})"));
            assert!(html.contains(&format!("src=\"{SAMPLE_SITE}{address}\"")), "{html}");
            assert_eq!(check(&format!("![Bread]({address})")), Ok(None));
        }
        for address in [format!("/images/{id}0"), format!("/images/{id}/x"), "/images/".to_owned()] {
            assert!(check(&format!("![Bread]({address})")).unwrap().is_some(), "{address}");
        }
        assert!(check(&format!("[Bread](/images/{id})")).unwrap().is_some(), "a link leads to no picture of ours");
    }
}
