//! Limits of one user, on their page.

use crate::api::settings::SetLimits;
use crate::domain::settings::UserLimits;
use crate::ui::components::field::TextField;
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, errors_of};
use crate::ui::i18n::t;
use leptos::prelude::*;

/// The form; `action` is made once for the page.
pub fn limits(user: i64, limits: UserLimits, action: ServerAction<SetLimits>) -> AnyView {
    let errors = Signal::derive(move || errors_of(action.value().get().as_ref()));
    let text = |limit: Option<i64>| limit.map(|n| n.to_string()).unwrap_or_default();
    view! {
        <section class="max-w-xl rounded-box border border-base-300 bg-base-100 p-6">
            <h2 class="text-lg font-semibold">{t("settings.own_limits")}</h2>
            <p class="mt-1 mb-4 text-sm opacity-80">{t("settings.own_limits_lead")}</p>
            <ActionForm action=action>
                <input type="hidden" name="form[id]" value=user />
                <div class="grid gap-x-4 sm:grid-cols-2">
                    <TextField name="form[clients]" label=t("settings.clients") hint=t("settings.as_usual") value=text(limits.clients) errors=errors autocomplete="off" />
                    <TextField name="form[letters]" label=t("settings.letters") hint=t("settings.as_usual") value=text(limits.letters) errors=errors autocomplete="off" />
                </div>
                <Submit label=t("settings.own_limits_save") pending=action.pending() class="" />
            </ActionForm>
        </section>
    }
    .into_any()
}
