//! A filter by state: links side by side, one of them current.

use crate::ui::link::{use_link, use_param};
use leptos::prelude::*;

/// `options` are (value, word); the empty value means all and drops the parameter.
#[component]
pub fn Segmented(param: &'static str, #[prop(into)] label: String, options: Vec<(String, String)>) -> impl IntoView {
    let current = use_param(param);
    let link = use_link();
    let links: Vec<AnyView> = options
        .into_iter()
        .map(|(value, word)| {
            let (here, to) = (value.clone(), value);
            let is_current = move || current.with(|current| *current == here);
            let shown = is_current.clone();
            view! {
                <a
                    class="btn btn-sm"
                    class:btn-ghost=move || !is_current()
                    aria-current=move || shown().then_some("true")
                    href=move || link(&[(param, Some(to.as_str()).filter(|to| !to.is_empty())), ("after", None)])
                >
                    {word}
                </a>
            }
            .into_any()
        })
        .collect();
    view! { <nav aria-label=label class="flex flex-wrap gap-1">{links}</nav> }
}
