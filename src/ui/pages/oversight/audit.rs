//! The audit log.

use crate::api::error::AppError;
use crate::api::oversight::{AuditFilter, list_audit};
use crate::domain::audit::{Act, AuditLine, COMMAND_LINE, COUNTED};
use crate::domain::bidi::visible;
use crate::domain::page;
use crate::ui::components::choice::Choice;
use crate::ui::components::empty::Empty;
use crate::ui::components::error_panel::failed;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::page::Page;
use crate::ui::components::pagination::Pagination;
use crate::ui::components::search::Search;
use crate::ui::components::table::{Cell, Column, Row, Table};
use crate::ui::i18n::{t, t_with, tn};
use crate::ui::link::{href, kept, use_param};
use crate::ui::time::Time;
use leptos::prelude::*;

/// Who did what, newest first.
#[component]
pub fn AuditPage() -> impl IntoView {
    let (q, act, after) = (use_param("q"), use_param("act"), use_param("after"));
    let found =
        Resource::new_blocking(move || AuditFilter { search: q.get(), act: act.get(), after: after.get() }, list_audit);
    // What the list shows: its filter and its search.
    let file = move || href("/audit.csv", &kept(&["after"]));
    let export = view! {
        <a class="btn" rel="external" download="" href=file>{icon(Icon::Download, "size-4")}{t("audit.export")}</a>
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
    let filter = view! {
        <div class="mb-4 flex flex-wrap items-center gap-2">
            <Search label=t("audit.search") />
            <Choice param="act" label=t("audit.act") options=acts() />
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
        <Pagination next=page.next count=count(page.total) />
    }
    .into_any()
}

fn count(total: i64) -> String {
    if total > COUNTED { tn("audit.more", COUNTED) } else { tn("audit.count", total) }
}

/// Every act, and all of them.
fn acts() -> Vec<(&'static str, String)> {
    let mut acts: Vec<(&'static str, String)> = Act::ALL.iter().map(|act| (act.as_str(), word(*act))).collect();
    acts.sort_by(|a, b| a.1.cmp(&b.1));
    std::iter::once(("", t("oversight.any"))).chain(acts).collect()
}

fn word(act: Act) -> String {
    t(&format!("act.{}", act.as_str()))
}

/// A name, or the number of an account that is gone.
fn named(name: String, id: Option<i64>) -> String {
    match id {
        Some(id) if name.is_empty() => t_with("audit.gone", &[("id", &id)]),
        _ => visible(&name),
    }
}

fn row(line: AuditLine) -> AnyView {
    let change = (!line.before.is_empty() || !line.after.is_empty())
        .then(|| view! { <span class="block text-xs">{visible(&format!("{} → {}", line.before, line.after))}</span> });
    let reason = match (line.act, line.reason.as_str()) {
        (Act::LogInRefused, why) if !why.is_empty() => t(&format!("audit.why_{why}")),
        (_, reason) => visible(reason),
    };
    let actor = if line.actor == COMMAND_LINE { t("audit.command_line") } else { named(line.actor, line.actor_id) };
    view! {
        <Row>
            <Cell><Time at=line.at with_zone=true /></Cell>
            <Cell label=t("audit.actor")>{actor}<span class="block text-xs opacity-80">{line.address}</span></Cell>
            <Cell label=t("audit.act")>{word(line.act)}</Cell>
            <Cell label=t("audit.target")>{named(line.target, line.target_id)}</Cell>
            <Cell label=t("audit.reason")>{reason}{change}</Cell>
        </Row>
    }
    .into_any()
}
