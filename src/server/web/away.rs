//! While the database does not answer: 503 at once, with a page that needs nothing but itself. A form that was sent
//! without scripts goes along in that page, so that nothing typed is lost.

use super::page::lang_of;
use super::preferences::cookie;
use super::state::AppState;
use crate::api::error::AppError;
use crate::domain::user::Theme;
use crate::locales;
use crate::server::services::posts::changes::Changes;
use crate::server::services::posts::render::escape;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use std::sync::Arc;

/// When a browser or a program may try again, in seconds.
const RETRY: &str = "5";

/// What the guard needs to know.
#[derive(Clone)]
pub struct Away {
    changes: Changes,
    css: Arc<str>,
}

impl Away {
    pub fn new(state: &AppState, css: String) -> Self {
        Self { changes: state.blog.kept.changes().clone(), css: css.into() }
    }

    /// Ends when the database is away.
    pub async fn is(&self) {
        self.changes.away().await;
    }

    fn page(&self, headers: &HeaderMap) -> Response {
        let again = escape(&locales::text(lang_of(headers), "errors.retry"));
        self.page_with(headers, &format!("<a class=\"btn btn-sm\" href=\"\">{again}</a>"))
    }

    /// The page that answers a form, which sends the form again.
    pub fn form(&self, headers: &HeaderMap, action: &str, values: &[(String, String)]) -> Response {
        let field = |(name, value): &(String, String)| {
            format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">", escape(name), escape(value))
        };
        let fields: String = values.iter().map(field).collect();
        let (action, again) = (escape(action), escape(&locales::text(lang_of(headers), "errors.retry")));
        let form = format!(
            "<form method=\"post\" action=\"{action}\">{fields}<button class=\"btn btn-sm\">{again}</button></form>"
        );
        self.page_with(headers, &form)
    }

    /// What a script is told whose function could not be called.
    pub fn answer() -> Response {
        let error = AppError::Unavailable;
        let body = serde_json::to_string(&error).unwrap_or_default();
        let headers = [(RETRY_AFTER, RETRY), (CONTENT_TYPE, "application/json")];
        (StatusCode::SERVICE_UNAVAILABLE, headers, body).into_response()
    }

    fn page_with(&self, headers: &HeaderMap, again: &str) -> Response {
        let lang = lang_of(headers);
        let theme = cookie(headers, "theme").and_then(Theme::parse).unwrap_or_default().data_theme();
        let theme = theme.map_or_else(String::new, |name| format!(" data-theme=\"{name}\""));
        let text = |key| escape(&locales::text(lang, key));
        let html = format!(
            "<!DOCTYPE html>\n<html lang=\"{}\"{theme}>\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"/favicon.svg\">\n\
             <link rel=\"stylesheet\" href=\"{}\">\n<title>{title} · {}</title>\n</head>\n\
             <body class=\"min-h-dvh bg-base-200 text-base-content antialiased\">\n\
             <main class=\"mx-auto max-w-3xl px-5 py-12\">\n<h1 class=\"mb-6 text-2xl font-semibold\">{title}</h1>\n\
             <p>{}</p>\n<div class=\"mt-3\">{again}</div>\n</main>\n</body>\n</html>\n",
            lang.as_str(),
            escape(&self.css),
            text("common.app"),
            text("errors.unavailable_detail"),
            title = text("errors.unavailable"),
        );
        let headers = [
            (RETRY_AFTER, RETRY),
            (CACHE_CONTROL, "private, no-store"),
            (
                CONTENT_SECURITY_POLICY,
                "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'",
            ),
        ];
        (StatusCode::SERVICE_UNAVAILABLE, headers, Html(html)).into_response()
    }
}

/// Answers for the rest of the service while the database is away, and says with every 503 when to come back.
/// Functions answer by themselves (`page::Pages`).
pub async fn guard(State(away): State<Away>, request: Request, next: Next) -> Response {
    let asked = request.headers().clone();
    let function = *request.method() == Method::POST && request.uri().path().starts_with("/api/");
    let mut answer = tokio::select! {
        biased;
        () = away.is(), if !function => return away.page(&asked),
        answer = next.run(request) => answer,
    };
    if answer.status() == StatusCode::SERVICE_UNAVAILABLE {
        answer.headers_mut().entry(RETRY_AFTER).or_insert(HeaderValue::from_static(RETRY));
    }
    answer
}
