//! What people see and change of their own accounts.

use super::error::AppError;
use crate::domain::account::{Notice, OwnCounts, Profile, SecondFactor, SessionRow};
use crate::forms::accounts::{CodeForm, NewEmailForm, NewPasswordForm, NoticesForm, PasswordForm, ProfileForm};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// One of the reader's sessions.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct SessionId {
    pub id: String,
}

/// The reader's account.
#[server(prefix = "/api", endpoint = "profile/get")]
pub async fn get_profile() -> Result<Profile, AppError> {
    use crate::server::{services::accounts, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    request::answer(accounts::profile(&request::state()?.db, &actor).await)
}

/// Stores name, language, theme and zone.
#[server(prefix = "/api", endpoint = "profile/save")]
pub async fn save_profile(form: ProfileForm) -> Result<(), AppError> {
    use crate::server::{services::accounts, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    let saved = accounts::save_profile(&state.db, &actor, &form, state.now()).await;
    let (lang, theme) = request::answer(saved)?;
    request::keep("lang", lang.as_str());
    request::keep("theme", theme.as_str());
    request::go("/account?done=account.saved");
    Ok(())
}

/// What the reader is told by letter without asking.
#[server(prefix = "/api", endpoint = "profile/notices")]
pub async fn get_notices() -> Result<Vec<(Notice, bool)>, AppError> {
    use crate::server::{services::telling, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    request::answer(telling::notices(&request::state()?.db, &actor).await)
}

/// Stores what the reader wants to be told.
#[server(prefix = "/api", endpoint = "profile/notices/save")]
pub async fn save_notices(#[server(default)] form: NoticesForm) -> Result<(), AppError> {
    use crate::server::{services::telling, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    request::answer(telling::save(&request::state()?.db, &actor, &form).await)?;
    request::go("/account/notices?done=account.saved");
    Ok(())
}

/// Sends a link to a new address.
#[server(prefix = "/api", endpoint = "profile/email/ask")]
pub async fn ask_new_email(form: NewEmailForm) -> Result<(), AppError> {
    use crate::server::{services::accounts, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    request::answer(accounts::ask_new_email(&state.db, state.origin(), &actor, &form, state.now()).await)?;
    state.letters.ring();
    request::go("/account?done=account.email_asked");
    Ok(())
}

/// Follows the link to a new address.
#[server(prefix = "/api", endpoint = "profile/email/take")]
pub async fn take_new_email(token: String) -> Result<(), AppError> {
    use crate::server::{services::accounts, web::request};
    let state = request::state()?;
    let taken = accounts::take_new_email(&state.db, state.origin(), &token, request::peer(), state.now()).await;
    request::answer(taken)?;
    state.letters.ring();
    request::go("/account?done=account.email_changed");
    Ok(())
}

/// Follows the link that takes a change back.
#[server(prefix = "/api", endpoint = "profile/email/revoke")]
pub async fn revoke_change(token: String) -> Result<(), AppError> {
    use crate::server::{services::accounts, web::request};
    let state = request::state()?;
    request::answer(accounts::revoke_change(&state.db, &token, request::peer(), state.now()).await)?;
    request::go("/forgot?done=account.revoked");
    Ok(())
}

/// Changes the password and ends the other sessions.
#[server(prefix = "/api", endpoint = "profile/password")]
pub async fn change_password(form: NewPasswordForm) -> Result<(), AppError> {
    use crate::server::{services::accounts, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    let changed = accounts::change_password(&state.db, state.origin(), &actor, &form, state.now()).await;
    let user = request::answer(changed)?;
    // Whoever knew the old password may know the session too.
    request::answer(request::remember(&user).await)?;
    state.letters.ring();
    request::go("/account?done=account.password_changed");
    Ok(())
}

/// The reader's sessions.
#[server(prefix = "/api", endpoint = "sessions/list")]
pub async fn list_sessions() -> Result<Vec<SessionRow>, AppError> {
    use crate::server::{services::accounts, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let (state, current) = (request::state()?, request::answer(request::session_id().await)?);
    request::answer(accounts::own_sessions(&state.db, &actor, current.as_deref(), state.now()).await)
}

/// Ends one of the reader's sessions.
#[server(prefix = "/api", endpoint = "sessions/end")]
pub async fn end_session(form: SessionId) -> Result<(), AppError> {
    use crate::server::{services::accounts, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    request::answer(accounts::end_session(&request::state()?.db, &actor, &form.id).await)?;
    request::go("/account/security?done=account.session_ended");
    Ok(())
}

/// Ends all of the reader's sessions but this one.
#[server(prefix = "/api", endpoint = "sessions/end/others")]
pub async fn end_other_sessions() -> Result<(), AppError> {
    use crate::server::{services::accounts, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let (state, keep) = (request::state()?, request::answer(request::session_id().await)?);
    request::answer(accounts::end_sessions(&state.db, &actor, keep.as_deref(), state.now()).await)?;
    request::go("/account/security?done=account.sessions_ended");
    Ok(())
}

/// Logs out everywhere.
#[server(prefix = "/api", endpoint = "sessions/end/all")]
pub async fn log_out_everywhere() -> Result<(), AppError> {
    use crate::server::{services::accounts, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    request::answer(accounts::end_sessions(&state.db, &actor, None, state.now()).await)?;
    request::answer(request::forget().await)?;
    request::go("/login?done=account.everywhere_out");
    Ok(())
}

/// How the reader's second factor stands.
#[server(prefix = "/api", endpoint = "second_factor/get")]
pub async fn get_second_factor() -> Result<SecondFactor, AppError> {
    use crate::server::{services::accounts, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    request::answer(accounts::second_factor(&state.db, &state.sealer(), &actor).await)
}

/// Begins to set up a second factor.
#[server(prefix = "/api", endpoint = "second_factor/begin")]
pub async fn begin_totp(form: PasswordForm) -> Result<(), AppError> {
    use crate::server::{services::accounts, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    request::answer(accounts::begin_totp(&state.db, &state.sealer(), &actor, &form, state.now()).await)?;
    request::go("/account/security");
    Ok(())
}

/// Puts the second factor into use.
#[server(prefix = "/api", endpoint = "second_factor/confirm")]
pub async fn confirm_totp(form: CodeForm) -> Result<(), AppError> {
    use crate::server::{services::accounts, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    let sealer = state.sealer();
    let confirmed = accounts::confirm_totp(&state.db, &sealer, state.origin(), &actor, &form, state.now()).await;
    request::answer(confirmed)?;
    state.letters.ring();
    request::go("/account/security?done=account.totp_on_done");
    Ok(())
}

/// Ends the second factor, or its setting up.
#[server(prefix = "/api", endpoint = "second_factor/end")]
pub async fn end_totp(form: PasswordForm) -> Result<(), AppError> {
    use crate::server::{services::accounts, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    request::answer(accounts::end_totp(&state.db, state.origin(), &actor, &form, state.now()).await)?;
    state.letters.ring();
    request::go("/account/security?done=account.totp_off_done");
    Ok(())
}

/// How much the reader's account holds.
#[server(prefix = "/api", endpoint = "profile/counts")]
pub async fn get_own_counts() -> Result<OwnCounts, AppError> {
    use crate::server::{services::accounts, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    request::answer(accounts::own_counts(&request::state()?.db, &actor).await)
}

/// Deletes the reader's account.
#[server(prefix = "/api", endpoint = "profile/delete")]
pub async fn delete_account(form: PasswordForm) -> Result<(), AppError> {
    use crate::server::{services::accounts, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    request::answer(accounts::delete_account(&state.db, state.origin(), &actor, &form, state.now()).await)?;
    request::answer(request::forget().await)?;
    state.letters.ring();
    request::go("/?done=account.deleted");
    Ok(())
}
