//! `/u/{token}`: where the links and buttons in letters lead by which people leave.
//!
//! The token is all the right that is asked for: no session, no cookie, no origin, no limit by address, since mail programs
//! send from few. A look changes nothing, ever: scanners follow every link of a letter. The page needs no script and no
//! database to be shown; its buttons are plain forms.

mod ask;

use super::page::lang_of;
use super::state::AppState;
use crate::domain::lang::Lang;
use crate::domain::suppression::Source;
use crate::domain::topic::Wish;
use crate::locales;
use crate::server::metrics;
use crate::server::services::leaving::{
    Change, Choice, NO_DELIVERY, Request as Leave, State as Holds, Taken, change, show,
};
use crate::server::services::posts::render::escape;
use crate::ui::time::format_date;
use axum::body::{Body, to_bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY, RETRY_AFTER,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::time::Duration;

/// What one click says (RFC 8058 3.2) is a line; more is not read.
const ONE_CLICK_MAX: usize = 1024;
/// A form of the page, with a reason in it.
const FORM_MAX: usize = 16 * 1024;
/// Longest reason, in characters.
const REASON_MAX: usize = 1_000;
/// The value of the button by which its reader leaves; those of the others are [`Choice`]'s.
const LEAVE: &str = "leave";
/// That of the button by which they leave everything of a sender whose letter was about one topic.
const LEAVE_ALL: &str = "leave-all";
/// How long the database is waited for before the page is shown without what it knows.
const PATIENCE: Duration = Duration::from_secs(3);

/// Where the page's style is.
#[derive(Clone)]
struct Style(Arc<str>);

/// What stands behind `/u/`; what cannot even be read is a token of nobody.
type Token = Result<Path<String>, PathRejection>;

fn token_of(token: Token) -> String {
    token.map(|Path(token)| token).unwrap_or_default()
}

/// `GET` and `POST /u/{token}`, `POST /u/{token}/change`, and `GET` and `POST /u` for who has no letter at hand.
pub fn routes(css: &str) -> Router<AppState> {
    Router::new()
        .route("/u", get(ask::page).post(ask::asked))
        .route("/u/{token}", get(page).post(one_click))
        .route("/u/{token}/change", post(changed))
        .layer(Extension(Style(css.into())))
}

/// One click in a mail program. It is told that all is well also the second time, and for a letter that nobody knows: there
/// is nobody who could do anything about it.
async fn one_click(State(state): State<AppState>, token: Token, request: Request) -> Response {
    let token = token_of(token);
    // Form-encoded, multipart or nothing at all: it says the same.
    drop(to_bytes(request.into_body(), ONE_CLICK_MAX).await);
    let Some(delivery) = state.config.tokens.read(&token) else {
        metrics::unknown_one_click();
        return "ok\n".into_response();
    };
    let asked = Leave { delivery, at: state.now(), source: Source::OneClick, evidence: String::new(), all: false };
    if delivery == NO_DELIVERY || state.leaving.leave(asked).await != Taken::Lost {
        return "ok\n".into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "60")], "try again later\n").into_response()
}

async fn page(
    State(state): State<AppState>,
    Extension(style): Extension<Style>,
    token: Token,
    headers: HeaderMap,
) -> Response {
    let (lang, token) = (lang_of(&headers), token_of(token));
    let Some(delivery) = state.config.tokens.read(&token) else { return shown(&style, lang, &View::Unknown) };
    if delivery == NO_DELIVERY {
        return shown(&style, lang, &View::Test);
    }
    view(&state, &style, lang, &token, delivery).await
}

async fn view(state: &AppState, style: &Style, lang: Lang, token: &str, delivery: i64) -> Response {
    match tokio::time::timeout(PATIENCE, show(&state.db, delivery, state.now())).await {
        Ok(Ok(Some(holds))) => shown(style, holds.lang, &View::Known { token, holds: &holds }),
        Ok(Ok(None)) => shown(style, lang, &View::Unknown),
        // Who wants to leave can leave all the same.
        Ok(Err(_)) | Err(_) => shown(style, lang, &View::Away { token }),
    }
}

