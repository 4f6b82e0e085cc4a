//! One import: its columns before it starts, its progress, and what came of it.

use super::mapping::MappingForm;
use super::outlook::problem_table;
use crate::api::clients::{StartImport, get_import};
use crate::api::error::AppError;
use crate::domain::bidi::visible;
use crate::domain::import::{Import, ImportPreview, ImportState};
use crate::forms::clients::ImportStart;
use crate::ui::components::error_panel::{ErrorPanel, failed};
use crate::ui::components::page::Page;
use crate::ui::components::progress::Progress;
use crate::ui::i18n::{number, t, t_with, tn, use_lang};
use crate::ui::time::format_bytes;
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};
use std::time::Duration;
use web_sys::js_sys;

/// How often a running import is asked how far it is.
const EVERY: Duration = Duration::from_secs(1);

/// `/clients/import/:id`.
#[component]
pub fn ImportShowPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").and_then(|id| id.parse::<i64>().ok())));
    let query = use_query_map();
    let chosen = Memo::new(move |_| {
        query.with(|query| ImportStart::from_query(id.get().unwrap_or_default(), |name| query.get(name)))
    });
    let start = ServerAction::<StartImport>::new();
    let shown = Resource::new_blocking(
        move || (id.get(), chosen.get(), start.version().get()),
        |(id, chosen, _)| async move {
            match id {
                Some(id) => get_import(id, chosen).await,
                None => Err(AppError::NotFound),
            }
        },
    );
    // When the page first saw the import running, and how many bytes it had read: for the rate.
    let since = RwSignal::new(None::<(f64, i64)>);
    Effect::new(move |_| {
        let handle = set_interval_with_handle(
            move || {
                let running = shown.with_untracked(|shown| match shown {
                    Some(Ok(shown)) if shown.import.state == ImportState::Running => Some(shown.import.counts.bytes),
                    _ => None,
                });
                if let Some(bytes) = running {
                    if since.with_untracked(Option::is_none) {
                        since.set(Some((js_sys::Date::now(), bytes)));
                    }
                    shown.refetch();
                }
            },
            EVERY,
        );
        if let Ok(handle) = handle {
            on_cleanup(move || handle.clear());
        }
    });
    view! {
        <Page
            title=t("clients.import_title")
            breadcrumb=vec![(t("clients.title"), "/clients".to_owned()), (t("clients.import"), "/clients/import".to_owned())]
        >
            <Transition>
                {move || shown.get().map(|shown| match shown {
                    Ok(shown) => state(shown, chosen.get_untracked(), start, since),
                    Err(error) => failed(&error),
                })}
            </Transition>
        </Page>
    }
    .into_any()
}

fn state(
    shown: ImportPreview,
    chosen: Option<ImportStart>,
    start: ServerAction<StartImport>,
    since: RwSignal<Option<(f64, i64)>>,
) -> AnyView {
    let limit = format_bytes(use_lang(), shown.max_size);
    let import = shown.import.clone();
    let file = t_with(
        "clients.file_name",
        &[("name", &visible(&import.file_name)), ("size", &format_bytes(use_lang(), import.size))],
    );
    let body = match import.state {
        ImportState::Uploaded => view! { <MappingForm preview=shown chosen=chosen action=start /> }.into_any(),
        ImportState::Running => running(&import, since),
        ImportState::Done => view! {
            <h2 class="text-lg font-semibold" role="status">{t("clients.import_done")}</h2>
            {counts(&import)}
            <a class="btn btn-primary mt-4" href="/clients">{t("clients.to_list")}</a>
            {problems(import)}
        }
        .into_any(),
        ImportState::Failed => view! {
            <div role="alert">
                <ErrorPanel title=t("clients.import_failed") detail=t_with(&import.reason, &[("limit", &limit)])>
                    <a class="btn btn-sm" href="/clients/import">{t("clients.import_again")}</a>
                </ErrorPanel>
            </div>
            {(import.counts.lines > 0).then(|| counts(&import))}
            {problems(import)}
        }
        .into_any(),
    };
    view! { <p class="mb-4 text-sm opacity-80 break-words">{file}</p> {body} }.into_any()
}

fn counts(import: &Import) -> AnyView {
    let counts = &import.counts;
    let entries: Vec<AnyView> = [
        ("clients.n_lines", counts.lines),
        ("clients.n_added", counts.added),
        ("clients.n_updated", counts.updated),
        ("clients.n_skipped", counts.skipped),
        ("clients.n_faulty", counts.faulty),
    ]
    .into_iter()
    .map(|(key, n)| {
        view! { <div><dt class="text-xs opacity-80">{t(key)}</dt><dd class="text-lg font-semibold tabular-nums">{number(n)}</dd></div> }
            .into_any()
    })
    .collect();
    view! { <dl class="mt-4 flex flex-wrap gap-6">{entries}</dl> }.into_any()
}

fn running(import: &Import, since: RwSignal<Option<(f64, i64)>>) -> AnyView {
    let (bytes, size) = (import.counts.bytes, import.size);
    // Only in the browser, after the first poll: the server's page has no clock to compare with.
    let left = since.get_untracked().and_then(|(at, before)| {
        let seconds = (js_sys::Date::now() - at) / 1000.0;
        let rate = (bytes - before) as f64 / seconds;
        (rate > 0.0).then(|| (rate as i64, ((size - bytes).max(0) as f64 / rate).ceil() as i64))
    });
    view! {
        <h2 class="mb-2 text-lg font-semibold">{t("clients.import_running")}</h2>
        <Progress done=bytes total=size />
        <p class="mt-2 text-sm tabular-nums">
            {left.map(|(rate, seconds)| {
                let rate = format_bytes(use_lang(), rate);
                format!("{} · {}", t_with("clients.rate", &[("rate", &rate)]), tn("clients.seconds_left", seconds))
            })}
        </p>
        {counts(import)}
        <p class="mt-4 text-sm opacity-80">{t("clients.import_leave")}</p>
        <a class="btn btn-sm mt-2" rel="external" href=format!("/clients/import/{}", import.id)>{t("clients.refresh")}</a>
    }
    .into_any()
}

fn problems(import: Import) -> Option<AnyView> {
    (!import.problems.is_empty()).then(|| {
        view! {
            <h2 class="mt-8 font-semibold">{t("clients.problems")}</h2>
            {problem_table(import.problems)}
        }
        .into_any()
    })
}
