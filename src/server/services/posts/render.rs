//! A post's Markdown as HTML for its page: tables and code, pictures of ours with all their sizes.
//! HTML in the Markdown is shown as it is written; pictures from elsewhere become links.

use crate::domain::post::is_image_id;
use crate::domain::post::{Picture, Rendered};
use crate::server::mail::bounded::{self, TooMuch};
use ammonia::Builder;
use pulldown_cmark::{CowStr, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd};
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::LazyLock;

/// How wide a picture stands in the text; it must agree with `.article` in the stylesheet.
const SIZES: &str = "(min-width: 48rem) 44rem, calc(100vw - 2.5rem)";

static SANITISER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::default();
    builder
        .url_schemes(HashSet::from(["http", "https", "mailto", "tel"]))
        .link_rel(Some("noopener"))
        .add_tag_attributes("img", ["srcset", "sizes", "loading", "decoding"])
        .add_allowed_classes("th", ["text-center", "text-right"])
        .add_allowed_classes("td", ["text-center", "text-right"])
        // What scrolls must be reachable by the keyboard (WCAG 2.2, 2.1.1).
        .set_tag_attribute_value("pre", "tabindex", "0")
        .set_tag_attribute_value("table", "tabindex", "0");
    builder
});

/// The id in the address of one of our pictures, such as `/images/0a…/960`.
fn image_id(url: &str) -> Option<&str> {
    let id = url.strip_prefix("/images/")?;
    let id = id.split('/').next().unwrap_or(id);
    is_image_id(id).then_some(id)
}

/// The ids of our pictures that a body shows, each once.
pub fn images(markdown: &str) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for event in Parser::new_ext(markdown, options()) {
        if let Event::Start(Tag::Image { dest_url, .. }) = event
            && let Some(id) = image_id(&dest_url)
            && !ids.iter().any(|known| known == id)
        {
            ids.push(id.to_owned());
        }
    }
    ids
}

pub(super) fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH
}

/// Renders a body; `sizes` has width and height of the pictures that exist, by id.
///
/// # Errors
/// If it would become more than the limits of [`bounded`] allow.
pub fn render(markdown: &str, sizes: &HashMap<String, (u32, u32)>) -> Result<Rendered, TooMuch> {
    let parser = Parser::new_ext(markdown, options()).into_offset_iter();
    let mut shown = Shown { parser, sizes, coming: Vec::new(), undescribed: 0 };
    let mut raw = bounded::html(markdown, &mut shown)?.html;
    let undescribed = shown.undescribed;
    // Styles in attributes would need the policy's leave. No text can look like this: it is escaped.
    for cell in ["td", "th"] {
        raw = raw.replace(&format!("<{cell} style=\"text-align: left\">"), &format!("<{cell}>"));
        for side in ["center", "right"] {
            let styled = format!("<{cell} style=\"text-align: {side}\">");
            raw = raw.replace(&styled, &format!("<{cell} class=\"text-{side}\">"));
        }
    }
    Ok(Rendered { html: SANITISER.clean(&raw).to_string(), undescribed })
}

/// What a post shows of its Markdown: the parser's events, some of them in another form.
struct Shown<'a, 's, P> {
    parser: P,
    sizes: &'s HashMap<String, (u32, u32)>,
    /// What comes before the parser's next event, in reverse.
    coming: Vec<(Event<'a>, Range<usize>)>,
    /// Pictures without a description.
    undescribed: i64,
}

impl<'a, P: Iterator<Item = (Event<'a>, Range<usize>)>> Iterator for Shown<'a, '_, P> {
    type Item = (Event<'a>, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(next) = self.coming.pop() {
            return Some(next);
        }
        let (event, place) = self.parser.next()?;
        let event = match event {
            // The page has its one h1 already.
            Event::Start(Tag::Heading { level, id, classes, attrs }) => {
                Event::Start(Tag::Heading { level: below(level), id, classes, attrs })
            }
            Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(below(level))),
            Event::Html(source) | Event::InlineHtml(source) => Event::Text(source),
            Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
            Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
            Event::Start(Tag::Image { dest_url, .. }) => {
                let alt = text_of_image(&mut self.parser);
                match image_id(&dest_url).and_then(|id| Some((id, self.sizes.get(id)?))) {
                    Some((id, &(width, height))) => {
                        self.undescribed += i64::from(alt.is_empty());
                        let picture = Picture { id: id.to_owned(), alt, width, height };
                        Event::InlineHtml(CowStr::from(img(&picture)))
                    }
                    None => self.link(dest_url, alt, &place),
                }
            }
            other => other,
        };
        Some((event, place))
    }
}

impl<'a, P> Shown<'a, '_, P> {
    /// Begins a link in place of a picture that is not ours.
    fn link(&mut self, dest_url: CowStr<'a>, alt: String, place: &Range<usize>) -> Event<'a> {
        let word = if alt.is_empty() { dest_url.clone() } else { CowStr::from(alt) };
        self.coming = vec![(Event::End(TagEnd::Link), place.clone()), (Event::Text(word), place.clone())];
        let (title, id) = (CowStr::from(""), CowStr::from(""));
        Event::Start(Tag::Link { link_type: LinkType::Inline, dest_url, title, id })
    }
}

