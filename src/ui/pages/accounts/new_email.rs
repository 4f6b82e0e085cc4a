use super::link::{LinkPage, click};
use crate::api::profile::{RevokeChange, TakeNewEmail};
use crate::ui::form::{ActionForm, FormErrors, error_of};
use crate::ui::i18n::t;
use leptos::prelude::*;

/// `/account/email?token=…`: a click moves the account to the address that the link went to.
#[component]
pub fn NewEmailPage() -> impl IntoView {
    let action = ServerAction::<TakeNewEmail>::new();
    let error = Signal::derive(move || error_of(action.value().get().as_ref()));
    let form = move |token: String| {
        view! {
            <FormErrors error=error />
            <ActionForm action=action>{click(token, t("account.email_take"), action.pending().into())}</ActionForm>
        }
        .into_any()
    };
    let again = ("/account", "account.email_again");
    view! { <LinkPage kind="email" title=t("account.email_title") lead=t("account.email_lead") again=again form=form /> }
}

/// `/account/revoke?token=…`: a click takes back what somebody else may have changed.
#[component]
pub fn RevokePage() -> impl IntoView {
    let action = ServerAction::<RevokeChange>::new();
    let error = Signal::derive(move || error_of(action.value().get().as_ref()));
    let form = move |token: String| {
        view! {
            <FormErrors error=error />
            <ActionForm action=action>{click(token, t("account.revoke"), action.pending().into())}</ActionForm>
        }
        .into_any()
    };
    let again = ("/forgot", "accounts.forgot_again");
    let (title, lead) = (t("account.revoke_title"), t("account.revoke_lead"));
    view! { <LinkPage kind="revoke" title=title lead=lead again=again form=form /> }
}
