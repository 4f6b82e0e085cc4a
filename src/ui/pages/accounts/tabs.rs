//! The pages of the reader's own account.

use crate::ui::components::page::Page;
use crate::ui::i18n::t;
use leptos::prelude::*;

const TABS: [(&str, &str); 4] = [
    ("/account", "account.profile"),
    ("/account/notices", "account.notices"),
    ("/account/security", "account.security"),
    ("/account/data", "account.data"),
];

/// One of the account's pages, with links to the others.
pub fn tabbed(here: &'static str, body: AnyView) -> AnyView {
    let links: Vec<AnyView> = TABS
        .into_iter()
        .map(|(href, word)| {
            let current = href == here;
            view! {
                <a
                    class="rounded-field px-3 py-2 text-sm"
                    class=("bg-base-300", current)
                    class=("font-medium", current)
                    aria-current=current.then_some("page")
                    href=href
                >
                    {t(word)}
                </a>
            }
            .into_any()
        })
        .collect();
    view! {
        <div class="mx-auto max-w-3xl">
            <Page title=t("account.title")>
                <nav aria-label=t("account.title") class="mb-6 flex flex-wrap gap-1">{links}</nav>
                {body}
            </Page>
        </div>
    }
    .into_any()
}

/// A part of such a page.
pub fn section(title: String, lead: String, body: AnyView) -> AnyView {
    view! {
        <section class="mb-6 rounded-box border border-base-300 bg-base-100 p-6">
            <h2 class="font-semibold">{title}</h2>
            <p class="mt-1 mb-4 text-sm opacity-80">{lead}</p>
            {body}
        </section>
    }
    .into_any()
}
