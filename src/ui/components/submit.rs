//! The button that sends a form.

use crate::ui::i18n::t;
use leptos::prelude::*;

/// Shows that the answer is under way and takes no second click meanwhile. `class` is the colour,
/// `btn-primary` unless said otherwise; `name` and `value` tell several buttons of a form apart.
#[component]
pub fn Submit(
    #[prop(into)] label: Signal<String>,
    #[prop(optional, into)] pending: Signal<bool>,
    #[prop(default = "btn-primary")] class: &'static str,
    #[prop(optional)] name: Option<&'static str>,
    #[prop(optional)] value: Option<&'static str>,
) -> impl IntoView {
    view! {
        <button type="submit" class=format!("btn {class}") name=name value=value disabled=move || pending.get()>
            {move || pending.get().then(|| view! { <span class="loading loading-spinner loading-xs" aria-hidden="true"></span> })}
            {move || if pending.get() { t("common.working") } else { label.get() }}
        </button>
    }
}
