//! Server functions about the ledger of addresses that are left out.

use super::error::AppError;
use crate::domain::import::ImportPreview;
use crate::domain::page::Page;
use crate::domain::suppression::Suppression;
use crate::forms::clients::ImportStart;
use crate::forms::suppressions::{AddForm, LiftForm};
use leptos::prelude::*;

/// A page of one's ledger, the newest first; `reason` is a word of [`crate::domain::suppression::Reason`], or empty for all, and
/// `ended` `1` for entries that have ended, too.
#[server(prefix = "/api", endpoint = "suppressions/list")]
pub async fn list_suppressions(
    search: String,
    reason: String,
    ended: String,
    after: String,
) -> Result<Page<Suppression>, AppError> {
    use crate::server::{services::suppressions, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    let listing = suppressions::Listing { search: &search, reason: &reason, ended: ended == "1" };
    request::answer(suppressions::list(&state.db, &actor, &listing, &after, state.now()).await)
}

/// One of one's imports into the ledger; while it waits, with a look at its file.
#[server(prefix = "/api", endpoint = "suppressions/import")]
pub async fn get_suppressions_import(id: i64, chosen: Option<ImportStart>) -> Result<ImportPreview, AppError> {
    use crate::server::{services::suppressions, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    let max = state.config.import_max;
    request::answer(suppressions::show_import(&state.db, &actor, id, chosen.as_ref(), max, state.now()).await)
}

/// Starts an import into the ledger, and goes to its page.
#[server(prefix = "/api", endpoint = "suppressions/import/start")]
pub async fn start_suppressions_import(form: ImportStart) -> Result<(), AppError> {
    use crate::server::{services::suppressions, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    let process = state.wake.process();
    request::answer(suppressions::start(&state.db, &actor, &form, &state.clock, process).await)?;
    request::go(&format!("/suppressions/import/{}", form.id));
    Ok(())
}

/// Lifts all that an import has entered, and goes to the ledger.
#[server(prefix = "/api", endpoint = "suppressions/import/lift")]
pub async fn lift_suppressions_import(form: LiftForm) -> Result<(), AppError> {
    use crate::domain::suppression::Source;
    use crate::server::{services::suppressions, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    let lifted = suppressions::lift_import(&state.db, &actor, Source::Owner, &form, state.now()).await;
    let n = request::answer(lifted)?;
    request::go(&format!("/suppressions?done=suppressions.import_lifted&n={n}"));
    Ok(())
}

/// One entry of one's ledger.
#[server(prefix = "/api", endpoint = "suppressions/get")]
pub async fn get_suppression(id: i64) -> Result<Suppression, AppError> {
    use crate::server::{services::suppressions, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    request::answer(suppressions::get(&state.db, &actor, id, state.now()).await)
}

/// Leaves an address out from now on, and goes to the ledger.
#[server(prefix = "/api", endpoint = "suppressions/add")]
pub async fn add_suppression(form: AddForm) -> Result<(), AppError> {
    use crate::domain::suppression::Source;
    use crate::server::{services::suppressions, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    request::answer(suppressions::add(&state.db, &actor, Source::Owner, &form, state.now()).await)?;
    request::go("/suppressions?done=suppressions.added");
    Ok(())
}

/// Why one of one's clients gets nothing any more.
#[server(prefix = "/api", endpoint = "suppressions/client")]
pub async fn client_suppressions(id: i64) -> Result<Vec<Suppression>, AppError> {
    use crate::server::{services::suppressions, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    request::answer(suppressions::of_client(&state.db, &actor, id, state.now()).await)
}

/// Lets an address get letters again, and goes back to where that was asked.
#[server(prefix = "/api", endpoint = "suppressions/lift")]
pub async fn lift_suppression(form: LiftForm) -> Result<(), AppError> {
    use crate::domain::suppression::Source;
    use crate::server::{services::suppressions, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    request::answer(suppressions::lift(&state.db, &actor, Source::Owner, &form, state.now()).await)?;
    request::go(&match form.client {
        0 => "/suppressions?done=suppressions.lifted".to_owned(),
        client => format!("/clients/{client}?done=suppressions.lifted"),
    });
    Ok(())
}