fn below(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 => HeadingLevel::H2,
        HeadingLevel::H2 => HeadingLevel::H3,
        HeadingLevel::H3 => HeadingLevel::H4,
        HeadingLevel::H4 => HeadingLevel::H5,
        HeadingLevel::H5 | HeadingLevel::H6 => HeadingLevel::H6,
    }
}

/// Reads on to the end of a picture and returns its description.
fn text_of_image<'a>(parser: &mut impl Iterator<Item = (Event<'a>, Range<usize>)>) -> String {
    let (mut alt, mut depth) = (String::new(), 1);
    for (event, _) in parser {
        match event {
            Event::Start(Tag::Image { .. }) => depth += 1,
            Event::End(TagEnd::Image) => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
            Event::Text(text) | Event::Code(text) | Event::InlineHtml(text) => alt.push_str(&text),
            Event::SoftBreak | Event::HardBreak => alt.push(' '),
            _ => {}
        }
    }
    alt.trim().to_owned()
}

fn img(picture: &Picture) -> String {
    format!(
        "<img src=\"{}\" srcset=\"{}\" sizes=\"{SIZES}\" width=\"{}\" height=\"{}\" alt=\"{}\" loading=\"lazy\" decoding=\"async\">",
        picture.src(),
        picture.srcset(),
        picture.width,
        picture.height,
        escape(&picture.alt)
    )
}

/// Whether XML 1.0 knows the character (section 2.2, `Char`); of the control characters, C1 are left out besides.
fn is_xml(c: char) -> bool {
    !(c.is_control() && !matches!(c, '\n' | '\t' | '\r') || matches!(c, '\u{fffe}' | '\u{ffff}'))
}

/// The text without what XML cannot hold, however it is escaped.
pub fn xml_text(text: &str) -> String {
    text.chars().filter(|c| is_xml(*c)).collect()
}

/// Escapes a text for HTML and XML, elements and attributes alike.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if !is_xml(c) => {}
            c => out.push(c),
        }
    }
    out
}

/// Rendered HTML with whole addresses, for readers elsewhere.
pub fn absolute(html: &str, site: &str) -> String {
    html.replace("=\"/", &format!("=\"{site}/")).replace("w, /images/", &format!("w, {site}/images/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(markdown: &str) -> String {
        render(markdown, &HashMap::new()).unwrap().html
    }

    #[test]
    fn nothing_that_runs_comes_through() {
        let html = plain(
            "<script>alert(1)</script>\n\n<iframe src=x></iframe> [a](javascript:alert(1)) <b onclick=x>b</b>\n\n\
             ![x\" onerror=\"y](/images/00000000000000000000000000000000)",
        );
        for bad in ["<script", "<iframe", "href=\"javascript", "<b ", "<img"] {
            assert!(!html.contains(bad), "{bad}: {html}");
        }
        assert!(html.contains("&lt;script&gt;"), "it is shown as written: {html}");
    }

    #[test]
    fn pictures_have_sizes_and_descriptions() {
        let id = "0123456789abcdef0123456789abcdef";
        let sizes = HashMap::from([(id.to_owned(), (1200, 800))]);
        let markdown = format!("![A \"horn\" <b>](/images/{id})\n\n![](/images/{id}/480)");
        let Rendered { html, undescribed } = render(&markdown, &sizes).unwrap();
        assert_eq!(undescribed, 1);
        assert!(html.contains("width=\"1200\" height=\"800\"") && html.contains("loading=\"lazy\""), "{html}");
        assert!(
            html.contains("alt=\"A &quot;horn&quot; <b>\"") || html.contains("alt=\"A &quot;horn&quot; &lt;b&gt;\"")
        );
        assert!(html.contains(&format!("/images/{id}/480 480w, /images/{id}/960 960w, /images/{id}/1200 1200w")));
        assert_eq!(images(&markdown), [id]);
        let whole = absolute(&html, "https://example.org");
        assert_eq!(whole.matches("https://example.org/images/").count(), html.matches("/images/").count());
    }

    #[test]
    fn pictures_from_elsewhere_are_links() {
        assert_eq!(
            plain("![a cat](https://example.org/cat.png)").trim(),
            "<p><a href=\"https://example.org/cat.png\" rel=\"noopener\">a cat</a></p>"
        );
        assert!(images("![a](https://example.org/images/0123456789abcdef0123456789abcdef)").is_empty());
    }

    #[test]
    fn tables_and_code_need_no_styles_in_attributes() {
        let html = plain("# Head\n\n| a | b |\n|--:|:-:|\n| 1 | 2 |\n\n```sh\nls <x>\n```\n");
        assert!(html.contains("<h2>Head</h2>") && !html.contains("<h1>") && !html.contains("style="), "{html}");
        assert!(html.contains("<td class=\"text-right\">1</td>") && html.contains("class=\"text-center\">b"), "{html}");
        assert!(html.contains("<pre tabindex=\"0\"><code>ls &lt;x&gt;"), "{html}");
    }

    proptest! {
        #[test]
        fn any_markdown_renders_and_stays_safe(markdown in "[ -~\n\u{400}-\u{450}]{0,200}") {
            let html = plain(&markdown);
            prop_assert!(!html.contains("<script") && !html.contains("<iframe") && !html.contains("<img"));
        }
    }
}
