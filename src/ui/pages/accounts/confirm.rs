use super::link::LinkPage;
use super::new_account::NewAccountFields;
use crate::api::accounts::Confirm;
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, error_of, errors_of};
use crate::ui::i18n::t;
use leptos::prelude::*;

/// `/confirm?token=…`: whoever has got the letter chooses a name and a password, and has the account.
#[component]
pub fn ConfirmPage() -> impl IntoView {
    let action = ServerAction::<Confirm>::new();
    let errors = Signal::derive(move || errors_of(action.value().get().as_ref()));
    let error = Signal::derive(move || error_of(action.value().get().as_ref()));
    let form = move |token: String| {
        view! {
            <FormErrors error=error />
            <ActionForm action=action attr:class="rounded-box border border-base-300 bg-base-100 p-6">
                <NewAccountFields token=token errors=errors />
                <Submit label=t("accounts.confirm_do") pending=action.pending() class="btn-primary mt-4 w-full" />
            </ActionForm>
        }
        .into_any()
    };
    let again = ("/resend", "accounts.resend_again");
    view! { <LinkPage kind="confirm" title=t("accounts.confirm") lead=t("accounts.confirm_text") again=again form=form /> }
}
