use crate::api::accounts::Confirm;
use crate::ui::components::page::Page;
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, error_of};
use crate::ui::i18n::t;
use crate::ui::link::use_param;
use leptos::prelude::*;

/// `/confirm?token=…`: a click confirms, because mail scanners follow links by themselves.
#[component]
pub fn ConfirmPage() -> impl IntoView {
    let action = ServerAction::<Confirm>::new();
    let error = Signal::derive(move || error_of(action.value().get().as_ref()));
    let token = use_param("token").get_untracked();
    let form = if token.is_empty() {
        view! { <p>{t("accounts.no_link")}</p> }.into_any()
    } else {
        view! {
            <p>{t("accounts.confirm_text")}</p>
            <FormErrors error=error />
            <ActionForm action=action>
                <input type="hidden" name="token" value=token />
                <Submit label=t("accounts.confirm_do") pending=action.pending() class="btn-primary mt-6" />
            </ActionForm>
        }
        .into_any()
    };
    view! {
        <div class="mx-auto max-w-md">
            <Page title=t("accounts.confirm")>{form}</Page>
        </div>
    }
    .into_any()
}
