use crate::api::accounts::EnterCode;
use crate::ui::components::field::TextField;
use crate::ui::components::page::Page;
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, error_of, errors_of};
use crate::ui::i18n::t;
use leptos::prelude::*;

/// `/login/code`: the second step of a log-in.
#[component]
pub fn CodePage() -> impl IntoView {
    let action = ServerAction::<EnterCode>::new();
    let errors = Signal::derive(move || errors_of(action.value().get().as_ref()));
    let error = Signal::derive(move || error_of(action.value().get().as_ref()));
    view! {
        <div class="mx-auto max-w-md">
            <Page title=t("accounts.code_title") lead=t("accounts.code_lead")>
                <FormErrors error=error />
                <ActionForm action=action attr:class="rounded-box border border-base-300 bg-base-100 p-6">
                    <TextField name="form[code]" label=t("accounts.code") hint=t("accounts.code_hint") required=true autocomplete="one-time-code" errors=errors />
                    <Submit label=t("accounts.login") pending=action.pending() class="btn-primary mt-4 w-full" />
                </ActionForm>
                <p class="mt-4 text-sm"><a class="link" href="/login">{t("accounts.code_back")}</a></p>
            </Page>
        </div>
    }
    .into_any()
}
