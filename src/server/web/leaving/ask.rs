//! `/u`: for who wants to leave and has no letter at hand, or a link that does not work. The answer is the same whether anybody
//! writes to the address; what there is to say comes by mail.

use super::super::page::lang_of;
use super::super::peer;
use super::super::request::apart;
use super::super::state::AppState;
use super::{Style, View, field, shown};
use crate::domain::lang::Lang;
use crate::locales;
use crate::server::services::Error;
use crate::server::services::leaving::{may_ask, send_links};
use crate::server::services::posts::render::escape;
use axum::Extension;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

/// An address, encoded.
const FORM_MAX: usize = 4096;
/// Longest address, in characters (RFC 5321 4.5.3.1.3).
const ADDRESS_MAX: usize = 254;

/// `GET /u`.
pub async fn page(Extension(style): Extension<Style>, headers: HeaderMap) -> Response {
    shown(&style, lang_of(&headers), &View::Ask { typed: "", wrong: None })
}

/// `POST /u`.
pub async fn asked(State(state): State<AppState>, Extension(style): Extension<Style>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let lang = lang_of(&parts.headers);
    let not_now = |typed: &str, status, why| shown(&style, lang, &View::NotNow { typed, status, why });
    let Ok(body) = to_bytes(body, FORM_MAX).await else {
        return not_now("", StatusCode::PAYLOAD_TOO_LARGE, "leaving.too_long");
    };
    let typed = field(&body, "email");
    let peer = peer::of(&state, &parts.extensions, &parts.headers);
    let email = match may_ask(&state.db, typed.trim(), peer, state.now()).await {
        Ok(email) => email,
        Err(Error::Invalid(errors)) => {
            let wrong = errors.get("email").map(|error| error.key.as_str());
            return shown(&style, lang, &View::Ask { typed: &typed, wrong });
        }
        Err(Error::RateLimited) => {
            return not_now(&typed, StatusCode::TOO_MANY_REQUESTS, "leaving.busy");
        }
        Err(error) => {
            tracing::warn!(%error, "links to leave by cannot be sent");
            return not_now(&typed, StatusCode::SERVICE_UNAVAILABLE, "leaving.not_now");
        }
    };
    apart("sending links to leave by", async move {
        send_links(&state.db, state.origin(), &state.config.tokens, (&email, lang), state.now()).await?;
        state.letters.ring();
        Ok(())
    });
    shown(&style, lang, &View::Asked)
}

/// The form, with what was typed, and the key of what is wrong with it.
pub(super) fn form(lang: Lang, typed: &str, wrong: Option<&str>) -> String {
    let text = |key: &str| escape(&locales::text(lang, key));
    let (invalid, said) = match wrong {
        Some(key) => (
            " aria-invalid=\"true\" aria-describedby=\"wrong\"",
            format!("<p id=\"wrong\" class=\"mt-1 text-sm text-error\">{}</p>", text(key)),
        ),
        None => ("", String::new()),
    };
    format!(
        "<form method=\"post\" action=\"/u\" class=\"rounded-box border border-base-300 bg-base-100 p-6\">\
         <p class=\"mb-4 text-sm\">{}</p><label class=\"block text-sm font-medium\" for=\"email\">{}</label>\
         <input class=\"input mt-1 w-full\" id=\"email\" name=\"email\" inputmode=\"email\" autocapitalize=\"none\" \
         spellcheck=\"false\" autocomplete=\"email\" required \
         maxlength=\"{ADDRESS_MAX}\" value=\"{}\"{invalid}>{said}\
         <button type=\"submit\" class=\"btn btn-primary mt-4\">{}</button></form>",
        text("leaving.ask_text"),
        text("leaving.address"),
        escape(typed),
        text("leaving.send"),
    )
}
