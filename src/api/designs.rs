//! Server functions of designs.

use super::error::AppError;
use crate::domain::design::Design;
use crate::forms::designs::DesignForm;
use leptos::prelude::*;

/// One's designs by name.
#[server(prefix = "/api", endpoint = "designs/list")]
pub async fn list_designs() -> Result<Vec<Design>, AppError> {
    use crate::server::{services::designs, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    request::answer(designs::list(&request::state()?.db, &actor).await)
}

/// One of one's designs.
#[server(prefix = "/api", endpoint = "designs/get")]
pub async fn get_design(id: i64) -> Result<Design, AppError> {
    use crate::server::{services::designs, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    request::answer(designs::get(&request::state()?.db, &actor, id).await)
}

/// A design to begin with; `word` names one that everybody has.
#[server(prefix = "/api", endpoint = "designs/begin")]
pub async fn begin_design(word: String) -> Result<Design, AppError> {
    use crate::server::{services::designs, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    request::answer(designs::begin(&actor, &word))
}

/// Stores a design, new while its id is 0, and goes to its page.
#[server(prefix = "/api", endpoint = "designs/save")]
pub async fn save_design(form: DesignForm, #[server(default)] once: String) -> Result<i64, AppError> {
    use crate::server::{services::designs, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    let id = request::answer(designs::save(&state.db, &actor, &form, &once, state.now()).await)?;
    request::go(&format!("/designs/{id}?done=designs.saved"));
    Ok(id)
}

/// Deletes a design that no message has, and goes to the list.
#[server(prefix = "/api", endpoint = "designs/delete")]
pub async fn delete_design(id: i64) -> Result<(), AppError> {
    use crate::server::{services::designs, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    request::answer(designs::delete(&request::state()?.db, &actor, id).await)?;
    request::go("/designs?done=designs.deleted");
    Ok(())
}

/// The HTML of a sample letter in the design that is being written.
#[server(prefix = "/api", endpoint = "designs/preview")]
pub async fn preview_design(form: DesignForm) -> Result<String, AppError> {
    use crate::server::{services::designs, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    request::answer(designs::preview(&actor, &form, &request::state()?.config.public_url).await)
}
