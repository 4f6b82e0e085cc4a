//! The report over the reader's mailings.

use super::error::AppError;
use crate::domain::report::Report;
use leptos::prelude::*;

/// Attempts between two days (`2026-11-23`, UTC, both included); empty texts mean the last 30 days.
#[server(prefix = "/api", endpoint = "reports/get")]
pub async fn get_report(from: String, to: String) -> Result<Report, AppError> {
    use crate::server::{services::reports, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    request::answer(reports::report(&state.db, &actor, &from, &to, state.now()).await)
}
