//! Pictures: taken in from whoever writes, served to everybody.

use super::guard::{actor, refusal};
use super::state::AppState;
use crate::api::error::AppError;
use crate::domain::post::is_image_id;
use crate::domain::post::{IMAGE_BYTES_MAX, Picture};
use crate::domain::user::Permission;
use crate::server::services::images::{self, Upload};
use crate::server::services::{Actor, Error};
use axum::extract::{DefaultBodyLimit, Multipart, Path, State};
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap, IF_NONE_MATCH,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use tokio::sync::Semaphore;
use tower_sessions::Session;
use url::form_urlencoded::byte_serialize;

/// Uploads that are taken at once; each is held in memory whole.
static ROOM: Semaphore = Semaphore::const_new(4);
/// Room for the other parts of the form, in bytes.
const AROUND: usize = 64 * 1024;

/// `GET /images/{id}` and `GET /images/{id}/{width}`. No session is looked up for them.
pub fn routes() -> Router<AppState> {
    Router::new().route("/images/{id}", get(largest)).route("/images/{id}/{width}", get(sized))
}

/// `POST /posts/images/upload`. The upload limits its size itself: merge it outside of any limit on bodies,
/// and inside the session layer.
pub fn uploads() -> Router<AppState> {
    Router::new().route("/posts/images/upload", post(upload).layer(DefaultBodyLimit::max(IMAGE_BYTES_MAX + AROUND)))
}

async fn largest(State(state): State<AppState>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    serve(&state, &id, None, &headers).await
}

async fn sized(State(state): State<AppState>, Path((id, width)): Path<(String, i64)>, headers: HeaderMap) -> Response {
    serve(&state, &id, Some(width), &headers).await
}

/// The bytes behind an address never change, so whoever has any version of them has this one.
async fn serve(state: &AppState, id: &str, width: Option<i64>, headers: &HeaderMap) -> Response {
    if !is_image_id(id) || width.is_some_and(|width| width <= 0) {
        return refusal(Error::NotFound);
    }
    let tag = format!("\"{id}-{}\"", width.unwrap_or_default());
    let mut response = if headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        match images::file(&state.db, id, width).await {
            Ok((kind, data)) => ([(CONTENT_TYPE, kind)], data).into_response(),
            Err(error) => return refusal(error),
        }
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    // Opened by itself a picture can load and run nothing, whatever a browser takes it for.
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    response
}

/// Takes the form's `file` with the text `alt`. A script gets the picture or the error as JSON; a plain
/// form is sent back to the page of pictures.
async fn upload(State(state): State<AppState>, session: Session, headers: HeaderMap, form: Multipart) -> Response {
    let actor = match actor(&session, &state, Permission::Own).await {
        Ok(actor) => actor,
        Err(error) => return refusal(error),
    };
    let plain = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|a| a.contains("text/html"));
    let taken = receive(&state, &actor, form).await.map_err(AppError::from);
    match taken {
        Ok(_) if plain => Redirect::to("/posts/images?done=posts.image_uploaded").into_response(),
        Ok(picture) => Json(picture).into_response(),
        Err(error) if plain => {
            let text = serde_json::to_string(&error).unwrap_or_default();
            let problem: String = byte_serialize(text.as_bytes()).collect();
            Redirect::to(&format!("/posts/images?problem={problem}")).into_response()
        }
        Err(error) => {
            let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, Json(error)).into_response()
        }
    }
}

async fn receive(state: &AppState, actor: &Actor, mut form: Multipart) -> Result<Picture, Error> {
    let _room = ROOM.acquire().await.map_err(|error| Error::Internal(error.to_string()))?;
    let cut = |error: axum::extract::multipart::MultipartError| {
        if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
            images::too_large()
        } else {
            Error::field("file", "error.import.broken")
        }
    };
    let (mut name, mut alt, mut data) = (String::new(), String::new(), Vec::new());
    while let Some(field) = form.next_field().await.map_err(cut)? {
        match field.name() {
            Some("file") => {
                name = field.file_name().unwrap_or_default().to_owned();
                data = field.bytes().await.map_err(cut)?.to_vec();
            }
            Some("alt") => alt = field.text().await.map_err(cut)?,
            _ => {}
        }
    }
    images::add(&state.db, actor, Upload { name, alt, data }, state.now()).await
}
