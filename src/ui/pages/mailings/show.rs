//! A mailing's own page.

use super::live::{newest, state_now};
use super::runs::{progress, runs_table};
use super::{
    audience_word, breadcrumb, came_back, deliveries, doubt, failed_page, left_out_words, missed, occurrences,
    period_word, reason_word, use_id, wall,
};
use crate::api::error::AppError;
use crate::api::mailings::{
    DecideDeliveries, DeleteMailing, DeliveryFilter, PauseMailing, ResumeMailing, get_mailing, list_deliveries,
};
use crate::api::oversight::{DisableMailing, EnableMailing};
use crate::domain::bidi::visible;
use crate::domain::delivery::DeliveryRow;
use crate::domain::mailing::{Held, MailingDetail, MailingLive, MailingState, MailingStatus, Run};
use crate::domain::oversight::REASON_MAX;
use crate::domain::page;
use crate::domain::returned::ReturnedCounts;
use crate::domain::schedule::NO_END;
use crate::ui::components::badge::mailing_badge;
use crate::ui::components::dialog::{Confirm, cancel};
use crate::ui::components::field::TextField;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::page::Page;
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, error_of, errors_of};
use crate::ui::i18n::{t, t_with, tn};
use crate::ui::link::use_param;
use crate::ui::live::{self, Heard, LostNote};
use crate::ui::pages::oversight::stopped_note;
use crate::ui::time::Time;
use leptos::prelude::*;

/// Events between two looks at the table of deliveries.
const EVENTS: u32 = 5;

#[derive(Clone, Copy)]
struct Context {
    live: RwSignal<Option<MailingLive>>,
    /// The page hears nothing of it.
    lost: RwSignal<bool>,
    /// The run that the reader chose, or 0.
    run: Memo<i64>,
    found: Resource<Result<page::Page<DeliveryRow>, AppError>>,
    pause: ServerAction<PauseMailing>,
    resume: ServerAction<ResumeMailing>,
    delete: ServerAction<DeleteMailing>,
    disable: ServerAction<DisableMailing>,
    enable: ServerAction<EnableMailing>,
    decide: ServerAction<DecideDeliveries>,
}

/// Status, current run, deliveries, schedule, runs: live.
#[component]
pub fn MailingShowPage() -> impl IntoView {
    let id = use_id("id");
    let (run, state, q, after) = (use_param("run"), use_param("state"), use_param("q"), use_param("after"));
    let run = Memo::new(move |_| run.with(|run| run.parse().unwrap_or(0)));
    let (pause, resume, delete) = (ServerAction::new(), ServerAction::new(), ServerAction::new());
    let decide = ServerAction::<DecideDeliveries>::new();
    let (disable, enable) = (ServerAction::new(), ServerAction::new());
    let stopped = move || pause.version().get() + disable.version().get();
    let changed = move || stopped() + resume.version().get() + enable.version().get() + decide.version().get();
    let detail = Resource::new_blocking(move || (id.get(), changed()), |(id, _)| load(id));
    let found = Resource::new_blocking(
        move || {
            let filter = DeliveryFilter {
                mailing: id.get().unwrap_or_default(),
                run: run.get(),
                state: state.get(),
                search: q.get(),
                after: after.get(),
            };
            (filter, decide.version().get())
        },
        |(filter, _)| list_deliveries(filter),
    );
    let Heard { said: live, lost } = live::follow(move || Some(format!("/events/mailings/{}", id.get()?)));
    follow(live, detail, found);
    let context = Context { live, lost, run, found, pause, resume, delete, disable, enable, decide };
    view! {
        <Transition>
            {move || detail.get().map(|detail| match detail {
                Ok(detail) => shown(detail, context),
                Err(error) => failed_page(&error),
            })}
        </Transition>
    }
    .into_any()
}

async fn load(id: Option<i64>) -> Result<MailingDetail, AppError> {
    get_mailing(id.ok_or(AppError::NotFound)?).await
}

