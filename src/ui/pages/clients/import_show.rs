//! One import: its columns before it starts, its progress, and what came of it.

use super::mapping::MappingForm;
use super::outlook::problem_table;
use crate::api::clients::{StartImport, get_import};
use crate::api::error::AppError;
use crate::domain::bidi::visible;
use crate::domain::import::{Goal, Import, ImportCounts, ImportPreview, ImportState};
use crate::forms::clients::ImportStart;
use crate::ui::components::error_panel::{ErrorPanel, failed};
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::page::Page;
use crate::ui::components::progress::Progress;
use crate::ui::i18n::{number, t, t_with, tn, tn_with, use_lang};
use crate::ui::live::LostNote;
use crate::ui::poll::poll;
use crate::ui::time::format_bytes;
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use web_sys::js_sys;

/// How often a running import is asked how far it is.
const EVERY: Duration = Duration::from_secs(1);

/// A name, by the key of its text, and a number.
type Count = (&'static str, fn(&ImportCounts) -> i64);

/// What an import's page belongs to. The keys name texts of the locale files.
#[derive(Debug)]
pub struct Place {
    pub goal: Goal,
    pub title: &'static str,
    /// The list that the lines go into, and its name.
    pub list: &'static str,
    pub list_title: &'static str,
    pub to_list: &'static str,
    /// Where a file is uploaded, and what that is called.
    pub upload: &'static str,
    pub upload_title: &'static str,
    /// What is counted of the lines.
    pub counts: &'static [Count],
}

const CLIENTS: Place = Place {
    goal: Goal::Clients,
    title: "clients.import_title",
    list: "/clients",
    list_title: "clients.title",
    to_list: "clients.to_list",
    upload: "/clients/import",
    upload_title: "clients.import",
    counts: &[
        ("clients.n_lines", |counts| counts.lines),
        ("clients.n_added", |counts| counts.added),
        ("clients.n_updated", |counts| counts.updated),
        ("clients.n_skipped", |counts| counts.skipped),
        ("clients.n_faulty", |counts| counts.faulty),
    ],
};

/// How an import is asked for.
pub type Load =
    fn(i64, Option<ImportStart>) -> Pin<Box<dyn Future<Output = Result<ImportPreview, AppError>> + Send + 'static>>;

/// What an import's page says and does at its two ends.
pub struct Ends {
    /// Counts what was done on the page: then it is loaded anew.
    pub version: Signal<usize>,
    /// The form that starts it; with what the page's address says.
    pub before: Box<dyn Fn(ImportPreview, Option<ImportStart>) -> AnyView + Send + Sync>,
    /// Below the counts of one that is over.
    pub after: Box<dyn Fn(&ImportPreview) -> AnyView + Send + Sync>,
}

/// `/clients/import/:id`.
#[component]
pub fn ImportShowPage() -> impl IntoView {
    let start = ServerAction::<StartImport>::new();
    let ends = Ends {
        version: start.version().into(),
        before: Box::new(move |preview, chosen| {
            view! { <MappingForm preview=preview chosen=chosen action=start /> }.into_any()
        }),
        after: Box::new(|_| ().into_any()),
    };
    import_page(&CLIENTS, |id, chosen| Box::pin(get_import(id, chosen)), ends)
}

/// The page of an import, which is asked again and again while it runs.
pub fn import_page(place: &'static Place, load: Load, ends: Ends) -> AnyView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").and_then(|id| id.parse::<i64>().ok())));
    let query = use_query_map();
    let chosen = Memo::new(move |_| {
        query.with(|query| ImportStart::from_query(id.get().unwrap_or_default(), |name| query.get(name)))
    });
    let version = ends.version;
    let ends = StoredValue::new(ends);
    let shown = Resource::new_blocking(
        move || (id.get(), chosen.get(), version.get()),
        move |(id, chosen, _)| async move {
            match id {
                Some(id) => load(id, chosen).await,
                None => Err(AppError::NotFound),
            }
        },
    );
    // When the page first saw the import running, and how many bytes it had read: for the rate.
    let since = RwSignal::new(None::<(f64, i64)>);
    let polled = poll(shown, EVERY, |shown: &ImportPreview| shown.import.state == ImportState::Running);
    Effect::new(move |_| {
        if let Some(Ok(ImportPreview { import, .. })) = polled.get()
            && import.state == ImportState::Running
            && since.with_untracked(Option::is_none)
        {
            since.set(Some((js_sys::Date::now(), import.counts.bytes)));
        }
    });
    view! {
        <Page
            title=t(place.title)
            breadcrumb=vec![(t(place.list_title), place.list.to_owned()), (t(place.upload_title), place.upload.to_owned())]
        >
            <LostNote lost=polled.lost />
            <Transition>
                {move || polled.get().map(|shown| match shown {
                    Ok(shown) => ends.with_value(|ends| state(shown, chosen.get_untracked(), ends, since, place)),
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
    ends: &Ends,
    since: RwSignal<Option<(f64, i64)>>,
    place: &'static Place,
) -> AnyView {
    let limit = format_bytes(use_lang(), shown.max_size);
    let (import, faulty_kept) = (shown.import.clone(), shown.faulty_kept);
    let file = t_with(
        "clients.file_name",
        &[("name", &visible(&import.file_name)), ("size", &format_bytes(use_lang(), import.size))],
    );
    let body = match import.state {
        ImportState::Uploaded => (ends.before)(shown, chosen),
        ImportState::Running => running(&import, since, place),
        ImportState::Done => view! {
            <h2 class="text-lg font-semibold" role="status">{t("clients.import_done")}</h2>
            {counts(&import, place)}
            {left_out(&import.counts)}
            <a class="btn btn-primary mt-4" href=place.list>{t(place.to_list)}</a>
            {(ends.after)(&shown)}
            {problems(import, faulty_kept, place)}
        }
        .into_any(),
        ImportState::Failed => view! {
            <div role="alert">
                <ErrorPanel title=t("clients.import_failed") detail=t_with(&import.reason, &[("limit", &limit)])>
                    <a class="btn btn-sm" href=place.upload>{t("clients.import_again")}</a>
                </ErrorPanel>
            </div>
            {(import.counts.lines > 0).then(|| (counts(&import, place), left_out(&import.counts)))}
            {(ends.after)(&shown)}
            {problems(import, faulty_kept, place)}
        }
        .into_any(),
    };
    view! { <p class="mb-4 text-sm opacity-80 break-words">{file}</p> {body} }.into_any()
}

fn counts(import: &Import, place: &Place) -> AnyView {
    let counts = &import.counts;
    let entries: Vec<AnyView> = place
        .counts
        .iter()
        .map(|(key, count)| (*key, count(counts)))
        .map(|(key, n)| {
        view! { <div><dt class="text-xs opacity-80">{t(key)}</dt><dd class="text-lg font-semibold tabular-nums">{number(n)}</dd></div> }
            .into_any()
    })
    .collect();
    view! { <dl class="mt-4 flex flex-wrap gap-6">{entries}</dl> }.into_any()
}

/// Says that some of the file's addresses get nothing, and names the first.
fn left_out(counts: &ImportCounts) -> Option<AnyView> {
    (counts.suppressed > 0).then(|| {
        let names = visible(&counts.suppressed_first.join(", "));
        view! {
            <p class="mt-4 max-w-xl rounded-box border border-warning/60 bg-warning/20 p-4 text-sm break-words">
                {tn_with("clients.import_suppressed", counts.suppressed, &[("names", &names)])}
                " "
                <a class="link" href="/suppressions">{t("suppressions.title")}</a>
            </p>
        }
        .into_any()
    })
}

fn running(import: &Import, since: RwSignal<Option<(f64, i64)>>, place: &Place) -> AnyView {
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
        {counts(import, place)}
        <p class="mt-4 text-sm opacity-80">{t("clients.import_leave")}</p>
        <a class="btn btn-sm mt-2" rel="external" href=format!("{}/{}", place.upload, import.id)>{t("clients.refresh")}</a>
    }
    .into_any()
}

/// The lines that were not taken; `kept`: all of them can be had as a file.
fn problems(import: Import, kept: bool, place: &Place) -> Option<AnyView> {
    (!import.problems.is_empty()).then(|| {
        let file = kept.then(|| {
            let href = format!("/clients/import/{}/faulty", import.id);
            view! {
                <p class="mt-2 flex flex-wrap items-center gap-3 text-sm">
                    <a class="btn btn-sm" rel="external" download="" href=href>{icon(Icon::Download, "size-4")}{t("clients.faulty_file")}</a>
                    <span class="opacity-80">{t("clients.faulty_file_text")}</span>
                </p>
            }
        });
        view! {
            <h2 class="mt-8 font-semibold">{t("clients.problems")}</h2>
            {file}
            {problem_table(import.problems, place.goal)}
        }
        .into_any()
    })
}
