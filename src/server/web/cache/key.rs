//! Which page a request asks for: its address without what makes no difference, and whatever else of the request the page
//! depends on. What is not in here, no page that is kept can depend on: it is rendered from its key alone.

use crate::domain::lang::Lang;
use crate::domain::post::TAG_MAX;
use crate::domain::slug::SLUG_MAX;
use crate::domain::user::Theme;
use crate::server::web::loopback::Proven;
use crate::server::web::page::lang_of;
use crate::server::web::preferences::cookie;
use axum::body::Body;
use axum::http::header::COOKIE;
use axum::http::{HeaderMap, Method, Request, Uri};
use quick_cache::Equivalent;
use std::borrow::Cow;

/// Longest search whose page is kept, in bytes.
const SEARCH_MAX: usize = 100;
/// Longest cursor, in bytes: two numbers and a point.
const CURSOR_MAX: usize = 41;
/// What a redirect adds once, to be announced on the page (`ui::components::toast`).
const ONCE: [&str; 3] = ["done", "n", "m"];

/// What of its reader a page depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Reader {
    lang: Lang,
    theme: Theme,
    /// The page leads to the letters that were caught.
    outbox: bool,
}

/// A page that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    address: String,
    reader: Option<Reader>,
}

/// A page that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wanted<'a> {
    address: Cow<'a, str>,
    /// For pages that people read.
    reader: Option<Reader>,
}

impl Equivalent<Key> for Wanted<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.address == key.address && self.reader == key.reader
    }
}

impl Wanted<'_> {
    pub fn key(&self) -> Key {
        Key { address: self.address.clone().into_owned(), reader: self.reader }
    }
}

impl Key {
    /// Whether visitors can think up any number of such pages.
    pub fn is_open(&self) -> bool {
        // The language alone has few values.
        let query = self.address.split_once('?').map_or("", |(_, query)| query);
        !query.is_empty() && (query.contains('&') || !query.starts_with("lang="))
    }

    /// Whether the page depends on its reader.
    pub fn has_reader(&self) -> bool {
        self.reader.is_some()
    }

    /// The request that the page is rendered from.
    pub fn request(&self) -> Option<Request<Body>> {
        let request = Request::get(&self.address);
        let request = match self.reader {
            Some(Reader { lang, theme, outbox }) => {
                let request = request.header(COOKIE, format!("lang={}; theme={}", lang.as_str(), theme.as_str()));
                if outbox { request.extension(Proven) } else { request }
            }
            None => request,
        };
        request.body(Body::empty()).ok()
    }
}

/// The page that a request asks for, if it is one that is kept. Whoever has a `session` gets pages of their own; to whom
/// the `outbox` is open, the page says so.
pub fn wanted<'a>(
    method: &Method,
    uri: &'a Uri,
    headers: &HeaderMap,
    session: &str,
    outbox: impl FnOnce() -> bool,
) -> Option<Wanted<'a>> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return None;
    }
    let (known, people) = parameters(uri.path())?;
    if cookie(headers, session).is_some() {
        return None;
    }
    let address = match uri.query() {
        None => Cow::Borrowed(uri.path()),
        Some(query) => address(uri.path(), query, known)?,
    };
    let theme = || cookie(headers, "theme").and_then(Theme::parse).unwrap_or_default();
    let reader = people.then(|| Reader { lang: lang_of(headers), theme: theme(), outbox: outbox() });
    Some(Wanted { address, reader })
}

/// Whether a path is that of a page which the public reads.
pub fn is_public_page(path: &str) -> bool {
    parameters(path).is_some_and(|(_, people)| people)
}

/// The parameters that a path knows, and whether it is a page that people read.
fn parameters(path: &str) -> Option<(&'static [&'static str], bool)> {
    match path {
        "/" => Some((&[], true)),
        "/blog" => Some((&["lang", "tag", "q", "after", "before"], true)),
        "/blog/feed.atom" | "/blog/feed.rss" => Some((&["lang"], false)),
        "/sitemap.xml" => Some((&[], false)),
        _ => {
            let slug = path.strip_prefix("/blog/")?;
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            (!slug.is_empty() && slug.len() <= SLUG_MAX && slug.bytes().all(plain)).then_some((&[], true))
        }
    }
}

/// The address with its known parameters, each once and in one order. Parameters that no page knows, such as those
/// that newsletters and networks add, are left out.
fn address<'a>(path: &'a str, query: &str, known: &[&str]) -> Option<Cow<'a, str>> {
    let pairs: Vec<(Cow<str>, Cow<str>)> = url::form_urlencoded::parse(query.as_bytes()).collect();
    if pairs.iter().any(|(name, _)| ONCE.contains(&name.as_ref())) {
        return None;
    }
    let mut plain = url::form_urlencoded::Serializer::new(String::new());
    let mut empty = true;
    for name in known {
        let Some((_, value)) = pairs.iter().find(|(found, _)| found == name) else { continue };
        let value = parameter(name, value)?;
        if !value.is_empty() {
            plain.append_pair(name, &value);
            empty = false;
        }
    }
    Some(if empty { Cow::Borrowed(path) } else { Cow::Owned(format!("{path}?{}", plain.finish())) })
}