/// Reloads what an event does not carry: the page when a run or the status changes, the table now and
/// then while a run goes on.
fn follow(
    live: RwSignal<Option<MailingLive>>,
    detail: Resource<Result<MailingDetail, AppError>>,
    found: Resource<Result<page::Page<DeliveryRow>, AppError>>,
) {
    let run = |run: &Option<Run>| run.as_ref().map(|run| (run.id, run.state));
    let shape = Memo::new(move |_| {
        live.with(|live| {
            let live = live.as_ref()?;
            Some((live.status, live.paused, live.disabled, live.next_at, live.held, run(&live.run)))
        })
    });
    Effect::new(move |_| {
        let Some(now) = shape.get() else { return };
        let shown = detail.get_untracked().and_then(Result::ok).map(|detail| {
            let row = detail.row;
            (row.status, row.paused, row.disabled.is_some(), row.next_at, detail.held, run(&row.last_run))
        });
        // The first event mostly says what the page shows already: made anew, it would close a dialog that was just opened.
        if shown != Some(now) {
            detail.refetch();
        }
        found.refetch();
    });
    Effect::new(move |seen: Option<u32>| {
        live.track();
        let seen = seen.map_or(0, |seen| seen + 1);
        if seen > 0 && seen.is_multiple_of(EVENTS) {
            found.refetch();
        }
        seen
    });
}

