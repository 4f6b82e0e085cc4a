use super::forgot::OutboxLink;
use crate::api::accounts::{SetUp, SignUp};
use crate::domain::settings::Registration;
use crate::ui::components::field::TextField;
use crate::ui::components::page::Page;
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, error_of, errors_of};
use crate::ui::i18n::t;
use crate::ui::link::use_param;
use crate::ui::session::use_registration;
use crate::ui::time::browser_zone;
use leptos::prelude::*;

/// `/signup`.
#[component]
pub fn SignUpPage() -> impl IntoView {
    let registration = use_registration();
    let body = move || {
        registration().map(|registration| match registration {
            Registration::Open => view! {
                <p class="-mt-4 mb-6 text-sm opacity-80">{t("accounts.signup_lead")}</p>
                <AddressForm />
            }
            .into_any(),
            Registration::Invitation | Registration::Closed => {
                let text = t(&format!("error.registration.{}", registration.as_str()));
                view! { <p data-testid="closed">{text}</p> }.into_any()
            }
        })
    };
    view! {
        <div class="mx-auto max-w-md">
            <Page title=t("accounts.signup")>
                <Suspense>{body}</Suspense>
                <p class="mt-4 text-sm">
                    {t("accounts.have_account")} " " <a class="link" href="/login">{t("accounts.login")}</a>
                </p>
            </Page>
        </div>
    }
    .into_any()
}

/// `/setup?token=…`: makes the first administrator.
#[component]
pub fn SetupPage() -> impl IntoView {
    let token = use_param("token").get_untracked();
    view! {
        <div class="mx-auto max-w-md">
            <Page title=t("accounts.setup") lead=t("accounts.setup_lead")>
                <SetupForm token=token />
            </Page>
        </div>
    }
    .into_any()
}

#[component]
fn AddressForm() -> impl IntoView {
    let action = ServerAction::<SignUp>::new();
    let errors = Signal::derive(move || errors_of(action.value().get().as_ref()));
    let error = Signal::derive(move || error_of(action.value().get().as_ref()));
    view! {
        <FormErrors error=error />
        <ActionForm action=action attr:class="rounded-box border border-base-300 bg-base-100 p-6">
            <TextField name="form[email]" label=t("accounts.email") kind="email" required=true autocomplete="username" errors=errors />
            <Submit label=t("accounts.signup") pending=action.pending() class="btn-primary mt-4 w-full" />
        </ActionForm>
    }
}

#[component]
fn SetupForm(token: String) -> impl IntoView {
    let action = ServerAction::<SetUp>::new();
    let errors = Signal::derive(move || errors_of(action.value().get().as_ref()));
    let error = Signal::derive(move || error_of(action.value().get().as_ref()));
    let zone = RwSignal::new(String::new());
    Effect::new(move |_| zone.set(browser_zone().unwrap_or_default()));
    view! {
        <FormErrors error=error />
        <ActionForm action=action attr:class="rounded-box border border-base-300 bg-base-100 p-6">
            <input type="hidden" name="form[setup]" value=token />
            <input type="hidden" name="form[zone]" prop:value=zone />
            <TextField name="form[name]" label=t("accounts.name") hint=t("accounts.name_hint") required=true autocomplete="name" errors=errors />
            <TextField name="form[email]" label=t("accounts.email") kind="email" required=true autocomplete="username" errors=errors />
            <TextField name="form[password]" label=t("accounts.password") hint=t("accounts.password_hint") kind="password" required=true autocomplete="new-password" errors=errors />
            <Submit label=t("accounts.setup_do") pending=action.pending() class="btn-primary mt-4 w-full" />
        </ActionForm>
    }
}

/// `/signup/sent`: what to do now.
#[component]
pub fn SentPage() -> impl IntoView {
    view! {
        <div class="mx-auto max-w-md">
            <Page title=t("accounts.sent")>
                <p>{t("accounts.sent_text")}</p>
                <OutboxLink />
                <p class="mt-6 text-sm">
                    {t("accounts.no_letter")} " " <a class="link" href="/resend">{t("accounts.resend_again")}</a>
                </p>
            </Page>
        </div>
    }
    .into_any()
}
