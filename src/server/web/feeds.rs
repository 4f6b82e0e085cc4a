//! The blog for programs: Atom (RFC 4287) and RSS 2.0 feeds, the sitemap, robots.txt.

use super::cache::CONTROL;
use super::guard::refusal;
use super::state::AppState;
use crate::domain::lang::Lang;
use crate::locales;
use crate::server::services::posts::public::Entry;
use crate::server::services::posts::render::{absolute, escape};
use axum::Router;
use axum::extract::{Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;

/// robots.txt may be kept for a while; feeds and the sitemap are asked for anew each time ([`CONTROL`]): what was
/// published is in them at once.
const KEPT: &str = "public, max-age=300";

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
            atom_feed(&entries, &wanted, &state.config.public_url),
        ),
        Err(error) => refusal(error),
    }
}

/// The permanent id of a post, which a new slug does not change.
fn permanent(entry: &Entry, site: &str) -> String {
    format!("{site}/?post={}", entry.card.id)
}

fn atom_feed(entries: &[Entry], wanted: &Wanted, site: &str) -> String {
    let lang = wanted.lang().unwrap_or_default();
    let query = wanted.query();
    let title = escape(&locales::text(lang, "blog.feed_title"));
    let updated = entries.iter().map(|entry| entry.updated_at).max().unwrap_or(DateTime::UNIX_EPOCH);
    let site = escape(site);
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"{}\">\n\
         <title>{title}</title>\n<id>{site}/blog{query}</id>\n<updated>{}</updated>\n\
         <link rel=\"self\" type=\"application/atom+xml\" href=\"{site}/blog/feed.atom{query}\"/>\n\
         <link rel=\"alternate\" type=\"text/html\" href=\"{site}/blog\"/>\n",
        lang.as_str(),
        instant(updated)
    );
    for entry in entries {
        let card = &entry.card;
        xml.push_str(&format!(
            "<entry xml:lang=\"{}\">\n<title>{}</title>\n<id>{}</id>\n\
             <link rel=\"alternate\" type=\"text/html\" href=\"{site}/blog/{}\"/>\n\
             <published>{}</published>\n<updated>{}</updated>\n<author><name>{}</name></author>\n",
            card.lang.as_str(),
            escape(&card.title),
            permanent(entry, &site),
            card.slug,
            instant(card.published_at),
            instant(entry.updated_at.max(card.published_at)),
            escape(&card.author)
        ));
        for tag in &card.tags {
            xml.push_str(&format!("<category term=\"{}\"/>\n", escape(tag)));
        }
        if !card.summary.is_empty() {
            xml.push_str(&format!("<summary>{}</summary>\n", escape(&card.summary)));
        }
        xml.push_str(&format!(
            "<content type=\"html\">{}</content>\n</entry>\n",
            escape(&absolute(&entry.html, &site))
        ));
    }
    xml.push_str("</feed>\n");
    xml
}

async fn rss(State(state): State<AppState>, Query(wanted): Query<Wanted>) -> Response {
    match state.blog.kept.feed(&state.db, wanted.lang()).await {
        Ok(entries) => {
            answer("application/rss+xml; charset=utf-8", CONTROL, rss_feed(&entries, &wanted, &state.config.public_url))
        }
        Err(error) => refusal(error),
    }
}

fn rss_feed(entries: &[Entry], wanted: &Wanted, site: &str) -> String {
    let lang = wanted.lang().unwrap_or_default();
    let query = wanted.query();
    let (title, about) = (locales::text(lang, "blog.feed_title"), locales::text(lang, "blog.lead"));
    let site = escape(site);
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<rss version=\"2.0\" xmlns:atom=\"http://www.w3.org/2005/Atom\" \
         xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\n<channel>\n<title>{}</title>\n<link>{site}/blog</link>\n\
         <description>{}</description>\n<language>{}</language>\n\
         <atom:link rel=\"self\" type=\"application/rss+xml\" href=\"{site}/blog/feed.rss{query}\"/>\n",
        escape(&title),
        escape(&about),
        lang.as_str()
    );
    for entry in entries {
        let card = &entry.card;
        xml.push_str(&format!(
            "<item>\n<title>{}</title>\n<link>{site}/blog/{}</link>\n<guid isPermaLink=\"false\">{}</guid>\n\
             <pubDate>{}</pubDate>\n<dc:creator>{}</dc:creator>\n",
            escape(&card.title),
            card.slug,
            permanent(entry, &site),
            card.published_at.to_rfc2822(),
            escape(&card.author)
        ));
        for tag in &card.tags {
            xml.push_str(&format!("<category>{}</category>\n", escape(tag)));
        }
        xml.push_str(&format!("<description>{}</description>\n</item>\n", escape(&absolute(&entry.html, &site))));
    }
    xml.push_str("</channel>\n</rss>\n");
    xml
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
    let private =
        ["/api/", "/account", "/clients", "/events/", "/mailings", "/messages", "/outbox", "/posts", "/reports"];
    let lines: String = private.iter().map(|path| format!("Disallow: {path}\n")).collect();
    let text = format!("User-agent: *\n{lines}\nSitemap: {}/sitemap.xml\n", state.config.public_url);
    answer("text/plain; charset=utf-8", KEPT, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::post::Card;

    fn entry() -> Entry {
        Entry {
            card: Card {
                id: 7,
                slug: "a-b".to_owned(),
                title: "A & <B>\u{8}".to_owned(),
                summary: "\"S\"".to_owned(),
                lang: Lang::Ru,
                author: "Олег".to_owned(),
                tags: vec!["x<y".to_owned()],
                published_at: DateTime::UNIX_EPOCH,
                views: 0,
                cover: None,
            },
            html: "<p><a href=\"/blog/c\">c</a> ]]> &amp;</p>".to_owned(),
            updated_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn feeds_escape_everything_and_have_whole_addresses() {
        let wanted = Wanted { lang: "ru".to_owned() };
        for xml in [
            atom_feed(&[entry()], &wanted, "https://v.example/?a&b"),
            rss_feed(&[entry()], &wanted, "https://v.example/?a&b"),
        ] {
            assert!(xml.contains("A &amp; &lt;B&gt;<") && xml.contains("x&lt;y"), "{xml}");
            assert!(xml.contains("href=&quot;https://v.example/?a&amp;amp;b/blog/c&quot;"), "{xml}");
            assert!(!xml.contains("a&b") && !xml.contains("]]>"), "{xml}");
        }
    }
}
