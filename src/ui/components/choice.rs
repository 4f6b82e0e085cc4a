//! A filter with too many values to stand side by side.

use crate::ui::i18n::t;
use crate::ui::link::{kept, use_param};
use leptos::prelude::*;
use leptos_router::components::Form;
use leptos_router::hooks::use_location;

/// A list to choose one of, as a plain GET form. `options` are (value, word); the empty value means all.
#[component]
pub fn Choice(param: &'static str, #[prop(into)] label: String, options: Vec<(&'static str, String)>) -> impl IntoView {
    let current = use_param(param);
    let path = use_location().pathname;
    let others = move || {
        kept(&[param, "after"])
            .into_iter()
            .map(|(name, value)| view! { <input type="hidden" name=name value=value /> }.into_any())
            .collect::<Vec<AnyView>>()
    };
    let option = move |(value, word): (&'static str, String)| {
        view! { <option value=value selected=move || current.get() == value>{word}</option> }.into_any()
    };
    let options: Vec<AnyView> = options.into_iter().map(option).collect();
    view! {
        <Form method="GET" action=move || path.get()>
            {others}
            <div class="flex gap-2">
                <select name=param class="select select-sm w-full sm:w-64" aria-label=label>{options}</select>
                <button type="submit" class="btn btn-sm">{t("common.show")}</button>
            </div>
        </Form>
    }
}