async fn changed(
    State(state): State<AppState>,
    Extension(style): Extension<Style>,
    token: Token,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (lang, token) = (lang_of(&headers), token_of(token));
    let Some(delivery) = state.config.tokens.read(&token) else { return shown(&style, lang, &View::Unknown) };
    if delivery == NO_DELIVERY {
        return shown(&style, lang, &View::Test);
    }
    let Ok(body) = to_bytes(body, FORM_MAX).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    let value = |name: &str| field(&body, name);
    let choice = value("choice");
    let reason: String = value("reason").trim().chars().take(REASON_MAX).collect();
    if choice == LEAVE || choice == LEAVE_ALL {
        let all = choice == LEAVE_ALL;
        let asked = Leave { delivery, at: state.now(), source: Source::Page, evidence: reason, all };
        return match state.leaving.leave(asked).await {
            Taken::Recorded => view(&state, &style, lang, &token, delivery).await,
            Taken::Noted => shown(&style, lang, &View::WrittenDown),
            Taken::Lost => shown(&style, lang, &View::Away { token: &token }),
        };
    }
    let Some(choice) = Choice::parse(&choice) else {
        return view(&state, &style, lang, &token, delivery).await;
    };
    let [shown_ticked, unticked, topics] = ["shown", "unticked", "topic"].map(|name| numbers(&body, name));
    let asked =
        Change { delivery, choice, reason: &reason, shown: &shown_ticked, unticked: &unticked, topics: &topics };
    match tokio::time::timeout(PATIENCE, change(&state.db, &asked, state.now())).await {
        Ok(Ok(()) | Err(crate::server::services::Error::NotFound)) => {
            view(&state, &style, lang, &token, delivery).await
        }
        Ok(Err(_)) | Err(_) => shown(&style, lang, &View::Unsaved { token: &token, sent: &body }),
    }
}

/// A field of a form; empty if it is not there.
fn field(body: &[u8], name: &str) -> String {
    let found = url::form_urlencoded::parse(body).find(|(key, _)| key == name);
    found.map_or_else(String::new, |(_, value)| value.into_owned())
}

/// All numbers of a form that have a name.
fn numbers(body: &[u8], name: &str) -> Vec<i64> {
    let of_name = url::form_urlencoded::parse(body).filter(|(key, _)| key == name);
    of_name.filter_map(|(_, value)| value.parse().ok()).collect()
}

/// What a page is about.
enum View<'a> {
    Known {
        token: &'a str,
        holds: &'a Holds,
    },
    /// The letter is of nobody: its link was cut, is of another installation, or its sender's account is gone.
    Unknown,
    /// The link of a test letter.
    Test,
    /// The database does not answer.
    Away {
        token: &'a str,
    },
    /// It does not, and what the reader has chosen is not recorded: with what they sent.
    Unsaved {
        token: &'a str,
        sent: &'a [u8],
    },
    /// It does not, and leaving is noted.
    WrittenDown,
    /// The reader has no letter at hand; with what they typed, and the key of what is wrong with it.
    Ask {
        typed: &'a str,
        wrong: Option<&'a str>,
    },
    /// They asked, and it cannot be done now: with what they typed, the status, and the key of why.
    NotNow {
        typed: &'a str,
        status: StatusCode,
        why: &'a str,
    },
    /// They asked for links.
    Asked,
}

fn shown(style: &Style, lang: Lang, view: &View<'_>) -> Response {
    let status = match view {
        View::Unknown => StatusCode::NOT_FOUND,
        View::Ask { wrong: Some(_), .. } => StatusCode::UNPROCESSABLE_ENTITY,
        View::NotNow { status, .. } => *status,
        View::Unsaved { .. } => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::OK,
    };
    let text = |key: &str| escape(&locales::text(lang, key));
    let (title, body) = match view {
        View::Known { token, holds } => known(lang, token, holds),
        View::Unknown => {
            let form = ask::form(lang, "", None);
            (text("leaving.unknown"), format!("<p class=\"mb-6\">{}</p>{form}", text("leaving.unknown_text")))
        }
        View::Ask { typed, wrong } => (text("leaving.ask"), ask::form(lang, typed, *wrong)),
        View::Asked => (text("leaving.asked"), format!("<p>{}</p>", text("leaving.asked_text"))),
        View::NotNow { typed, why, .. } => {
            let said = format!("<p role=\"alert\" class=\"mb-6\">{}</p>", text(why));
            (text("leaving.ask"), said + &ask::form(lang, typed, None))
        }
        View::Test => (text("leaving.test"), format!("<p>{}</p>", text("leaving.test_text"))),
        View::Away { token } => {
            // What the letter was about is not known, so both can be said.
            let all = Some(text("leaving.leave_all"));
            let buttons = Buttons {
                said: text("leaving.away"),
                leave: text("leaving.leave_these"),
                all,
                pause: text("leaving.or_pause"),
            };
            (text("leaving.title"), leave_form(lang, token, &buttons))
        }
        View::Unsaved { token, sent } => {
            let fields: String = url::form_urlencoded::parse(sent)
                .map(|(name, value)| {
                    format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">", escape(&name), escape(&value))
                })
                .collect();
            let again = format!(
                "<p role=\"alert\" class=\"mb-6\">{}</p><form method=\"post\" action=\"/u/{}/change\">{fields}\
                 <button class=\"btn btn-primary\">{}</button></form>",
                text("leaving.unsaved_text"),
                escape(token),
                text("leaving.again"),
            );
            (text("leaving.unsaved"), again)
        }
        View::WrittenDown => (text("leaving.left"), format!("<p>{}</p>", text("leaving.written_down"))),
    };
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"robots\" content=\"noindex\">\n\
         <link rel=\"icon\" href=\"/favicon.svg\">\n<link rel=\"stylesheet\" href=\"{}\">\n<title>{title}</title>\n</head>\n\
         <body class=\"min-h-dvh bg-base-200 text-base-content antialiased\">\n\
         <main class=\"mx-auto max-w-xl px-5 py-12\">\n<h1 class=\"mb-4 text-2xl font-semibold\">{title}</h1>\n{body}\n\
         </main>\n</body>\n</html>\n",
        lang.as_str(),
        escape(&style.0),
    );
    let headers = [
        (CACHE_CONTROL, "private, no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("x-robots-tag"), "noindex"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; form-action 'self'; \
             frame-ancestors 'none'; base-uri 'none'",
        ),
        (CONTENT_TYPE, "text/html; charset=utf-8"),
    ];
    (status, headers, Html(html)).into_response()
}

