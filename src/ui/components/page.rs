//! The frame of a page: its title in the tab, the breadcrumb, the one h1, and its actions.

use super::title::Title;
use crate::domain::bidi::visible;
use crate::ui::i18n::t;
use leptos::prelude::*;

/// A page. `breadcrumb` holds the pages above it as (name, address), outermost first; `aside` stands
/// right of the heading (a badge), `actions` at the far side, the main one as `btn btn-primary`.
#[component]
pub fn Page(
    #[prop(into)] title: Signal<String>,
    #[prop(optional)] breadcrumb: Vec<(String, String)>,
    #[prop(optional, into)] lead: Option<String>,
    #[prop(optional)] aside: Option<AnyView>,
    #[prop(optional)] actions: Option<AnyView>,
    children: Children,
) -> impl IntoView {
    let app = t("common.app");
    // Names of things are titles, too.
    let title = Signal::derive(move || visible(&title.try_get().unwrap_or_default()));
    let trail = (!breadcrumb.is_empty()).then(|| {
        let above: Vec<AnyView> = breadcrumb
            .into_iter()
            .map(|(name, href)| {
                let name = visible(&name);
                view! { <li>
                    <a class="link link-hover" href=href>{name}</a>
                    <span aria-hidden="true" class="px-1">"/"</span>
                </li> }
                .into_any()
            })
            .collect();
        view! {
            <nav aria-label=t("common.breadcrumb") class="mb-2 text-sm opacity-80">
                <ol class="flex flex-wrap">
                    {above}
                    <li aria-current="page">{title}</li>
                </ol>
            </nav>
        }
    });
    view! {
        // The head may outlive the page by a moment, and with it this closure the title's owner.
        <Title text=move || title.try_get().map_or_else(|| app.clone(), |title| format!("{title} · {app}")) />
        <div class="mx-auto w-full max-w-7xl px-5 py-8">
            {trail}
            <div class="flex flex-wrap items-center gap-3">
                <h1 class="text-2xl font-semibold break-words min-w-0">{title}</h1>
                {aside}
                <div class="ml-auto flex flex-wrap gap-2 empty:hidden" data-does>{actions}</div>
            </div>
            {lead.map(|lead| visible(&lead)).map(|lead| view! { <p class="mt-1 text-sm opacity-80">{lead}</p> })}
            <div class="mt-6">{children()}</div>
        </div>
    }
}
