//! The first page after the log-in, and the calendar.

use super::error::AppError;
use crate::domain::calendar::Calendar;
use crate::domain::overview::{NamedRun, Overview};
use leptos::prelude::*;

/// What runs, what comes and what needs somebody: of the reader (`own`), of `all` owners, or what the reader is there for.
#[server(prefix = "/api", endpoint = "overview")]
pub async fn get_overview(of: String) -> Result<Overview, AppError> {
    use crate::domain::user::Permission;
    use crate::server::services::overview::{self, is_of_all};
    use crate::server::web::request;
    let actor = request::require(Permission::Own).await?;
    let state = request::state()?;
    let all = is_of_all(&of, &actor);
    let relays = match actor.role.may(Permission::Settings) {
        true => Some(request::answer(state.relays.overview().await.map_err(Into::into))?),
        false => None,
    };
    let service = overview::Service { catching: state.catching(), from: state.from(), relays };
    request::answer(overview::overview(&state.db, &actor, all, service, state.now()).await)
}

/// The runs under way as they are now.
#[server(prefix = "/api", endpoint = "overview/running")]
pub async fn look_at_runs(all: bool) -> Result<Vec<NamedRun>, AppError> {
    use crate::server::{services::overview, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    request::answer(overview::running(&request::state()?.db, &actor, all).await)
}

/// A month's runs, past and to come, and all of a day; `of` as for the overview.
#[server(prefix = "/api", endpoint = "calendar")]
pub async fn get_calendar(of: String, month: String, day: String) -> Result<Calendar, AppError> {
    use crate::server::services::{calendar, overview::is_of_all};
    use crate::server::web::request;
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    let all = is_of_all(&of, &actor);
    request::answer(calendar::calendar(&state.db, &actor, all, (&month, &day), state.now()).await)
}
