//! What programs bring back: providers of mail, and mail servers elsewhere. Each request is signed over its time and its body,
//! so that nobody else's counts and an old one counts no more:
//!
//! `Vestnik-Signature: t=SECONDS,v1=HEX`, HEX being HMAC-SHA256 with `VESTNIK_HOOK_SECRET` over `SECONDS.BODY`. What Amazon SES
//! tells is signed by Amazon ([`sns`]).

mod ses;
pub mod sns;

use super::state::AppState;
use crate::domain::suppression::Source;
use crate::server::metrics;
use crate::server::services::Error;
use crate::server::services::returns::{self, Came, Taken, Told};
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use hmac::{Hmac, Mac};
use secrecy::ExposeSecret;
use serde::Deserialize;
use sha2::Sha256;
use vestnik_reports::{Class, classify};

/// Largest body, in bytes: a letter, with room to spare.
const BODY_MAX: usize = 1024 * 1024;
/// How far a request's time may be from ours, in seconds.
const AGE_MAX: i64 = 300;
const SIGNATURE: &str = "vestnik-signature";

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/hooks/returned", post(returned))
        .route("/hooks/letter", post(letter))
        .route("/hooks/ses", post(ses::told))
        .layer(DefaultBodyLimit::max(BODY_MAX))
}

/// What a provider tells of a letter.
#[derive(Deserialize)]
struct Event {
    /// `bounce`, `complaint` or `delayed`.
    kind: String,
    /// Names the letter: it stands in its envelope's sender and in its links. Without it, any that stands in the body counts.
    #[serde(default)]
    token: String,
    #[serde(default)]
    recipient: String,
    /// Such as `5.1.1`.
    #[serde(default)]
    status: String,
    /// What the mail server said.
    #[serde(default)]
    text: String,
}

