//! `/invitations`: invite somebody, and the invitations that are open.

use crate::api::settings::{Invite, RevokeInvitation, list_invitations};
use crate::domain::page;
use crate::domain::settings::InvitationRow;
use crate::domain::user::Role;
use crate::ui::components::badge::{BAD, WAIT, badge};
use crate::ui::components::error_panel::failed;
use crate::ui::components::field::{SelectField, TextField};
use crate::ui::components::icon::Icon;
use crate::ui::components::page::Page;
use crate::ui::components::pagination::Pagination;
use crate::ui::components::submit::Submit;
use crate::ui::components::table::{Cell, Column, Row, Table};
use crate::ui::form::{ActionForm, FormErrors, error_of, errors_of};
use crate::ui::i18n::{t, t_with, tn};
use crate::ui::link::use_param;
use crate::ui::pages::oversight::role_word;
use crate::ui::time::Time;
use leptos::prelude::*;

/// `/invitations`.
#[component]
pub fn InvitationsPage() -> impl IntoView {
    let (invite, revoke) = (ServerAction::<Invite>::new(), ServerAction::<RevokeInvitation>::new());
    let after = use_param("after");
    let changed = move || invite.version().get() + revoke.version().get();
    let found = Resource::new_blocking(move || (after.get(), changed()), |(after, _)| list_invitations(after));
    let error = Signal::derive(move || {
        error_of(invite.value().get().as_ref()).or_else(|| error_of(revoke.value().get().as_ref()))
    });
    let above = vec![(t("settings.title"), "/settings".to_owned())];
    view! {
        <Page title=t("invitations.title") lead=t("invitations.lead") breadcrumb=above>
            <FormErrors error=error />
            <Transition>
                {move || found.get().map(|found| match found {
                    Ok(page) => view! { <InviteFields invite=invite />{open(page, revoke)} }.into_any(),
                    Err(error) => failed(&error),
                })}
            </Transition>
        </Page>
    }
    .into_any()
}

#[component]
fn InviteFields(invite: ServerAction<Invite>) -> impl IntoView {
    let errors = Signal::derive(move || errors_of(invite.value().get().as_ref()));
    let roles = Role::ALL.into_iter().map(|role| (role.as_str().to_owned(), role_word(role))).collect();
    view! {
        <ActionForm action=invite attr:class="mb-6 max-w-2xl rounded-box border border-base-300 bg-base-100 p-6">
            <div class="grid gap-x-4 sm:grid-cols-[2fr_1fr]">
                <TextField name="form[email]" label=t("accounts.email") kind="email" required=true autocomplete="off" errors=errors />
                <SelectField name="form[role]" label=t("oversight.role") options=roles value=Role::User.as_str() errors=errors required=true />
            </div>
            <Submit label=t("invitations.send") pending=invite.pending() />
        </ActionForm>
    }
}

fn open(page: page::Page<InvitationRow>, revoke: ServerAction<RevokeInvitation>) -> AnyView {
    if page.rows.is_empty() {
        return view! { <p class="text-sm opacity-80">{t("invitations.none")}</p> }.into_any();
    }
    let columns = vec![
        Column::new(t("accounts.email")),
        Column::new(t("oversight.role")),
        Column::new(t("invitations.by")),
        Column::new(t("invitations.until")),
        Column::new(t("invitations.revoke")).hidden(),
    ];
    let rows: Vec<AnyView> = page.rows.into_iter().map(|invitation| row(invitation, revoke)).collect();
    view! {
        <Table label=t("invitations.title") columns=columns>{rows}</Table>
        <Pagination next=page.next count=tn("invitations.count", page.total) />
    }
    .into_any()
}

fn row(invitation: InvitationRow, revoke: ServerAction<RevokeInvitation>) -> AnyView {
    let InvitationRow { id, email, role, by, expires_at, expired, .. } = invitation;
    let state = match expired {
        true => badge(t("invitations.expired"), Icon::Ban, BAD),
        false => badge(t("invitations.open"), Icon::Clock, WAIT),
    };
    let label = t_with("invitations.revoke_who", &[("email", &email)]);
    view! {
        <Row>
            <Cell><span class="font-medium">{email}</span></Cell>
            <Cell label=t("oversight.role")>{role_word(role)}</Cell>
            <Cell label=t("invitations.by")>{by}</Cell>
            <Cell label=t("invitations.until")><span class="flex flex-wrap items-center gap-2">{state}<Time at=expires_at with_zone=true /></span></Cell>
            <Cell>
                <ActionForm action=revoke>
                    <input type="hidden" name="form[id]" value=id />
                    <button type="submit" class="btn btn-xs" aria-label=label disabled=move || revoke.pending().get()>{t("invitations.revoke")}</button>
                </ActionForm>
            </Cell>
        </Row>
    }
    .into_any()
}
