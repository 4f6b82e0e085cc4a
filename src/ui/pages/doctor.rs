//! `/doctor`: whether email from here arrives, and the DNS records to paste where it does not.

use crate::api::doctor::{CheckUp, get_checkup};
use crate::api::error::AppError;
use crate::domain::checkup::{Checkup, Finding, Level, Record};
use crate::ui::components::badge::{BAD, CALM, GOOD, WAIT, badge};
use crate::ui::components::copy::CopyButton;
use crate::ui::components::empty::Empty;
use crate::ui::components::error_panel::{ErrorPanel, failed};
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::page::Page;
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, error_of};
use crate::ui::i18n::{t, t_args, tn};
use crate::ui::live::LostNote;
use crate::ui::poll::poll;
use crate::ui::time::Time;
use leptos::prelude::*;
use std::time::Duration;

/// Time between two looks while an examination is under way.
const LOOK: Duration = Duration::from_secs(1);

/// `/doctor`.
#[component]
pub fn DoctorPage() -> impl IntoView {
    let action = ServerAction::<CheckUp>::new();
    let found = Resource::new_blocking(move || action.version().get(), |_| get_checkup());
    let polled = poll(found, LOOK, |checkup: &Checkup| checkup.running);
    let error = Signal::derive(move || error_of(action.value().get().as_ref()));
    view! {
        <div class="mx-auto max-w-4xl">
            <Page title=t("doctor.title") lead=t("doctor.lead")>
                <FormErrors error=error />
                <LostNote lost=polled.lost />
                <Transition>{move || polled.get().map(|found| shown(found, action))}</Transition>
            </Page>
        </div>
    }
    .into_any()
}

fn shown(found: Result<Checkup, AppError>, action: ServerAction<CheckUp>) -> AnyView {
    let checkup = match found {
        Ok(checkup) => checkup,
        Err(error) => return failed(&error),
    };
    let summary = summary(&checkup);
    let Checkup { running, at, failed, findings } = checkup;
    let word = t(if at.is_some() { "doctor.check_again" } else { "doctor.check" });
    let at = at.map(|at| view! { <p class="text-sm opacity-80">{t("doctor.at")}" "<Time at=at with_zone=true /></p> });
    let button = view! {
        <ActionForm action=action>
            <Submit label=word pending=action.pending() />
        </ActionForm>
    };
    let begin = if running { under_way() } else { button.into_any() };
    if findings.is_empty() && !failed && !running {
        return view! {
            <Empty symbol=Icon::Mail title=t("doctor.never") text=t("doctor.never_text") />
            <div class="mt-6 flex justify-center">{begin}</div>
        }
        .into_any();
    }
    let failed = failed.then(|| view! { <ErrorPanel title=t("doctor.title") detail=t("doctor.failed") /> });
    let findings: Vec<AnyView> = findings.into_iter().map(finding).collect();
    view! {
        <div class="mb-6 flex flex-wrap items-center justify-between gap-4">
            <div>{summary}{at}</div>
            {begin}
        </div>
        {failed}
        <ul class="mt-6 space-y-4">{findings}</ul>
    }
    .into_any()
}

/// Without scripts the page does not follow: a link shows it anew.
fn under_way() -> AnyView {
    view! {
        <p role="status" class="flex flex-wrap items-center gap-2 text-sm" data-testid="running">
            <span class="loading loading-spinner loading-sm" aria-hidden="true"></span>
            {t("doctor.running")}
            <a class="link" rel="external" href="/doctor">{t("doctor.refresh")}</a>
        </p>
    }
    .into_any()
}

/// How many findings need something done.
fn summary(checkup: &Checkup) -> Option<AnyView> {
    let count = |level: Level, key: &str| {
        let n = checkup.count(level);
        (n > 0).then(|| tn(key, i64::try_from(n).unwrap_or(i64::MAX)))
    };
    let parts = [count(Level::Bad, "doctor.count_bad"), count(Level::Warning, "doctor.count_warning")];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let text = if parts.is_empty() { t("doctor.all_good") } else { parts.join(", ") };
    (!checkup.findings.is_empty()).then(|| view! { <p class="text-lg font-semibold">{text}</p> }.into_any())
}

fn level_badge(level: Level) -> AnyView {
    let (symbol, colour) = match level {
        Level::Good => (Icon::Check, GOOD),
        Level::Note => (Icon::Info, CALM),
        Level::Warning => (Icon::Alert, WAIT),
        Level::Bad => (Icon::Cross, BAD),
    };
    badge(t(&format!("doctor.level_{}", level.as_str())), symbol, colour)
}

fn finding(finding: Finding) -> AnyView {
    let Finding { level, check, key, args, record } = finding;
    view! {
        <li class="rounded-box border border-base-300 bg-base-100 p-4" data-level=level.as_str()>
            <div class="flex flex-wrap items-center gap-2">
                {level_badge(level)}
                <h2 class="font-semibold">{t(&format!("doctor.check_{check}"))}</h2>
            </div>
            <p class="mt-2 text-sm break-words">{t_args(&format!("doctor.{check}_{key}"), &args)}</p>
            {record.map(paste)}
        </li>
    }
    .into_any()
}

/// The fields that DNS providers ask for.
fn paste(Record { name, kind, value }: Record) -> AnyView {
    let field = |word: &str, text: String| {
        let word = t(word);
        view! {
            <div class="flex flex-wrap items-start gap-x-3 gap-y-1 py-2 sm:flex-nowrap">
                <dt class="w-20 shrink-0 text-xs opacity-80">{word.clone()}</dt>
                <dd class="flex min-w-0 grow items-start justify-between gap-3">
                    <code class="min-w-0 text-sm break-all select-all">{text.clone()}</code>
                    <CopyButton text=text label=word />
                </dd>
            </div>
        }
        .into_any()
    };
    view! {
        <p class="mt-3 flex items-center gap-2 text-sm">{icon(Icon::Edit, "size-4")}{t("doctor.paste")}</p>
        <dl class="mt-2 divide-y divide-base-300 rounded-box border border-base-300 px-3">
            {field("doctor.record_name", name)}
            {field("doctor.record_kind", kind)}
            {field("doctor.record_value", value)}
        </dl>
    }
    .into_any()
}
