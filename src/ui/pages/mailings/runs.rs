//! A mailing's runs: the one in sight, and all of them.

use super::live::{newest, pace, state_now};
use super::{came_back, outcome};
use crate::domain::delivery::DeliveryState;
use crate::domain::mailing::{MailingLive, MailingState, Run, RunState};
use crate::domain::returned::ReturnedCounts;
use crate::ui::components::badge::run_badge;
use crate::ui::components::progress::Progress;
use crate::ui::components::stat::{Stat, Stats};
use crate::ui::components::table::{Cell, Column, Row, Table};
use crate::ui::i18n::{number, t, t_with};
use crate::ui::time::Time;
use leptos::prelude::*;

/// What the server last said of the mailing.
type Live = RwSignal<Option<MailingLive>>;

/// A run's progress and figures, live; `state` is the mailing's, as the page has it.
pub fn progress(id: i64, now: Memo<Run>, (state, live): (MailingState, Live), zone: &str) -> AnyView {
    let occurrence = now.with_untracked(|run| run.occurrence);
    let zone = zone.to_owned();
    let count = move |of: fn(&Run) -> i64| Signal::derive(move || now.with(of));
    let run = now.with_untracked(|run| run.id);
    let those =
        move |state: DeliveryState| Some(format!("/mailings/{id}?run={run}&state={}#deliveries", state.as_str()));
    let finals = count(|run| run.counts.finals());
    let total = count(|run| run.counts.total());
    view! {
        <section class="rounded-box border border-base-300 bg-base-100">
            <div class="p-5">
                <div class="flex flex-wrap justify-between gap-2 text-sm">
                    <p class="flex flex-wrap items-center gap-2">
                        <span class="font-semibold">{t("mailings.run_of")}</span>
                        <Time at=occurrence zone=zone with_zone=true />
                        {move || now.with(|run| run_badge(run, live.with(|live| state_now(state, live.as_ref()))))}
                    </p>
                    <p class="tabular-nums opacity-80">{move || live.with(|live| pace(live.as_ref()))}</p>
                </div>
                <div class="mt-3"><Progress done=finals total=total /></div>
                <p class="mt-1 text-sm tabular-nums" data-testid="progress">
                    {move || t_with("mailings.of_total", &[("n", &number(finals.get())), ("total", &number(total.get()))])}
                    {move || now.with(|run| (run.state != RunState::Open).then(|| format!(" · {}", outcome(run))))}
                </p>
            </div>
            <div class="border-t border-base-300">
                <Stats>
                    <Stat name=t("mailings.stat_sent") value=count(|run| run.counts.sent) href=those(DeliveryState::Sent) />
                    <Stat name=t("mailings.stat_waiting") value=count(|run| run.counts.waiting) href=those(DeliveryState::Pending) />
                    <Stat name=t("mailings.stat_deferred") value=count(|run| run.counts.deferred) href=those(DeliveryState::Deferred) />
                    <Stat name=t("mailings.stat_failed") value=count(|run| run.counts.failed) href=those(DeliveryState::Failed) bad=true />
                    <Stat name=t("mailings.stat_unknown") value=count(|run| run.counts.unknown) href=those(DeliveryState::Unknown) />
                    <Stat name=t("mailings.stat_not_sent") value=count(|run| run.counts.not_sent) href=those(DeliveryState::NotSent) />
                </Stats>
            </div>
        </section>
    }
    .into_any()
}

/// The history: what each run came to, or has come to so far, those that were skipped with the reason; and what came back
/// of them later.
pub fn runs_table(
    id: i64,
    zone: &str,
    (runs, returned): (Vec<Run>, Vec<(i64, ReturnedCounts)>),
    (state, live): (MailingState, Live),
) -> Option<AnyView> {
    if runs.is_empty() {
        return None;
    }
    let columns = vec![
        Column::new(t("mailings.run")),
        Column::new(t("mailings.status")),
        Column::new(t("mailings.result")),
        Column::new(t("mailings.finished_at")),
    ];
    let rows: Vec<AnyView> = runs
        .into_iter()
        .map(|run| {
            let (zone, ended_zone) = (zone.to_owned(), zone.to_owned());
            let (run_id, occurrence) = (run.id, run.occurrence);
            let later = returned.iter().find(|(run, _)| *run == run_id).map(|(_, counts)| {
                view! { <span class="block text-xs opacity-80">{came_back(*counts)}</span> }
            });
            let now = Memo::new(move |_| live.with(|live| newest(&run, live.as_ref())));
            let ended = move || match now.with(|run| run.finished_at) {
                Some(at) => view! { <Time at=at zone=ended_zone.clone() relative=true /> }.into_any(),
                None => t("common.nothing").into_any(),
            };
            view! {
                <Row>
                    <Cell>
                        <a class="link link-hover" href=format!("/mailings/{id}?run={run_id}")>
                            <Time at=occurrence zone=zone with_zone=true />
                        </a>
                    </Cell>
                    <Cell label=t("mailings.status")>
                        {move || now.with(|run| run_badge(run, live.with(|live| state_now(state, live.as_ref()))))}
                    </Cell>
                    <Cell label=t("mailings.result")>{move || now.with(outcome)}{later}</Cell>
                    <Cell label=t("mailings.finished_at")>{ended}</Cell>
                </Row>
            }
            .into_any()
        })
        .collect();
    Some(
        view! {
            <section>
                <h2 class="mb-3 text-lg font-semibold">{t("mailings.runs")}</h2>
                <Table label=t("mailings.runs") columns=columns>{rows}</Table>
            </section>
        }
        .into_any(),
    )
}
