//! Markdown as people type it into a message: a line that they end stays ended, an address that stands bare is a link,
//! and an address whose beginning was left out gets it.

use super::links::{self, Kind};
use super::markdown::parser;
use pulldown_cmark::{CowStr, Event, LinkType, Tag, TagEnd, TextMergeWithOffset};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::ops::Range;

/// The same Markdown, in which bare web addresses are read as they stand: signs in them that would begin or end emphasis are
/// escaped, as in `https://video.example/_aB-_c`.
pub fn guarded(markdown: &str) -> Cow<'_, str> {
    let mut addresses = links::bare(markdown)
        .into_iter()
        .map(|(place, _)| place)
        .filter(|place| markdown[place.clone()].contains(is_emphasis) && !markdown[place.clone()].contains('@'))
        .peekable();
    if addresses.peek().is_none() {
        return Cow::Borrowed(markdown);
    }
    // Where a sign that escapes is one itself, or nothing is emphasised anyway. In order, the outermost alone.
    let mut closed: Vec<Range<usize>> = Vec::new();
    for (event, place) in parser(markdown).into_offset_iter() {
        let is_closed = matches!(
            event,
            Event::Code(_)
                | Event::Html(_)
                | Event::InlineHtml(_)
                | Event::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::CodeBlock(_))
        );
        if is_closed && closed.last().is_none_or(|last| last.end <= place.start) {
            closed.push(place);
        }
    }
    let (mut made, mut end) = (String::with_capacity(markdown.len() + 16), 0);
    for place in addresses {
        let next = closed.partition_point(|range| range.end <= place.start);
        if closed.get(next).is_some_and(|range| range.start < place.end) {
            continue;
        }
        made.push_str(&markdown[end..place.start]);
        let mut escaped = false;
        for c in markdown[place.clone()].chars() {
            if is_emphasis(c) && !escaped {
                made.push('\\');
            }
            escaped = c == '\\' && !escaped;
            made.push(c);
        }
        end = place.end;
    }
    made.push_str(&markdown[end..]);
    Cow::Owned(made)
}

fn is_emphasis(c: char) -> bool {
    matches!(c, '_' | '*' | '~')
}

/// The events of a message, out of those of its Markdown.
pub struct Typed<'a, I> {
    events: TextMergeWithOffset<'a, I>,
    /// What comes before the parser's next event.
    coming: VecDeque<(Event<'a>, Range<usize>)>,
    /// Links, pictures and code around the present place: no link begins in them.
    closed: usize,
    /// Where stored pictures are found.
    site: &'a str,
}

impl<'a, I: Iterator<Item = (Event<'a>, Range<usize>)>> Typed<'a, I> {
    /// `site` is where stored pictures are found, without a trailing slash.
    pub fn new(events: I, site: &'a str) -> Self {
        Self { events: TextMergeWithOffset::new(events), coming: VecDeque::new(), closed: 0, site }
    }

    /// A text in pieces, its bare addresses as links.
    fn text(&mut self, text: CowStr<'a>, place: &Range<usize>) {
        let found = if self.closed == 0 { links::bare(&text) } else { Vec::new() };
        if found.is_empty() {
            self.coming.push_back((Event::Text(text), place.clone()));
            return;
        }
        let mut end = 0;
        for (at, address) in found {
            let (dest_url, title, id) = (CowStr::from(address), CowStr::from(""), CowStr::from(""));
            let link = Tag::Link { link_type: LinkType::Inline, dest_url, title, id };
            let (before, shown) = (text[end..at.start].to_owned(), text[at.clone()].to_owned());
            end = at.end;
            let pieces =
                [Event::Text(before.into()), Event::Start(link), Event::Text(shown.into()), Event::End(TagEnd::Link)];
            self.coming.extend(pieces.map(|event| (event, place.clone())));
        }
        self.coming.push_back((Event::Text(text[end..].to_owned().into()), place.clone()));
    }
}

