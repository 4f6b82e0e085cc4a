//! Runs to come, and runs that are over.

use super::{name, section};
use crate::domain::mailing::MailingState;
use crate::domain::overview::{Coming, NamedRun};
use crate::ui::components::badge::run_badge;
use crate::ui::i18n::t;
use crate::ui::pages::mailings::outcome;
use crate::ui::time::Time;
use leptos::prelude::*;

/// What comes next, the first one first.
pub fn next(next: Vec<Coming>) -> AnyView {
    if next.is_empty() {
        return section("overview.next", None, none("overview.no_next"));
    }
    let row = |Coming { mailing, at }: Coming| {
        let zone = mailing.zone.clone();
        view! {
            <li class="py-2 text-sm">
                {name(&mailing)}
                <p class="flex flex-wrap justify-between gap-x-4 opacity-80">
                    <Time at=at zone=zone with_zone=true />
                    <Time at=at zone=mailing.zone relative=true />
                </p>
            </li>
        }
        .into_any()
    };
    let rows: Vec<AnyView> = next.into_iter().map(row).collect();
    let more = Some(("/calendar", "overview.calendar"));
    section("overview.next", more, view! { <ul class="mt-2 divide-y divide-base-300">{rows}</ul> }.into_any())
}

/// What the newest runs came to.
pub fn last(last: Vec<NamedRun>) -> AnyView {
    if last.is_empty() {
        return section("overview.last", None, none("overview.no_last"));
    }
    let row = |NamedRun { mailing, run }: NamedRun| {
        let at = run.finished_at.unwrap_or(run.occurrence);
        let href = format!("/mailings/{}?run={}", mailing.id, run.id);
        view! {
            <li class="grid gap-x-4 gap-y-1 py-2 text-sm sm:grid-cols-[minmax(0,1fr)_auto]">
                <div class="min-w-0">{name(&mailing)}</div>
                <div class="sm:text-right">{run_badge(&run, MailingState::Finished)}</div>
                <a class="link link-hover min-w-0 wrap-anywhere" href=href>{outcome(&run)}</a>
                <span class="opacity-80 sm:text-right"><Time at=at zone=mailing.zone relative=true /></span>
            </li>
        }
        .into_any()
    };
    let rows: Vec<AnyView> = last.into_iter().map(row).collect();
    let list = view! { <ul class="mt-2 divide-y divide-base-300">{rows}</ul> };
    section("overview.last", None, list.into_any())
}

/// What stands where there is nothing.
pub fn none(text: &str) -> AnyView {
    view! { <p class="mt-2 text-sm opacity-80">{t(text)}</p> }.into_any()
}
