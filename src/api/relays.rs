//! Mail servers, for administrators.

use super::error::AppError;
use crate::domain::relay::{RelaySettings, RelayTest, RelaysReport};
use crate::forms::relays::RelayForm;
use leptos::prelude::*;

/// All mail servers with their state.
#[server(prefix = "/api", endpoint = "relays/list")]
pub async fn list_relays() -> Result<RelaysReport, AppError> {
    use crate::server::web::request;
    request::require(crate::domain::user::Permission::Settings).await?;
    request::answer(request::state()?.relays.overview().await.map_err(Into::into))
}

/// One stored mail server.
#[server(prefix = "/api", endpoint = "relays/get")]
pub async fn get_relay(id: i64) -> Result<RelaySettings, AppError> {
    use crate::server::{services::relays, web::request};
    let actor = request::require(crate::domain::user::Permission::Settings).await?;
    request::answer(relays::get(&request::state()?.db, relays::Keeper::actor(&actor), id).await)
}

/// Stores a mail server, tries it first if it is on, and goes to the list.
#[server(prefix = "/api", endpoint = "relays/save")]
pub async fn save_relay(form: RelayForm) -> Result<(), AppError> {
    use crate::server::{services::relays, web::relays as web, web::request};
    let actor = request::require(crate::domain::user::Permission::Settings).await?;
    let state = request::state()?;
    let keeper = relays::Keeper::actor(&actor);
    request::answer(relays::save(&state.db, keeper, state.means(&state.sealer()), &form, state.now()).await)?;
    request::answer(web::changed(&state, "relays.saved").await)
}

/// Tries a mail server as it is in the form, without storing it.
#[server(prefix = "/api", endpoint = "relays/try")]
pub async fn try_relay(form: RelayForm) -> Result<RelayTest, AppError> {
    use crate::server::{services::relays, web::request};
    let actor = request::require(crate::domain::user::Permission::Settings).await?;
    let state = request::state()?;
    request::answer(relays::test(&state.db, relays::Keeper::actor(&actor), state.means(&state.sealer()), &form).await)
}

/// Tries a stored mail server, or the one in the settings (id 0).
#[server(prefix = "/api", endpoint = "relays/test")]
pub async fn test_relay(id: i64) -> Result<RelayTest, AppError> {
    use crate::server::{services::relays, web::request};
    let actor = request::require(crate::domain::user::Permission::Settings).await?;
    let state = request::state()?;
    let keeper = relays::Keeper::actor(&actor);
    request::answer(match (id, &state.config.relay) {
        (crate::domain::relay::FROM_SETTINGS, Some(relay)) => Ok(relays::test_given(keeper, relay).await),
        _ => relays::test_stored(&state.db, keeper, state.means(&state.sealer()), id).await,
    })
}

/// Switches a mail server on or off.
#[server(prefix = "/api", endpoint = "relays/switch")]
pub async fn switch_relay(id: i64, enabled: bool) -> Result<(), AppError> {
    use crate::server::{services::relays, web::relays as web, web::request};
    let actor = request::require(crate::domain::user::Permission::Settings).await?;
    let state = request::state()?;
    let keeper = relays::Keeper::actor(&actor);
    request::answer(relays::set_enabled(&state.db, keeper, id, enabled, state.now()).await)?;
    request::answer(web::changed(&state, "relays.switched").await)
}

/// Ends the pause of a mail server that refused user and password.
#[server(prefix = "/api", endpoint = "relays/resume")]
pub async fn resume_relay(id: i64) -> Result<(), AppError> {
    use crate::server::{services::relays, web::relays as web, web::request};
    let actor = request::require(crate::domain::user::Permission::Settings).await?;
    let state = request::state()?;
    request::answer(relays::resume(&state.db, relays::Keeper::actor(&actor), id, state.now()).await)?;
    request::answer(web::changed(&state, "relays.resumed").await)
}

/// Removes a mail server.
#[server(prefix = "/api", endpoint = "relays/remove")]
pub async fn remove_relay(id: i64) -> Result<(), AppError> {
    use crate::server::{services::relays, web::relays as web, web::request};
    let actor = request::require(crate::domain::user::Permission::Settings).await?;
    let state = request::state()?;
    request::answer(relays::remove(&state.db, relays::Keeper::actor(&actor), id, state.now()).await)?;
    request::answer(web::changed(&state, "relays.removed").await)
}