/// A parameter as its page understands it; none for one that no page is kept for.
fn parameter(name: &str, value: &str) -> Option<String> {
    match name {
        "lang" => Some(if value == "all" || Lang::parse(value).is_some() { value.to_owned() } else { String::new() }),
        "tag" => (value.chars().count() <= TAG_MAX).then(|| value.to_lowercase()),
        "q" => (value.len() <= SEARCH_MAX).then(|| value.trim().to_owned()),
        _ => (value.len() <= CURSOR_MAX).then(|| value.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use axum::http::header::ACCEPT_LANGUAGE;

    fn key(address: &str, headers: &[(axum::http::HeaderName, &'static str)]) -> Option<Key> {
        let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
        let uri = address.parse().unwrap();
        wanted(&Method::GET, &uri, &headers, "vestnik", || false).map(|wanted| {
            let key = wanted.key();
            assert!(wanted.equivalent(&key));
            key
        })
    }

    fn plain(address: &str) -> Option<String> {
        key(address, &[]).map(|key| key.address)
    }

    #[test]
    fn an_address_has_one_form() {
        for (asked, is) in [
            ("/", "/"),
            ("/?utm_source=a&fbclid=b", "/"),
            ("/blog?", "/blog"),
            ("/blog?tag=&q=", "/blog"),
            ("/blog?q=%20smtp&tag=%D0%9F&x=y&lang=en", "/blog?lang=en&tag=%D0%BF&q=smtp"),
            ("/blog?lang=xx&tag=a&tag=b", "/blog?tag=a"),
            ("/blog/feed.rss?lang=ru&q=1", "/blog/feed.rss?lang=ru"),
            ("/blog/a-b-1?page=2", "/blog/a-b-1"),
            ("/sitemap.xml?a", "/sitemap.xml"),
        ] {
            assert_eq!(plain(asked).as_deref(), Some(is), "{asked}");
        }
    }

    #[test]
    fn what_may_be_anything_is_not_kept() {
        let long = format!("/blog?q={}", "a".repeat(SEARCH_MAX + 1));
        let tag = format!("/blog?tag={}", "a".repeat(TAG_MAX + 1));
        let slug = format!("/blog/{}", "a".repeat(SLUG_MAX + 1));
        let others = ["/login", "/blog/", "/blog/A", "/blog/a/b", "/blog/%D0%BF", "/?done=x", "/blog?m=1", "/posts"];
        for address in [&long, &tag, &slug].into_iter().map(String::as_str).chain(others) {
            assert_eq!(plain(address), None, "{address}");
        }
        let uri = "/".parse().unwrap();
        assert_eq!(wanted(&Method::POST, &uri, &HeaderMap::new(), "vestnik", || false), None);
        assert!(wanted(&Method::HEAD, &uri, &HeaderMap::new(), "vestnik", || false).is_some());
    }

    #[test]
    fn readers_differ_by_language_and_theme_alone() {
        let of = |headers: &[(axum::http::HeaderName, &'static str)]| {
            let Reader { lang, theme, .. } = key("/", headers).unwrap().reader.unwrap();
            (lang, theme)
        };
        assert_eq!(of(&[]), (Lang::En, Theme::System));
        assert_eq!(of(&[(ACCEPT_LANGUAGE, "ru,en;q=0.5"), (COOKIE, "a=b; theme=dark")]), (Lang::Ru, Theme::Dark));
        assert_eq!(of(&[(ACCEPT_LANGUAGE, "ru"), (COOKIE, "lang=en; theme=blue")]), (Lang::En, Theme::System));
        assert_eq!(key("/blog/feed.atom", &[(ACCEPT_LANGUAGE, "ru")]).unwrap().reader, None);
        assert_eq!(key("/", &[(COOKIE, "lang=en; vestnik=abc")]), None, "somebody with a session");
    }

    #[test]
    fn a_page_is_rendered_from_its_key_alone() {
        let key = key("/blog?q=a%20b&x=1", &[(COOKIE, "secret=1; lang=ru; theme=dark")]).unwrap();
        assert!(key.is_open());
        let request = key.request().unwrap();
        assert_eq!(request.uri(), "/blog?q=a+b");
        assert_eq!(request.headers().len(), 1);
        assert_eq!(request.headers()[COOKIE], "lang=ru; theme=dark");
        assert!(request.extensions().get::<Proven>().is_none());
        let uri = "/".parse().unwrap();
        let outbox = |open| wanted(&Method::GET, &uri, &HeaderMap::new(), "vestnik", || open).unwrap().key();
        assert!(
            outbox(true) != outbox(false) && outbox(true).request().unwrap().extensions().get::<Proven>().is_some()
        );
    }
}
