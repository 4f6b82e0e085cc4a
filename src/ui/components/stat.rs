//! Figures with a name.

use crate::ui::i18n::number;
use leptos::prelude::*;

/// A row of figures; put [`Stat`]s inside.
#[component]
pub fn Stats(children: Children) -> impl IntoView {
    view! { <dl class="grid grid-cols-2 sm:auto-cols-fr sm:grid-flow-col sm:grid-cols-none divide-x divide-base-300">{children()}</dl> }
}

/// One figure, grouped and live. `bad` colours it where it is not zero.
#[component]
pub fn Stat(
    #[prop(into)] name: String,
    #[prop(into)] value: Signal<i64>,
    #[prop(optional)] bad: bool,
) -> impl IntoView {
    view! {
        <div class="p-4">
            <dt class="text-xs opacity-80">{name}</dt>
            <dd class="mt-1 text-2xl font-semibold tabular-nums" class:text-error=move || bad && value.get().is_positive()>
                {move || number(value.get())}
            </dd>
        </div>
    }
}
