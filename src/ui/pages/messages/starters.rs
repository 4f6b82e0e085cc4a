//! The gallery of messages to begin with.

use crate::domain::starter::{STARTERS, Starter};
use crate::ui::components::design_drawing::drawing;
use crate::ui::components::page::Page;
use crate::ui::i18n::{t, t_with};
use leptos::prelude::*;

/// `/messages/starters`.
#[component]
pub fn StartersPage() -> impl IntoView {
    let cards: Vec<AnyView> = STARTERS.into_iter().map(card).collect();
    view! {
        <Page
            title=t("starters.title")
            lead=t("starters.lead")
            breadcrumb=vec![(t("messages.title"), "/messages".to_owned())]
        >
            <ul class="grid gap-4 sm:grid-cols-2 lg:grid-cols-4">
                <li class="flex flex-col justify-between rounded-box border border-dashed border-base-content/40 bg-base-100 p-4">
                    <div>
                        <h2 class="font-medium">{t("starters.blank")}</h2>
                        <p class="text-xs opacity-80">{t("starters.blank_text")}</p>
                    </div>
                    <a class="btn btn-primary btn-sm mt-4 self-start" href="/messages/new">{t("starters.blank")}</a>
                </li>
                {cards}
            </ul>
        </Page>
    }
    .into_any()
}

fn card(starter: Starter) -> AnyView {
    let Starter { word, design } = starter;
    let name = t(&format!("starters.{word}_name"));
    let label = t_with("starters.use", &[("name", &name)]);
    view! {
        <li class="flex flex-col overflow-hidden rounded-box border border-base-300 bg-base-100">
            {drawing(design.look("").as_ref())}
            <div class="flex flex-1 flex-col p-4">
                <h2 class="font-medium">{name}</h2>
                <p class="mb-3 flex-1 text-xs opacity-80">{t(&format!("starters.{word}_text"))}</p>
                <a class="btn btn-sm self-start" href=format!("/messages/new?starter={word}") aria-label=label>
                    {t("designs.begin")}
                </a>
            </div>
        </li>
    }
    .into_any()
}
