//! Mailings: the list, the wizard, a mailing's own page, a delivery.

mod audience;
mod beside;
mod deliveries;
mod delivery;
mod doubt;
mod list;
mod live;
mod missed;
mod pick;
mod query;
mod review;
mod row;
mod runs;
mod show;
mod so_far;
mod steps;
mod watch;
mod when;
mod wizard;

pub use delivery::DeliveryPage;
pub use list::MailingsPage;
pub use live::pace_words;
pub use show::MailingShowPage;
pub use wizard::{MailingEditPage, MailingNewPage};

use crate::api::error::AppError;
use crate::domain::audience::{Audience, AudienceSize};
use crate::domain::mailing::{Run, RunState};
use crate::domain::returned::ReturnedCounts;
use crate::domain::schedule::{Occurrence, Period};
use crate::ui::components::error_panel::failed;
use crate::ui::components::page::Page;
use crate::ui::i18n::{number, t, t_with, tn, tn_with, use_lang};
use crate::ui::time::{format_naive, weekday_word};
use chrono::{Datelike, NaiveDateTime};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

/// A number out of the path.
fn use_id(name: &'static str) -> Memo<Option<i64>> {
    let params = use_params_map();
    Memo::new(move |_| params.with(|params| params.get_str(name).and_then(|id| id.parse().ok())))
}

/// A page that could not be loaded.
fn failed_page(error: &AppError) -> AnyView {
    let panel = failed(error);
    view! { <Page title=t("mailings.title") breadcrumb=breadcrumb()>{panel}</Page> }.into_any()
}

fn breadcrumb() -> Vec<(String, String)> {
    vec![(t("mailings.title"), "/mailings".to_owned())]
}

pub fn period_word(period: Period) -> String {
    t(&format!("mailings.period_{}", period.as_str()))
}

fn audience_word(audience: &Audience) -> String {
    match audience {
        Audience::All => t("mailings.clients_all"),
        Audience::Search { text } => t_with("mailings.clients_found", &[("text", text)]),
        Audience::Picked { .. } => t("mailings.clients_picked"),
    }
}

fn wall(at: NaiveDateTime) -> String {
    format_naive(use_lang(), at)
}

/// Why a run was skipped, or a delivery not sent; empty where there is nothing to say.
pub fn reason_word(area: &str, reason: &str) -> String {
    if reason.is_empty() {
        return String::new();
    }
    let key = format!("mailings.{area}_{reason}");
    let word = t(&key);
    if word == key { reason.to_owned() } else { word }
}

/// “48 of 50 sent, 2 failed” of a run, or why it was skipped.
pub fn outcome(run: &Run) -> String {
    if run.state == RunState::Skipped && !run.reason.is_empty() {
        return reason_word("skip", &run.reason);
    }
    let counts = run.counts;
    let sent = t_with("mailings.outcome", &[("sent", &number(counts.sent)), ("total", &number(counts.total()))]);
    let rest = [
        ("mailings.outcome_failed", counts.failed),
        ("mailings.outcome_unknown", counts.unknown),
        ("mailings.outcome_not_sent", counts.not_sent),
    ];
    let rest = rest.into_iter().filter(|(_, n)| *n > 0).map(|(key, n)| tn(key, n));
    std::iter::once(sent).chain(rest).collect::<Vec<_>>().join(", ")
}

/// How many of an audience get nothing, and why: “12 of them get nothing: 8 unsubscribed, 4 bounced.”
fn left_out_words(size: AudienceSize) -> Option<String> {
    let parts = [
        ("mailings.left_out_left", size.left),
        ("mailings.left_out_complained", size.complained),
        ("mailings.left_out_returned", size.returned),
        ("mailings.left_out_listed", size.listed),
    ];
    let why: Vec<String> = parts.into_iter().filter(|(_, n)| *n > 0).map(|(key, n)| tn(key, n)).collect();
    (!why.is_empty()).then(|| tn_with("mailings.left_out", size.left_out(), &[("why", &why.join(", "))]))
}

/// What came back of letters that count as sent: “14 emails returned later · 1 complaint”.
fn came_back(ReturnedCounts { returned, complained }: ReturnedCounts) -> String {
    let words = [("mailings.returned_later", returned), ("mailings.complained", complained)];
    let words: Vec<String> = words.into_iter().filter(|(_, n)| *n > 0).map(|(key, n)| tn(key, n)).collect();
    words.join(" · ")
}

/// Future runs, in the mailing's time and in UTC.
fn occurrences(next: Vec<Occurrence>) -> AnyView {
    if next.is_empty() {
        return view! { <p class="mt-3 text-sm opacity-80">{t("mailings.no_next")}</p> }.into_any();
    }
    let rows: Vec<AnyView> = next
        .into_iter()
        .map(|occurrence| {
            view! {
                <li class="flex flex-wrap justify-between gap-x-4 py-2">
                    <span class="tabular-nums">
                        {weekday_word(use_lang(), occurrence.local.weekday().number_from_monday())} " " {wall(occurrence.local)}
                        {occurrence.moved.then(|| view! { <span class="ml-2 text-xs opacity-80">{t("mailings.moved")}</span> })}
                    </span>
                    <span class="tabular-nums opacity-80">{format!("{} UTC", wall(occurrence.utc.naive_utc()))}</span>
                </li>
            }
            .into_any()
        })
        .collect();
    view! { <ul class="mt-3 divide-y divide-base-300 text-sm">{rows}</ul> }.into_any()
}
