//! Figures with a name.

use crate::ui::i18n::number;
use leptos::prelude::*;

/// A row of figures; put [`Stat`]s inside.
#[component]
pub fn Stats(children: Children) -> impl IntoView {
    view! { <dl class="grid grid-cols-2 sm:auto-cols-fr sm:grid-flow-col sm:grid-cols-none divide-x divide-base-300">{children()}</dl> }
}

/// One figure, grouped and live. `bad` colours it where it is not zero; `href` leads to what it counts.
#[component]
pub fn Stat(
    #[prop(into)] name: String,
    #[prop(into)] value: Signal<i64>,
    #[prop(optional)] bad: bool,
    #[prop(default = None)] href: Option<String>,
) -> impl IntoView {
    let figure = move || number(value.get());
    let figure = match href {
        Some(href) => view! { <a class="link link-hover" href=href>{figure}</a> }.into_any(),
        None => figure.into_any(),
    };
    view! {
        <div class="p-4">
            <dt class="text-xs opacity-80">{name}</dt>
            <dd class="mt-1 text-2xl font-semibold tabular-nums" class:text-error=move || bad && value.get().is_positive()>
                {figure}
            </dd>
        </div>
    }
}
