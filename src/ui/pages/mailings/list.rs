//! The list of mailings.

use super::{outcome, period_word};
use crate::api::error::AppError;
use crate::api::mailings::{DeleteMailing, MailingFilter, PauseMailing, ResumeMailing, list_mailings};
use crate::domain::mailing::{MailingRow, MailingStatus, RunState};
use crate::domain::page;
use crate::ui::components::badge::mailing_badge;
use crate::ui::components::dialog::Confirm;
use crate::ui::components::empty::Empty;
use crate::ui::components::error_panel::failed;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::page::Page;
use crate::ui::components::pagination::Pagination;
use crate::ui::components::progress::Progress;
use crate::ui::components::search::Search;
use crate::ui::components::segmented::Segmented;
use crate::ui::components::submit::Submit;
use crate::ui::components::table::{Cell, Column, Row, Table};
use crate::ui::form::{ActionForm, FormErrors, error_of};
use crate::ui::i18n::{number, t, t_with, tn};
use crate::ui::link::use_param;
use crate::ui::time::Time;
use leptos::prelude::*;

#[derive(Clone, Copy)]
struct Actions {
    pause: ServerAction<PauseMailing>,
    resume: ServerAction<ResumeMailing>,
    delete: ServerAction<DeleteMailing>,
}

/// One's mailings, newest first.
#[component]
pub fn MailingsPage() -> impl IntoView {
    let (q, status, after) = (use_param("q"), use_param("status"), use_param("after"));
    let actions = Actions { pause: ServerAction::new(), resume: ServerAction::new(), delete: ServerAction::new() };
    let changed =
        move || actions.pause.version().get() + actions.resume.version().get() + actions.delete.version().get();
    let found = Resource::new_blocking(
        move || (MailingFilter { search: q.get(), status: status.get(), after: after.get() }, changed()),
        |(filter, _)| list_mailings(filter),
    );
    let error = Signal::derive(move || {
        error_of(actions.pause.value().get().as_ref())
            .or_else(|| error_of(actions.resume.value().get().as_ref()))
            .or_else(|| error_of(actions.delete.value().get().as_ref()))
    });
    let new = view! {
        <a class="btn btn-primary" href="/mailings/new">{icon(Icon::Plus, "size-4")}{t("mailings.new")}</a>
    };
    view! {
        <Page title=t("mailings.title") lead=t("mailings.lead") actions=new.into_any()>
            <FormErrors error=error />
            <Transition>
                {move || found.get().map(|found| {
                    shown(found, q.get_untracked().is_empty() && status.get_untracked().is_empty(), actions)
                })}
            </Transition>
        </Page>
    }
    .into_any()
}

fn shown(found: Result<page::Page<MailingRow>, AppError>, all: bool, actions: Actions) -> AnyView {
    let page = match found {
        Ok(page) => page,
        Err(error) => return failed(&error),
    };
    if page.total == 0 && all {
        let first = (t("mailings.new"), "/mailings/new".to_owned());
        return view! {
            <Empty symbol=Icon::Horn title=t("mailings.empty") text=t("mailings.empty_text") action=first />
        }
        .into_any();
    }
    let statuses = [(String::new(), t("mailings.any_status"))]
        .into_iter()
        .chain(MailingStatus::ALL.map(|status| (status.as_str().to_owned(), t(&format!("state.{}", status.as_str())))))
        .collect();
    let filter = view! {
        <div class="mb-4 flex flex-wrap items-center gap-2">
            <Search label=t("mailings.search") />
            <Segmented param="status" label=t("mailings.status") options=statuses />
        </div>
    };
    if page.rows.is_empty() {
        let back = (t("mailings.all"), "/mailings".to_owned());
        return view! {
            {filter}
            <Empty symbol=Icon::Search title=t("mailings.not_found") text=t("mailings.not_found_text") action=back />
        }
        .into_any();
    }
    let columns = vec![
        Column::new(t("mailings.mailing")),
        Column::new(t("mailings.status")),
        Column::new(t("mailings.next_run")),
        Column::new(t("mailings.last_run")),
        Column::new(t("mailings.actions")).right(),
    ];
    let rows: Vec<AnyView> = page.rows.into_iter().map(|mailing| row(mailing, actions)).collect();
    view! {
        {filter}
        <Table label=t("mailings.title") columns=columns>{rows}</Table>
        <Pagination next=page.next count=tn("mailings.count", page.total) />
    }
    .into_any()
}

fn row(mailing: MailingRow, actions: Actions) -> AnyView {
    let MailingRow { id, title, status, paused, disabled, period, zone, next_at, last_run, .. } = mailing;
    let ask = t_with("mailings.delete_ask", &[("title", &title)]);
    let badge = mailing_badge(status, paused, disabled.is_some());
    let next = match next_at {
        Some(at) => view! { <Time at=at zone=zone.clone() relative=true /> }.into_any(),
        None => t("common.nothing").into_any(),
    };
    let last = match last_run {
        Some(run) if run.state == RunState::Open => {
            let (done, total) = (run.counts.finals(), run.counts.total());
            view! {
                <div class="w-36"><Progress done=done total=total /></div>
                <span class="text-xs tabular-nums opacity-80">{format!("{} / {}", number(done), number(total))}</span>
            }
            .into_any()
        }
        Some(run) => view! {
            <Time at=run.occurrence zone=zone />
            <span class="block text-xs opacity-80">{outcome(&run)}</span>
        }
        .into_any(),
        None => t("common.nothing").into_any(),
    };
    let stop = (status != MailingStatus::Finished).then(|| {
        if paused {
            view! {
                <ActionForm action=actions.resume>
                    <input type="hidden" name="form[id]" value=id />
                    <button type="submit" class="btn btn-sm btn-ghost">{icon(Icon::Play, "size-4")}{t("mailings.resume")}</button>
                </ActionForm>
            }
            .into_any()
        } else {
            view! {
                <ActionForm action=actions.pause>
                    <input type="hidden" name="form[id]" value=id />
                    <button type="submit" class="btn btn-sm btn-ghost">{icon(Icon::Pause, "size-4")}{t("mailings.pause")}</button>
                </ActionForm>
            }
            .into_any()
        }
    });
    view! {
        <Row>
            <Cell>
                <a class="link link-hover font-medium" href=format!("/mailings/{id}")>{title}</a>
                <span class="block text-xs opacity-80">{period_word(period)}</span>
            </Cell>
            <Cell label=t("mailings.status")>
                {badge}
                {disabled.map(|reason| view! { <span class="block text-xs opacity-80">{reason}</span> })}
            </Cell>
            <Cell label=t("mailings.next_run")>{next}</Cell>
            <Cell label=t("mailings.last_run")>{last}</Cell>
            <Cell right=true>
                <div class="flex flex-wrap justify-end gap-1">
                    {stop}
                    <a class="btn btn-sm btn-ghost" href=format!("/mailings/new?copy={id}")>
                        {icon(Icon::Copy, "size-4")}{t("mailings.duplicate")}
                    </a>
                    <Confirm
                        name=format!("delete-{id}")
                        trigger=t("mailings.delete")
                        class="btn btn-sm btn-ghost"
                        title=ask
                        text=t("mailings.delete_text")
                    >
                        <ActionForm action=actions.delete>
                            <input type="hidden" name="form[id]" value=id />
                            <Submit label=t("mailings.delete") pending=actions.delete.pending() class="btn-error" />
                        </ActionForm>
                    </Confirm>
                </div>
            </Cell>
        </Row>
    }
    .into_any()
}
