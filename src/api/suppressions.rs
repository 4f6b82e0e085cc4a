//! Server functions about the ledger of addresses that are left out.

use super::error::AppError;
use crate::domain::suppression::Suppression;
use crate::forms::suppressions::LiftForm;
use leptos::prelude::*;

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
    use crate::server::{services::suppressions, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state();
    request::answer(suppressions::lift(&state.db, &actor, &form, state.now()).await)?;
    request::go(&match form.client {
        0 => "/clients?done=suppressions.lifted".to_owned(),
        client => format!("/clients/{client}?done=suppressions.lifted"),
    });
    Ok(())
}
