//! One user, as managers see them: figures, and the way to block them.

use super::{role_badge, role_word, state_badge, stopped_note};
use crate::api::error::AppError;
use crate::api::oversight::{BlockUser, GiveRole, UnblockUser, get_user};
use crate::api::settings::SetLimits;
use crate::domain::oversight::{REASON_MAX, UserRow};
use crate::domain::user::{Permission, Role, Session};
use crate::ui::components::error_panel::failed;
use crate::ui::components::field::{SelectField, TextField};
use crate::ui::components::page::Page;
use crate::ui::components::stat::{Stat, Stats};
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, error_of, errors_of};
use crate::ui::i18n::{t, t_with, tn};
use crate::ui::pages::settings::limits;
use crate::ui::session::use_session;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

/// What can be done here; made once for the page, so that an error outlives a reload of the user.
#[derive(Clone, Copy)]
struct Actions {
    block: ServerAction<BlockUser>,
    unblock: ServerAction<UnblockUser>,
    role: ServerAction<GiveRole>,
    limits: ServerAction<SetLimits>,
}

/// `/users/:id`.
#[component]
pub fn UserPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").and_then(|id| id.parse::<i64>().ok())));
    let actions = Actions {
        block: ServerAction::new(),
        unblock: ServerAction::new(),
        role: ServerAction::new(),
        limits: ServerAction::new(),
    };
    let changed = move || {
        let stopped = actions.block.version().get() + actions.unblock.version().get();
        stopped + actions.role.version().get() + actions.limits.version().get()
    };
    let session = use_session();
    let found = Resource::new_blocking(
        move || (id.get(), changed()),
        |(id, _)| async move {
            match id {
                Some(id) => get_user(id).await,
                None => Err(AppError::NotFound),
            }
        },
    );
    view! {
        <Transition>
            {move || {
                let session = session.get()?.unwrap_or_default();
                Some(match found.get()? {
                    Ok(user) => shown(user, &session, actions),
                    Err(error) => view! { <Page title=t("oversight.user")>{failed(&error)}</Page> }.into_any(),
                })
            }}
        </Transition>
    }
    .into_any()
}

fn shown(user: UserRow, session: &Session, actions: Actions) -> AnyView {
    let error = Signal::derive(move || {
        error_of(actions.block.value().get().as_ref())
            .or_else(|| error_of(actions.unblock.value().get().as_ref()))
            .or_else(|| error_of(actions.role.value().get().as_ref()))
            .or_else(|| error_of(actions.limits.value().get().as_ref()))
    });
    let title = if user.name.is_empty() { user.email.clone() } else { user.name.clone() };
    let me = session.me.as_ref();
    let myself = me.is_some_and(|me| me.id == user.id);
    let settles = me.is_some_and(|me| me.role.may(Permission::Settings));
    let badges = view! { <span class="flex gap-1">{state_badge(user.state())}{role_badge(user.role)}</span> };
    let stop = if myself || user.role == Role::Admin {
        None
    } else if user.blocked.is_some() {
        Some(unblock(user.id, actions))
    } else {
        Some(block(&user, actions))
    };
    view! {
        <Page title=title breadcrumb=vec![(t("oversight.users"), "/users".to_owned())] aside=badges.into_any()>
            <FormErrors error=error />
            <div class="grid gap-6">
                {user.blocked.clone().map(stopped_note)}
                <section class="rounded-box border border-base-300 bg-base-100">
                    <p class="p-5 text-sm break-words">{user.email.clone()}</p>
                    <div class="border-t border-base-300">
                        <Stats>
                            <Stat name=t("oversight.clients") value=user.clients />
                            <Stat name=t("oversight.messages") value=user.messages />
                            <Stat name=t("oversight.mailings") value=user.mailings />
                            <Stat name=t("oversight.active") value=user.active />
                        </Stats>
                    </div>
                </section>
                {stop}
                {settles.then(|| limits(user.id, user.limits, actions.limits))}
                {(settles && !myself).then(|| role(&user, actions))}
            </div>
        </Page>
    }
    .into_any()
}

fn block(user: &UserRow, actions: Actions) -> AnyView {
    let id = user.id;
    let label = t_with("oversight.block_who", &[("email", &user.email)]);
    let errors = Signal::derive(move || errors_of(actions.block.value().get().as_ref()));
    let warning = tn("oversight.block_text", user.active);
    view! {
        <section class="max-w-xl rounded-box border border-base-300 bg-base-100 p-6">
            <h2 class="text-lg font-semibold">{t("oversight.block")}</h2>
            <p class="mt-1 mb-4 text-sm opacity-80">{warning}</p>
            <ActionForm action=actions.block>
                <input type="hidden" name="form[id]" value=id />
                <TextField name="form[reason]" label=t("oversight.reason") hint=t("oversight.reason_hint") errors=errors required=true maxlength=REASON_MAX autocomplete="off" />
                <Submit label=label pending=actions.block.pending() class="btn-error" />
            </ActionForm>
        </section>
    }
    .into_any()
}

fn unblock(id: i64, actions: Actions) -> AnyView {
    view! {
        <section class="max-w-xl rounded-box border border-base-300 bg-base-100 p-6">
            <h2 class="text-lg font-semibold">{t("oversight.unblock")}</h2>
            <p class="mt-1 mb-4 text-sm opacity-80">{t("oversight.unblock_text")}</p>
            <ActionForm action=actions.unblock>
                <input type="hidden" name="form[id]" value=id />
                <Submit label=t("oversight.unblock") pending=actions.unblock.pending() />
            </ActionForm>
        </section>
    }
    .into_any()
}

fn role(user: &UserRow, actions: Actions) -> AnyView {
    let (id, current) = (user.id, user.role.as_str());
    let errors = Signal::derive(move || errors_of(actions.role.value().get().as_ref()));
    let roles: Vec<(String, String)> =
        Role::ALL.into_iter().map(|role| (role.as_str().to_owned(), role_word(role))).collect();
    view! {
        <section class="max-w-xl rounded-box border border-base-300 bg-base-100 p-6">
            <h2 class="text-lg font-semibold">{t("oversight.role")}</h2>
            <p class="mt-1 mb-4 text-sm opacity-80">{t("oversight.role_text")}</p>
            <ActionForm action=actions.role>
                <input type="hidden" name="form[id]" value=id />
                <SelectField name="form[role]" label=t("oversight.role") options=roles value=current errors=errors />
                <Submit label=t("common.save") pending=actions.role.pending() class="" />
            </ActionForm>
        </section>
    }
    .into_any()
}
