//! Server functions of the messages area.

use super::error::AppError;
use crate::domain::client::Client;
use crate::domain::message::{Message, MessageRow, Preview};
use crate::domain::page::Page;
use crate::forms::chosen::Chosen;
use crate::forms::messages::MessageForm;
use leptos::prelude::*;

/// A page of one's messages; `sort` is a column's name, with `-` before it downwards.
#[server(prefix = "/api", endpoint = "messages/list")]
pub async fn list_messages(search: String, sort: String, after: String) -> Result<Page<MessageRow>, AppError> {
    use crate::server::{services::messages, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    request::answer(messages::list(&request::state()?.db, &actor, &search, &sort, &after).await)
}

/// One of one's messages.
#[server(prefix = "/api", endpoint = "messages/get")]
pub async fn get_message(id: i64) -> Result<Message, AppError> {
    use crate::server::{services::messages, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    request::answer(messages::get(&request::state()?.db, &actor, id).await)
}

/// Stores a message, new while its id is 0, and goes to its page.
#[server(prefix = "/api", endpoint = "messages/save")]
pub async fn save_message(form: MessageForm, #[server(default)] once: String) -> Result<i64, AppError> {
    use crate::server::{services::messages, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    let id = request::answer(messages::save(&state.db, &actor, &form, &once, state.now()).await)?;
    request::go(&format!("/messages/{id}?done=messages.saved"));
    Ok(id)
}

/// Deletes a message that no mailing uses, and goes to the list.
#[server(prefix = "/api", endpoint = "messages/delete")]
pub async fn delete_message(id: i64) -> Result<(), AppError> {
    use crate::server::{services::messages, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    request::answer(messages::delete(&request::state()?.db, &actor, id).await)?;
    request::go("/messages?done=messages.deleted");
    Ok(())
}

/// Deletes those of the chosen messages that no mailing uses, and goes back to the list.
#[server(prefix = "/api", endpoint = "messages/delete/chosen")]
pub async fn delete_messages(form: Chosen) -> Result<(), AppError> {
    use crate::server::{services::messages, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let (deleted, kept) = request::answer(messages::delete_chosen(&request::state()?.db, &actor, &form).await)?;
    let (deleted, left) = (deleted.to_string(), kept.to_string());
    request::go(&match kept {
        0 => form.back("/messages", &[("done", "messages.deleted_many"), ("n", &deleted)]),
        _ => form.back("/messages", &[("done", "messages.deleted_some"), ("n", &deleted), ("m", &left)]),
    });
    Ok(())
}

/// Copies a message and goes to the copy.
#[server(prefix = "/api", endpoint = "messages/duplicate")]
pub async fn duplicate_message(id: i64, #[server(default)] once: String) -> Result<i64, AppError> {
    use crate::server::{services::messages, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    let id = request::answer(messages::duplicate(&state.db, &actor, id, &once, state.now()).await)?;
    request::go(&format!("/messages/{id}?done=messages.copied"));
    Ok(id)
}

/// What is being written, filled in for a client or for an example.
#[server(prefix = "/api", endpoint = "messages/preview")]
pub async fn preview_message(form: MessageForm, client: Option<i64>) -> Result<Preview, AppError> {
    use crate::server::{services::messages, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    request::answer(messages::preview(&state.db, &actor, form, client, &state.config.public_url).await)
}

/// Clients to fill a preview in with.
#[server(prefix = "/api", endpoint = "messages/preview/clients")]
pub async fn preview_clients(search: String) -> Result<Vec<Client>, AppError> {
    use crate::server::{services::messages, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    request::answer(messages::clients(&request::state()?.db, &actor, &search).await)
}

/// Sends what is being written to oneself, and answers with the address it went to.
#[server(prefix = "/api", endpoint = "messages/test")]
pub async fn send_test(form: MessageForm, client: Option<i64>) -> Result<String, AppError> {
    use crate::server::{services::test_letter, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    let relay = async || state.relay_for_one().await;
    request::answer(test_letter::send(&state.db, state.post(), &actor, &form, client, state.now(), relay).await)
}
