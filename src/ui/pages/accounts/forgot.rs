//! A new password by letter, and another confirmation letter.

use super::link::LinkPage;
use crate::api::accounts::{Forgot, Resend, Reset};
use crate::ui::components::field::TextField;
use crate::ui::components::page::Page;
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, error_of, errors_of};
use crate::ui::i18n::t;
use crate::ui::session::use_session;
use leptos::prelude::*;

/// `/forgot`.
#[component]
pub fn ForgotPage() -> impl IntoView {
    let action = ServerAction::<Forgot>::new();
    let errors = Signal::derive(move || errors_of(action.value().get().as_ref()));
    let error = Signal::derive(move || error_of(action.value().get().as_ref()));
    view! {
        <div class="mx-auto max-w-md">
            <Page title=t("accounts.forgot_title") lead=t("accounts.forgot_lead")>
                <FormErrors error=error />
                <ActionForm action=action attr:class="rounded-box border border-base-300 bg-base-100 p-6">
                    <TextField name="form[email]" label=t("accounts.email") kind="email" required=true autocomplete="username" errors=errors />
                    <Submit label=t("accounts.forgot_do") pending=action.pending() class="btn-primary mt-4 w-full" />
                </ActionForm>
            </Page>
        </div>
    }
    .into_any()
}

/// `/resend`.
#[component]
pub fn ResendPage() -> impl IntoView {
    let action = ServerAction::<Resend>::new();
    let errors = Signal::derive(move || errors_of(action.value().get().as_ref()));
    let error = Signal::derive(move || error_of(action.value().get().as_ref()));
    view! {
        <div class="mx-auto max-w-md">
            <Page title=t("accounts.resend_title") lead=t("accounts.resend_lead")>
                <FormErrors error=error />
                <ActionForm action=action attr:class="rounded-box border border-base-300 bg-base-100 p-6">
                    <TextField name="form[email]" label=t("accounts.email") kind="email" required=true autocomplete="username" errors=errors />
                    <Submit label=t("accounts.resend_do") pending=action.pending() class="btn-primary mt-4 w-full" />
                </ActionForm>
            </Page>
        </div>
    }
    .into_any()
}

/// `/forgot/sent`: what to do now.
#[component]
pub fn ForgotSentPage() -> impl IntoView {
    view! {
        <div class="mx-auto max-w-md">
            <Page title=t("accounts.sent")>
                <p>{t("accounts.forgot_sent")}</p>
                <OutboxLink />
            </Page>
        </div>
    }
    .into_any()
}

/// Where letters are caught, the way to them.
#[component]
pub fn OutboxLink() -> impl IntoView {
    let session = use_session();
    let link = move || {
        session.get().and_then(Result::ok).is_some_and(|session| session.outbox).then(|| {
            view! { <a class="btn btn-primary mt-6" href="/outbox">{t("accounts.sent_outbox")}</a> }
        })
    };
    view! { <Suspense>{link}</Suspense> }
}

/// `/reset?token=…`.
#[component]
pub fn ResetPage() -> impl IntoView {
    let action = ServerAction::<Reset>::new();
    let errors = Signal::derive(move || errors_of(action.value().get().as_ref()));
    let error = Signal::derive(move || error_of(action.value().get().as_ref()));
    let form = move |token: String| {
        view! {
            <FormErrors error=error />
            <ActionForm action=action attr:class="rounded-box border border-base-300 bg-base-100 p-6">
                <input type="hidden" name="form[token]" value=token />
                <TextField name="form[password]" label=t("accounts.new_password") hint=t("accounts.password_hint") kind="password" required=true autocomplete="new-password" errors=errors />
                <Submit label=t("accounts.reset_do") pending=action.pending() class="btn-primary mt-4 w-full" />
            </ActionForm>
        }
        .into_any()
    };
    let again = ("/forgot", "accounts.forgot_again");
    view! { <LinkPage kind="reset" title=t("accounts.reset_title") lead=t("accounts.reset_lead") again=again form=form /> }
}
