//! Topics of mailings, and which of them a client gets.

use super::error::AppError;
use crate::domain::topic::{Topic, Wish};
use crate::forms::topics::{TopicForm, WishForm};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// One topic, for what is done to it as it is.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct TopicId {
    pub id: i64,
}

/// All of one's topics.
#[server(prefix = "/api", endpoint = "topics/list")]
pub async fn list_topics() -> Result<Vec<Topic>, AppError> {
    use crate::server::{services::topics, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    request::answer(topics::list(&request::state()?.db, &actor).await)
}

/// One of one's topics.
#[server(prefix = "/api", endpoint = "topics/get")]
pub async fn get_topic(id: i64) -> Result<Topic, AppError> {
    use crate::server::{services::topics, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    request::answer(topics::get(&request::state()?.db, &actor, id).await)
}

/// Stores a topic, new while its id is 0, and goes to the list.
#[server(prefix = "/api", endpoint = "topics/save")]
pub async fn save_topic(form: TopicForm) -> Result<(), AppError> {
    use crate::server::{services::topics, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    request::answer(topics::save(&state.db, &actor, &form, state.now()).await)?;
    request::go("/topics?done=topics.saved");
    Ok(())
}

/// Deletes a topic that no mailing is about, and goes to the list.
#[server(prefix = "/api", endpoint = "topics/delete")]
pub async fn delete_topic(form: TopicId) -> Result<(), AppError> {
    use crate::server::{services::topics, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    request::answer(topics::delete(&request::state()?.db, &actor, form.id).await)?;
    request::go("/topics?done=topics.deleted");
    Ok(())
}

/// Which topics one of one's clients gets.
#[server(prefix = "/api", endpoint = "topics/client")]
pub async fn client_topics(id: i64) -> Result<Vec<Wish>, AppError> {
    use crate::server::{services::topics, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    request::answer(topics::of_client(&state.db, &actor, id, state.now()).await)
}

/// Has one of one's clients get the topics that are ticked.
#[server(prefix = "/api", endpoint = "topics/choose")]
pub async fn choose_topics(form: WishForm) -> Result<(), AppError> {
    use crate::server::{services::topics, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    request::answer(topics::choose(&state.db, &actor, &form, state.now()).await)?;
    request::go(&format!("/clients/{}?done=topics.chosen", form.client));
    Ok(())
}
