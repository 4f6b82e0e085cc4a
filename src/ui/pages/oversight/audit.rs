//! The audit log.

use crate::api::error::AppError;
use crate::api::oversight::{AuditFilter, list_audit};
use crate::domain::audit::{Act, AuditLine};
use crate::domain::page;
use crate::ui::components::empty::Empty;
use crate::ui::components::error_panel::failed;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::page::Page;
use crate::ui::components::pagination::Pagination;
use crate::ui::components::search::Search;
use crate::ui::components::segmented::Segmented;
use crate::ui::components::table::{Cell, Column, Row, Table};
use crate::ui::i18n::{t, tn};
use crate::ui::link::use_param;
use crate::ui::time::Time;
use leptos::prelude::*;

/// Who did what, newest first.
#[component]
pub fn AuditPage() -> impl IntoView {
    let (q, act, after) = (use_param("q"), use_param("act"), use_param("after"));
    let found =
        Resource::new_blocking(move || AuditFilter { search: q.get(), act: act.get(), after: after.get() }, list_audit);
    let export = view! {
        <a class="btn" rel="external" download="" href="/audit.csv">{icon(Icon::Download, "size-4")}{t("audit.export")}</a>
    };
    view! {
        <Page title=t("audit.title") lead=t("audit.lead") actions=export.into_any()>
            <Transition>
                {move || found.get().map(|found| shown(found, q.get_untracked().is_empty() && act.get_untracked().is_empty()))}
            </Transition>
        </Page>
    }
    .into_any()
}

fn shown(found: Result<page::Page<AuditLine>, AppError>, all: bool) -> AnyView {
    let page = match found {
        Ok(page) => page,
        Err(error) => return failed(&error),
    };
    if page.total == 0 && all {
        return view! { <Empty symbol=Icon::Info title=t("audit.empty") text=t("audit.empty_text") /> }.into_any();
    }
    let acts = [(String::new(), t("oversight.any"))]
        .into_iter()
        .chain(Act::ALL.map(|act| (act.as_str().to_owned(), word(act))))
        .collect();
    let filter = view! {
        <div class="mb-4 flex flex-wrap items-center gap-2">
            <Search label=t("audit.search") />
            <Segmented param="act" label=t("audit.act") options=acts />
        </div>
    };
    if page.rows.is_empty() {
        let back = (t("audit.all"), "/audit".to_owned());
        return view! {
            {filter}
            <Empty symbol=Icon::Search title=t("audit.not_found") text=t("audit.not_found_text") action=back />
        }
        .into_any();
    }
    let columns = vec![
        Column::new(t("audit.at")),
        Column::new(t("audit.actor")),
        Column::new(t("audit.act")),
        Column::new(t("audit.target")),
        Column::new(t("audit.reason")),
    ];
    let rows: Vec<AnyView> = page.rows.into_iter().map(row).collect();
    view! {
        {filter}
        <Table label=t("audit.title") columns=columns>{rows}</Table>
        <Pagination next=page.next count=tn("audit.count", page.total) />
    }
    .into_any()
}

fn word(act: Act) -> String {
    t(&format!("act.{}", act.as_str()))
}

fn row(line: AuditLine) -> AnyView {
    let change = (!line.before.is_empty() || !line.after.is_empty())
        .then(|| view! { <span class="block text-xs">{format!("{} → {}", line.before, line.after)}</span> });
    view! {
        <Row>
            <Cell><Time at=line.at with_zone=true /></Cell>
            <Cell label=t("audit.actor")>{line.actor}<span class="block text-xs opacity-80">{line.address}</span></Cell>
            <Cell label=t("audit.act")>{word(line.act)}</Cell>
            <Cell label=t("audit.target")>{line.target}</Cell>
            <Cell label=t("audit.reason")>{line.reason}{change}</Cell>
        </Row>
    }
    .into_any()
}
