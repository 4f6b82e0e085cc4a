//! Server functions about the ledger of addresses that are left out.

use super::error::AppError;
use crate::domain::page::Page;
use crate::domain::suppression::Suppression;
use crate::forms::suppressions::{AddForm, LiftForm};
use leptos::prelude::*;

/// A page of one's ledger, the newest first; `reason` is a word of [`crate::domain::suppression::Reason`], or empty for all.
#[server(prefix = "/api", endpoint = "suppressions/list")]
pub async fn list_suppressions(search: String, reason: String, after: String) -> Result<Page<Suppression>, AppError> {
    use crate::server::{services::suppressions, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    request::answer(suppressions::list(&request::state().db, &actor, &search, &reason, &after).await)
}

/// One entry of one's ledger.
#[server(prefix = "/api", endpoint = "suppressions/get")]
pub async fn get_suppression(id: i64) -> Result<Suppression, AppError> {
    use crate::server::{services::suppressions, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    request::answer(suppressions::get(&request::state().db, &actor, id).await)
}

/// Leaves an address out from now on, and goes to the ledger.
#[server(prefix = "/api", endpoint = "suppressions/add")]
pub async fn add_suppression(form: AddForm) -> Result<(), AppError> {
    use crate::domain::suppression::Source;
    use crate::server::{services::suppressions, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state();
    request::answer(suppressions::add(&state.db, &actor, Source::Owner, &form, state.now()).await)?;
    request::go("/suppressions?done=suppressions.added");
    Ok(())
}

/// Why one of one's clients gets nothing any more.
#[server(prefix = "/api", endpoint = "suppressions/client")]
pub async fn client_suppressions(id: i64) -> Result<Vec<Suppression>, AppError> {
    use crate::server::{services::suppressions, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state();
    request::answer(suppressions::of_client(&state.db, &actor, id, state.now()).await)
}

/// Lets an address get letters again, and goes back to where that was asked.
#[server(prefix = "/api", endpoint = "suppressions/lift")]
pub async fn lift_suppression(form: LiftForm) -> Result<(), AppError> {
    use crate::domain::suppression::Source;
    use crate::server::{services::suppressions, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state();
    request::answer(suppressions::lift(&state.db, &actor, Source::Owner, &form, state.now()).await)?;
    request::go(&match form.client {
        0 => "/suppressions?done=suppressions.lifted".to_owned(),
        client => format!("/clients/{client}?done=suppressions.lifted"),
    });
    Ok(())
}
