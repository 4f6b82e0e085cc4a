//! Registration, log-in, links in letters, and who reads the page.

use super::error::AppError;
use crate::domain::user::Session as Reader;
use crate::forms::accounts::{AccountForm, AddressForm, CodeForm, LogInForm, RegisterForm, ResetForm};
use leptos::prelude::*;

/// Who reads the page, and what every page needs to know.
#[server(prefix = "/api", endpoint = "session")]
pub async fn session() -> Result<Reader, AppError> {
    use crate::server::web::request;
    request::answer(request::reader().await)
}

/// Makes the first administrator with the token of the set-up link, and logs in.
#[server(prefix = "/api", endpoint = "setup")]
pub async fn set_up(form: RegisterForm) -> Result<(), AppError> {
    use crate::server::{services::accounts, web::request};
    let (state, lang, peer) = (request::state()?, request::lang(), request::peer());
    let user = request::answer(accounts::set_up(&state.db, &form, lang, peer, state.now()).await)?;
    request::answer(request::remember(&user).await)?;
    request::go("/overview");
    Ok(())
}

/// Asks for an account. The answer is the same whether or not somebody has the address.
#[server(prefix = "/api", endpoint = "signup")]
pub async fn sign_up(form: AddressForm) -> Result<(), AppError> {
    use crate::server::{services::accounts, web::request};
    let (state, lang, peer) = (request::state()?, request::lang(), request::peer());
    let asked = request::answer(accounts::sign_up(&state.db, &form, lang, peer, state.now()).await)?;
    if let Some(asked) = asked {
        request::apart("a registration", async move {
            asked.settle(&state.db, state.origin()).await?;
            state.letters.ring();
            Ok(())
        });
    }
    request::go("/signup/sent");
    Ok(())
}

/// Whether the link of a letter (`confirm`, `reset`, `email`) still works; the conflict says why not.
#[server(prefix = "/api", endpoint = "check_link")]
pub async fn check_link(kind: String, token: String) -> Result<(), AppError> {
    use crate::server::services::{Error, accounts};
    use crate::server::web::request;
    let state = request::state()?;
    let kind = request::answer(accounts::TokenKind::parse(&kind).ok_or(Error::NotFound))?;
    request::answer(accounts::check_link(&state.db, kind, &token, state.now()).await)
}

/// Follows the link of a confirmation letter: makes the account and logs in.
#[server(prefix = "/api", endpoint = "confirm")]
pub async fn confirm(form: AccountForm) -> Result<(), AppError> {
    use crate::server::{services::accounts, web::request};
    let state = request::state()?;
    let user = request::answer(accounts::confirm(&state.db, &form, request::peer(), state.now()).await)?;
    request::answer(request::enter(&user, "/overview?done=accounts.confirmed").await)
}

/// Asks for another confirmation letter. The answer is the same whether or not the address waits for one.
#[server(prefix = "/api", endpoint = "resend")]
pub async fn resend(form: AddressForm) -> Result<(), AppError> {
    use crate::server::{services::accounts, web::request};
    let state = request::state()?;
    let now = state.now();
    request::answer(accounts::may_ask(&state.db, &form, request::peer(), now).await)?;
    request::apart("sending a confirmation letter", async move {
        accounts::send_confirmation(&state.db, state.origin(), &form, now).await?;
        state.letters.ring();
        Ok(())
    });
    request::go("/signup/sent");
    Ok(())
}

/// Asks for a link to a new password. The answer is the same whether or not somebody has the address.
#[server(prefix = "/api", endpoint = "forgot")]
pub async fn forgot(form: AddressForm) -> Result<(), AppError> {
    use crate::server::{services::accounts, web::request};
    let state = request::state()?;
    let now = state.now();
    request::answer(accounts::may_ask(&state.db, &form, request::peer(), now).await)?;
    request::apart("sending a link to a new password", async move {
        accounts::send_reset(&state.db, state.origin(), &form, now).await?;
        state.letters.ring();
        Ok(())
    });
    request::go("/forgot/sent");
    Ok(())
}

/// Sets a new password by the link of a letter, and logs in.
#[server(prefix = "/api", endpoint = "reset")]
pub async fn reset(form: ResetForm) -> Result<(), AppError> {
    use crate::server::{services::accounts, web::request};
    let state = request::state()?;
    let reset = accounts::reset(&state.db, state.origin(), &form, request::peer(), state.now()).await;
    let user = request::answer(reset)?;
    state.letters.ring();
    request::answer(request::enter(&user, "/overview?done=accounts.password_set").await)
}

/// Logs in.
#[server(prefix = "/api", endpoint = "login")]
pub async fn log_in(form: LogInForm) -> Result<(), AppError> {
    use crate::server::{services::accounts, web::request};
    let state = request::state()?;
    let user = request::answer(accounts::log_in(&state.db, &form, request::visitor()?, state.now()).await)?;
    request::answer(request::enter(&user, if form.next.is_empty() { "/overview" } else { &form.next }).await)
}

/// The second step of a log-in: a code of the second factor, or a recovery code.
#[server(prefix = "/api", endpoint = "code")]
pub async fn enter_code(form: CodeForm) -> Result<(), AppError> {
    use crate::server::{services::accounts, web::request};
    let state = request::state()?;
    let halfway = request::answer(request::halfway().await)?;
    let (visitor, now) = (request::visitor()?, state.now());
    let known = (halfway.user, halfway.epoch);
    let sealer = state.sealer();
    let checked = accounts::check_code(&state.db, &sealer, state.origin(), known, &form, visitor, now).await;
    let user = request::answer(checked)?;
    state.letters.ring();
    request::answer(request::remember(&user).await)?;
    request::go(&halfway.next);
    Ok(())
}
