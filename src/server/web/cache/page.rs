//! A rendered page as it is kept: compressed, with its headers.

use axum::body::{Body, Bytes};
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, DATE, ETAG,
    IF_NONE_MATCH, SET_COOKIE, TRANSFER_ENCODING, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use std::io::Write;

/// How long a page is as good as new: as long as what it is made of.
const FRESH: TimeDelta = TimeDelta::seconds(10);
/// How old a page may be that is handed out while a new one is being rendered.
const STALE: TimeDelta = TimeDelta::minutes(5);
/// A copy is not used without asking here, so that each view is counted and a change is seen; a browser may show
/// one that is ten seconds old while it asks.
pub const CONTROL: &str = "public, max-age=0, stale-while-revalidate=10";
/// Brotli's quality: the best takes ten times as long for a twentieth less.
const BROTLI: i32 = 9;
/// Bytes that a page takes beside its bodies, about.
const HEADERS: usize = 4096;
pub const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// How a page came about, as `Server-Timing` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// It was kept.
    Hit,
    /// It was kept for too long: a new one is being rendered, or could not be.
    Stale,
    /// It was rendered.
    Miss,
    /// It is for one reader, or is never kept.
    Pass,
}

impl Said {
    /// The header's value.
    pub fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Hit => "cache;desc=hit",
            Self::Stale => "cache;desc=stale",
            Self::Miss => "cache;desc=miss",
            Self::Pass => "cache;desc=pass",
        })
    }
}

/// When a page was made, and what it holds for.
#[derive(Clone, Copy, Debug)]
pub struct Made {
    pub at: DateTime<Utc>,
    pub generation: u64,
    /// When the next post appears.
    pub ends: Option<DateTime<Utc>>,
    /// The post that it shows, whose views are counted.
    pub post: Option<i64>,
}

/// What a page is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    Fresh,
    /// It may be handed out while a new one is being rendered.
    Stale,
    /// It is better than an error, and than nothing else.
    Old,
    /// What it shows has changed since.
    Wrong,
}

#[derive(Debug)]
struct Variant {
    body: Bytes,
    /// None for a page that is not kept.
    tag: Option<HeaderValue>,
    headers: HeaderMap,
    not_modified: HeaderMap,
}

/// A page in every encoding that we offer.
#[derive(Debug)]
pub struct Page {
    status: StatusCode,
    made: Made,
    plain: Variant,
    gzip: Option<Variant>,
    brotli: Option<Variant>,
}