impl<'a, I: Iterator<Item = (Event<'a>, Range<usize>)>> Iterator for Typed<'a, I> {
    type Item = (Event<'a>, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(next) = self.coming.pop_front() {
            return Some(next);
        }
        let (event, place) = self.events.next()?;
        let event = match event {
            Event::SoftBreak => Event::HardBreak,
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                self.closed += 1;
                let dest_url =
                    if link_type == LinkType::Email { dest_url } else { whole(dest_url, Kind::Link, self.site) };
                Event::Start(Tag::Link { link_type, dest_url, title, id })
            }
            Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
                self.closed += 1;
                let dest_url = whole(dest_url, Kind::Picture, self.site);
                Event::Start(Tag::Image { link_type, dest_url, title, id })
            }
            Event::Start(tag @ Tag::CodeBlock(_)) => {
                self.closed += 1;
                Event::Start(tag)
            }
            Event::End(end @ (TagEnd::Link | TagEnd::Image | TagEnd::CodeBlock)) => {
                self.closed = self.closed.saturating_sub(1);
                Event::End(end)
            }
            Event::InlineHtml(tag) => {
                self.closed = match link_tag(&tag) {
                    Some(true) => self.closed + 1,
                    Some(false) => self.closed.saturating_sub(1),
                    None => self.closed,
                };
                Event::InlineHtml(tag)
            }
            Event::Text(text) => {
                self.text(text, &place);
                return self.coming.pop_front();
            }
            other => other,
        };
        Some((event, place))
    }
}

fn whole<'a>(address: CowStr<'a>, kind: Kind, site: &str) -> CowStr<'a> {
    match links::kept_or_stored(&address, kind, site) {
        Some(made) if *made != *address => CowStr::from(made.into_owned()),
        _ => address,
    }
}

/// Whether a tag begins a link (or ends one); none if it is another.
fn link_tag(tag: &str) -> Option<bool> {
    let inside = tag.strip_prefix('<')?;
    let (name, begins) = inside.strip_prefix('/').map_or((inside, true), |name| (name, false));
    let end = name.find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>')).unwrap_or(name.len());
    name[..end].eq_ignore_ascii_case("a").then_some(begins)
}

#[cfg(test)]
mod tests {
    use super::{guarded, link_tag};
    use crate::server::mail::markdown::render;
    use proptest::prelude::*;

    #[test]
    fn bare_addresses_are_read_as_they_stand_and_nothing_else_changes() {
        let link = |address: &str| format!("<a href=\"{address}\"");
        for (source, address) in [
            ("see https://video.example/_aB-_c now", "https://video.example/_aB-_c"),
            ("https://x.org/a*b*c", "https://x.org/a*b*c"),
            ("*https://x.org/a_b* c", "https://x.org/a_b"),
            ("**see https://x.org/_a_-b**", "https://x.org/_a_-b"),
            ("| a |\n|---|\n| https://x.org/_a_-b |", "https://x.org/_a_-b"),
            ("<https://x.org/_a_-b>", "https://x.org/_a_-b"),
            ("[https://x.org/_a_-b](https://x.org/_a_-b)", "https://x.org/_a_-b"),
            ("[a][b]\n\n[b]: https://x.org/_a_-b", "https://x.org/_a_-b"),
            ("<a href=\"https://x.org/_a_-b\">a</a>", "https://x.org/_a_-b"),
            ("https://x.org/\\_a\\_-b", "https://x.org/_a_-b"),
        ] {
            let html = render(source).unwrap();
            assert!(html.contains(&link(address)) && !html.contains('\\'), "{source}: {html}");
        }
        let code = "`https://x.org/_a_-b`\n\n    https://x.org/_a_-b\n";
        assert_eq!(guarded(code), code);
        for other in ["_a_ *b* ~~c~~", "anna_k_-a@example.org", "https://x.org/a"] {
            assert!(matches!(guarded(other), std::borrow::Cow::Borrowed(_)), "{other}");
        }
    }

    proptest! {
        #[test]
        fn no_sign_of_an_address_is_lost(token in "[-_a-zA-Z0-9]{1,40}") {
            let address = format!("https://x.org/c?t={token}a");
            let html = render(&format!("one {address} two _three_")).unwrap();
            prop_assert!(html.contains(&format!("href=\"{address}\"")) && html.contains(&format!(">{address}</a>")), "{html}");
        }
    }

    #[test]
    fn only_an_a_is_a_link() {
        for (tag, begins) in [
            ("<a href=x>", Some(true)),
            ("<A\thref=x>", Some(true)),
            ("<a>", Some(true)),
            ("</a>", Some(false)),
            ("</A >", Some(false)),
            ("<abbr>", None),
            ("</abbr>", None),
            ("</article>", None),
            ("<!-- a -->", None),
        ] {
            assert_eq!(link_tag(tag), begins, "{tag}");
        }
    }
}
