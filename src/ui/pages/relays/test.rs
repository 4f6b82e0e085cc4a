//! What was said when a mail server was tried.

use super::{above, fault_text};
use crate::api::relays::{get_relay, test_relay};
use crate::domain::relay::{FROM_SETTINGS, Line, RelayTest, Speaker};
use crate::ui::components::error_panel::{ErrorPanel, failed};
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::page::Page;
use crate::ui::i18n::{t, t_with};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

/// `/relays/:id/test`: tries a stored mail server and shows the dialogue, also without scripts.
#[component]
pub fn RelayTestPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").and_then(|id| id.parse().ok()).unwrap_or(-1)));
    let tried = Resource::new_blocking(
        move || id.get(),
        |id| async move {
            let name = match id {
                FROM_SETTINGS => String::new(),
                _ => get_relay(id).await?.name,
            };
            Ok((name, test_relay(id).await?))
        },
    );
    view! {
        <Suspense fallback=|| view! { <Page title=t("relays.test")><p role="status">{t("common.working")}</p></Page> }>
            {move || tried.get().map(|tried| match tried {
                Ok((name, test)) => page(id.get_untracked(), name, test),
                Err(error) => view! { <Page title=t("relays.test") breadcrumb=above()>{failed(&error)}</Page> }.into_any(),
            })}
        </Suspense>
    }
    .into_any()
}

fn page(id: i64, name: String, test: RelayTest) -> AnyView {
    let name = if name.is_empty() { test.address.clone() } else { name };
    // A full load: it is tried again.
    let again = view! {
        <a class="btn" rel="external" href=format!("/relays/{id}/test")>
            {icon(Icon::Repeat, "size-4")}{t("relays.test_again")}
        </a>
    };
    let title = t_with("relays.test_title", &[("name", &name)]);
    view! {
        <Page title=title lead=test.address.clone() breadcrumb=above() actions=again.into_any()>{result(test)}</Page>
    }
    .into_any()
}

/// Whether it works, and the dialogue.
pub(super) fn result(test: RelayTest) -> AnyView {
    let verdict = match &test.fault {
        Some(fault) => view! { <ErrorPanel title=t("relays.test_fails") detail=fault_text(fault) /> }.into_any(),
        None => view! {
            <p class="flex gap-3 rounded-box border border-success/40 bg-success/10 p-4">
                <span class="text-success">{icon(Icon::Check, "size-6")}</span>
                {t("relays.test_works")}
            </p>
        }
        .into_any(),
    };
    let lines = if test.dialogue.is_empty() {
        view! { <p class="text-sm opacity-80">{t("relays.dialogue_empty")}</p> }.into_any()
    } else {
        let lines: Vec<AnyView> = test.dialogue.into_iter().map(line).collect();
        view! {
            <ol class="overflow-x-auto rounded-box border border-base-300 bg-base-100 p-4 font-mono text-sm" tabindex="0">{lines}</ol>
        }
        .into_any()
    };
    view! {
        <div role="status">{verdict}</div>
        <h2 class="mt-6 mb-2 text-lg font-semibold">{t("relays.dialogue")}</h2>
        {lines}
    }
    .into_any()
}

fn line(line: Line) -> AnyView {
    let who = match line.speaker {
        Speaker::Tls => {
            let text = t_with("relays.dialogue_tls", &[("version", &line.text)]);
            return view! { <li class="py-1 text-success">{text}</li> }.into_any();
        }
        Speaker::Us => t("relays.dialogue_us"),
        Speaker::Server => t("relays.dialogue_server"),
    };
    view! {
        <li class="flex gap-3">
            <span class="w-16 shrink-0 opacity-80 select-none">{who}</span>
            <span class="whitespace-pre">{line.text}</span>
        </li>
    }
    .into_any()
}