impl Page {
    /// Keeps what was rendered. Anything but a page that was found is for those who wait for it, and no more.
    pub fn new(status: StatusCode, mut headers: HeaderMap, body: Bytes, made: Made, vary: &'static str) -> Self {
        // None of these are the page's own, and a cookie would be somebody's.
        for name in [CONTENT_LENGTH, TRANSFER_ENCODING, CONTENT_ENCODING, DATE, SET_COOKIE] {
            headers.remove(name);
        }
        headers.insert(VARY, HeaderValue::from_static(vary));
        headers.insert(SERVER_TIMING, Said::Hit.header());
        if status != StatusCode::OK {
            let plain = Variant { body, tag: None, headers, not_modified: HeaderMap::new() };
            return Self { status, made, plain, gzip: None, brotli: None };
        }
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(CONTROL));
        // The policy belongs to the page: who has the one must have the other.
        let mut hash = Sha256::new_with_prefix(&body);
        hash.update(headers.get(CONTENT_SECURITY_POLICY).map_or(&[][..], HeaderValue::as_bytes));
        let hash = URL_SAFE_NO_PAD.encode(&hash.finalize()[..12]);
        let variant = |encoding: &'static str, body: Bytes| {
            let tag =
                HeaderValue::from_str(&format!("\"{hash}{}{encoding}\"", if encoding.is_empty() { "" } else { "-" }))
                    .ok();
            let mut headers = headers.clone();
            if !encoding.is_empty() {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
            }
            if let Some(tag) = &tag {
                headers.insert(ETAG, tag.clone());
            }
            // RFC 9110, section 15.4.5; the policy is repeated, for a browser takes a 304's headers over.
            let repeated = [CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, VARY, SERVER_TIMING];
            let repeated = repeated.into_iter().filter_map(|name| Some((name.clone(), headers.get(name)?.clone())));
            let not_modified = repeated.collect();
            Variant { body, tag, headers, not_modified }
        };
        let (gzip, brotli) = (gzip(&body), brotli(&body));
        Self {
            status,
            made,
            plain: variant("", body),
            gzip: gzip.map(|body| variant("gzip", body)),
            brotli: brotli.map(|body| variant("br", body)),
        }
    }

    /// Whether it may be handed out again.
    pub fn is_found(&self) -> bool {
        self.status == StatusCode::OK
    }

    /// Whether it could not be rendered.
    pub fn is_failed(&self) -> bool {
        self.status.is_server_error()
    }

    pub fn made(&self) -> &Made {
        &self.made
    }

    /// Bytes that it takes.
    pub fn weight(&self) -> usize {
        let variants = [Some(&self.plain), self.gzip.as_ref(), self.brotli.as_ref()];
        variants.into_iter().flatten().map(|variant| variant.body.len() + HEADERS).sum()
    }

    pub fn age(&self, now: DateTime<Utc>, generation: u64) -> Age {
        let age = now - self.made.at;
        if self.made.generation != generation {
            Age::Wrong
        } else if self.made.ends.is_some_and(|end| end <= now) || age > STALE || age < TimeDelta::zero() {
            Age::Old
        } else if age > FRESH {
            Age::Stale
        } else {
            Age::Fresh
        }
    }

    /// The answer to a request with these headers: the page as the browser can read it, or that it has it already.
    pub fn answer(&self, asked: &HeaderMap, said: Said) -> Response<Body> {
        let variant = match encoding(asked) {
            Encoding::Brotli => self.brotli.as_ref(),
            Encoding::Gzip => self.gzip.as_ref(),
            Encoding::Plain => None,
        };
        let variant = variant.unwrap_or(&self.plain);
        let has = variant.tag.as_ref().is_some_and(|tag| matches(asked, tag.as_bytes()));
        let mut answer = Response::new(if has { Body::empty() } else { Body::from(variant.body.clone()) });
        *answer.status_mut() = if has { StatusCode::NOT_MODIFIED } else { self.status };
        *answer.headers_mut() = if has { variant.not_modified.clone() } else { variant.headers.clone() };
        if said != Said::Hit {
            answer.headers_mut().insert(SERVER_TIMING, said.header());
        }
        answer
    }
}

