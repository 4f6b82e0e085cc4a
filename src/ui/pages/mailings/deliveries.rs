//! The deliveries of a run, filtered and searched.

use super::reason_word;
use crate::api::error::AppError;
use crate::domain::bidi::visible;
use crate::domain::delivery::{DeliveryRow, DeliveryState};
use crate::domain::page;
use crate::ui::components::badge::delivery_badge;
use crate::ui::components::error_panel::failed;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::pagination::Pagination;
use crate::ui::components::search::Search;
use crate::ui::components::segmented::Segmented;
use crate::ui::components::table::{Cell, Column, Row, Table};
use crate::ui::i18n::{number, t, tn};
use crate::ui::link::{self, use_param};
use crate::ui::time::Time;
use chrono::{DateTime, Utc};
use leptos::prelude::*;

/// Heading, search, filter and the links to the files.
pub fn filter(mailing: i64, run: i64) -> AnyView {
    let states = [
        DeliveryState::Pending,
        DeliveryState::Sent,
        DeliveryState::Deferred,
        DeliveryState::Failed,
        DeliveryState::Unknown,
        DeliveryState::NotSent,
    ];
    let options = [(String::new(), t("mailings.any_state"))]
        .into_iter()
        .chain(states.map(|state| (state.as_str().to_owned(), t(&format!("state.{}", state.as_str())))))
        .collect();
    let (q, state) = (use_param("q"), use_param("state"));
    let file = |name: &str, word: &str| {
        // What the list shows: its filter and its search.
        let path = format!("/mailings/{mailing}/{name}.csv");
        let href = move || {
            let filter = [("state", state.get()), ("q", q.get())].into_iter().filter(|(_, value)| !value.is_empty());
            let pairs: Vec<(String, String)> = std::iter::once(("run", run.to_string()))
                .chain(filter)
                .map(|(name, value)| (name.to_owned(), value))
                .collect();
            link::href(&path, &pairs)
        };
        view! {
            <a class="btn btn-sm btn-ghost" rel="external" download="" href=href>{icon(Icon::Download, "size-4")}{t(word)}</a>
        }
        .into_any()
    };
    view! {
        <div class="mb-3 flex flex-wrap items-center gap-2">
            <h2 class="mr-auto text-lg font-semibold">{t("mailings.deliveries")}</h2>
            {file("deliveries", "mailings.export_deliveries")}
            {file("attempts", "mailings.export_attempts")}
        </div>
        <div class="mb-3 flex flex-wrap items-center gap-2">
            <Search label=t("mailings.search_deliveries") />
            <Segmented param="state" label=t("mailings.state") options=options />
        </div>
    }
    .into_any()
}

/// The table.
pub fn table(mailing: i64, zone: &str, found: Result<page::Page<DeliveryRow>, AppError>) -> AnyView {
    let page = match found {
        Ok(page) => page,
        Err(error) => return failed(&error),
    };
    if page.rows.is_empty() {
        return view! {
            <p class="rounded-box border border-base-300 bg-base-100 p-6 text-sm">{t("mailings.no_deliveries")}</p>
        }
        .into_any();
    }
    let columns = vec![
        Column::new(t("mailings.client")),
        Column::new(t("mailings.state")),
        Column::new(t("mailings.last_attempt")),
        Column::new(t("mailings.reply")),
        Column::new(t("mailings.tries")).right(),
    ];
    let rows: Vec<AnyView> = page.rows.into_iter().map(|delivery| row(mailing, zone, delivery)).collect();
    view! {
        <Table label=t("mailings.deliveries") columns=columns>{rows}</Table>
        <Pagination next=page.next count=tn("mailings.deliveries_count", page.total) />
    }
    .into_any()
}

fn row(mailing: i64, zone: &str, delivery: DeliveryRow) -> AnyView {
    let reason = reason_word("reason", &delivery.reason);
    let (zone, due_zone) = (zone.to_owned(), zone.to_owned());
    view! {
        <Row>
            <Cell>
                <a class="link link-hover font-medium break-all sm:inline-block sm:min-w-52" href=format!("/mailings/{mailing}/deliveries/{}", delivery.id)>
                    {delivery.email}
                </a>
                <span class="block text-xs opacity-80">{visible(&delivery.full_name)}</span>
            </Cell>
            <Cell label=t("mailings.state")>{delivery_badge(delivery.state)}</Cell>
            <Cell label=t("mailings.last_attempt")>
                {match delivery.last_at {
                    Some(at) => view! { <Time at=at zone=zone relative=true /> }.into_any(),
                    None => t("common.nothing").into_any(),
                }}
            </Cell>
            <Cell label=t("mailings.reply")>
                {said(&delivery.meaning, &reason, delivery.due_at, &due_zone)}
                {server_words(delivery.last_code, delivery.last_reply)}
            </Cell>
            <Cell label=t("mailings.tries") right=true>{number(delivery.attempts)}</Cell>
        </Row>
    }
    .into_any()
}

/// What happened, as people say it: what the mail server's reply means, or why nothing was sent; and when it is tried again.
pub fn said(meaning: &str, reason: &str, due_at: Option<DateTime<Utc>>, zone: &str) -> Option<AnyView> {
    let words = if meaning.is_empty() { reason.to_owned() } else { t(&format!("outcome.{meaning}")) };
    if words.is_empty() {
        return None;
    }
    let zone = zone.to_owned();
    let again = due_at.map(|at| {
        view! { <span>": " {t("outcome.next_try")} " " <Time at=at zone=zone with_zone=true /></span> }
    });
    Some(view! { <span class="block" data-testid="said">{words} {again}</span> }.into_any())
}

/// The mail server's own words, with its code before them.
pub fn server_words(code: Option<i32>, reply: String) -> Option<AnyView> {
    let words = match code {
        Some(code) => format!("{code} {reply}"),
        None => reply,
    };
    (!words.is_empty())
        .then(|| view! { <span class="block font-mono text-xs opacity-80 break-words">{words}</span> }.into_any())
}
