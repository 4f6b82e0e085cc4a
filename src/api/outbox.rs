//! Server functions of the Outbox.

use super::error::AppError;
use crate::domain::letter::{Letter, LetterRow};
use crate::domain::page::Page;
use leptos::prelude::*;

/// A page of caught letters, newest first.
#[server(prefix = "/api", endpoint = "outbox/list")]
pub async fn list_letters(search: String, after: Option<String>) -> Result<Page<LetterRow>, AppError> {
    use crate::server::{services, web};
    let reader = web::request::answer(web::outbox::reader().await)?;
    let db = web::request::state()?.db;
    web::request::answer(services::outbox::list(&db, reader, &search, after.as_deref()).await)
}

/// One caught letter.
#[server(prefix = "/api", endpoint = "outbox/get")]
pub async fn get_letter(id: i64) -> Result<Letter, AppError> {
    use crate::server::{services, web};
    let reader = web::request::answer(web::outbox::reader().await)?;
    web::request::answer(services::outbox::get(&web::request::state()?.db, reader, id).await)
}