fn gzip(body: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

fn brotli(body: &[u8]) -> Option<Bytes> {
    let params = brotli::enc::BrotliEncoderParams { quality: BROTLI, size_hint: body.len(), ..Default::default() };
    let mut out = Vec::new();
    brotli::BrotliCompress(&mut &*body, &mut out, &params).ok()?;
    Some(out.into())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Encoding {
    Plain,
    Gzip,
    Brotli,
}

/// The best encoding that a browser takes (RFC 9110, section 12.5.3).
fn encoding(asked: &HeaderMap) -> Encoding {
    let mut best = Encoding::Plain;
    for value in asked.get_all(ACCEPT_ENCODING) {
        for part in value.as_bytes().split(|byte| *byte == b',') {
            let mut words = part.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
            let found = match words.next() {
                Some(name) if name.eq_ignore_ascii_case(b"br") => Encoding::Brotli,
                Some(name) if name.eq_ignore_ascii_case(b"gzip") => Encoding::Gzip,
                _ => continue,
            };
            let never = |word: &[u8]| {
                word.strip_prefix(b"q=").is_some_and(|q| q.iter().all(|byte| matches!(byte, b'0' | b'.')))
            };
            if !words.any(never) {
                best = best.max(found);
            }
        }
    }
    best
}

/// Whether a browser has what the tag names (RFC 9110, section 13.1.2).
fn matches(asked: &HeaderMap, tag: &[u8]) -> bool {
    let tags = asked.get_all(IF_NONE_MATCH).into_iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    tags.map(<[u8]>::trim_ascii).any(|known| known == b"*" || known.strip_prefix(b"W/").unwrap_or(known) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::header::CONTENT_TYPE;

    const HTML: &str = "<p>a page, a page, a page, a page, a page</p>";

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn page(status: StatusCode, ends: Option<i64>) -> Page {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            (CONTENT_TYPE, "text/html"),
            (CONTENT_SECURITY_POLICY, "default-src 'self'"),
            (SET_COOKIE, "vestnik=abc"),
            (CACHE_CONTROL, "private, no-store"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let made = Made { at: at(0), generation: 1, ends: ends.map(at), post: None };
        Page::new(status, headers, Bytes::from_static(HTML.as_bytes()), made, "accept-encoding, cookie")
    }

    fn asked(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    async fn body(answer: Response<Body>) -> Bytes {
        axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap()
    }

    #[test]
    fn the_best_encoding_that_is_taken_is_chosen() {
        for (asked_for, chosen) in [
            ("gzip, deflate, br, zstd", Encoding::Brotli),
            ("br;q=0, gzip", Encoding::Gzip),
            ("GZIP;q=0.5", Encoding::Gzip),
            ("gzip; q=0.000", Encoding::Plain),
            ("identity, *;q=0", Encoding::Plain),
            ("brotli", Encoding::Plain),
        ] {
            assert_eq!(encoding(&asked(ACCEPT_ENCODING, asked_for)), chosen, "{asked_for}");
        }
        assert_eq!(encoding(&HeaderMap::new()), Encoding::Plain);
    }

    #[tokio::test]
    async fn every_encoding_holds_the_page_and_has_its_own_tag() {
        let page = page(StatusCode::OK, None);
        let mut tags = Vec::new();
        for (accepted, named) in [("", None), ("gzip", Some("gzip")), ("br", Some("br"))] {
            let answer = page.answer(&asked(ACCEPT_ENCODING, accepted), Said::Hit);
            let headers = answer.headers().clone();
            assert_eq!(headers.get(CONTENT_ENCODING).map(|value| value.to_str().unwrap()), named);
            assert_eq!(headers[VARY], "accept-encoding, cookie");
            tags.push(headers[ETAG].clone());
            let bytes = body(answer).await;
            let mut text = Vec::new();
            match accepted {
                "gzip" => flate2::write::GzDecoder::new(&mut text).write_all(&bytes).unwrap(),
                "br" => brotli::BrotliDecompress(&mut &*bytes, &mut text).unwrap(),
                _ => text.extend(&bytes),
            }
            assert_eq!(text, HTML.as_bytes(), "{accepted}");
        }
        assert!(tags[0] != tags[1] && tags[1] != tags[2] && tags[0] != tags[2], "{tags:?}");
    }

    #[tokio::test]
    async fn who_has_it_is_told_so_with_the_policy_that_goes_with_it() {
        let page = page(StatusCode::OK, None);
        let tag = page.plain.tag.clone().unwrap();
        let tag = tag.to_str().unwrap();
        for known in [tag.to_owned(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
            let answer = page.answer(&asked(IF_NONE_MATCH, &known), Said::Stale);
            assert_eq!(answer.status(), StatusCode::NOT_MODIFIED, "{known}");
            let headers = answer.headers();
            assert_eq!(
                (headers[ETAG].to_str().unwrap(), &headers[CACHE_CONTROL]),
                (tag, &HeaderValue::from_static(CONTROL))
            );
            assert_eq!(headers[CONTENT_SECURITY_POLICY], "default-src 'self'");
            assert_eq!(headers[SERVER_TIMING], "cache;desc=stale");
            assert!(body(answer).await.is_empty());
        }
        let mut both = asked(IF_NONE_MATCH, tag);
        both.insert(ACCEPT_ENCODING, HeaderValue::from_static("br"));
        assert_eq!(page.answer(&both, Said::Hit).status(), StatusCode::OK, "it has another encoding");
    }

    #[test]
    fn no_cookie_is_kept_and_only_what_was_found_is_public() {
        for (status, control) in [(StatusCode::OK, CONTROL), (StatusCode::NOT_FOUND, "private, no-store")] {
            let page = page(status, None);
            let answer = page.answer(&HeaderMap::new(), Said::Miss);
            assert_eq!((answer.status(), answer.headers()[CACHE_CONTROL].to_str().unwrap()), (status, control));
            assert!(!answer.headers().contains_key(SET_COOKIE));
            assert_eq!(page.is_found(), status == StatusCode::OK);
        }
    }

    #[test]
    fn a_page_ages_and_ends_when_the_next_post_appears() {
        let page = page(StatusCode::OK, Some(15));
        let ages = [0, 10, 11, 14, 15, 400].map(|seconds| page.age(at(seconds), 1));
        assert_eq!(ages, [Age::Fresh, Age::Fresh, Age::Stale, Age::Stale, Age::Old, Age::Old]);
        assert_eq!(page.age(at(0), 2), Age::Wrong);
        assert_eq!(page.age(at(-1), 1), Age::Old, "the clock was set back");
        assert_eq!(self::page(StatusCode::OK, None).age(at(301), 1), Age::Old);
    }
}
