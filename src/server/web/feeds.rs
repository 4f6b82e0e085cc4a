//! The blog for programs: Atom (RFC 4287) and RSS 2.0 feeds, the sitemap, robots.txt.

use super::cache::CONTROL;
use super::guard::refusal;
use super::state::AppState;
use crate::domain::lang::Lang;
use crate::locales;
use crate::server::services::posts::public::Entry;
use crate::server::services::posts::render::{absolute, escape, xml_text};
use axum::Router;
use axum::extract::{Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;
use std::collections::BTreeMap;

/// robots.txt may be kept for a while; feeds and the sitemap are asked for anew each time ([`CONTROL`]): what was
/// published is in them at once.
const KEPT: &str = "public, max-age=300";

/// The namespace of Atom's elements in an RSS feed.
const ATOM: &str = "http://www.w3.org/2005/Atom";

/// `GET /blog/feed.atom`, `/blog/feed.rss` (each with `?lang=`), `/sitemap.xml` and `/robots.txt`.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/blog/feed.atom", get(atom))
        .route("/blog/feed.rss", get(rss))
        .route("/sitemap.xml", get(sitemap))
        .route("/robots.txt", get(robots))
}

/// Which posts a feed has; all languages unless one is named.
#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    lang: String,
}

impl Wanted {
    fn lang(&self) -> Option<Lang> {
        Lang::parse(&self.lang)
    }

    /// The feed's own query.
    fn query(&self) -> String {
        self.lang().map_or_else(String::new, |lang| format!("?lang={}", lang.as_str()))
    }
}

fn answer(kind: &'static str, keep: &'static str, text: String) -> Response {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, keep)], text).into_response()
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

async fn atom(State(state): State<AppState>, Query(wanted): Query<Wanted>) -> Response {
    match state.blog.kept.feed(&state.db, wanted.lang()).await {
        Ok(entries) => answer(
            "application/atom+xml; charset=utf-8",
            CONTROL,
            atom_feed(&entries, &wanted, &state.config.public_url).to_string(),
        ),
        Err(error) => refusal(error),
    }
}

/// The permanent id of a post, which a new slug does not change.
fn permanent(entry: &Entry, site: &str) -> String {
    format!("{site}/?post={}", entry.card.id)
}

/// What the post holds, with whole addresses.
fn content(entry: &Entry, site: &str) -> String {
    xml_text(&absolute(&entry.html, &escape(site)))
}

fn atom_feed(entries: &[Entry], wanted: &Wanted, site: &str) -> atom_syndication::Feed {
    let lang = wanted.lang().unwrap_or_default();
    let query = wanted.query();
    let updated = entries.iter().map(|entry| entry.updated_at).max().unwrap_or(DateTime::UNIX_EPOCH);
    let link = |rel: &str, kind: &str, href: String| atom_syndication::Link {
        rel: rel.to_owned(),
        mime_type: Some(kind.to_owned()),
        href,
        ..Default::default()
    };
    atom_syndication::Feed {
        lang: Some(lang.as_str().to_owned()),
        title: locales::text(lang, "blog.feed_title").into(),
        id: format!("{site}/blog{query}"),
        updated: updated.fixed_offset(),
        links: vec![
            link("self", "application/atom+xml", format!("{site}/blog/feed.atom{query}")),
            link("alternate", "text/html", format!("{site}/blog")),
        ],
        entries: entries.iter().map(|entry| atom_entry(entry, site, &link)).collect(),
        ..Default::default()
    }
}

fn atom_entry(
    entry: &Entry,
    site: &str,
    link: &dyn Fn(&str, &str, String) -> atom_syndication::Link,
) -> atom_syndication::Entry {
    use atom_syndication::{Category, Content, Person, Text};
    let card = &entry.card;
    let lang = Some(card.lang.as_str().to_owned());
    let text = |value: &str| Text { lang: lang.clone(), ..Text::plain(xml_text(value)) };
    let category = |tag: &String| Category { term: xml_text(tag), ..Default::default() };
    atom_syndication::Entry {
        title: text(&card.title),
        id: permanent(entry, site),
        links: vec![link("alternate", "text/html", format!("{site}/blog/{}", card.slug))],
        published: Some(card.published_at.fixed_offset()),
        updated: entry.updated_at.max(card.published_at).fixed_offset(),
        authors: vec![Person { name: xml_text(&card.author), ..Default::default() }],
        categories: card.tags.iter().map(category).collect(),
        summary: (!card.summary.is_empty()).then(|| text(&card.summary)),
        content: Some(Content {
            lang: lang.clone(),
            content_type: Some("html".to_owned()),
            value: Some(content(entry, site)),
            ..Default::default()
        }),
        ..Default::default()
    }
}

async fn rss(State(state): State<AppState>, Query(wanted): Query<Wanted>) -> Response {
    match state.blog.kept.feed(&state.db, wanted.lang()).await {
        Ok(entries) => answer(
            "application/rss+xml; charset=utf-8",
            CONTROL,
            rss_feed(&entries, &wanted, &state.config.public_url).to_string(),
        ),
        Err(error) => refusal(error),
    }
}

/// A map with keys of its own, as the library wants them.
fn owned<const N: usize, V, W: From<V>>(pairs: [(&str, V); N]) -> BTreeMap<String, W> {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect()
}

