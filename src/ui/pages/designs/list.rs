//! One's designs, and those that everybody has.

use crate::api::designs::{DeleteDesign, list_designs};
use crate::domain::design::{BuiltIn, Design, Look};
use crate::ui::components::design_drawing::drawing;
use crate::ui::components::dialog::Confirm;
use crate::ui::components::error_panel::failed;
use crate::ui::components::page::Page;
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, error_of};
use crate::ui::i18n::{t, t_with, tn};
use leptos::prelude::*;

/// `/designs`.
#[component]
pub fn DesignsPage() -> impl IntoView {
    let delete = ServerAction::<DeleteDesign>::new();
    let found = Resource::new_blocking(move || delete.version().get(), |_| list_designs());
    let error = Signal::derive(move || error_of(delete.value().get().as_ref()));
    view! {
        <Page title=t("designs.title") lead=t("designs.lead") breadcrumb=vec![(t("messages.title"), "/messages".to_owned())]>
            <FormErrors error=error />
            <Transition>
                {move || found.get().map(|found| match found {
                    Ok(designs) => shown(designs, delete),
                    Err(error) => failed(&error),
                })}
            </Transition>
        </Page>
    }
    .into_any()
}

fn shown(designs: Vec<Design>, delete: ServerAction<DeleteDesign>) -> AnyView {
    let own: Vec<AnyView> = designs.into_iter().map(|design| own(design, delete)).collect();
    let begin: Vec<AnyView> = BuiltIn::ALL
        .into_iter()
        .filter_map(|design| design.look("").map(|look| (design.as_str(), look)))
        .map(|(word, look)| built_in(word, &look))
        .collect();
    let own = if own.is_empty() {
        view! { <p class="mb-8 text-sm opacity-80">{t("designs.empty")}</p> }.into_any()
    } else {
        view! { <ul class="mb-10 grid gap-4 sm:grid-cols-2 lg:grid-cols-3">{own}</ul> }.into_any()
    };
    view! {
        <h2 class="mb-3 text-lg font-semibold">{t("designs.own")}</h2>
        {own}
        <h2 class="mb-1 text-lg font-semibold">{t("designs.begin")}</h2>
        <p class="mb-3 text-sm opacity-80">{t("designs.begin_text")}</p>
        <ul class="grid gap-4 sm:grid-cols-2 lg:grid-cols-3">{begin}</ul>
    }
    .into_any()
}

fn own(design: Design, delete: ServerAction<DeleteDesign>) -> AnyView {
    let Design { id, name, look, messages } = design;
    let page = format!("/designs/{id}");
    let tail = if messages > 0 {
        view! { <span class="text-xs opacity-80">{tn("designs.used", messages)}</span> }.into_any()
    } else {
        view! {
            <Confirm
                name=format!("delete-{id}")
                trigger=t("designs.delete")
                class="btn btn-ghost btn-sm"
                title=t_with("designs.delete_ask", &[("name", &name)])
                text=t("designs.delete_text")
            >
                <ActionForm action=delete>
                    <input type="hidden" name="id" value=id />
                    <Submit label=t("designs.delete") pending=delete.pending() class="btn-error" />
                </ActionForm>
            </Confirm>
        }
        .into_any()
    };
    view! {
        <li class="flex flex-col overflow-hidden rounded-box border border-base-300 bg-base-100">
            {drawing(Some(&look))}
            <div class="flex flex-1 flex-wrap items-center justify-between gap-2 p-4">
                <a class="link link-hover min-w-0 font-medium break-words" href=page>{name}</a>
                {tail}
            </div>
        </li>
    }
    .into_any()
}

fn built_in(word: &str, look: &Look) -> AnyView {
    let name = t(&format!("designs.built_in_{word}"));
    let label = t_with("designs.begin_with", &[("name", &name)]);
    view! {
        <li class="flex flex-col overflow-hidden rounded-box border border-base-300 bg-base-100">
            {drawing(Some(look))}
            <div class="flex flex-1 items-center justify-between gap-2 p-4">
                <div>
                    <p class="font-medium">{name}</p>
                    <p class="text-xs opacity-80">{t(&format!("designs.built_in_{word}_text"))}</p>
                </div>
                <a class="btn btn-sm" href=format!("/designs/new?from={word}") aria-label=label>{t("designs.use")}</a>
            </div>
        </li>
    }
    .into_any()
}
