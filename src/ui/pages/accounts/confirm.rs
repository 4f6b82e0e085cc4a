use super::link::{LinkPage, click};
use crate::api::accounts::Confirm;
use crate::ui::form::{ActionForm, FormErrors, error_of};
use crate::ui::i18n::t;
use leptos::prelude::*;

/// `/confirm?token=…`: a click confirms.
#[component]
pub fn ConfirmPage() -> impl IntoView {
    let action = ServerAction::<Confirm>::new();
    let error = Signal::derive(move || error_of(action.value().get().as_ref()));
    let form = move |token: String| {
        view! {
            <FormErrors error=error />
            <ActionForm action=action>{click(token, t("accounts.confirm_do"), action.pending().into())}</ActionForm>
        }
        .into_any()
    };
    let again = ("/resend", "accounts.resend_again");
    view! { <LinkPage kind="confirm" title=t("accounts.confirm") lead=t("accounts.confirm_text") again=again form=form /> }
}