fn rss_feed(entries: &[Entry], wanted: &Wanted, site: &str) -> rss::Channel {
    let lang = wanted.lang().unwrap_or_default();
    let address = format!("{site}/blog/feed.rss{}", wanted.query());
    let own_address = rss::extension::Extension {
        name: "atom:link".to_owned(),
        attrs: owned([("rel", "self"), ("type", "application/rss+xml"), ("href", &address)]),
        ..Default::default()
    };
    rss::Channel {
        title: locales::text(lang, "blog.feed_title"),
        link: format!("{site}/blog"),
        description: locales::text(lang, "blog.lead"),
        language: Some(lang.as_str().to_owned()),
        namespaces: owned([("atom", ATOM), ("dc", rss::extension::dublincore::NAMESPACE)]),
        extensions: owned([("atom", owned([("link", vec![own_address])]))]),
        items: entries.iter().map(|entry| rss_item(entry, site)).collect(),
        ..Default::default()
    }
}

fn rss_item(entry: &Entry, site: &str) -> rss::Item {
    let card = &entry.card;
    let category = |tag: &String| rss::Category { name: xml_text(tag), ..Default::default() };
    rss::Item {
        title: Some(xml_text(&card.title)),
        link: Some(format!("{site}/blog/{}", card.slug)),
        guid: Some(rss::Guid { value: permanent(entry, site), permalink: false }),
        pub_date: Some(card.published_at.to_rfc2822()),
        dublin_core_ext: Some(rss::extension::dublincore::DublinCoreExtension {
            creators: vec![xml_text(&card.author)],
            ..Default::default()
        }),
        categories: card.tags.iter().map(category).collect(),
        description: Some(content(entry, site)),
        ..Default::default()
    }
}

async fn sitemap(State(state): State<AppState>) -> Response {
    let posts = match state.blog.kept.sitemap(&state.db).await {
        Ok(posts) => posts,
        Err(error) => return refusal(error),
    };
    let site = escape(&state.config.public_url);
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n\
         <url><loc>{site}/</loc></url>\n<url><loc>{site}/blog</loc></url>\n"
    );
    for (slug, updated) in posts.iter() {
        xml.push_str(&format!("<url><loc>{site}/blog/{slug}</loc><lastmod>{}</lastmod></url>\n", instant(*updated)));
    }
    xml.push_str("</urlset>\n");
    answer("application/xml; charset=utf-8", CONTROL, xml)
}

/// Asks programs to stay with what is public.
async fn robots(State(state): State<AppState>) -> Response {
    let private = [
        "/api/",
        "/account",
        "/calendar",
        "/clients",
        "/designs",
        "/doctor",
        "/events/",
        "/letter",
        "/mailings",
        "/messages",
        "/outbox",
        "/overview",
        "/posts",
        "/reports",
        "/suppressions",
        "/topics",
        "/u",
    ];
    let lines: String = private.iter().map(|path| format!("Disallow: {path}\n")).collect();
    let text = format!("User-agent: *\n{lines}\nSitemap: {}/sitemap.xml\n", state.config.public_url);
    answer("text/plain; charset=utf-8", KEPT, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::post::Card;

    /// A text with everything that XML must be kept from, and what is left of it.
    const NASTY: (&str, &str) =
        ("A & <B> ]]> \"'\u{0}\u{8}\u{1b}\u{fffe}\u{ffff}\u{1f600}z", "A & <B> ]]> \"'\u{1f600}z");

    fn entry() -> Entry {
        Entry {
            card: Card {
                id: 7,
                slug: "a-b".to_owned(),
                title: NASTY.0.to_owned(),
                summary: NASTY.0.to_owned(),
                lang: Lang::Ru,
                author: NASTY.0.to_owned(),
                tags: vec![NASTY.0.to_owned()],
                published_at: DateTime::UNIX_EPOCH,
                views: 0,
                cover: None,
            },
            html: "<p><a href=\"/blog/c\">c</a> ]]> &amp;\u{ffff}</p>".to_owned(),
            updated_at: DateTime::UNIX_EPOCH,
        }
    }

    const SITE: &str = "https://v.example/?a&b";
    const HTML: &str = "<p><a href=\"https://v.example/?a&amp;b/blog/c\">c</a> ]]> &amp;</p>";

    #[test]
    fn an_atom_feed_is_read_back_whole() {
        let xml = atom_feed(&[entry()], &Wanted { lang: "ru".to_owned() }, SITE).to_string();
        let feed = atom_syndication::Feed::read_from(xml.as_bytes()).unwrap();
        assert_eq!(
            (feed.lang.as_deref(), feed.links[0].href.as_str()),
            (Some("ru"), "https://v.example/?a&b/blog/feed.atom?lang=ru")
        );
        let [entry] = feed.entries.as_slice() else { panic!("{xml}") };
        let texts = [
            &entry.title.value,
            &entry.summary.as_ref().unwrap().value,
            &entry.authors[0].name,
            &entry.categories[0].term,
        ];
        assert_eq!(texts, [NASTY.1; 4], "{xml}");
        assert_eq!(entry.content.as_ref().unwrap().value.as_deref(), Some(HTML), "{xml}");
    }

    #[test]
    fn an_rss_feed_is_read_back_whole() {
        let xml = rss_feed(&[entry()], &Wanted { lang: "ru".to_owned() }, SITE).to_string();
        let feed = rss::Channel::read_from(xml.as_bytes()).unwrap();
        let own = &feed.extensions["atom"]["link"][0].attrs["href"];
        assert_eq!(own, "https://v.example/?a&b/blog/feed.rss?lang=ru", "{xml}");
        let [item] = feed.items.as_slice() else { panic!("{xml}") };
        let creator = &item.dublin_core_ext.as_ref().unwrap().creators[0];
        assert_eq!([item.title.as_deref().unwrap(), creator, &item.categories[0].name], [NASTY.1; 3], "{xml}");
        assert_eq!(item.description.as_deref(), Some(HTML), "{xml}");
        assert!(!item.guid.as_ref().unwrap().permalink);
    }
}
