//! The first page after the log-in: first steps, what runs, what comes, what needs somebody, and how much was sent.

mod attention;
mod days;
mod lines;
mod running;
mod steps;
mod watch;

use crate::api::error::AppError;
use crate::api::overview::get_overview;
use crate::domain::overview::{Named, Overview};
use crate::ui::components::error_panel::failed;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::page::Page;
use crate::ui::i18n::t;
use crate::ui::link::{use_link, use_param};
use crate::ui::live::LostNote;
use leptos::prelude::*;
use watch::Watch;

/// The reader's own, or with `of=all` that of all owners; `days` says how far the figures go back.
#[component]
pub fn OverviewPage() -> impl IntoView {
    let of = use_param("of");
    let loaded = Resource::new_blocking(move || of.get(), get_overview);
    let watch = Watch::start(loaded);
    view! {
        <Transition>
            {move || loaded.get().map(|loaded| shown(loaded, watch))}
        </Transition>
    }
    .into_any()
}

fn shown(loaded: Result<Overview, AppError>, watch: Watch) -> AnyView {
    let overview = match loaded {
        Ok(overview) => overview,
        Err(error) => {
            let panel = failed(&error);
            return view! { <Page title=t("overview.title")>{panel}</Page> }.into_any();
        }
    };
    watch.show(&overview);
    let Overview { all, oversees, steps, message, running, next, attention, last, days } = overview;
    // The main action is the first of the steps that is left, or else what one comes for.
    let class = if steps.is_empty() && !all { "btn btn-primary" } else { "btn" };
    let new = view! { <a class=class href="/mailings/new">{icon(Icon::Plus, "size-4")}{t("mailings.new")}</a> };
    let begins = !steps.is_empty() && last.is_empty() && running.is_empty();
    let figures = (!begins).then(|| days::section(days));
    let runs = (!begins).then(|| view! { {running::section(running, watch)} {lines::last(last)} });
    let title = t(if all { "overview.title_all" } else { "overview.title" });
    view! {
        <Page title=title actions=new.into_any()>
            {oversees.then(|| whose(all))}
            <LostNote lost=watch.lost />
            {steps::section(steps, message)}
            {attention::section(attention)}
            <div class="grid gap-6 lg:grid-cols-[minmax(0,1fr)_22rem]">
                <div class="min-w-0 space-y-6">{runs}</div>
                <div class="min-w-0">{lines::next(next)}</div>
            </div>
            {figures}
        </Page>
    }
    .into_any()
}

/// One's own, or all owners'.
pub fn whose(all: bool) -> AnyView {
    let link = use_link();
    let entry = move |value: &'static str, word: &str, here: bool| {
        view! {
            <a class="btn btn-sm" class:btn-ghost=!here aria-current=here.then_some("true") href=move || link(&[("of", Some(value))])>
                {t(word)}
            </a>
        }
    };
    view! {
        <nav aria-label=t("overview.whose") class="mb-4 flex gap-1">
            {entry("own", "overview.own", !all)}
            {entry("all", "overview.all", all)}
        </nav>
    }
    .into_any()
}

/// A frame with a heading; `more` leads to all of them.
fn section(heading: &str, more: Option<(&'static str, &str)>, content: AnyView) -> AnyView {
    let more = more.map(|(href, word)| view! { <a class="link link-hover text-sm" href=href>{t(word)}</a> });
    view! {
        <section class="rounded-box border border-base-300 bg-base-100 p-5">
            <div class="flex flex-wrap items-baseline justify-between gap-x-4">
                <h2 class="font-semibold">{t(heading)}</h2>
                {more}
            </div>
            {content}
        </section>
    }
    .into_any()
}

/// A mailing's name, and its owner's address where all owners are shown.
fn name(mailing: &Named) -> AnyView {
    let title = crate::domain::bidi::visible(&mailing.title);
    let owner = (!mailing.owner.is_empty())
        .then(|| view! { <span class="block text-xs opacity-80 wrap-anywhere">{mailing.owner.clone()}</span> });
    view! {
        <a class="link link-hover font-medium wrap-anywhere" href=format!("/mailings/{}", mailing.id)>{title}</a>
        {owner}
    }
    .into_any()
}
