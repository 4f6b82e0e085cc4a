//! Where a change comes from. `CsrfLayer` judges by `Sec-Fetch-Site` and `Origin`, and lets through what has neither:
//! browsers that are old enough, and programs. Those are judged by their `Referer`, which our pages send to us
//! (`Referrer-Policy: same-origin`); what has none of the three is no form of ours.
//!
//! The public address is ours whatever a proxy makes of the host, and whoever is refused is told what was compared.

use super::page::lang_of;
use crate::locales;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, HOST, ORIGIN, REFERER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;
use tower_http::csrf::{CsrfLayer, ProtectionError};
use url::Url;

/// What a browser sends that does not say where it is.
const NOWHERE: HeaderValue = HeaderValue::from_static("null");

/// Refuses what foreign sites send.
pub fn layer(public_url: &str) -> CsrfLayer {
    let own = Url::parse(public_url).map(|url| url.origin().ascii_serialization());
    let trusting = own.ok().and_then(|own| CsrfLayer::new().add_trusted_origin(own).ok());
    trusting.unwrap_or_default()
}

/// Tells whoever is refused by [`layer`] what was compared, and the log too: behind a proxy that changes the host it is the
/// settings that are wrong, and nobody could tell.
pub async fn explain(State(public_url): State<Arc<str>>, request: Request, next: Next) -> Response {
    let (origin, host) = (shown(request.headers(), ORIGIN), shown(request.headers(), HOST));
    let (path, lang) = (request.uri().path().to_owned(), lang_of(request.headers()));
    let mut response = next.run(request).await;
    if response.extensions().get::<ProtectionError>().is_some() {
        tracing::warn!(origin, host, %public_url, path, "refused: the request came from another site");
        let said = [("origin", &origin as &dyn std::fmt::Display), ("host", &host), ("public", &public_url)];
        *response.body_mut() = Body::from(locales::text_with(lang, "errors.foreign", &said));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    }
    response
}

fn shown(headers: &HeaderMap, name: HeaderName) -> String {
    headers.get(name).map_or_else(|| "-".to_owned(), |value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Puts the origin of the `Referer` in the place of one that is missing.
pub async fn from_referer(mut request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let headers = request.headers_mut();
    if !safe && !headers.contains_key(ORIGIN) && !headers.contains_key("sec-fetch-site") {
        let origin = referred(headers).unwrap_or(NOWHERE);
        headers.insert(ORIGIN, origin);
    }
    next.run(request).await
}

fn referred(headers: &HeaderMap) -> Option<HeaderValue> {
    let url = Url::parse(headers.get(REFERER)?.to_str().ok()?).ok()?;
    HeaderValue::from_str(&url.origin().ascii_serialization()).ok()
}

#[cfg(test)]
mod tests {
    use crate::server::db::Db;
    use crate::server::db::testing::on_both;
    use crate::server::web::testing::Served;

    const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

    async fn what_says_nothing_of_itself_changes_nothing(db: Db) {
        let served = Served::start(db).await;
        let (_, cookie) = served.somebody("anna@example.org").await;
        let own = format!("{}/clients/new?a=b", served.origin());
        let inside = format!("https://evil.example/?{}", served.origin());
        let longer = format!("{}.evil.example/", served.origin());
        let user = served.origin().replace("http://", "http://127.0.0.1@evil.example:") + "/";
        let foreign = ["", "https://evil.example/", "about:blank", "/clients", "null", &inside, &longer, &user];
        for (n, referer) in foreign.into_iter().enumerate() {
            let form = format!("form[id]=0&form[email]=c{n}@example.org");
            let headers = [("Cookie", &*cookie), FORM, ("Referer", referer)];
            for path in ["/api/clients/save", "/logout", "/clients/upload", "/posts/images/upload", "/api/login"] {
                assert_eq!(
                    served.send("POST", path, &headers, form.as_bytes()).await.status,
                    403,
                    "{path} {referer:?}"
                );
            }
        }
        let headers = [("Cookie", &*cookie), FORM, ("Referer", &*own)];
        let form = "form[id]=0&form[email]=own@example.org";
        let answer = served.send("POST", "/api/clients/save", &headers, form.as_bytes()).await;
        assert!(answer.status < 400, "{answer:?}");
        let listed = served.get("/clients/export", &cookie).await.body;
        assert_eq!(listed.matches("@example.org").count(), 1, "{listed}");
    }

    /// A proxy that listens elsewhere, and passes on another host than people see.
    async fn the_public_address_is_our_own(db: Db) {
        let served = Served::start_behind_tls(db).await;
        let (_, cookie) = served.somebody("anna@example.org").await;
        let save = async |n: usize, headers: &[(&str, &str)]| {
            let form = format!("form[id]=0&form[email]=c{n}@example.org");
            let headers: Vec<_> = [("Cookie", &*cookie), FORM].into_iter().chain(headers.iter().copied()).collect();
            served.send("POST", "/api/clients/save", &headers, form.as_bytes()).await
        };
        let own = [
            &[("Origin", "https://mail.example.org")][..],
            &[("Origin", "https://mail.example.org"), ("Sec-Fetch-Site", "same-site")],
            &[("Referer", "https://mail.example.org/clients/new")],
        ];
        for (n, headers) in own.into_iter().enumerate() {
            let answer = save(n, headers).await;
            assert!(answer.status < 400, "{headers:?}: {answer:?}");
        }
        let foreign =
            ["http://mail.example.org", "https://mail.example.org:8443", "https://mail.example.org.evil.example"];
        for (n, origin) in foreign.into_iter().enumerate() {
            let answer = save(10 + n, &[("Origin", origin), ("Accept-Language", "ru")]).await;
            assert_eq!(answer.status, 403, "{origin}");
            for part in [origin, "https://mail.example.org", "VESTNIK_PUBLIC_URL"] {
                assert!(answer.body.contains(part), "{answer:?}");
            }
        }
    }

    on_both!(the_public_address_is_our_own, what_says_nothing_of_itself_changes_nothing);
}
