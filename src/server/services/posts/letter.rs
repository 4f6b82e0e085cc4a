//! A post as a message for a mailing.

use crate::domain::message::SUBJECT_MAX;
use crate::forms::messages::MessageForm;
use crate::locales;
use crate::server::db::{Db, posts};
use crate::server::mail::links::{self, Kind};
use crate::server::services::posts::render::options;
use crate::server::services::{Actor, Error, Result, messages};
use chrono::{DateTime, Utc};
use pulldown_cmark::{Event, LinkType, Parser, Tag};
use std::ops::Range;
use url::Url;

/// Makes a message of the actor's own out of a post, one for each key (`once`), and returns its id: the title is its subject,
/// the body its body, with whole addresses and a link to the post.
///
/// # Errors
/// [`Error::NotFound`] if there is no such post; [`Error::Invalid`] if no letter can be made of it.
pub async fn to_message(db: &Db, actor: &Actor, id: i64, site: &str, once: &str, now: DateTime<Utc>) -> Result<i64> {
    let content = posts::get(db, id).await?.ok_or(Error::NotFound)?.content;
    let read = locales::text(content.lang, "blog.read_online");
    let body = format!(
        "{}\n\n[{read}]({site}/blog/{})\n",
        literal(&for_a_message(&content.body, &format!("{site}/blog/{}", content.slug))).trim_end(),
        content.slug
    );
    let subject: String = literal(&content.title).chars().take(SUBJECT_MAX).collect();
    let saved = messages::save(db, actor, &MessageForm { subject, body, ..MessageForm::default() }, once, now).await;
    saved.map_err(|error| match error {
        // The form has a button alone: what is wrong is said beside it.
        Error::Invalid(mut errors) => {
            errors.0.iter_mut().for_each(|error| error.field.clear());
            Error::Invalid(errors)
        }
        error => error,
    })
}

/// Makes the addresses of links and pictures whole, as a browser would on the post's page (RFC 3986 5), and joins the lines of a
/// paragraph: in a message they stay apart. What is no address there either stays as it is, and the message says so when it is
/// stored.
fn for_a_message(markdown: &str, page: &str) -> String {
    let Ok(page) = Url::parse(page) else { return markdown.to_owned() };
    let parser = Parser::new_ext(markdown, options());
    let mut places: Vec<(Range<usize>, String)> = Vec::new();
    for (_, definition) in parser.reference_definitions().iter() {
        let place = definition.span.clone();
        let behind_label = markdown[place.clone()].find("]:").map_or(place.start, |at| place.start + at + 2);
        let written = destination(&markdown[behind_label..place.end], &definition.dest);
        if let (Some(found), Some(url)) = (written, whole(&definition.dest, &page)) {
            places.push((behind_label + found.start..behind_label + found.end, url));
        }
    }
    let mut line_ended = None;
    for (event, place) in parser.into_offset_iter() {
        // What stands before the next line's text, such as the sign of a quotation, belongs to the end of the line.
        if let Some(from) = line_ended.take() {
            places.push((from..place.start, " ".to_owned()));
        }
        if event == Event::SoftBreak {
            line_ended = Some(place.start);
            continue;
        }
        let (Event::Start(Tag::Link { link_type: LinkType::Inline, dest_url, .. })
        | Event::Start(Tag::Image { link_type: LinkType::Inline, dest_url, .. })) = event
        else {
            continue;
        };
        // The last one that is read as it was is its own: what stands in its text comes before, and a title may hold the same
        // signs.
        let piece = &markdown[place.clone()];
        let mut begins = piece.rmatch_indices("](").map(|(at, _)| at + 2);
        let written = begins.find_map(|at| destination(&piece[at..], &dest_url).map(|found| (at, found)));
        if let (Some((at, found)), Some(url)) = (written, whole(&dest_url, &page)) {
            places.push((place.start + at + found.start..place.start + at + found.end, url));
        }
    }
    places.sort_by_key(|(place, _)| place.start);
    let mut out = String::with_capacity(markdown.len());
    let mut end = 0;
    for (place, address) in places {
        if place.start >= end {
            out.push_str(&markdown[end..place.start]);
            out.push_str(&address);
            end = place.end;
        }
    }
    out.push_str(&markdown[end..]);
    out
}

