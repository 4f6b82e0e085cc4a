//! Clients and their import.

use super::error::AppError;
use crate::domain::client::{Client, Double};
use crate::domain::import::ImportPreview;
use crate::domain::page::Page;
use crate::domain::suppression::Reason;
use crate::forms::clients::{Chosen, ClientForm, ImportStart, JoinForm};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// One client, for what is done to it as it is.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ClientId {
    pub id: i64,
}

/// A page of one's clients, or of those who get no letters (`left_out`), each with why mailings leave it out, if they do; `sort` is a column's name, with `-` before it
/// downwards.
#[server(prefix = "/api", endpoint = "clients/list")]
pub async fn list_clients(
    search: String,
    sort: String,
    after: String,
    #[server(default)] left_out: bool,
) -> Result<Page<(Client, Option<Reason>)>, AppError> {
    use crate::server::{
        services::{clients, suppressions},
        web::request,
    };
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    let now = state.now();
    let listing = clients::Listing::new(&search, &sort, &after).left_out_at(left_out.then_some(now));
    let page = request::answer(clients::list(&state.db, &actor, &listing).await)?;
    request::answer(suppressions::mark(&state.db, &actor, page, now).await)
}

/// One of one's clients.
#[server(prefix = "/api", endpoint = "clients/get")]
pub async fn get_client(id: i64) -> Result<Client, AppError> {
    use crate::server::{services::clients, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    request::answer(clients::get(&request::state()?.db, &actor, id).await)
}

/// Stores a client, new while its id is 0, and goes to the list.
#[server(prefix = "/api", endpoint = "clients/save")]
pub async fn save_client(form: ClientForm, #[server(default)] once: String) -> Result<(), AppError> {
    use crate::server::{services::clients, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    request::answer(clients::save(&state.db, &actor, &form, &once, state.now()).await)?;
    request::go("/clients?done=clients.saved");
    Ok(())
}

/// Deletes the chosen clients and goes to the list.
#[server(prefix = "/api", endpoint = "clients/delete")]
pub async fn delete_clients(form: Chosen) -> Result<(), AppError> {
    use crate::server::{services::clients, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    let n = request::answer(clients::delete(&state.db, &actor, &form, state.now()).await)?;
    request::go(&format!("/clients?done=clients.deleted&n={n}"));
    Ok(())
}

/// Keeps the chosen clients as a selection and goes to a new mailing for them.
#[server(prefix = "/api", endpoint = "clients/pick")]
pub async fn pick_clients(form: Chosen) -> Result<(), AppError> {
    use crate::server::{services::clients, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    let id = request::answer(clients::select(&state.db, &actor, &form, state.now()).await)?;
    request::go(&format!("/mailings/new?clients=picked&selection={id}"));
    Ok(())
}

/// How many of one's clients are doubles of others.
#[server(prefix = "/api", endpoint = "clients/doubles/count")]
pub async fn count_doubles() -> Result<i64, AppError> {
    use crate::server::{services::clients::doubles, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    request::answer(doubles::count(&request::state()?.db, &actor).await)
}

/// A page of one's doubles with the clients that stay.
#[server(prefix = "/api", endpoint = "clients/doubles")]
pub async fn list_doubles(after: String) -> Result<Page<Double>, AppError> {
    use crate::server::{services::clients::doubles, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    request::answer(doubles::list(&request::state()?.db, &actor, &after).await)
}

/// Joins all of one's doubles and goes to the list.
#[server(prefix = "/api", endpoint = "clients/doubles/join")]
pub async fn join_doubles(form: JoinForm) -> Result<(), AppError> {
    use crate::domain::page::Whole;
    use crate::server::{services::clients::doubles, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    let n =
        request::answer(doubles::join(&state.db, &actor, Whole { total: form.n, mark: form.mark }, state.now()).await)?;
    request::go(&format!("/clients?done=clients.joined&n={n}"));
    Ok(())
}

/// One of one's imports: before it starts the first lines of its file, read as chosen or as found out, and
/// what would become of them; afterwards how far it is.
#[server(prefix = "/api", endpoint = "clients/import")]
pub async fn get_import(id: i64, chosen: Option<ImportStart>) -> Result<ImportPreview, AppError> {
    use crate::server::{services::import, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    request::answer(import::show(&state.db, &actor, id, chosen.as_ref(), state.config.import_max).await)
}

/// The largest file that can be uploaded, in bytes.
#[server(prefix = "/api", endpoint = "clients/import/limit")]
pub async fn import_limit() -> Result<i64, AppError> {
    use crate::server::web::request;
    request::require(crate::domain::user::Permission::Own).await?;
    Ok(i64::try_from(request::state()?.config.import_max).unwrap_or(i64::MAX))
}

/// Starts an import with the columns as chosen, and goes to its page.
#[server(prefix = "/api", endpoint = "clients/import/start")]
pub async fn start_import(form: ImportStart) -> Result<(), AppError> {
    use crate::server::{services::import, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    request::answer(import::start(&state.db, &actor, &form, &state.clock, state.wake.process()).await)?;
    request::go(&format!("/clients/import/{}", form.id));
    Ok(())
}
