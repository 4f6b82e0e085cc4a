//! The report over all of one's mailings.

use crate::api::error::AppError;
use crate::api::reports::get_report;
use crate::domain::report::{Report, Tally};
use crate::ui::components::empty::Empty;
use crate::ui::components::error_panel::failed;
use crate::ui::components::field::TextField;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::page::Page;
use crate::ui::components::stat::{Stat, Stats};
use crate::ui::components::submit::Submit;
use crate::ui::components::table::{Cell, Column, Row, Table};
use crate::ui::form::errors_of;
use crate::ui::i18n::{number, t, tn, use_lang};
use crate::ui::link::use_param;
use crate::ui::live::LostNote;
use crate::ui::poll::poll;
use crate::ui::time::format_date;
use chrono::TimeDelta;
use leptos::prelude::*;
use leptos_router::components::Form;
use std::time::Duration;

/// Time until a report that is not whole yet is asked for again.
const AGAIN: Duration = Duration::from_secs(2);

/// Attempts by day and by mailing, and what mail servers say most.
#[component]
pub fn ReportsPage() -> impl IntoView {
    let (from, to) = (use_param("from"), use_param("to"));
    let loaded = Resource::new_blocking(move || (from.get(), to.get()), |(from, to)| get_report(from, to));
    let polled = poll(loaded, AGAIN, |report: &Report| report.counting > 0);
    view! {
        <Page title=t("reports.title") lead=t("reports.lead")>
            <LostNote lost=polled.lost />
            <Transition>
                {move || polled.get().map(|loaded| shown(loaded, from.get_untracked(), to.get_untracked()))}
            </Transition>
        </Page>
    }
    .into_any()
}

fn shown(loaded: Result<Report, AppError>, from: String, to: String) -> AnyView {
    let errors = Signal::stored(errors_of(Some(&loaded)));
    let (from, to) = match &loaded {
        Ok(report) => (report.from.to_string(), report.to.to_string()),
        Err(_) => (from, to),
    };
    let body = match loaded {
        Ok(report) => view! { {quick(&report)} {figures(report)} }.into_any(),
        Err(AppError::Validation(_)) => ().into_any(),
        Err(error) => return failed(&error),
    };
    view! {
        <Form method="GET" action="/reports">
            <div class="flex flex-wrap items-end gap-3">
                <TextField name="from" label=t("reports.from") kind="date" value=from errors=errors />
                <TextField name="to" label=t("reports.to") kind="date" value=to errors=errors />
                <div class="mb-4"><Submit label=t("reports.show") class="" /></div>
            </div>
        </Form>
        {body}
    }
    .into_any()
}

/// The usual periods, up to today, and the file.
fn quick(report: &Report) -> AnyView {
    let today = report.to;
    let periods: Vec<AnyView> = [7_i64, 30, 90, 365]
        .into_iter()
        .map(|days| {
            let from = today - TimeDelta::days(days - 1);
            let href = format!("/reports?from={from}&to={today}");
            let current = from == report.from;
            view! {
                <a
                    class="btn btn-sm"
                    class:btn-ghost=!current
                    aria-current=current.then_some("true")
                    href=href
                >
                    {tn("reports.last_days", days)}
                </a>
            }
            .into_any()
        })
        .collect();
    let file = format!("/reports.csv?from={}&to={}", report.from, report.to);
    view! {
        <div class="mb-4 flex flex-wrap items-center gap-2">
            <nav aria-label=t("reports.period") class="mr-auto flex flex-wrap gap-1">{periods}</nav>
            <a class="btn btn-sm btn-ghost" rel="external" download="" href=file>
                {icon(Icon::Download, "size-4")}{t("reports.export")}
            </a>
        </div>
    }
    .into_any()
}

