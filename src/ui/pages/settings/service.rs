//! `/settings`: the sender, who may register, limits for everybody.

use crate::api::settings::{SaveSettings, get_settings};
use crate::domain::settings::{Registration, SENDER_NAME, SENDER_NAME_MAX, Setting, SettingsPage as Loaded};
use crate::ui::components::error_panel::failed;
use crate::ui::components::field::{RadioField, TextField};
use crate::ui::components::page::Page;
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, VersionField, error_of, errors_of, use_form_keys, use_unsaved_guard};
use crate::ui::i18n::{t, t_with};
use leptos::html;
use leptos::prelude::*;

/// `/settings`.
#[component]
pub fn SettingsPage() -> impl IntoView {
    let action = ServerAction::<SaveSettings>::new();
    // What was refused leaves the form as it is; what was stored is what the next change is made to.
    let saved = Memo::new(move |before: Option<&usize>| {
        let version = action.version().get();
        let good = action.value().with_untracked(|said| matches!(said, Some(Ok(()))));
        if good { version } else { before.copied().unwrap_or_default() }
    });
    let found = Resource::new_blocking(move || saved.get(), |_| get_settings());
    let invitations = view! { <a class="btn" href="/invitations">{t("invitations.title")}</a> };
    view! {
        <div class="mx-auto max-w-3xl">
            <Page title=t("settings.title") lead=t("settings.lead") actions=invitations.into_any()>
                <Suspense>
                    {move || found.get().map(|found| match found {
                        Ok(loaded) => view! { <Fields loaded=loaded action=action /> }.into_any(),
                        Err(error) => failed(&error),
                    })}
                </Suspense>
            </Page>
        </div>
    }
    .into_any()
}

#[component]
fn Fields(loaded: Loaded, action: ServerAction<SaveSettings>) -> impl IntoView {
    let errors = Signal::derive(move || errors_of(action.value().get().as_ref()));
    let error = Signal::derive(move || error_of(action.value().get().as_ref()));
    let form = NodeRef::<html::Form>::new();
    use_form_keys(form);
    use_unsaved_guard(form);
    let Loaded { settings, started_with } = loaded;
    let modes = Registration::ALL
        .into_iter()
        .map(|mode| {
            let word = format!("settings.registration_{}", mode.as_str());
            (mode.as_str().to_owned(), t(&word), t(&format!("{word}_hint")))
        })
        .collect();
    let sender_hint = match settings.sender_email.as_str() {
        "" => t_with("settings.sender_email_usual", &[("email", &started_with)]),
        _ => t_with("settings.sender_email_chosen", &[("email", &started_with)]),
    };
    let name_hint = t_with("settings.sender_name_hint", &[("name", &SENDER_NAME)]);
    view! {
        <FormErrors error=error />
        <ActionForm action=action node_ref=form>
            <VersionField opened=settings.version() errors=errors />
            {part(t("settings.sender"), t("settings.sender_lead"), view! {
                <TextField name="form[sender_email]" label=t("settings.sender_email") hint=sender_hint value=settings.text(Setting::SenderEmail) errors=errors autocomplete="off" />
                <TextField name="form[sender_name]" label=t("settings.sender_name") hint=name_hint value=settings.text(Setting::SenderName) errors=errors maxlength=SENDER_NAME_MAX autocomplete="off" />
            }.into_any())}
            {part(t("settings.registration"), t("settings.registration_lead"), view! {
                <RadioField name="form[registration]" label=t("settings.registration_who") options=modes value=settings.text(Setting::Registration) errors=errors required=true />
            }.into_any())}
            {part(t("settings.limits"), t("settings.limits_lead"), view! {
                <div class="grid gap-x-4 sm:grid-cols-2">
                    <TextField name="form[clients]" label=t("settings.clients") hint=t("settings.no_limit") value=settings.text(Setting::ClientsMax) errors=errors autocomplete="off" />
                    <TextField name="form[letters]" label=t("settings.letters") hint=t("settings.no_limit") value=settings.text(Setting::LettersMax) errors=errors autocomplete="off" />
                </div>
            }.into_any())}
            <Submit label=t("common.save") pending=action.pending() />
        </ActionForm>
    }
}

fn part(title: String, lead: String, fields: AnyView) -> AnyView {
    view! {
        <section class="mb-6 rounded-box border border-base-300 bg-base-100 p-6">
            <h2 class="font-semibold">{title}</h2>
            <p class="mt-1 mb-4 text-sm opacity-80">{lead}</p>
            {fields}
        </section>
    }
    .into_any()
}
