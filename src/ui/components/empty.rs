//! What stands where a list has nothing yet.

use super::icon::{Icon, icon};
use leptos::prelude::*;

/// Says what the thing is for and offers the first step as (name, address).
#[component]
pub fn Empty(
    symbol: Icon,
    #[prop(into)] title: String,
    #[prop(into)] text: String,
    #[prop(optional)] action: Option<(String, String)>,
) -> impl IntoView {
    view! {
        <div class="rounded-box border border-base-300 bg-base-100 px-6 py-14 text-center">
            <span class="inline-block text-accent">{icon(symbol, "size-10")}</span>
            <h2 class="mt-3 text-lg font-semibold">{title}</h2>
            <p class="mx-auto mt-1 max-w-md text-sm opacity-80">{text}</p>
            {action.map(|(name, href)| view! { <a class="btn btn-primary mt-6" href=href>{name}</a> })}
        </div>
    }
}
