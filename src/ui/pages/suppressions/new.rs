//! Entering an address by hand.

use super::above;
use crate::api::suppressions::AddSuppression;
use crate::forms::suppressions::REASON_MAX;
use crate::ui::components::error_panel::failed;
use crate::ui::components::field::TextField;
use crate::ui::components::page::Page;
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, error_of, errors_of};
use crate::ui::i18n::t;
use crate::ui::link::use_param;
use crate::ui::session::{refusal, use_session};
use leptos::prelude::*;

/// `/suppressions/new`.
#[component]
pub fn SuppressionNewPage() -> impl IntoView {
    let session = use_session();
    // The form asks nothing of the server, which would say who may not.
    let form = move || {
        session.get().map(|session| match session.map_or_else(Some, |session| refusal(&session)) {
            Some(error) => failed(&error),
            None => view! { <Fields /> }.into_any(),
        })
    };
    view! {
        <Page title=t("suppressions.new") lead=t("suppressions.new_lead") breadcrumb=above()>
            <Suspense>{form}</Suspense>
        </Page>
    }
    .into_any()
}

#[component]
fn Fields() -> impl IntoView {
    // A faulty line of an import is mended here.
    let begun = use_param("email").get_untracked();
    let add = ServerAction::<AddSuppression>::new();
    let errors = Signal::derive(move || errors_of(add.value().get().as_ref()));
    let error = Signal::derive(move || error_of(add.value().get().as_ref()));
    view! {
        <FormErrors error=error />
        <ActionForm action=add attr:class="max-w-xl rounded-box border border-base-300 bg-base-100 p-6">
            <TextField name="form[email]" label=t("suppressions.email") kind="email" value=begun errors=errors required=true autocomplete="off" />
            <TextField name="form[reason]" label=t("suppressions.add_reason") errors=errors required=true maxlength=REASON_MAX autocomplete="off" hint=t("suppressions.add_reason_hint") />
            <div class="flex gap-2">
                <Submit label=t("suppressions.new") pending=add.pending() />
                <a class="btn btn-ghost" href="/suppressions">{t("common.cancel")}</a>
            </div>
        </ActionForm>
    }
    .into_any()
}
