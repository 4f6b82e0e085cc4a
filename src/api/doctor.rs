//! Whether email from here arrives, for administrators.

use super::error::AppError;
use crate::domain::checkup::Checkup;
use leptos::prelude::*;

/// What the latest examination found.
#[server(prefix = "/api", endpoint = "doctor/look")]
pub async fn get_checkup() -> Result<Checkup, AppError> {
    use crate::server::web::request;
    request::require(crate::domain::user::Permission::Settings).await?;
    Ok(request::state()?.checkups.latest())
}

/// Begins an examination, and goes to its page without waiting for it.
#[server(prefix = "/api", endpoint = "doctor/check")]
pub async fn check_up() -> Result<(), AppError> {
    use crate::server::web::{doctor, request};
    let actor = request::require(crate::domain::user::Permission::Settings).await?;
    doctor::check_up(&request::state()?, actor);
    request::go("/doctor");
    Ok(())
}
