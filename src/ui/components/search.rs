//! A search box that works as a plain GET form.

use super::icon::{Icon, icon};
use crate::ui::i18n::t;
use crate::ui::link::{kept, use_param};
use leptos::prelude::*;
use leptos_router::components::Form;
use leptos_router::hooks::use_location;

/// Searches by the query parameter `q`, keeps the other parameters, and starts at the first page.
#[component]
pub fn Search(#[prop(into)] label: String) -> impl IntoView {
    let value = use_param("q");
    let path = use_location().pathname;
    let others = move || {
        kept(&["q", "after"])
            .into_iter()
            .map(|(name, value)| view! { <input type="hidden" name=name value=value /> }.into_any())
            .collect::<Vec<AnyView>>()
    };
    view! {
        <Form method="GET" action=move || path.get()>
            {others}
            <div role="search" class="flex gap-2">
                <label class="input input-sm w-full sm:w-64">
                    {icon(Icon::Search, "size-4 opacity-60")}
                    <input
                        type="search"
                        name="q"
                        aria-label=label.clone()
                        placeholder=label.clone()
                        value=move || value.get()
                        prop:value=move || value.get()
                    />
                </label>
                <button type="submit" class="btn btn-sm">{t("common.search")}</button>
            </div>
        </Form>
    }
}
