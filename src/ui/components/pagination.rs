//! Keyset pages: first, next, and how many rows there are.

use crate::ui::i18n::t;
use crate::ui::link::{use_link, use_param};
use leptos::prelude::*;

/// `next` is `domain::page::Page::next` (it travels as the query parameter `after`), `count` a whole
/// phrase such as `tn("clients.count", page.total)`.
#[component]
pub fn Pagination(next: Option<String>, #[prop(into)] count: String) -> impl IntoView {
    let after = use_param("after");
    let link = use_link();
    view! {
        <nav aria-label=t("common.pages") class="mt-4 flex flex-wrap items-center gap-3 text-sm">
            <p class="mr-auto tabular-nums opacity-80">{count}</p>
            {move || {
                (!after.with(String::is_empty))
                    .then(|| view! { <a class="btn btn-sm btn-ghost" href=link(&[("after", None)])>{t("common.first_page")}</a> })
            }}
            {next.map(|next| view! {
                <a class="btn btn-sm" rel="next" href=move || link(&[("after", Some(next.as_str()))])>{t("common.next_page")}</a>
            })}
        </nav>
    }
}