fn shown(detail: MailingDetail, context: Context) -> AnyView {
    let MailingDetail {
        owner,
        stopped,
        held,
        row,
        topic,
        audience_size,
        policy,
        message_id,
        message_subject,
        next,
        runs,
        returned,
        returned_runs,
    } = detail;
    let (id, zone) = (row.id, row.zone.clone());
    let chosen = context.run.get();
    let sent: i64 = runs.iter().map(|run| run.counts.sent).sum();
    let run = runs.iter().find(|run| run.id == chosen).cloned().or_else(|| row.last_run.clone());
    let (state, left_out) = (MailingState::of(row.status, row.paused, row.disabled.is_some()), row.left_out);
    let badge = move || mailing_badge(context.live.with(|live| state_now(state, live.as_ref())), left_out);
    let next_run = row.next_at.map(|at| {
        view! { <p class="text-sm">{t("mailings.next_run")} ": " <Time at=at zone=zone.clone() with_zone=true /></p> }
    });
    let error = Signal::derive(move || {
        error_of(context.pause.value().get().as_ref())
            .or_else(|| error_of(context.resume.value().get().as_ref()))
            .or_else(|| error_of(context.delete.value().get().as_ref()))
            .or_else(|| error_of(context.disable.value().get().as_ref()))
            .or_else(|| error_of(context.enable.value().get().as_ref()))
    });
    let schedule = t_with(
        "mailings.window_text",
        &[("period", &period_word(row.period)), ("start", &wall(row.start_local)), ("zone", &zone)],
    );
    let own = owner.is_none();
    let actions = match &owner {
        Some(_) => oversight(id, stopped.is_some(), row.status, context),
        None => actions(id, &row.title, row.status, row.paused, context),
    };
    let trail = match &owner {
        Some(_) => vec![(t("oversight.all_mailings"), "/all-mailings".to_owned())],
        None => breadcrumb(),
    };
    let owner = owner.map(|owner| {
        let word = t_with("oversight.of", &[("owner", &owner.email)]);
        view! { <p class="mb-4 text-sm"><a class="link" href=format!("/users/{}", owner.id)>{word}</a></p> }
    });
    let message = if own {
        view! { <a class="link mt-1 block text-sm break-words" href=format!("/messages/{message_id}")>{message_subject}</a> }
            .into_any()
    } else {
        view! { <p class="mt-1 text-sm break-words">{message_subject}</p> }.into_any()
    };
    let until = if row.end_at == NO_END {
        t("mailings.until_stopped").into_any()
    } else {
        view! { {t("mailings.until")} " " <Time at=row.end_at zone=zone.clone() /> }.into_any()
    };
    let table_zone = zone.clone();
    view! {
        <Page title=row.title breadcrumb=trail aside=view! { <span>{badge}</span> }.into_any() actions=actions>
            <LostNote lost=context.lost />
            <FormErrors error=error />
            {owner}
            {paused_panel(row.paused, &row.paused_because)}
            {held.map(|held| held_panel(&held))}
            {stopped.map(|stopped| view! { <div class="mb-4">{stopped_note(stopped)}</div> })}
            <div class="grid gap-6 lg:grid-cols-[minmax(0,1fr)_20rem]">
                <div class="min-w-0 space-y-6">
                    {match run.clone() {
                        Some(run) => {
                            let live = context.live;
                            let now = Memo::new(move |_| live.with(|live| newest(&run, live.as_ref())));
                            let missed = own.then(|| missed::section(id, now));
                            let doubt = own.then(|| doubt::section(id, now, context.decide));
                            view! { {progress(id, now, (state, live), &zone)} {doubt} {missed} }.into_any()
                        }
                        None => view! {
                            <section class="rounded-box border border-base-300 bg-base-100 p-5"><p>{t("mailings.no_run")}</p></section>
                        }.into_any(),
                    }}
                    {returned_line(returned, sent)}
                    {run.map(|run| view! {
                        <section id="deliveries" class="scroll-mt-6">
                            {deliveries::filter(id, run.id)}
                            <Transition>
                                {move || context.found.get().map(|found| deliveries::table(id, &table_zone, found))}
                            </Transition>
                        </section>
                    })}
                    {runs_table(id, &zone, (runs, returned_runs), (state, context.live))}
                </div>
                <aside class="space-y-6">
                    <section class="rounded-box border border-base-300 bg-base-100 p-5">
                        <h2 class="font-semibold">{t("mailings.schedule")}</h2>
                        <p class="mt-1 text-sm opacity-80">
                            {schedule} " " {until}
                        </p>
                        {next_run}
                        {occurrences(next)}
                    </section>
                    <section class="rounded-box border border-base-300 bg-base-100 p-5">
                        <h2 class="font-semibold">{t("mailings.message")}</h2>
                        {message}
                        <h2 class="mt-4 font-semibold">{t("mailings.clients")}</h2>
                        <p class="mt-1 text-sm">{audience_word(&row.audience)} " · " {tn("mailings.clients_count", audience_size.clients)}</p>
                        {left_out_words(audience_size).map(|words| view! { <p class="mt-1 text-xs opacity-80" data-testid="left-out">{words}</p> })}
                        {topic.map(|topic| view! {
                            <h2 class="mt-4 font-semibold">{t("mailings.topic")}</h2>
                            <p class="mt-1 text-sm break-words">{visible(&topic)}</p>
                        })}
                        <h2 class="mt-4 font-semibold">{t("mailings.policy")}</h2>
                        <p class="mt-1 text-sm">{t(&format!("mailings.policy_{}", policy.as_str()))}</p>
                        <p class="mt-1 text-xs opacity-80">{t(&format!("mailings.policy_{}_hint", policy.as_str()))}</p>
                    </section>
                </aside>
            </div>
        </Page>
    }
    .into_any()
}

/// What came back of letters that count as sent.
fn returned_line(counts: ReturnedCounts, sent: i64) -> Option<AnyView> {
    if counts == ReturnedCounts::default() {
        return None;
    }
    let warning = counts.warns(sent).then(|| {
        view! {
            <p class="mt-2 rounded-box border border-warning/60 bg-warning/20 p-4 text-sm" role="note" data-testid="complaints">
                {t("mailings.complaints_warning")}
            </p>
        }
    });
    let words = came_back(counts);
    Some(view! { <div><p class="text-sm" data-testid="returned">{words}</p>{warning}</div> }.into_any())
}