async fn returned(State(state): State<AppState>, headers: HeaderMap, body: Bytes) -> Response {
    if let Err(refused) = signed(&state, &headers, &body) {
        return refused;
    }
    let event: Event = match serde_json::from_slice(&body) {
        Ok(event) => event,
        Err(error) => return (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response(),
    };
    let status = event.status.parse().ok();
    let class = match event.kind.as_str() {
        "complaint" => Class::Complaint,
        "bounce" => classify(status, &event.text),
        "delayed" => Class::UnderWay,
        _ => return (StatusCode::BAD_REQUEST, "kind must be bounce, complaint or delayed\n").into_response(),
    };
    let told = Told {
        class,
        status,
        token: &event.token,
        recipient: &event.recipient,
        text: &event.text,
        raw: &body,
        source: Source::Webhook,
    };
    answer(returns::told(&state.db, &state.config.tokens, &told, state.now()).await)
}

#[derive(Deserialize)]
struct To {
    /// The address that the letter came to; without it, whom its header names.
    #[serde(default)]
    to: String,
}

async fn letter(State(state): State<AppState>, Query(to): Query<To>, headers: HeaderMap, body: Bytes) -> Response {
    if let Err(refused) = signed(&state, &headers, &body) {
        return refused;
    }
    let Some(paths) = state.config.return_path() else {
        return (StatusCode::CONFLICT, "VESTNIK_RETURN_DOMAIN is not set\n").into_response();
    };
    let to = match to.to.trim() {
        "" => paths.find(&body),
        address => match paths.read(address) {
            Some(address) => vec![address],
            None => return (StatusCode::NOT_FOUND, "no address of ours\n").into_response(),
        },
    };
    let came = Came { raw: &body, to: &to, source: Source::Report };
    answer(returns::take(&state.db, paths.tokens(), &came, state.now()).await)
}

fn answer(taken: Result<Taken, Error>) -> Response {
    let (class, known) = match taken {
        Ok(Taken::Entered { class, .. }) => (class.as_str(), false),
        Ok(Taken::Known) => ("", true),
        Ok(Taken::Left) => ("unsubscribed", false),
        Err(error) => {
            tracing::error!(%error, "what came back could not be kept");
            return (StatusCode::SERVICE_UNAVAILABLE, "try again later\n").into_response();
        }
    };
    Json(serde_json::json!({ "class": class, "known": known })).into_response()
}

/// Whether a request is signed with the secret, lately.
#[expect(clippy::result_large_err, reason = "the error is the answer")]
fn signed(state: &AppState, headers: &HeaderMap, body: &[u8]) -> Result<(), Response> {
    let Some(secret) = &state.config.hook_secret else {
        return Err((StatusCode::FORBIDDEN, "VESTNIK_HOOK_SECRET is not set\n").into_response());
    };
    let given = headers.get(SIGNATURE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if holds(secret.expose_secret().as_bytes(), given, body, state.now().timestamp()) {
        return Ok(());
    }
    metrics::hook_refused();
    Err((StatusCode::UNAUTHORIZED, "the signature is wrong or too old\n").into_response())
}

/// Whether a signature of the form `t=…,v1=…` holds for a body now.
fn holds(secret: &[u8], given: &str, body: &[u8], now: i64) -> bool {
    let mut parts = given.split(',').filter_map(|part| part.trim().split_once('='));
    let (mut at, mut signature) = ("", Vec::new());
    for (name, value) in parts.by_ref() {
        match name {
            "t" => at = value,
            "v1" => signature = unhex(value).unwrap_or_default(),
            _ => {}
        }
    }
    let recent = at.parse::<i64>().is_ok_and(|at| now.abs_diff(at) <= AGE_MAX.unsigned_abs());
    // Any length makes a key.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return false };
    mac.update(at.as_bytes());
    mac.update(b".");
    mac.update(body);
    recent && mac.verify_slice(&signature).is_ok()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2));
    pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::db::testing::on_both;
    use crate::server::db::{Db, on_db};
    use crate::server::mail::delivery_token::DeliveryTokens;
    use crate::server::services::testing::{actor, sent_mailing};
    use crate::server::web::testing::Served;
    use std::fmt::Write as _;

    const SECRET: &str = "a secret of hooks, which is long enough";

    fn sign(at: i64, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(format!("{at}.").as_bytes());
        mac.update(body);
        let hex = mac.finalize().into_bytes().iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        format!("t={at},v1={hex}")
    }

    #[test]
    fn a_signature_is_of_its_time_and_body() {
        let given = sign(1000, b"body");
        for (given, body, now, good) in [
            (given.as_str(), &b"body"[..], 1000, true),
            (&given, b"body", 1300, true),
            (&given, b"body", 700, true),
            (&given, b"body", 1301, false),
            (&given, b"body", 699, false),
            (&given, b"another", 1000, false),
            (&given.replace("t=1000", "t=1001"), b"body", 1000, false),
            (&given.replace("v1=", "v1=00"), b"body", 1000, false),
            (&given.replace("v1=", "v0="), b"body", 1000, false),
            ("", b"body", 1000, false),
            ("t=1000", b"body", 1000, false),
            ("t=1000,v1=я", b"body", 1000, false),
        ] {
            assert_eq!(holds(SECRET.as_bytes(), given, body, now), good, "{given} {now}");
        }
    }

    async fn served(db: &Db) -> Served {
        let clock = crate::server::clock::ManualClock::new("2026-05-04T10:00:00Z".parse().unwrap());
        Served::start_set(db.clone(), clock, |config| {
            config.hook_secret = Some(SECRET.to_owned().into());
            config.return_domain = Some("bounces.example.org".into());
        })
        .await
    }

    async fn post(app: &Served, path: &str, signature: &str, body: &str) -> (u16, String) {
        let headers = [("Vestnik-Signature", signature), ("Content-Type", "application/json")];
        let answer = app.send("POST", path, &headers, body.as_bytes()).await;
        (answer.status, answer.body)
    }

    async fn only_what_is_signed_counts(db: Db) {
        let app = served(&db).await;
        let owner = actor(&db, "owner@example.org").await;
        sent_mailing(&db, &owner, 2).await;
        const IDS: &str = "SELECT d.id FROM deliveries d ORDER BY d.id";
        let ids: Vec<i64> = on_db!(&db, pool => sqlx::query_scalar(IDS).fetch_all(pool).await).unwrap();
        let tokens: DeliveryTokens = app.state.config.tokens.clone();
        let now = app.state.now().timestamp();
        let event = |id: i64| format!(r#"{{"kind":"complaint","token":"{}"}}"#, tokens.token(id));
        const LEFT: &str = "SELECT email FROM suppressions ORDER BY id";
        let left =
            async || -> Vec<String> { on_db!(&db, pool => sqlx::query_scalar(LEFT).fetch_all(pool).await).unwrap() };
        for signature in ["", "t=1,v1=00", &sign(now - 301, event(ids[0]).as_bytes()), &sign(now, b"{}")] {
            assert_eq!(post(&app, "/hooks/returned", signature, &event(ids[0])).await.0, 401, "{signature}");
        }
        assert!(left().await.is_empty());
        let good = event(ids[0]);
        let answer = post(&app, "/hooks/returned", &sign(now, good.as_bytes()), &good).await;
        assert!(answer.0 == 200 && answer.1.contains("complaint"), "{answer:?}");
        assert!(post(&app, "/hooks/returned", &sign(now, good.as_bytes()), &good).await.1.contains("true"), "once");
        assert_eq!(left().await, ["c0@example.org"]);
        for body in ["{}", "nonsense", r#"{"kind":"love"}"#] {
            assert_eq!(post(&app, "/hooks/returned", &sign(now, body.as_bytes()), body).await.0, 400, "{body}");
        }

        let paths = app.state.config.return_path().unwrap();
        let raw = "From: MAILER-DAEMON@x.example\r\nSubject: failure notice\r\n\r\nHi. This is the qmail-send program.\r\n\r\n\
            <c1@example.org>:\r\nSorry, no mailbox here by that name. (#5.1.1)\r\n";
        let path = format!("/hooks/letter?to={}", paths.bounce(ids[1]));
        assert_eq!(post(&app, &path, "", raw).await.0, 401);
        let answer = post(&app, &path, &sign(now, raw.as_bytes()), raw).await;
        assert!(answer.0 == 200 && answer.1.contains("no_address"), "{answer:?}");
        assert_eq!(left().await, ["c0@example.org", "c1@example.org"]);
        let path = "/hooks/letter?to=anna@bounces.example.org";
        assert_eq!(post(&app, path, &sign(now, raw.as_bytes()), raw).await.0, 404);
    }

    on_both!(only_what_is_signed_counts);
}
