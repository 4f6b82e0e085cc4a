//! How far long work has come.

use crate::ui::i18n::t_with;
use leptos::prelude::*;

/// A progress bar; `done` of `total`, both live. Rate and time left are the page's to say beside it.
#[component]
pub fn Progress(#[prop(into)] done: Signal<i64>, #[prop(into)] total: Signal<i64>) -> impl IntoView {
    let percent = move || (done.get() * 100).checked_div(total.get()).unwrap_or(0);
    view! {
        <progress
            class="progress progress-accent w-full"
            value=move || done.get().to_string()
            max=move || total.get().max(1).to_string()
            aria-label=move || t_with("common.percent", &[("n", &percent())])
        ></progress>
    }
}
