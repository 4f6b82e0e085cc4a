//! `/account`: name, language, theme, zone; address; password.

use super::tabs::{section, tabbed};
use crate::api::profile::{AskNewEmail, ChangePassword, SaveProfile, get_profile};
use crate::domain::account::Profile;
use crate::domain::lang::Lang;
use crate::domain::user::Theme;
use crate::ui::components::error_panel::failed;
use crate::ui::components::field::{SelectField, TextField};
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, error_of, errors_of};
use crate::ui::i18n::{t, t_with};
use leptos::prelude::*;

/// `/account`.
#[component]
pub fn ProfilePage() -> impl IntoView {
    let profile = Resource::new_blocking(|| (), |()| get_profile());
    let body = move || {
        profile.get().map(|profile| match profile {
            Ok(profile) => view! {
                <About profile=profile.clone() />
                <Email email=profile.email />
                <Password />
            }
            .into_any(),
            Err(error) => failed(&error),
        })
    };
    tabbed("/account", view! { <Suspense>{body}</Suspense> }.into_any())
}

/// The languages' own names.
fn languages() -> Vec<(String, String)> {
    [(Lang::En, "English"), (Lang::Ru, "Русский")]
        .map(|(lang, name)| (lang.as_str().to_owned(), name.to_owned()))
        .to_vec()
}

#[component]
fn About(profile: Profile) -> impl IntoView {
    let action = ServerAction::<SaveProfile>::new();
    let errors = Signal::derive(move || errors_of(action.value().get().as_ref()));
    let error = Signal::derive(move || error_of(action.value().get().as_ref()));
    // Language and theme belong to the whole document.
    Effect::new(move |_| {
        if matches!(action.value().get(), Some(Ok(()))) {
            // Refused only for an address that is none.
            let _ = window().location().set_href("/account?done=account.saved");
        }
    });
    let themes =
        Theme::ALL.map(|theme| (theme.as_str().to_owned(), t(&format!("common.theme_{}", theme.as_str())))).to_vec();
    let zones = profile.zones.into_iter().map(|zone| (zone.clone(), zone)).collect();
    let form = view! {
        <FormErrors error=error />
        <ActionForm action=action>
            <TextField name="form[name]" label=t("accounts.name") hint=t("accounts.name_hint") value=profile.name required=true autocomplete="name" errors=errors />
            <div class="grid gap-x-4 sm:grid-cols-2">
                <SelectField name="form[lang]" label=t("account.lang") options=languages() value=profile.lang.as_str() errors=errors required=true />
                <SelectField name="form[theme]" label=t("common.theme") options=themes value=profile.theme.as_str() errors=errors required=true />
            </div>
            <SelectField name="form[zone]" label=t("account.zone") hint=t("account.zone_hint") options=zones value=profile.zone errors=errors required=true />
            <Submit label=t("common.save") pending=action.pending() />
        </ActionForm>
    };
    section(t("account.about"), t("account.about_lead"), form.into_any())
}

#[component]
fn Email(email: String) -> impl IntoView {
    let action = ServerAction::<AskNewEmail>::new();
    let errors = Signal::derive(move || errors_of(action.value().get().as_ref()));
    let error = Signal::derive(move || error_of(action.value().get().as_ref()));
    let form = view! {
        <FormErrors error=error />
        <ActionForm action=action>
            <TextField name="form[email]" label=t("account.new_email") kind="email" required=true autocomplete="email" errors=errors />
            <TextField name="form[password]" label=t("account.own_password") kind="password" required=true autocomplete="current-password" errors=errors />
            <Submit label=t("account.email_do") pending=action.pending() class="" />
        </ActionForm>
    };
    section(t("account.email"), t_with("account.email_now", &[("email", &email)]), form.into_any())
}

#[component]
fn Password() -> impl IntoView {
    let action = ServerAction::<ChangePassword>::new();
    let errors = Signal::derive(move || errors_of(action.value().get().as_ref()));
    let error = Signal::derive(move || error_of(action.value().get().as_ref()));
    let form = view! {
        <FormErrors error=error />
        <ActionForm action=action>
            <TextField name="form[old_password]" label=t("account.old_password") kind="password" required=true autocomplete="current-password" errors=errors />
            <TextField name="form[new_password]" label=t("accounts.new_password") hint=t("accounts.password_hint") kind="password" required=true autocomplete="new-password" errors=errors />
            <Submit label=t("account.password_do") pending=action.pending() class="" />
        </ActionForm>
    };
    section(t("account.password"), t("account.password_lead"), form.into_any())
}