/// Why the rest of the run waits, and until when.
fn held_panel(held: &Held) -> AnyView {
    view! {
        <section class="mb-6 rounded-box border border-warning/60 bg-warning/20 p-5" data-testid="held">
            <h2 class="font-semibold">{t("mailings.held")}</h2>
            <p class="mt-1 text-sm">{tn("mailings.held_text", held.limit)} " " <Time at=held.until with_zone=true /></p>
        </section>
    }
    .into_any()
}

/// Why the service itself has paused the mailing. Its owner knows why they did.
fn paused_panel(paused: bool, (reason, reply): &(String, String)) -> Option<AnyView> {
    if !paused || reason.is_empty() {
        return None;
    }
    let text = reason_word("paused", reason);
    Some(
        view! {
            <section class="mb-6 rounded-box border border-warning/60 bg-warning/20 p-5">
                <h2 class="font-semibold">{t("mailings.paused_by_service")}</h2>
                <p class="mt-1 text-sm">{text}</p>
                <p class="mt-2 font-mono text-xs break-words">{reply.clone()}</p>
            </section>
        }
        .into_any(),
    )
}

fn actions(id: i64, title: &str, status: MailingStatus, paused: bool, context: Context) -> AnyView {
    let ask = t_with("mailings.delete_ask", &[("title", &title)]);
    let stop = (status != MailingStatus::Finished).then(|| {
        if paused {
            view! {
                <ActionForm action=context.resume>
                    <input type="hidden" name="form[id]" value=id />
                    <button type="submit" class="btn btn-sm btn-primary">{icon(Icon::Play, "size-4")}{t("mailings.resume")}</button>
                </ActionForm>
            }
            .into_any()
        } else {
            view! {
                <ActionForm action=context.pause>
                    <input type="hidden" name="form[id]" value=id />
                    <button type="submit" class="btn btn-sm btn-primary">{icon(Icon::Pause, "size-4")}{t("mailings.pause")}</button>
                </ActionForm>
            }
            .into_any()
        }
    });
    view! {
        <a class="btn btn-sm" href=format!("/mailings/{id}/edit")>{icon(Icon::Edit, "size-4")}{t("mailings.edit")}</a>
        <a class="btn btn-sm" href=format!("/mailings/new?copy={id}")>{icon(Icon::Copy, "size-4")}{t("mailings.duplicate")}</a>
        <Confirm name="delete" trigger=t("mailings.delete") title=ask text=t("mailings.delete_text")>
            <ActionForm action=context.delete>
                <input type="hidden" name="form[id]" value=id />
                <Submit label=t("mailings.delete") pending=context.delete.pending() class="btn-error" />
            </ActionForm>
        </Confirm>
        {stop}
    }
    .into_any()
}

/// What a manager can do to somebody else's mailing: stop it, and let it go on.
fn oversight(id: i64, disabled: bool, status: MailingStatus, context: Context) -> AnyView {
    if disabled {
        return view! {
            <ActionForm action=context.enable>
                <input type="hidden" name="form[id]" value=id />
                <Submit label=t("oversight.enable") pending=context.enable.pending() />
            </ActionForm>
        }
        .into_any();
    }
    if status == MailingStatus::Finished {
        return ().into_any();
    }
    let errors = Signal::derive(move || errors_of(context.disable.value().get().as_ref()));
    view! {
        <Confirm name="disable" trigger=t("oversight.disable") class="btn btn-error" title=t("oversight.disable") text=t("oversight.disable_text") fields=true>
            <ActionForm action=context.disable>
                <input type="hidden" name="form[id]" value=id />
                <TextField name="form[reason]" label=t("oversight.reason") errors=errors required=true maxlength=REASON_MAX autocomplete="off" />
                <div class="modal-action">
                    {cancel("disable")}
                    <Submit label=t("oversight.disable") pending=context.disable.pending() class="btn-error" />
                </div>
            </ActionForm>
        </Confirm>
    }
    .into_any()
}
