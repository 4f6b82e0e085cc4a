//! The list of caught letters.

use crate::api::error::AppError;
use crate::api::outbox::list_letters;
use crate::domain::letter::LetterRow;
use crate::domain::page;
use crate::ui::components::empty::Empty;
use crate::ui::components::error_panel::failed;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::page::Page;
use crate::ui::components::pagination::Pagination;
use crate::ui::components::search::Search;
use crate::ui::components::table::{Cell, Column, Row, Table};
use crate::ui::i18n::{t, tn};
use crate::ui::link::use_param;
use crate::ui::time::Time;
use leptos::prelude::*;

/// Caught letters, newest first.
#[component]
pub fn OutboxPage() -> impl IntoView {
    let (q, after) = (use_param("q"), use_param("after"));
    let found = Resource::new_blocking(
        move || (q.get(), after.get()),
        |(q, after)| list_letters(q, Some(after).filter(|after| !after.is_empty())),
    );
    // A full load: what has come since is not known to the page.
    let reload = view! {
        <a class="btn" rel="external" href="/outbox">{icon(Icon::Repeat, "size-4")}{t("outbox.reload")}</a>
    };
    view! {
        <Page title=t("outbox.title") lead=t("outbox.lead") actions=reload.into_any()>
            <Transition>{move || found.get().map(|found| shown(found, q.get_untracked()))}</Transition>
        </Page>
    }
    .into_any()
}

fn shown(found: Result<page::Page<LetterRow>, AppError>, q: String) -> AnyView {
    let page = match found {
        Ok(page) => page,
        Err(error) => return failed(&error),
    };
    if page.total == 0 && q.is_empty() {
        return view! { <Empty symbol=Icon::Inbox title=t("outbox.empty") text=t("outbox.empty_text") /> }.into_any();
    }
    let search = view! { <div class="mb-4"><Search label=t("outbox.search") /></div> };
    if page.rows.is_empty() {
        let all = (t("outbox.all"), "/outbox".to_owned());
        return view! {
            {search}
            <Empty symbol=Icon::Search title=t("outbox.not_found") text=t("outbox.not_found_text") action=all />
        }
        .into_any();
    }
    let columns = vec![
        Column::new(t("outbox.subject")),
        Column::new(t("outbox.to")),
        Column::new(t("outbox.from")),
        Column::new(t("outbox.at")),
    ];
    let rows: Vec<AnyView> = page.rows.into_iter().map(row).collect();
    view! {
        {search}
        <Table label=t("outbox.title") columns=columns>{rows}</Table>
        <Pagination next=page.next count=tn("outbox.count", page.total) />
    }
    .into_any()
}

/// The subject of a letter, or that it has none.
pub(super) fn subject(row: &LetterRow) -> String {
    if row.subject.trim().is_empty() { t("outbox.no_subject") } else { row.subject.clone() }
}

/// The sender of a letter; a bounce has none.
pub(super) fn sender(row: &LetterRow) -> String {
    if row.from.is_empty() { t("outbox.no_sender") } else { row.from.clone() }
}

fn row(letter: LetterRow) -> AnyView {
    let (subject, sender) = (subject(&letter), sender(&letter));
    let LetterRow { id, at, to, .. } = letter;
    view! {
        <Row>
            <Cell><a class="link link-hover font-medium" href=format!("/outbox/{id}")>{subject}</a></Cell>
            <Cell label=t("outbox.to")>{to}</Cell>
            <Cell label=t("outbox.from")>{sender}</Cell>
            <Cell label=t("outbox.at")><Time at=at relative=true /></Cell>
        </Row>
    }
    .into_any()
}