fn known(lang: Lang, token: &str, holds: &Holds) -> (String, String) {
    let text = |key: &str| escape(&locales::text(lang, key));
    let (sender, address) = (escape(&holds.sender), escape(&holds.address));
    let (sender, address) = (format!("<strong>{sender}</strong>"), format!("<strong>{address}</strong>"));
    // The text itself is ours, and has nothing to escape.
    let about = locales::text_with(lang, "leaving.about", &[("sender", &sender), ("address", &address)]);
    let undo = |choice: &str| button(lang, token, choice, "leaving.undo", "btn btn-outline");
    let left = |said: &str, undo: &str, rest: &str| {
        format!(
            "<p class=\"mb-4\" role=\"status\">{said}</p><p class=\"mb-4\">{about}</p>{undo}\
             <div class=\"mt-6\">{rest}</div>"
        )
    };
    let paused = |until: DateTime<Utc>, topic: Option<&str>| {
        let day = format_date(lang, until.date_naive());
        escape(&match topic {
            Some(topic) => locales::text_with(lang, "leaving.paused_topic", &[("topic", &topic), ("day", &day)]),
            None => locales::text_with(lang, "leaving.paused_text", &[("day", &day)]),
        })
    };
    match holds.left_all {
        None => {}
        Some(None) => return (text("leaving.left"), left(&text("leaving.left_text"), &undo("undo-all"), "")),
        // A pause may become a leaving.
        Some(Some(until)) => {
            let rest = button(lang, token, LEAVE_ALL, "leaving.leave_all", "btn btn-ghost");
            return (text("leaving.paused"), left(&paused(until, None), &undo("undo-all"), &rest));
        }
    }
    let topics = topics_form(lang, token, holds);
    match (holds.left, &holds.topic) {
        (None, topic) => {
            let buttons = Buttons { said: about, ..Buttons::of(lang, topic.as_deref()) };
            (text("leaving.title"), leave_form(lang, token, &buttons) + &topics)
        }
        (Some(None), None) => (text("leaving.left"), left(&text("leaving.left_text"), &undo("undo"), "")),
        (Some(None), Some(topic)) => {
            let said = locales::text_with(lang, "leaving.left_topic", &[("topic", &escape(topic))]);
            // What else comes can be left as well.
            let rest = button(lang, token, LEAVE_ALL, "leaving.leave_all", "btn btn-ghost") + &topics;
            (text("leaving.left"), left(&said, &undo("undo"), &rest))
        }
        (Some(Some(until)), topic) => {
            let said = paused(until, topic.as_deref());
            let rest = leave_form(lang, token, &Buttons::of(lang, topic.as_deref()));
            (text("leaving.paused"), left(&said, &undo("undo"), &rest))
        }
    }
}

/// What a form to leave by says, escaped.
struct Buttons {
    /// Above it; may be empty.
    said: String,
    leave: String,
    /// On a second button, by which everything of the sender is left.
    all: Option<String>,
    /// Above the buttons that pause.
    pause: String,
}

