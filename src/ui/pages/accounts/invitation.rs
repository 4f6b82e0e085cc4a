//! `/invitation?token=…`: makes the account that somebody was invited to.

use super::new_account::NewAccountFields;
use crate::api::error::AppError;
use crate::api::settings::{AcceptInvitation, look_at_invitation};
use crate::domain::settings::Invited;
use crate::ui::components::error_panel::{ErrorPanel, describe};
use crate::ui::components::page::Page;
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, error_of, errors_of};
use crate::ui::i18n::{t, t_with};
use crate::ui::link::use_param;
use crate::ui::pages::oversight::role_word;
use crate::ui::status::set_status;
use leptos::prelude::*;

/// `/invitation`.
#[component]
pub fn InvitationPage() -> impl IntoView {
    let token = use_param("token");
    let invited = Resource::new_blocking(
        move || token.get(),
        |token| async move {
            if token.is_empty() {
                return Err(AppError::Conflict("accounts.no_link".to_owned()));
            }
            look_at_invitation(token).await
        },
    );
    let body = move || {
        invited.get().map(|invited| match invited {
            Ok(invited) => view! { <Fields token=token.get_untracked() invited=invited /> }.into_any(),
            Err(error) => {
                set_status(error.status());
                let (title, detail) = describe(&error);
                view! {
                    <ErrorPanel title=title detail=detail>
                        <a class="btn btn-sm" href="/login">{t("accounts.login")}</a>
                    </ErrorPanel>
                }
                .into_any()
            }
        })
    };
    view! {
        <div class="mx-auto max-w-md">
            <Page title=t("invitations.accept_title")>
                <Suspense>{body}</Suspense>
            </Page>
        </div>
    }
    .into_any()
}

#[component]
fn Fields(token: String, invited: Invited) -> impl IntoView {
    let action = ServerAction::<AcceptInvitation>::new();
    let errors = Signal::derive(move || errors_of(action.value().get().as_ref()));
    let error = Signal::derive(move || error_of(action.value().get().as_ref()));
    let Invited { email, role, by } = invited;
    let lead = t_with("invitations.accept_lead", &[("by", &by), ("email", &email), ("role", &role_word(role))]);
    view! {
        <p class="mb-4">{lead}</p>
        <FormErrors error=error />
        <ActionForm action=action attr:class="rounded-box border border-base-300 bg-base-100 p-6">
            <NewAccountFields token=token errors=errors />
            <Submit label=t("invitations.accept_do") pending=action.pending() class="btn-primary mt-4 w-full" />
        </ActionForm>
    }
}
