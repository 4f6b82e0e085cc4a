//! The list of everybody's mailings.

use crate::api::error::AppError;
use crate::api::oversight::{OverseenFilter, list_all_mailings};
use crate::domain::bidi::visible;
use crate::domain::mailing::{MailingState, MailingStatus};
use crate::domain::oversight::OverseenMailing;
use crate::domain::page;
use crate::domain::schedule::Period;
use crate::ui::components::badge::mailing_badge;
use crate::ui::components::empty::Empty;
use crate::ui::components::error_panel::failed;
use crate::ui::components::icon::Icon;
use crate::ui::components::page::Page;
use crate::ui::components::pagination::Pagination;
use crate::ui::components::search::Search;
use crate::ui::components::segmented::Segmented;
use crate::ui::components::table::{Cell, Column, Row, Table};
use crate::ui::i18n::{t, tn};
use crate::ui::link::use_param;
use crate::ui::pages::mailings::{outcome, period_word};
use crate::ui::time::Time;
use leptos::prelude::*;

/// Mailings of all owners, newest first.
#[component]
pub fn AllMailingsPage() -> impl IntoView {
    let (q, owner) = (use_param("q"), use_param("owner"));
    let (status, period, after) = (use_param("status"), use_param("period"), use_param("after"));
    let found = Resource::new_blocking(
        move || OverseenFilter {
            search: q.get(),
            owner: owner.with(|owner| owner.parse().unwrap_or(0)),
            status: status.get(),
            period: period.get(),
            after: after.get(),
        },
        list_all_mailings,
    );
    view! {
        <Page title=t("oversight.all_mailings") lead=t("oversight.all_mailings_lead")>
            <Transition>{move || found.get().map(shown)}</Transition>
        </Page>
    }
    .into_any()
}

fn shown(found: Result<page::Page<OverseenMailing>, AppError>) -> AnyView {
    let page = match found {
        Ok(page) => page,
        Err(error) => return failed(&error),
    };
    let any = || [(String::new(), t("oversight.any"))].into_iter();
    let word = |status: &str| (status.to_owned(), t(&format!("state.{status}")));
    let statuses = any()
        .chain(MailingStatus::ALL.map(|status| word(status.as_str())))
        .chain([("stopped".to_owned(), t("oversight.stopped"))])
        .collect();
    let periods = any().chain(Period::ALL.map(|period| (period.as_str().to_owned(), period_word(period)))).collect();
    let filter = view! {
        <div class="mb-4 flex flex-wrap items-center gap-2">
            <Search label=t("oversight.search_mailings") />
            <Segmented param="status" label=t("mailings.status") options=statuses />
            <Segmented param="period" label=t("oversight.period") options=periods />
        </div>
    };
    if page.rows.is_empty() {
        let back = (t("oversight.all_mailings"), "/all-mailings".to_owned());
        return view! {
            {filter}
            <Empty symbol=Icon::Search title=t("mailings.not_found") text=t("mailings.not_found_text") action=back />
        }
        .into_any();
    }
    let columns = vec![
        Column::new(t("mailings.mailing")),
        Column::new(t("oversight.owner")),
        Column::new(t("mailings.status")),
        Column::new(t("oversight.period")),
        Column::new(t("mailings.next_run")),
        Column::new(t("mailings.last_run")),
    ];
    let rows: Vec<AnyView> = page.rows.into_iter().map(row).collect();
    view! {
        {filter}
        <Table label=t("oversight.all_mailings") columns=columns>{rows}</Table>
        <Pagination next=page.next count=tn("mailings.count", page.total) />
    }
    .into_any()
}

fn row(mailing: OverseenMailing) -> AnyView {
    let OverseenMailing { row, owner_id, owner_email, owner_name } = mailing;
    let badge = mailing_badge(MailingState::of(row.status, row.paused, row.disabled.is_some()), row.left_out);
    let next = match row.next_at {
        Some(at) => view! { <Time at=at zone=row.zone relative=true /> }.into_any(),
        None => t("common.nothing").into_any(),
    };
    let last = row.last_run.map_or_else(|| t("common.nothing"), |run| outcome(&run));
    view! {
        <Row>
            <Cell><a class="link link-hover font-medium" href=format!("/mailings/{}", row.id)>{visible(&row.title)}</a></Cell>
            <Cell label=t("oversight.owner")>
                <a class="link link-hover" href=format!("/users/{owner_id}")>{owner_email}</a>
                <span class="block text-xs opacity-80">{visible(&owner_name)}</span>
            </Cell>
            <Cell label=t("mailings.status")>{badge}</Cell>
            <Cell label=t("oversight.period")>{period_word(row.period)}</Cell>
            <Cell label=t("mailings.next_run")>{next}</Cell>
            <Cell label=t("mailings.last_run")>{last}</Cell>
        </Row>
    }
    .into_any()
}
