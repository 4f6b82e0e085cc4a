//! The list of mail servers.

use super::row::card;
use crate::api::error::AppError;
use crate::api::relays::{RemoveRelay, ResumeRelay, SwitchRelay, list_relays};
use crate::domain::relay::{RelayState, RelaysReport};
use crate::ui::components::empty::Empty;
use crate::ui::components::error_panel::failed;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::page::Page;
use crate::ui::form::{FormErrors, error_of};
use crate::ui::i18n::{number, t};
use crate::ui::live::{self, Heard, LostNote};
use crate::ui::time::Time;
use leptos::prelude::*;

/// What can be done to a mail server in the list.
#[derive(Clone, Copy)]
pub(super) struct Actions {
    pub switch: ServerAction<SwitchRelay>,
    pub resume: ServerAction<ResumeRelay>,
    pub remove: ServerAction<RemoveRelay>,
}

/// All mail servers, live.
#[component]
pub fn RelaysPage() -> impl IntoView {
    let actions = Actions { switch: ServerAction::new(), resume: ServerAction::new(), remove: ServerAction::new() };
    let changed =
        move || actions.switch.version().get() + actions.resume.version().get() + actions.remove.version().get();
    let found = Resource::new_blocking(changed, |_| list_relays());
    let error = Signal::derive(move || {
        error_of(actions.switch.value().get().as_ref())
            .or_else(|| error_of(actions.resume.value().get().as_ref()))
            .or_else(|| error_of(actions.remove.value().get().as_ref()))
    });
    let Heard { said: live, lost } = live::follow(|| Some("/events/relays".to_owned()));
    let new = view! {
        <a class="btn btn-primary" href="/relays/new">{icon(Icon::Plus, "size-4")}{t("relays.new")}</a>
    };
    view! {
        <Page title=t("relays.title") lead=t("relays.lead") actions=new.into_any()>
            <LostNote lost=lost />
            <FormErrors error=error />
            <Transition>{move || found.get().map(|found| shown(found, live, actions))}</Transition>
        </Page>
    }
    .into_any()
}

fn shown(found: Result<RelaysReport, AppError>, live: RwSignal<Option<RelaysReport>>, actions: Actions) -> AnyView {
    let report = match found {
        Ok(report) => report,
        Err(error) => return failed(&error),
    };
    let first = StoredValue::new(report.clone());
    let now = Memo::new(move |_| live.get().unwrap_or_else(|| first.get_value()));
    // Settings change with a load of the page, or in another window: then the cards are made anew.
    let settings =
        Memo::new(move |_| now.with(|now| now.relays.iter().map(|relay| relay.settings.clone()).collect::<Vec<_>>()));
    let cards = move || {
        let catching = now.with_untracked(|now| now.catching);
        settings
            .get()
            .into_iter()
            .map(|settings| {
                let id = settings.id;
                let one = Memo::new(move |_| {
                    now.with(|now| now.relays.iter().find(|relay| relay.settings.id == id).map(|row| row.live.clone()))
                });
                card(settings, one, catching, actions)
            })
            .collect::<Vec<_>>()
    };
    view! {
        {move || now.with(notice)}
        <dl class="mb-6 grid gap-px overflow-hidden rounded-box border border-base-300 bg-base-300 sm:grid-cols-2">
            <div class="bg-base-100 p-4">
                <dt class="text-xs opacity-80">{t("relays.queue")}</dt>
                <dd class="mt-1 text-2xl font-semibold tabular-nums">{move || number(now.with(|now| now.queue))}</dd>
            </div>
            <div class="bg-base-100 p-4">
                <dt class="text-xs opacity-80">{t("relays.oldest")}</dt>
                <dd class="mt-1 text-2xl font-semibold">
                    {move || match now.with(|now| now.oldest_due) {
                        Some(at) => view! { <Time at=at relative=true /> }.into_any(),
                        None => t("relays.nothing_due").into_any(),
                    }}
                </dd>
            </div>
        </dl>
        <ul class="grid gap-4">{cards}</ul>
    }
    .into_any()
}

/// What the reader should know of all of them together.
fn notice(report: &RelaysReport) -> Option<AnyView> {
    if report.relays.is_empty() {
        let first = (t("relays.new"), "/relays/new".to_owned());
        return Some(
            view! { <Empty symbol=Icon::Mail title=t("relays.empty") text=t("relays.empty_text") action=first /> }
                .into_any(),
        );
    }
    let text = if report.catching {
        t("relays.catching")
    } else if report.relays.iter().all(|relay| relay.live.state == RelayState::Off) {
        t("relays.all_off")
    } else {
        return None;
    };
    Some(
        view! {
            <p class="mb-6 flex gap-3 rounded-box border border-warning/60 bg-warning/20 p-4 text-sm">
                {icon(Icon::Info, "size-5 shrink-0")}
                {text}
            </p>
        }
        .into_any(),
    )
}
