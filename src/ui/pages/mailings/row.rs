//! A mailing in the list.

use super::watch::Watch;
use super::{audience_word, outcome, period_word};
use crate::api::error::AppError;
use crate::api::mailings::{DeleteMailings, PauseMailings, ResumeMailings};
use crate::domain::audience::Audience;
use crate::domain::bidi::visible;
use crate::domain::mailing::{MailingRow, MailingState, MailingStatus, RunState};
use crate::ui::components::badge::mailing_badge;
use crate::ui::components::dialog::Confirm;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::progress::Progress;
use crate::ui::components::selection::Selection;
use crate::ui::components::submit::Submit;
use crate::ui::components::table::{Cell, Row};
use crate::ui::form::{ActionForm, error_of};
use crate::ui::i18n::{number, t, t_with, tn};
use crate::ui::time::Time;
use leptos::prelude::*;

/// What can be done to mailings of the list; made once for the page.
#[derive(Clone, Copy)]
pub struct Actions {
    pub pause: ServerAction<PauseMailings>,
    pub resume: ServerAction<ResumeMailings>,
    pub delete: ServerAction<DeleteMailings>,
}

impl Actions {
    pub fn new() -> Self {
        Self { pause: ServerAction::new(), resume: ServerAction::new(), delete: ServerAction::new() }
    }

    /// Grows with everything that was done.
    pub fn changed(self) -> usize {
        self.pause.version().get() + self.resume.version().get() + self.delete.version().get()
    }

    /// What went wrong last.
    pub fn error(self) -> Signal<Option<AppError>> {
        Signal::derive(move || {
            error_of(self.pause.value().get().as_ref())
                .or_else(|| error_of(self.resume.value().get().as_ref()))
                .or_else(|| error_of(self.delete.value().get().as_ref()))
        })
    }
}

/// The row, live.
pub fn row(mailing: MailingRow, watch: Watch, selection: Selection, actions: Actions) -> AnyView {
    let (id, title, zone) = (mailing.id, visible(&mailing.title), mailing.zone.clone());
    let (audience, period) = (audience(&mailing), period_word(mailing.period));
    let now = watch.row(mailing);
    let next_zone = zone.clone();
    let (tick, buttons) = (selection.tick(id, &title), buttons(id, &title, now, actions));
    view! {
        <Row>
            <Cell>{tick}</Cell>
            <Cell>
                <a class="link link-hover font-medium" href=format!("/mailings/{id}")>{title}</a>
                <span class="block text-xs opacity-80">{period}</span>
            </Cell>
            <Cell label=t("mailings.status")>
                {move || now.with(badge)}
                {move || now.with(|row| row.disabled.clone()).map(|reason| view! {
                    <span class="block text-xs opacity-80">{reason}</span>
                })}
            </Cell>
            <Cell label=t("mailings.clients")>{audience}</Cell>
            <Cell label=t("mailings.next_run")>{move || match now.with(|row| row.next_at) {
                Some(at) => view! { <Time at=at zone=next_zone.clone() relative=true /> }.into_any(),
                None => t("common.nothing").into_any(),
            }}</Cell>
            <Cell label=t("mailings.last_run")>{last_run(now, zone)}</Cell>
            <Cell right=true>{buttons}</Cell>
        </Row>
    }
    .into_any()
}

fn badge(row: &MailingRow) -> AnyView {
    mailing_badge(MailingState::of(row.status, row.paused, row.disabled.is_some()), row.left_out)
}

/// Who gets it: a count where it is known beforehand.
fn audience(row: &MailingRow) -> String {
    match (&row.audience, row.picked) {
        (Audience::Picked { .. }, Some(n)) => tn("mailings.clients_count", n),
        (audience, _) => audience_word(audience),
    }
}

/// Progress while a run goes on, what it came to afterwards. Only what changes is made anew.
fn last_run(now: Memo<MailingRow>, zone: String) -> AnyView {
    let run = Memo::new(move |_| now.with(|row| row.last_run.clone()));
    let open = Memo::new(move |_| run.with(|run| run.as_ref().map(|run| (run.id, run.state == RunState::Open))));
    let count = move |of: fn(&crate::domain::mailing::Counts) -> i64| {
        Signal::derive(move || run.with(|run| run.as_ref().map_or(0, |run| of(&run.counts))))
    };
    let (done, total) = (count(|counts| counts.finals()), count(|counts| counts.total()));
    (move || match (open.get(), run.get_untracked()) {
        (Some((_, true)), _) => view! {
            <div class="w-36"><Progress done=done total=total /></div>
            <span class="text-xs tabular-nums opacity-80">
                {move || format!("{} / {}", number(done.get()), number(total.get()))}
            </span>
        }
        .into_any(),
        (Some(_), Some(first)) => view! {
            <Time at=first.occurrence zone=zone.clone() relative=true />
            <span class="block text-xs opacity-80">{move || run.with(|run| run.as_ref().map(outcome))}</span>
        }
        .into_any(),
        _ => t("common.nothing").into_any(),
    })
    .into_any()
}

fn buttons(id: i64, title: &str, now: Memo<MailingRow>, actions: Actions) -> AnyView {
    let stop = Memo::new(move |_| now.with(|row| (row.status != MailingStatus::Finished).then_some(row.paused)));
    let button = |word: &str, symbol| {
        let word = t(word);
        view! {
            <button type="submit" class="btn btn-square btn-ghost btn-sm" title=word.clone() aria-label=word.clone()>
                {icon(symbol, "size-4")}
            </button>
        }
    };
    let stop = move || {
        stop.get().map(|paused| if paused {
            view! { <ActionForm action=actions.resume>{one(id)}{button("mailings.resume", Icon::Play)}</ActionForm> }
                .into_any()
        } else {
            view! { <ActionForm action=actions.pause>{one(id)}{button("mailings.pause", Icon::Pause)}</ActionForm> }
                .into_any()
        })
    };
    let copy = t("mailings.duplicate");
    view! {
        <div class="flex justify-end gap-1">
            {stop}
            <a
                class="btn btn-square btn-ghost btn-sm"
                href=format!("/mailings/new?copy={id}")
                title=copy.clone()
                aria-label=copy.clone()
            >
                {icon(Icon::Copy, "size-4")}
            </a>
            <Confirm
                name=format!("delete-{id}")
                trigger=t("mailings.delete")
                symbol=Icon::Trash
                class="btn btn-square btn-ghost btn-sm"
                title=t_with("mailings.delete_ask", &[("title", &title)])
                text=t("mailings.delete_text")
            >
                <ActionForm action=actions.delete>
                    {one(id)}
                    <Submit label=t("mailings.delete") pending=actions.delete.pending() class="btn-error" />
                </ActionForm>
            </Confirm>
        </div>
    }
    .into_any()
}

/// This one alone, and the list as it stands to come back to.
fn one(id: i64) -> AnyView {
    let list = ["q", "status", "sort"].map(|param| {
        let field = if param == "status" { "state" } else { param };
        let value = crate::ui::link::use_param(param);
        view! { <input type="hidden" name=format!("form[{field}]") value=move || value.get() /> }.into_any()
    });
    view! {
        <input type="hidden" name="form[ids][0]" value=id.to_string() />
        {list.into_iter().collect::<Vec<_>>()}
    }
    .into_any()
}
