//! Markdown as people type it into a message: a line that they end stays ended, an address that stands bare is a link,
//! and an address whose beginning was left out gets it.

use super::links::{self, Kind};
use pulldown_cmark::{CowStr, Event, LinkType, Tag, TagEnd, TextMergeWithOffset};
use std::collections::VecDeque;
use std::ops::Range;

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
    use super::link_tag;

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
