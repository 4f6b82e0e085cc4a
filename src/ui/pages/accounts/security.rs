//! `/account/security`: the second factor, and where the reader is logged in.

use super::tabs::{section, tabbed};
use super::totp::TotpSection;
use crate::api::profile::{EndOtherSessions, EndSession, LogOutEverywhere, list_sessions};
use crate::domain::account::SessionRow;
use crate::ui::components::badge::badge;
use crate::ui::components::error_panel::failed;
use crate::ui::components::icon::Icon;
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, error_of};
use crate::ui::i18n::t;
use crate::ui::time::Time;
use leptos::prelude::*;

/// `/account/security`.
#[component]
pub fn SecurityPage() -> impl IntoView {
    let body = view! {
        <TotpSection />
        <SessionsSection />
    };
    tabbed("/account/security", body.into_any())
}

#[component]
fn SessionsSection() -> impl IntoView {
    let end = ServerAction::<EndSession>::new();
    let others = ServerAction::<EndOtherSessions>::new();
    let everywhere = ServerAction::<LogOutEverywhere>::new();
    let sessions = Resource::new_blocking(move || (end.version().get(), others.version().get()), |_| list_sessions());
    let error = Signal::derive(move || {
        error_of(end.value().get().as_ref()).or_else(|| error_of(others.value().get().as_ref()))
    });
    let rows = move || {
        sessions.get().map(|sessions| match sessions {
            Ok(sessions) => {
                let rows: Vec<AnyView> = sessions.into_iter().map(|session| row(session, end)).collect();
                view! { <ul class="divide-y divide-base-300">{rows}</ul> }.into_any()
            }
            Err(error) => failed(&error),
        })
    };
    let body = view! {
        <FormErrors error=error />
        <Transition>{rows}</Transition>
        <div class="mt-4 flex flex-wrap gap-2">
            <ActionForm action=others>
                <Submit label=t("account.end_others") pending=others.pending() class="btn-sm" />
            </ActionForm>
            <ActionForm action=everywhere>
                <Submit label=t("account.out_everywhere") pending=everywhere.pending() class="btn-sm btn-ghost" />
            </ActionForm>
        </div>
    };
    section(t("account.sessions"), t("account.sessions_lead"), body.into_any())
}

fn row(session: SessionRow, end: ServerAction<EndSession>) -> AnyView {
    let SessionRow { id, agent, address, began, seen, current } = session;
    let name = if agent.is_empty() { t("account.unknown_device") } else { agent };
    let act = if current {
        badge(t("account.this_session"), Icon::Check, "border-success/40 text-success bg-success/10")
    } else {
        view! {
            <ActionForm action=end>
                <input type="hidden" name="form[id]" value=id />
                <Submit label=t("account.end_session") pending=end.pending() class="btn-xs" />
            </ActionForm>
        }
        .into_any()
    };
    view! {
        <li class="flex flex-wrap items-center gap-3 py-3">
            <div class="min-w-0">
                <p class="font-medium">{name}</p>
                <p class="text-xs opacity-80">
                    {address}
                    {seen.map(|at| view! { " · " {t("account.seen")} " " <Time at=at relative=true /> })}
                    {began.map(|at| view! { " · " {t("account.began")} " " <Time at=at /> })}
                </p>
            </div>
            <div class="ml-auto">{act}</div>
        </li>
    }
    .into_any()
}
