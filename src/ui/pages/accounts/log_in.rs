use crate::api::accounts::LogIn;
use crate::domain::settings::Registration;
use crate::ui::components::field::TextField;
use crate::ui::components::page::Page;
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, error_of, errors_of};
use crate::ui::i18n::t;
use crate::ui::link::use_param;
use crate::ui::session::use_registration;
use leptos::prelude::*;

/// `/login`: goes to `next` afterwards.
#[component]
pub fn LogInPage() -> impl IntoView {
    let action = ServerAction::<LogIn>::new();
    let errors = Signal::derive(move || errors_of(action.value().get().as_ref()));
    let error = Signal::derive(move || error_of(action.value().get().as_ref()));
    let next = use_param("next");
    let registration = use_registration();
    view! {
        <div class="mx-auto max-w-md">
            <Page title=t("accounts.login")>
                <FormErrors error=error />
                <ActionForm action=action attr:class="rounded-box border border-base-300 bg-base-100 p-6">
                    <input type="hidden" name="form[next]" value=move || next.get() />
                    <TextField name="form[email]" label=t("accounts.email") kind="email" required=true autocomplete="username" errors=errors />
                    <TextField name="form[password]" label=t("accounts.password") kind="password" required=true autocomplete="current-password" errors=errors />
                    <Submit label=t("accounts.login") pending=action.pending() class="btn-primary mt-4 w-full" />
                </ActionForm>
                <p class="mt-4 text-sm">
                    <a class="link" href="/forgot">{t("accounts.forgot")}</a> " · "
                    <a class="link" href="/resend">{t("accounts.no_letter")}</a>
                </p>
                <Suspense>
                    {move || (registration() == Some(Registration::Open)).then(|| view! {
                        <p class="mt-2 text-sm">
                            {t("accounts.no_account")} " " <a class="link" href="/signup">{t("accounts.signup")}</a>
                        </p>
                    })}
                </Suspense>
            </Page>
        </div>
    }
    .into_any()
}
