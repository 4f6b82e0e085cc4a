//! Pages of managers and administrators: users, all mailings, the audit log.

mod audit;
mod mailings;
mod returns;
mod user;
mod users;

pub use audit::AuditPage;
pub use mailings::AllMailingsPage;
pub use returns::ReturnsPage;
pub use user::UserPage;
pub use users::UsersPage;

use crate::domain::oversight::{Stopped, UserState};
use crate::domain::user::Role;
use crate::ui::components::badge::{BAD, CALM, GOOD, WAIT, badge};
use crate::ui::components::icon::{Icon, icon};
use crate::ui::i18n::{t, t_with};
use crate::ui::time::Time;
use leptos::prelude::*;

/// A role in the reader's language.
pub fn role_word(role: Role) -> String {
    t(&format!("role.{}", role.as_str()))
}

fn role_badge(role: Role) -> AnyView {
    badge(role_word(role), Icon::Users, CALM)
}

fn state_word(state: UserState) -> String {
    t(&format!("user_state.{}", state.as_str()))
}

fn state_badge(state: UserState) -> AnyView {
    let (symbol, colour) = match state {
        UserState::Active => (Icon::Check, GOOD),
        UserState::Unconfirmed => (Icon::Clock, WAIT),
        UserState::Blocked => (Icon::Ban, BAD),
    };
    badge(state_word(state), symbol, colour)
}

/// Who stopped it, when and why.
pub fn stopped_note(stopped: Stopped) -> AnyView {
    view! {
        <div class="flex gap-3 rounded-box border border-error/40 bg-error/10 p-4" data-testid="stopped">
            <span class="text-error">{icon(Icon::Ban, "size-6")}</span>
            <div class="min-w-0">
                <p class="text-sm">{t_with("oversight.stopped_by", &[("by", &stopped.by)])}" "<Time at=stopped.at with_zone=true /></p>
                <p class="mt-1 font-medium break-words">{stopped.reason}</p>
            </div>
        </div>
    }
    .into_any()
}