fn figures(report: Report) -> AnyView {
    let Report { total, days, mailings, more_mailings, replies, counting, .. } = report;
    let counting = (counting > 0).then(|| {
        view! { <p role="status" class="mb-4 rounded-box border border-info/40 bg-info/10 p-4 text-sm">{tn("reports.counting", counting)}</p> }
    });
    if total.is_empty() {
        return match counting {
            Some(counting) => counting.into_any(),
            None => {
                view! { <Empty symbol=Icon::Inbox title=t("reports.empty") text=t("reports.empty_text") /> }.into_any()
            }
        };
    }
    let most = days.iter().map(|(_, tally)| tally.attempts()).max().unwrap_or(1);
    let days: Vec<AnyView> = days
        .into_iter()
        .map(|(day, tally)| row(format_date(use_lang(), day).into_any(), "reports.day", &tally, most))
        .collect();
    let most = mailings.iter().map(|(_, _, tally)| tally.attempts()).max().unwrap_or(1);
    let mailings: Vec<AnyView> = mailings
        .into_iter()
        .map(|(id, title, tally)| {
            let link = view! { <a class="link link-hover font-medium" href=format!("/mailings/{id}")>{title}</a> };
            row(link.into_any(), "reports.mailing", &tally, most)
        })
        .collect();
    let replies: Vec<AnyView> = replies
        .into_iter()
        .map(|reply| {
            view! {
                <Row>
                    <Cell label=t("reports.code")>{reply.code.map_or_else(|| t("common.nothing"), |code| code.to_string())}</Cell>
                    <Cell label=t("reports.reply")>
                        {(!reply.meaning.is_empty()).then(|| view! { <span class="block">{t(&format!("outcome.{}", reply.meaning))}</span> })}
                        <span class="font-mono text-xs opacity-80 break-words">{if reply.reply.is_empty() { t("common.nothing") } else { reply.reply }}</span>
                    </Cell>
                    <Cell label=t("reports.count") right=true>{number(reply.count)}</Cell>
                </Row>
            }
            .into_any()
        })
        .collect();
    let reply_columns =
        vec![Column::new(t("reports.code")), Column::new(t("reports.reply")), Column::new(t("reports.count")).right()];
    let more = (more_mailings > 0).then(|| {
        view! { <p class="mt-2 text-sm opacity-80">{tn("reports.more_mailings", more_mailings)}</p> }
    });
    view! {
        {counting}
        <section class="rounded-box border border-base-300 bg-base-100">
            <Stats>
                <Stat name=t("reports.attempts") value=total.attempts() />
                <Stat name=t("reports.sent") value=total.sent />
                <Stat name=t("reports.deferred") value=total.deferred />
                <Stat name=t("reports.failed") value=total.failed bad=true />
                <Stat name=t("reports.unknown") value=total.unknown />
                <Stat name=t("reports.returned") value=total.returned />
                <Stat name=t("reports.complained") value=total.complained />
            </Stats>
        </section>
        <h2 class="mt-8 mb-3 text-lg font-semibold">{t("reports.by_day")}</h2>
        <Table label=t("reports.by_day") columns=columns("reports.day")>{days}</Table>
        <h2 class="mt-8 mb-3 text-lg font-semibold">{t("reports.by_mailing")}</h2>
        <Table label=t("reports.by_mailing") columns=columns("reports.mailing")>{mailings}</Table>
        {more}
        <h2 class="mt-8 mb-3 text-lg font-semibold">{t("reports.replies")}</h2>
        <Table label=t("reports.replies") columns=reply_columns>{replies}</Table>
    }
    .into_any()
}

fn columns(first: &str) -> Vec<Column> {
    let figures = [
        "reports.sent",
        "reports.deferred",
        "reports.failed",
        "reports.unknown",
        "reports.returned",
        "reports.complained",
    ];
    [Column::new(t(first)), Column::new(t("reports.attempts"))]
        .into_iter()
        .chain(figures.map(|key| Column::new(t(key)).right()))
        .collect()
}

fn row(first: AnyView, label: &'static str, tally: &Tally, most: i64) -> AnyView {
    let attempts = tally.attempts();
    let Tally { sent, deferred, failed, unknown, returned, complained } = tally.clone();
    view! {
        <Row>
            <Cell label=t(label)>{first}</Cell>
            <Cell label=t("reports.attempts")>
                <span class="flex items-center gap-3">
                    <progress class="progress progress-accent w-28" value=attempts.to_string() max=most.max(1).to_string() aria-hidden="true"></progress>
                    <span class="tabular-nums">{number(attempts)}</span>
                </span>
            </Cell>
            <Cell label=t("reports.sent") right=true>{number(sent)}</Cell>
            <Cell label=t("reports.deferred") right=true>{number(deferred)}</Cell>
            <Cell label=t("reports.failed") right=true>{number(failed)}</Cell>
            <Cell label=t("reports.unknown") right=true>{number(unknown)}</Cell>
            <Cell label=t("reports.returned") right=true>{number(returned)}</Cell>
            <Cell label=t("reports.complained") right=true>{number(complained)}</Cell>
        </Row>
    }
    .into_any()
}
