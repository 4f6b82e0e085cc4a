//! The list of mailings.

use super::row::{Actions, row};
use super::watch::Watch;
use crate::api::mailings::{MailingFilter, list_mailings};
use crate::domain::mailing::{MailingList, MailingState};
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::listing::{Words, listing};
use crate::ui::components::page::Page;
use crate::ui::components::search::Search;
use crate::ui::components::segmented::Segmented;
use crate::ui::components::selection::{Selection, Ticked};
use crate::ui::components::submit::Submit;
use crate::ui::components::table::{Column, Table};
use crate::ui::form::{ActionForm, FormErrors};
use crate::ui::i18n::{number, t, tn};
use crate::ui::link::use_param;
use crate::ui::live::LostNote;
use leptos::prelude::*;

const WORDS: Words = Words { area: "mailings", symbol: Icon::Horn, path: "/mailings" };

/// One's mailings: search by `q`, filter by `status`, order by `sort`, keyset pages by `after`.
#[component]
pub fn MailingsPage() -> impl IntoView {
    let (q, state, sort, after) = (use_param("q"), use_param("status"), use_param("sort"), use_param("after"));
    let actions = Actions::new();
    let found = Resource::new_blocking(
        move || {
            let filter = MailingFilter { search: q.get(), state: state.get(), sort: sort.get(), after: after.get() };
            (filter, actions.changed())
        },
        |(filter, _)| list_mailings(filter),
    );
    let ticked = Ticked::new(move || (q.get(), state.get(), actions.changed()));
    let watch = Watch::start();
    let new = view! {
        <a class="btn btn-primary" href="/mailings/new">{icon(Icon::Plus, "size-4")}{t("mailings.new")}</a>
    };
    view! {
        <Page title=t("mailings.title") lead=t("mailings.lead") actions=new.into_any()>
            <LostNote lost=watch.lost />
            <FormErrors error=actions.error() />
            <Transition>
                {move || found.get().map(|found| {
                    let narrowed = !(q.get_untracked().is_empty() && state.get_untracked().is_empty());
                    let counts = found.as_ref().map(|list| list.counts.clone()).unwrap_or_default();
                    let page = found.map(|MailingList { page, .. }| page);
                    listing(page, &WORDS, narrowed, tools(&counts), |rows, whole| {
                        watch.show(&rows);
                        let selection = Selection::new(whole, ticked);
                        let rows: Vec<AnyView> =
                            rows.into_iter().map(|mailing| row(mailing, watch, selection, actions)).collect();
                        view! {
                            {bar(selection, whole.total, actions)}
                            <Table label=t("mailings.title") columns=columns()>{rows}</Table>
                        }
                        .into_any()
                    })
                })}
            </Transition>
        </Page>
    }
    .into_any()
}

fn columns() -> Vec<Column> {
    vec![
        Column::new(t("common.select_column")).hidden(),
        Column::sorted(t("mailings.mailing"), "title"),
        Column::new(t("mailings.status")),
        Column::new(t("mailings.clients")),
        Column::sorted(t("mailings.next_run"), "next"),
        Column::new(t("mailings.last_run")),
        Column::new(t("mailings.actions")).hidden(),
    ]
}

/// Search, and the states with how many mailings each has.
fn tools(counts: &[(MailingState, i64)]) -> AnyView {
    let count = |state| counts.iter().find(|(of, _)| *of == state).map_or(0, |(_, n)| *n);
    let all: i64 = counts.iter().map(|(_, n)| n).sum();
    let states = [(String::new(), format!("{} {}", t("mailings.any_status"), number(all)))]
        .into_iter()
        .chain(MailingState::ALL.into_iter().map(|state| {
            let word = t(&format!("state.{}", state.as_str()));
            (state.as_str().to_owned(), format!("{word} {}", number(count(state))))
        }))
        .collect();
    view! {
        <div class="mb-4 flex flex-wrap items-center gap-2">
            <Search label=t("mailings.search") />
            <Segmented param="status" label=t("mailings.status") options=states />
        </div>
    }
    .into_any()
}

/// What can be done to many at once.
fn bar(selection: Selection, total: i64, actions: Actions) -> AnyView {
    let pause = view! {
        <ActionForm action=actions.pause>
            {selection.fields()}
            <Submit label=t("mailings.pause") pending=actions.pause.pending() />
        </ActionForm>
    };
    let resume = view! {
        <ActionForm action=actions.resume>
            {selection.fields()}
            <Submit label=t("mailings.resume") pending=actions.resume.pending() />
        </ActionForm>
    };
    let delete = view! {
        <ActionForm action=actions.delete>
            {selection.fields()}
            <Submit label=t("mailings.delete") pending=actions.delete.pending() class="btn-error" />
        </ActionForm>
    };
    let ask = |name, ask, text: &str, form| selection.action(name, t(&format!("mailings.{name}")), ask, t(text), form);
    let buttons = [
        ask("pause", "mailings.pause_many", "mailings.pause_text", pause.into_any()),
        ask("resume", "mailings.resume_many", "mailings.resume_text", resume.into_any()),
        ask("delete", "mailings.delete_many", "mailings.delete_text", delete.into_any()),
    ];
    selection.bar(tn("mailings.select_all", total), buttons.into_iter().collect::<Vec<_>>().into_any())
}
