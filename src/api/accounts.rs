//! Registration, log-in, and who reads the page.

use super::error::AppError;
use crate::domain::user::Session as Reader;
use crate::forms::accounts::{LogInForm, RegisterForm};
use leptos::prelude::*;

/// Who reads the page, and what every page needs to know.
#[server(prefix = "/api", endpoint = "session")]
pub async fn session() -> Result<Reader, AppError> {
    use crate::server::web::request;
    request::answer(request::reader().await)
}

/// Registers a user, or the first administrator with the token of the set-up link.
#[server(prefix = "/api", endpoint = "register")]
pub async fn register(form: RegisterForm) -> Result<(), AppError> {
    use crate::server::services::accounts::{self, Registered};
    use crate::server::web::request;
    let state = request::state();
    let registered = accounts::register(&state.db, state.origin(), &form, request::lang(), state.now()).await;
    match request::answer(registered)? {
        Registered::Admin { id } => {
            request::answer(request::remember(id).await)?;
            request::go("/mailings");
        }
        Registered::LetterSent => {
            state.letters.ring();
            request::go("/signup/sent");
        }
    }
    Ok(())
}

/// Follows the link of a confirmation letter.
#[server(prefix = "/api", endpoint = "confirm")]
pub async fn confirm(token: String) -> Result<(), AppError> {
    use crate::server::{services::accounts, web::request};
    let state = request::state();
    request::answer(accounts::confirm(&state.db, &token, state.now()).await)?;
    request::go("/login?done=accounts.confirmed");
    Ok(())
}

/// Logs in.
#[server(prefix = "/api", endpoint = "login")]
pub async fn log_in(form: LogInForm) -> Result<(), AppError> {
    use crate::server::{services::accounts, web::request};
    let user = request::answer(accounts::log_in(&request::state().db, &form).await)?;
    request::answer(request::remember(user.id).await)?;
    request::go(if form.next.is_empty() { "/mailings" } else { &form.next });
    Ok(())
}
