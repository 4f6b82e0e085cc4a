//! Settings, limits of users, and invitations: for administrators, and for those who are invited.

use super::error::AppError;
use crate::domain::page::Page;
use crate::domain::settings::{InvitationRow, Invited, SettingsPage};
use crate::forms::accounts::AccountForm;
use crate::forms::settings::{InvitationId, InviteForm, LimitsForm, SettingsForm};
use leptos::prelude::*;

/// The service's settings.
#[server(prefix = "/api", endpoint = "settings/get")]
pub async fn get_settings() -> Result<SettingsPage, AppError> {
    use crate::server::{services::settings, web::request};
    let actor = request::require(crate::domain::user::Permission::Settings).await?;
    let state = request::state()?;
    request::answer(settings::page(&state.db, &actor, state.from()).await)
}

/// Stores the service's settings.
#[server(prefix = "/api", endpoint = "settings/save")]
pub async fn save_settings(form: SettingsForm) -> Result<(), AppError> {
    use crate::server::{services::settings, web::request};
    let actor = request::require(crate::domain::user::Permission::Settings).await?;
    let state = request::state()?;
    request::answer(settings::save(&state.db, &actor, &form, state.now()).await)?;
    state.blog.kept.changes().outdate();
    state.wake.ring();
    request::go("/settings?done=settings.saved");
    Ok(())
}

/// Gives a user limits of their own and goes back to their page.
#[server(prefix = "/api", endpoint = "users/limits")]
pub async fn set_limits(form: LimitsForm) -> Result<(), AppError> {
    use crate::server::{services::settings, web::request};
    let actor = request::require(crate::domain::user::Permission::Settings).await?;
    let state = request::state()?;
    request::answer(settings::set_limits(&state.db, &actor, &form, state.now()).await)?;
    state.wake.ring();
    request::go(&format!("/users/{}?done=settings.limits_saved", form.id));
    Ok(())
}

/// A page of open invitations; `after` is a cursor, or empty.
#[server(prefix = "/api", endpoint = "invitations/list")]
pub async fn list_invitations(after: String) -> Result<Page<InvitationRow>, AppError> {
    use crate::server::{services::invitations, web::request};
    let actor = request::require(crate::domain::user::Permission::Settings).await?;
    let state = request::state()?;
    request::answer(invitations::list(&state.db, &actor, &after, state.now()).await)
}

/// Invites an address.
#[server(prefix = "/api", endpoint = "invitations/send")]
pub async fn invite(form: InviteForm) -> Result<(), AppError> {
    use crate::server::{services::invitations, web::request};
    let actor = request::require(crate::domain::user::Permission::Settings).await?;
    let state = request::state()?;
    request::answer(invitations::invite(&state.db, state.origin(), &actor, &form, state.now()).await)?;
    state.letters.ring();
    request::go("/invitations?done=invitations.sent");
    Ok(())
}

/// Takes an open invitation back.
#[server(prefix = "/api", endpoint = "invitations/revoke")]
pub async fn revoke_invitation(form: InvitationId) -> Result<(), AppError> {
    use crate::server::{services::invitations, web::request};
    let actor = request::require(crate::domain::user::Permission::Settings).await?;
    let state = request::state()?;
    request::answer(invitations::revoke(&state.db, &actor, form.id, state.now()).await)?;
    request::go("/invitations?done=invitations.revoked");
    Ok(())
}

/// What the link of an invitation leads to; the conflict says why to nothing.
#[server(prefix = "/api", endpoint = "invitations/look")]
pub async fn look_at_invitation(token: String) -> Result<Invited, AppError> {
    use crate::server::{services::invitations, web::request};
    let state = request::state()?;
    request::answer(invitations::look(&state.db, &token, state.now()).await)
}

/// Follows an invitation: makes the account and logs in.
#[server(prefix = "/api", endpoint = "invitations/accept")]
pub async fn accept_invitation(form: AccountForm) -> Result<(), AppError> {
    use crate::server::{services::invitations, web::request};
    let state = request::state()?;
    let accepted = invitations::accept(&state.db, &form, request::lang(), request::peer(), state.now()).await;
    let user = request::answer(accepted)?;
    request::answer(request::remember(&user).await)?;
    request::go("/overview?done=invitations.accepted");
    Ok(())
}
