//! The ledger, the newest entry first.

use super::{reason_badge, reason_word, topic_word};
use crate::api::suppressions::list_suppressions;
use crate::domain::bidi::visible;
use crate::domain::suppression::{NO_TOPIC, Reason, Suppression};
use crate::ui::components::choice::Choice;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::listing::{Words, listing};
use crate::ui::components::page::Page;
use crate::ui::components::search::Search;
use crate::ui::components::table::{Cell, Column, Row, Table};
use crate::ui::i18n::t;
use crate::ui::link::{href, kept, use_param};
use crate::ui::time::Time;
use leptos::prelude::*;

const WORDS: Words = Words { area: "suppressions", symbol: Icon::Ban, path: "/suppressions" };

/// `/suppressions`: search by `q`, filter by `reason`, with `ended=1` those, too, that have ended, keyset pages by `after`.
#[component]
pub fn SuppressionsPage() -> impl IntoView {
    let (q, reason, ended, after) = (use_param("q"), use_param("reason"), use_param("ended"), use_param("after"));
    let found = Resource::new_blocking(
        move || (q.get(), reason.get(), ended.get(), after.get()),
        |(q, reason, ended, after)| list_suppressions(q, reason, ended, after),
    );
    // What the list shows.
    let file = move || href("/suppressions.csv", &kept(&["after"]));
    let actions = view! {
        <a class="btn btn-ghost" rel="external" download="" href=file>{icon(Icon::Download, "size-4")}{t("suppressions.export")}</a>
        <a class="btn" href="/suppressions/import">{icon(Icon::Upload, "size-4")}{t("suppressions.import")}</a>
        <a class="btn btn-primary" href="/suppressions/new">{icon(Icon::Plus, "size-4")}{t("suppressions.new")}</a>
    };
    view! {
        <Page title=t("suppressions.title") lead=t("suppressions.lead") actions=actions.into_any()>
            <Transition>
                {move || found.get().map(|found| {
                    let narrowed = [q, reason, ended].iter().any(|param| !param.get_untracked().is_empty());
                    let tools = view! {
                        <div class="mb-4 flex flex-wrap items-center gap-2">
                            <Search label=t("suppressions.search") />
                            <Choice param="reason" label=t("suppressions.reason") options=reasons() />
                            <Choice param="ended" label=t("suppressions.holding") options=vec![("", t("suppressions.only_holding")), ("1", t("suppressions.with_ended"))] />
                        </div>
                    };
                    listing(found, &WORDS, narrowed, tools.into_any(), |rows, _| table(rows))
                })}
            </Transition>
        </Page>
    }
    .into_any()
}

fn reasons() -> Vec<(&'static str, String)> {
    let each = Reason::ALL.iter().map(|reason| (reason.as_str(), reason_word(*reason)));
    std::iter::once(("", t("suppressions.any"))).chain(each).collect()
}

fn table(rows: Vec<Suppression>) -> AnyView {
    let columns = vec![
        Column::new(t("suppressions.email")),
        Column::new(t("suppressions.reason")),
        Column::new(t("suppressions.source")),
        Column::new(t("suppressions.since")),
        Column::new(t("suppressions.evidence")),
    ];
    let rows: Vec<AnyView> = rows.into_iter().map(row).collect();
    view! { <Table label=t("suppressions.title") columns=columns>{rows}</Table> }.into_any()
}

fn row(entry: Suppression) -> AnyView {
    let source = t(&format!("suppressions.source_{}", entry.source.as_str()));
    let topic = (entry.topic != NO_TOPIC)
        .then(|| view! { <span class="block text-xs opacity-80">{topic_word(&entry.topic_name)}</span> });
    let until = entry.until.map(|until| {
        let word = t(if entry.ended { "suppressions.ended" } else { "suppressions.until" });
        view! { <span class="block text-xs">{word} " " <Time at=until with_zone=true /></span> }
    });
    let badge = match entry.ended {
        true => view! { {reason_word(entry.reason)} " " <span class="badge badge-sm badge-ghost">{t("suppressions.over")}</span> }.into_any(),
        false => reason_badge(entry.reason),
    };
    view! {
        <Row>
            <Cell><a class="link link-hover font-medium break-all" href=format!("/suppressions/{}", entry.id)>{visible(&entry.email)}</a></Cell>
            <Cell label=t("suppressions.reason")>{badge}{topic}</Cell>
            <Cell label=t("suppressions.source")>{source}</Cell>
            <Cell label=t("suppressions.since")><Time at=entry.since relative=true />{until}</Cell>
            <Cell label=t("suppressions.evidence")><span class="line-clamp-2">{visible(&entry.evidence)}</span></Cell>
        </Row>
    }
    .into_any()
}
