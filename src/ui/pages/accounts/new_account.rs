use crate::api::error::FieldErrors;
use crate::ui::components::field::TextField;
use crate::ui::i18n::t;
use crate::ui::time::browser_zone;
use leptos::prelude::*;

/// What a new account begins with: a name and a password, with the token of the link that led here and the browser's zone.
#[component]
pub fn NewAccountFields(token: String, errors: Signal<FieldErrors>) -> impl IntoView {
    let zone = RwSignal::new(String::new());
    Effect::new(move |_| zone.set(browser_zone().unwrap_or_default()));
    view! {
        <input type="hidden" name="form[token]" value=token />
        <input type="hidden" name="form[zone]" prop:value=zone />
        <TextField name="form[name]" label=t("accounts.name") hint=t("accounts.name_hint") required=true autocomplete="name" errors=errors />
        <TextField name="form[password]" label=t("accounts.password") hint=t("accounts.password_hint") kind="password" required=true autocomplete="new-password" errors=errors />
    }
}
