//! One mail server in the list.

use super::list::Actions;
use super::{fault_text, state_badge};
use crate::domain::relay::{FROM_SETTINGS, LimitUse, RelayLive, RelaySettings, RelayState};
use crate::ui::components::dialog::Confirm;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::submit::Submit;
use crate::ui::form::ActionForm;
use crate::ui::i18n::{number, t, t_with, tn};
use crate::ui::time::Time;
use leptos::prelude::*;

/// Settings as they are, and the state live.
pub(super) fn card(
    settings: RelaySettings,
    live: Memo<Option<RelayLive>>,
    catching: bool,
    actions: Actions,
) -> AnyView {
    let state = Memo::new(move |_| live.with(|live| live.as_ref().map(|live| (live.state, live.until))));
    let host = if settings.host.contains(':') { format!("[{}]", settings.host) } else { settings.host.clone() };
    let address = format!("{host}:{} · {}", settings.port, t(&format!("relays.tls_{}", settings.tls.as_str())));
    let title = if catching { t("relays.catcher") } else { settings.name.clone() };
    let from_settings = settings.id == FROM_SETTINGS;
    let note = (from_settings && !catching).then(|| t("relays.from_settings"));
    let buttons = if catching { None } else { Some(buttons(&settings, state, actions)) };
    let heading = format!("relay-{}", settings.id);
    let labelled = heading.clone();
    view! {
        <li class="rounded-box border border-base-300 bg-base-100 p-5" aria-labelledby=labelled>
            <div class="flex flex-wrap items-center gap-x-3 gap-y-1">
                <h2 id=heading class="text-lg font-semibold break-all">{title}</h2>
                {move || state.get().map(|(state, _)| state_badge(state))}
                {move || state.get().and_then(|(_, until)| until).map(|at| view! {
                    <span class="text-sm opacity-80"><Time at=at relative=true /></span>
                })}
                <div class="ml-auto flex flex-wrap items-center gap-1">{buttons}</div>
            </div>
            <p class="mt-1 text-sm break-all opacity-80">{address}</p>
            {note.map(|note| view! { <p class="text-xs opacity-80">{note}</p> })}
            {facts(settings.connections, live)}
        </li>
    }
    .into_any()
}

fn facts(most: i64, live: Memo<Option<RelayLive>>) -> AnyView {
    let connections = move || {
        live.get().map(|live| {
            let (open, allowed, most) = (number(live.open), number(live.allowed), number(most));
            let text = t_with("relays.connections_of", &[("open", &open), ("allowed", &allowed), ("most", &most)]);
            match live.per_connection {
                Some(n) => format!("{text}; {}", tn("relays.per_connection", n)),
                None => text,
            }
        })
    };
    let rate = move || {
        live.get().map(|live| {
            let rate = if live.rate < 10.0 { format!("{:.1}", live.rate) } else { number(live.rate.round() as i64) };
            t_with("relays.per_second", &[("n", &rate)])
        })
    };
    let limits = Memo::new(move |_| live.with(|live| live.as_ref().map(|live| live.limits.clone())));
    let trouble = Memo::new(move |_| live.with(|live| live.as_ref().and_then(|live| live.trouble.clone())));
    let fact = |name: &str, value: AnyView| {
        view! {
            <div>
                <dt class="text-xs opacity-80">{t(name)}</dt>
                <dd class="mt-0.5 text-sm break-words tabular-nums">{value}</dd>
            </div>
        }
        .into_any()
    };
    view! {
        <dl class="mt-4 grid gap-4 sm:grid-cols-2 lg:grid-cols-4">
            {fact("relays.connections", connections.into_any())}
            {fact("relays.rate", rate.into_any())}
            {fact("relays.limits", (move || limits.get().map(limit_texts)).into_any())}
            {fact("relays.last_error", (move || match trouble.get() {
                Some(trouble) => view! {
                    <span class="block">{fault_text(&trouble.fault)}</span>
                    <span class="text-xs opacity-80"><Time at=trouble.at relative=true /></span>
                }
                .into_any(),
                None => t("relays.no_error").into_any(),
            }).into_any())}
        </dl>
    }
    .into_any()
}

fn limit_texts(limits: Vec<LimitUse>) -> AnyView {
    if limits.is_empty() {
        return t("relays.no_limits").into_any();
    }
    limits
        .into_iter()
        .map(|LimitUse { span, used, limit }| {
            let args: [(&str, &dyn std::fmt::Display); 2] = [("used", &number(used)), ("limit", &number(limit))];
            view! { <span class="block">{t_with(&format!("relays.span_{}", span.as_str()), &args)}</span> }
        })
        .collect::<Vec<_>>()
        .into_any()
}

fn buttons(
    settings: &RelaySettings,
    state: Memo<Option<(RelayState, Option<chrono::DateTime<chrono::Utc>>)>>,
    actions: Actions,
) -> AnyView {
    let RelaySettings { id, name, enabled, .. } = settings.clone();
    let paused = Memo::new(move |_| state.get().is_some_and(|(state, _)| state == RelayState::Paused));
    let resume = move || {
        paused.get().then(|| {
            view! {
                <ActionForm action=actions.resume>
                    <input type="hidden" name="id" value=id />
                    <button type="submit" class="btn btn-sm">{icon(Icon::Repeat, "size-4")}{t("relays.resume")}</button>
                </ActionForm>
            }
        })
    };
    let own = (id != FROM_SETTINGS).then(|| {
        let (word, symbol) = if enabled { ("relays.switch_off", Icon::Pause) } else { ("relays.switch_on", Icon::Play) };
        view! {
            <ActionForm action=actions.switch>
                <input type="hidden" name="id" value=id />
                <input type="hidden" name="enabled" value=(!enabled).to_string() />
                <button type="submit" class="btn btn-sm btn-ghost">{icon(symbol, "size-4")}{t(word)}</button>
            </ActionForm>
            <a class="btn btn-sm btn-ghost" href=format!("/relays/{id}")>{icon(Icon::Edit, "size-4")}{t("relays.edit")}</a>
            <Confirm
                name=format!("remove-{id}")
                trigger=t("relays.remove")
                class="btn btn-sm btn-ghost"
                title=t_with("relays.remove_ask", &[("name", &name)])
                text=t("relays.remove_text")
            >
                <ActionForm action=actions.remove>
                    <input type="hidden" name="id" value=id />
                    <Submit label=t("relays.remove") pending=actions.remove.pending() class="btn-error" />
                </ActionForm>
            </Confirm>
        }
    });
    view! {
        {resume}
        <a class="btn btn-sm btn-ghost" href=format!("/relays/{id}/test")>{icon(Icon::Mail, "size-4")}{t("relays.test")}</a>
        {own}
    }
    .into_any()
}