/// Where the address stands that a piece of Markdown begins with (CommonMark: link destination); none if it is read as another
/// than `address`, which may be written with escapes and entities.
fn destination(piece: &str, address: &str) -> Option<Range<usize>> {
    let start = piece.len() - piece.trim_start().len();
    let found = match piece[start..].strip_prefix('<') {
        Some(rest) => start + 1..start + 1 + rest.find('>')?,
        None => {
            let word = piece[start..].split(char::is_whitespace).next().unwrap_or_default();
            // The end of the link, where no title comes.
            let link = if start + word.len() == piece.len() { word.strip_suffix(')').unwrap_or(word) } else { word };
            start..start + link.len()
        }
    };
    let alone = format!("[x](<{}>)", &piece[found.clone()]);
    let read = Parser::new(&alone).find_map(|event| match event {
        Event::Start(Tag::Link { dest_url, .. }) => Some(dest_url),
        _ => None,
    });
    (read.as_deref() == Some(address)).then_some(found)
}

/// The whole address of one on a page; none if it needs none.
fn whole(address: &str, page: &Url) -> Option<String> {
    // `www.example.com` means that site, whatever a browser makes of it.
    if links::whole(address, Kind::Link).is_some() {
        return None;
    }
    let url = page.join(address).ok().filter(|url| url.origin() == page.origin())?;
    // Parentheses and spaces may stand in an address, and would end a link.
    Some(url.as_str().replace('(', "%28").replace(')', "%29"))
}

/// A text that a template prints as it is.
fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('{', Some('{' | '%' | '#')) => out.push_str("{{ '{' }}"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_whole() {
        let whole = |body: &str| for_a_message(body, "https://v.example/blog/autumn");
        for (body, expected) in [
            (
                "![a](/images/0123456789abcdef0123456789abcdef) [d](https://e.example/)",
                "![a](https://v.example/images/0123456789abcdef0123456789abcdef) [d](https://e.example/)",
            ),
            (
                "[b](/blog/c \"t\") [x](spring) [y](../clients?a=b)",
                "[b](https://v.example/blog/c \"t\") [x](https://v.example/blog/spring) [y](https://v.example/clients?a=b)",
            ),
            (
                "[top](#top) [www](www.example.com) [m](anna@example.com)",
                "[top](https://v.example/blog/autumn#top) [www](www.example.com) [m](anna@example.com)",
            ),
            ("[![a](/i.png)](/b)", "[![a](https://v.example/i.png)](https://v.example/b)"),
            ("[a][b]\n\n[b]: /c 'title'", "[a][b]\n\n[b]: https://v.example/c 'title'"),
            ("[a](</with space>)", "[a](<https://v.example/with%20space>)"),
            ("[a](/x?a=1&amp;b=2) [b](/a\\_b)", "[a](https://v.example/x?a=1&b=2) [b](https://v.example/a_b)"),
            (
                "[a](/b \"one](/b)\") [c](/d(e))",
                "[a](https://v.example/b \"one](/b)\") [c](https://v.example/d%28e%29)",
            ),
            ("[a][b]\n\n[b]: /c?d&amp;e", "[a][b]\n\n[b]: https://v.example/c?d&e"),
            // What no address becomes is left as it is: code, other schemes, other sites.
            ("`](/x)` [t](tg://resolve) [h](//host/a)", "`](/x)` [t](tg://resolve) [h](//host/a)"),
        ] {
            assert_eq!(whole(body), expected);
        }
    }

    #[test]
    fn lines_of_a_paragraph_are_joined_and_others_stay() {
        for (body, expected) in [
            ("One\ntwo\nthree\n\nFour  \nfive\\\nsix", "One two three\n\nFour  \nfive\\\nsix"),
            ("> a\n> b\nc\n\n- d\n  e\n- f", "> a b c\n\n- d e\n- f"),
            ("*a\n[b\nc](/d)*\nend", "*a [b c](https://v.example/d)* end"),
            ("```\na\nb\n```\n\n| a |\n|---|\n| b |", "```\na\nb\n```\n\n| a |\n|---|\n| b |"),
            ("a\r\nb", "a b"),
        ] {
            let letter = for_a_message(body, "https://v.example/blog/autumn");
            assert_eq!(letter, expected);
            assert!(!crate::server::mail::markdown::render(&letter).unwrap().contains("<br>\ntwo"));
        }
    }

    #[test]
    fn braces_are_no_template() {
        assert_eq!(literal("a {{ b }} {c} {% d"), "a {{ '{' }}{ b }} {c} {{ '{' }}% d");
        assert_eq!(literal("{{{"), "{{ '{' }}{{ '{' }}{");
    }
}
