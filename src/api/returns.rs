//! What came back for letters.

use super::error::AppError;
use crate::domain::page::Page;
use crate::domain::returned::Unmatched;
use leptos::prelude::*;

/// A page of the reports that name no letter of this service, newest first.
#[server(prefix = "/api", endpoint = "returns/unmatched")]
pub async fn list_unmatched(after: String) -> Result<Page<Unmatched>, AppError> {
    use crate::server::{services::returns, web::request};
    let actor = request::require(crate::domain::user::Permission::Settings).await?;
    request::answer(returns::unmatched(&request::state()?.db, &actor, &after).await)
}