impl Buttons {
    /// Of a letter that was about everything.
    fn all(lang: Lang) -> Self {
        let text = |key: &str| escape(&locales::text(lang, key));
        Self { said: String::new(), leave: text("leaving.leave"), all: None, pause: text("leaving.or_pause") }
    }

    fn of(lang: Lang, topic: Option<&str>) -> Self {
        let Some(topic) = topic else { return Self::all(lang) };
        let named = |key: &str| escape(&locales::text_with(lang, key, &[("topic", &topic)]));
        let all = escape(&locales::text(lang, "leaving.leave_all"));
        let (leave, pause) = (named("leaving.leave_topic"), named("leaving.or_pause_topic"));
        Self { said: String::new(), leave, all: Some(all), pause }
    }
}

/// One big button, a reason for those who want to give one, and pauses.
fn leave_form(lang: Lang, token: &str, Buttons { said, leave, all, pause }: &Buttons) -> String {
    let text = |key: &str| escape(&locales::text(lang, key));
    let said = if said.is_empty() { String::new() } else { format!("<p class=\"mb-4\">{said}</p>") };
    let all = all.as_ref().map_or_else(String::new, |all| {
        format!("<button class=\"btn btn-outline mt-3 w-full\" name=\"choice\" value=\"{LEAVE_ALL}\">{all}</button>")
    });
    let pauses: String = Choice::PAUSES
        .iter()
        .map(|days| {
            let label = locales::count(lang, "leaving.pause", *days, &[]);
            format!(
                "<button class=\"btn btn-ghost btn-sm\" name=\"choice\" value=\"pause-{days}\">{}</button>",
                escape(&label)
            )
        })
        .collect();
    format!(
        "{said}<form method=\"post\" action=\"/u/{token}/change\" class=\"rounded-box border border-base-300 bg-base-100 p-6\">\
         <button class=\"btn btn-primary btn-lg h-auto w-full py-2\" name=\"choice\" value=\"{LEAVE}\">{leave}</button>{all}\
         <label class=\"mt-6 block text-sm\" for=\"reason\">{}</label>\
         <textarea class=\"textarea mt-1 w-full\" id=\"reason\" name=\"reason\" rows=\"2\" maxlength=\"{REASON_MAX}\"></textarea>\
         <p class=\"mt-4 text-sm\">{pause}</p><div class=\"mt-1 flex flex-wrap gap-2\">{pauses}</div></form>",
        text("leaving.reason"),
        token = escape(token),
    )
}

/// What else the sender writes about, to be ticked; nothing where they offer nothing.
fn topics_form(lang: Lang, token: &str, holds: &Holds) -> String {
    if holds.offers.is_empty() {
        return String::new();
    }
    let text = |key: &str| escape(&locales::text(lang, key));
    let boxes: String = holds
        .offers
        .iter()
        .map(|Wish { topic, wanted, .. }| {
            let (checked, stood) = if *wanted { (" checked", "shown") } else { ("", "unticked") };
            format!(
                "<label class=\"flex items-start gap-3 py-2\"><input type=\"checkbox\" class=\"checkbox mt-1\" name=\"topic\" \
                 value=\"{0}\"{checked}><input type=\"hidden\" name=\"{stood}\" value=\"{0}\"><span class=\"min-w-0\"><span class=\"font-medium break-words\">{1}</span>\
                 <span class=\"block text-sm break-words opacity-80\">{2}</span></span></label>",
                topic.id,
                escape(&topic.name),
                escape(&topic.description)
            )
        })
        .collect();
    format!(
        "<form method=\"post\" action=\"/u/{}/change\" class=\"mt-6 rounded-box border border-base-300 bg-base-100 p-6\">\
         <fieldset><legend class=\"mb-2 font-semibold\">{}</legend>{boxes}</fieldset>\
         <button class=\"btn mt-3\" name=\"choice\" value=\"topics\">{}</button></form>",
        escape(token),
        text("leaving.topics"),
        text("leaving.topics_save"),
    )
}

fn button(lang: Lang, token: &str, choice: &str, label: &str, class: &str) -> String {
    let label = escape(&locales::text(lang, label));
    let token = escape(token);
    format!(
        "<form method=\"post\" action=\"/u/{token}/change\">\
         <button class=\"{class}\" name=\"choice\" value=\"{choice}\">{label}</button></form>"
    )
}

#[cfg(test)]
#[path = "leaving_tests.rs"]
mod tests;
