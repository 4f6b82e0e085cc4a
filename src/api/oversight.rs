//! What managers see and stop, and what administrators give.

use super::error::AppError;
use crate::domain::audit::AuditLine;
use crate::domain::oversight::{OverseenMailing, UserRow};
use crate::domain::page::Page;
use crate::forms::oversight::{ReleaseForm, RoleForm, StopForm};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// Which users are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct UserFilter {
    pub search: String,
    /// A `Role` word, or empty for all.
    pub role: String,
    /// A `UserState` word, or empty for all.
    pub state: String,
    /// A cursor from the page before, or empty.
    pub after: String,
}

/// Which mailings of all owners are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct OverseenFilter {
    pub search: String,
    /// The owner's id, or 0 for all.
    pub owner: i64,
    /// A `MailingStatus` word, `stopped` for paused and disabled ones, or empty for all.
    pub status: String,
    /// A `Period` word, or empty for all.
    pub period: String,
    /// A cursor from the page before, or empty.
    pub after: String,
}

/// Which lines of the audit log are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct AuditFilter {
    pub search: String,
    /// An `Act` word, or empty for all.
    pub act: String,
    /// A cursor from the page before, or empty.
    pub after: String,
}

/// A page of all users.
#[server(prefix = "/api", endpoint = "users/list")]
pub async fn list_users(filter: UserFilter) -> Result<Page<UserRow>, AppError> {
    use crate::server::{services::oversight, web::request};
    let actor = request::require(crate::domain::user::Permission::Oversee).await?;
    let UserFilter { search, role, state, after } = filter;
    request::answer(oversight::users(&request::state()?.db, &actor, &search, &role, &state, &after).await)
}

/// One user with figures.
#[server(prefix = "/api", endpoint = "users/get")]
pub async fn get_user(id: i64) -> Result<UserRow, AppError> {
    use crate::server::{services::oversight, web::request};
    let actor = request::require(crate::domain::user::Permission::Oversee).await?;
    request::answer(oversight::user(&request::state()?.db, &actor, id).await)
}

/// Blocks a user and goes back to their page.
#[server(prefix = "/api", endpoint = "users/block")]
pub async fn block_user(form: StopForm) -> Result<(), AppError> {
    use crate::server::{services::oversight, web::request};
    let actor = request::require(crate::domain::user::Permission::Oversee).await?;
    let state = request::state()?;
    request::answer(oversight::block(&state.db, state.origin(), &actor, &form, state.now()).await)?;
    state.wake.ring();
    request::go(&format!("/users/{}?done=oversight.blocked", form.id));
    Ok(())
}

/// Lets a blocked user in again and goes back to their page.
#[server(prefix = "/api", endpoint = "users/unblock")]
pub async fn unblock_user(form: ReleaseForm) -> Result<(), AppError> {
    use crate::server::{services::oversight, web::request};
    let actor = request::require(crate::domain::user::Permission::Oversee).await?;
    let state = request::state()?;
    request::answer(oversight::unblock(&state.db, &actor, form.id, state.now()).await)?;
    state.wake.ring();
    request::go(&format!("/users/{}?done=oversight.unblocked", form.id));
    Ok(())
}

/// Gives a user another role and goes back to their page.
#[server(prefix = "/api", endpoint = "users/role")]
pub async fn give_role(form: RoleForm) -> Result<(), AppError> {
    use crate::server::{services::oversight, web::request};
    let actor = request::require(crate::domain::user::Permission::Settings).await?;
    let state = request::state()?;
    request::answer(oversight::give_role(&state.db, &actor, &form, state.now()).await)?;
    request::go(&format!("/users/{}?done=oversight.role_given", form.id));
    Ok(())
}

/// A page of the audit log, newest first.
#[server(prefix = "/api", endpoint = "audit/list")]
pub async fn list_audit(filter: AuditFilter) -> Result<Page<AuditLine>, AppError> {
    use crate::server::{services::audit, web::request};
    request::require(crate::domain::user::Permission::Oversee).await?;
    let AuditFilter { search, act, after } = filter;
    request::answer(audit::list(&request::state()?.db, &search, &act, &after).await)
}

/// A page of all mailings.
#[server(prefix = "/api", endpoint = "oversight/mailings")]
pub async fn list_all_mailings(filter: OverseenFilter) -> Result<Page<OverseenMailing>, AppError> {
    use crate::server::{db::oversight::MailingFilter, services::oversight::mailings, web::request};
    let actor = request::require(crate::domain::user::Permission::Oversee).await?;
    let OverseenFilter { search, owner, status, period, after } = filter;
    let filter = MailingFilter { search: &search, owner_id: owner, status: &status, period: &period };
    request::answer(mailings::list(&request::state()?.db, &actor, &filter, &after).await)
}

/// Disables a mailing and goes back to its page.
#[server(prefix = "/api", endpoint = "oversight/disable")]
pub async fn disable_mailing(form: StopForm) -> Result<(), AppError> {
    use crate::server::{services::oversight, web::request};
    let actor = request::require(crate::domain::user::Permission::Oversee).await?;
    let state = request::state()?;
    request::answer(oversight::disable(&state.db, state.origin(), &actor, &form, state.now()).await)?;
    request::go(&format!("/mailings/{}?done=oversight.disabled", form.id));
    Ok(())
}

/// Lets a disabled mailing go on and goes back to its page.
#[server(prefix = "/api", endpoint = "oversight/enable")]
pub async fn enable_mailing(form: ReleaseForm) -> Result<(), AppError> {
    use crate::server::{services::oversight, web::request};
    let actor = request::require(crate::domain::user::Permission::Oversee).await?;
    let state = request::state()?;
    request::answer(oversight::enable(&state.db, &actor, form.id, state.now()).await)?;
    state.wake.ring();
    request::go(&format!("/mailings/{}?done=oversight.enabled", form.id));
    Ok(())
}
