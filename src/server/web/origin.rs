//! Where a change comes from. `CsrfLayer` judges by `Sec-Fetch-Site` and `Origin`, and lets through what has neither:
//! browsers that are old enough, and programs. Those are judged by their `Referer`, which our pages send to us
//! (`Referrer-Policy: same-origin`); what has none of the three is no form of ours.

use axum::extract::Request;
use axum::http::header::{ORIGIN, REFERER};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use url::Url;

/// What a browser sends that does not say where it is.
const NOWHERE: HeaderValue = HeaderValue::from_static("null");

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

    on_both!(what_says_nothing_of_itself_changes_nothing);
}
