//! Letters that left each day, as bars and as a table.

use crate::domain::overview::DAYS;
use crate::ui::components::chart::{STEP, bars};
use crate::ui::components::segmented::Segmented;
use crate::ui::components::table::{Cell, Column, Row, Table};
use crate::ui::i18n::{number, t, tn, tn_with, use_lang};
use crate::ui::link::use_param;
use crate::ui::time::format_date;
use chrono::NaiveDate;
use leptos::prelude::*;

/// Days that are shown where nobody asks for all.
const FEW: usize = 30;
const HEIGHT: i64 = 96;

/// The last 30 days, or with `days=90` all.
pub fn section(days: Vec<(NaiveDate, i64)>) -> AnyView {
    let chosen = use_param("days");
    let options = vec![(String::new(), tn("overview.days", 30)), (DAYS.to_string(), tn("overview.days", DAYS))];
    let shown = Memo::new(move |_| {
        let many = chosen.with(|chosen| *chosen == DAYS.to_string());
        let from = if many { 0 } else { days.len().saturating_sub(FEW) };
        days[from..].to_vec()
    });
    view! {
        <section class="mt-6 rounded-box border border-base-300 bg-base-100 p-5" aria-labelledby="sent">
            <div class="flex flex-wrap items-center justify-between gap-2">
                <h2 id="sent" class="font-semibold">{t("overview.sent")}</h2>
                <Segmented param="days" label=t("overview.period") options=options />
            </div>
            {move || shown.with(|days| chart(days))}
            <details class="mt-3">
                <summary class="cursor-pointer text-sm">{t("overview.as_table")}</summary>
                <div class="mt-3">{move || shown.with(|days| table(days))}</div>
            </details>
        </section>
    }
    .into_any()
}

fn chart(days: &[(NaiveDate, i64)]) -> AnyView {
    let figures: Vec<i64> = days.iter().map(|(_, n)| *n).collect();
    let most = days.iter().max_by_key(|(_, n)| *n).filter(|(_, n)| *n > 0);
    let label = tn("overview.chart", figures.iter().sum());
    let date = |day: Option<&(NaiveDate, i64)>| day.map(|(day, _)| format_date(use_lang(), *day));
    let most = most.map(|(day, n)| tn_with("overview.most", *n, &[("day", &format_date(use_lang(), *day))]));
    let width = figures.len() * STEP;
    view! {
        <p class="mt-2 text-sm opacity-80">{label.clone()} {most.map(|most| format!(" · {most}"))}</p>
        <svg
            viewBox=format!("0 0 {width} {HEIGHT}")
            preserveAspectRatio="none"
            class="mt-3 h-32 w-full text-accent"
            fill="currentColor"
            role="img"
            aria-label=label
        >
            <path class="text-base-300" d=format!("M0 {HEIGHT}v-1h{width}v1z")></path>
            <path d=bars(&figures, HEIGHT)></path>
        </svg>
        <p class="mt-1 flex justify-between text-xs opacity-80">
            <span>{date(days.first())}</span>
            <span>{date(days.last())}</span>
        </p>
    }
    .into_any()
}

/// The same figures, the newest day first; days on which nothing left are left out.
fn table(days: &[(NaiveDate, i64)]) -> AnyView {
    let rows: Vec<AnyView> = days
        .iter()
        .rev()
        .filter(|(_, n)| *n > 0)
        .map(|(day, n)| {
            let (day, n) = (format_date(use_lang(), *day), number(*n));
            view! {
                <Row>
                    <Cell label=t("reports.day")>{day}</Cell>
                    <Cell label=t("overview.letters") right=true>{n}</Cell>
                </Row>
            }
            .into_any()
        })
        .collect();
    if rows.is_empty() {
        return view! { <p class="text-sm opacity-80">{t("overview.none_sent")}</p> }.into_any();
    }
    let columns = vec![Column::new(t("reports.day")), Column::new(t("overview.letters")).right()];
    view! { <Table label=t("overview.sent") columns=columns>{rows}</Table> }.into_any()
}
