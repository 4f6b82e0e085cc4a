//! The last step of the wizard: what will happen, and the button.

use super::query::{self, Step};
use super::steps::FORM;
use super::{audience_word, beside, left_out_words, occurrences, period_word, wall};
use crate::api::mailings::SaveMailing;
use crate::domain::check::{Finding, Level};
use crate::domain::mailing::{Review, ReviewBeside};
use crate::forms::mailings::MailingForm;
use crate::ui::components::badge::{BAD, WAIT, badge};
use crate::ui::components::dialog::Confirm;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, VersionField, error_of, errors_of, use_save_keys};
use crate::ui::i18n::{t, t_with, tn};
use crate::ui::once::OnceField;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;

/// What will happen, and the button.
pub fn review(form: &MailingForm, review: Review, beside: ReviewBeside, save: ServerAction<SaveMailing>) -> AnyView {
    let back = query::link(form, Step::Window);
    let title = review.title.clone();
    let (key, ask) = match (form.id == 0, review.starts_now) {
        (true, true) => ("mailings.do_start", "mailings.ask_start"),
        (true, false) => ("mailings.do_plan", "mailings.ask_plan"),
        (false, _) => ("mailings.do_save", "mailings.ask_save"),
    };
    let (ask, go) = (tn(ask, review.audience_size.letters()), tn(key, review.audience_size.letters()));
    let clients = tn("mailings.clients_count", review.audience_size.clients);
    let audience = match left_out_words(review.audience_size) {
        Some(words) => format!("{clients}. {words}"),
        None => clients,
    };
    let beside = beside::section(&beside, review.audience_size.letters(), &review.zone);
    let facts = [
        ("mailings.title_field", review.title),
        ("mailings.message", review.message_subject),
        ("mailings.clients", audience_word(&review.audience)),
        ("mailings.audience", audience),
        ("mailings.topic", review.topic.unwrap_or_else(|| t("mailings.no_topic"))),
        ("mailings.start", if review.starts_now { t("mailings.start_now") } else { wall(review.start_local) }),
        ("mailings.end", review.end_local.map_or_else(|| t("mailings.until_stopped"), wall)),
        ("mailings.zone", review.zone),
        ("mailings.period", period_word(review.period)),
        ("mailings.policy", t(&format!("mailings.policy_{}", review.policy.as_str()))),
    ];
    let facts: Vec<AnyView> = facts
        .into_iter()
        .map(|(key, value)| {
            view! {
                <div class="grid gap-1 py-2 sm:grid-cols-[12rem_1fr]">
                    <dt class="text-sm opacity-80">{t(key)}</dt>
                    <dd class="text-sm font-medium break-words">{value}</dd>
                </div>
            }
            .into_any()
        })
        .collect();
    let hidden: Vec<AnyView> = fields(form)
        .into_iter()
        .filter(|(name, _)| *name != "version")
        .map(|(name, value)| view! { <input type="hidden" name=format!("form[{name}]") value=value /> }.into_any())
        .collect();
    let opened = form.version.clone();
    // The keys ask first, as the button does; once asked, they start it.
    use_save_keys(FORM, |form| {
        let open = document().query_selector("#ask-save[open]").ok().flatten().is_some();
        let trigger = document().get_element_by_id("ask-save-open");
        match trigger.and_then(|trigger| trigger.dyn_into::<web_sys::HtmlElement>().ok()) {
            Some(trigger) if !open => trigger.click(),
            // Refused only for a form that is no longer in the page.
            _ => drop(form.request_submit()),
        }
    });
    let failed = Signal::derive(move || error_of(save.value().get().as_ref()));
    let wrong = Signal::derive(move || errors_of(save.value().get().as_ref()));
    view! {
        <FormErrors error=failed />
        <section class="rounded-box border border-base-300 bg-base-100 p-5">
            <dl class="divide-y divide-base-300">{facts}</dl>
        </section>
        {findings(review.findings, form.message)}
        {beside}
        <section class="mt-6 rounded-box border border-base-300 bg-base-100 p-5">
            <h2 class="font-semibold">{t("mailings.next_runs")}</h2>
            {occurrences(review.next)}
        </section>
        <div class="mt-6 flex flex-wrap gap-2">
            <a class="btn" href=back>{t("mailings.back")}</a>
            <Confirm
                name="save"
                trigger=go.clone()
                class="btn btn-primary"
                title=ask
                text=t_with("mailings.ask_text", &[("title", &title)])
            >
                <ActionForm action=save attr:id=FORM>
                    <OnceField />
                    {hidden}
                    <VersionField opened=opened errors=wrong />
                    <Submit label=go pending=save.pending() />
                </ActionForm>
            </Confirm>
        </div>
    }
    .into_any()
}

/// What was found in the message, the worst first, and the way to mend it.
fn findings(findings: Vec<Finding>, message: i64) -> AnyView {
    if findings.is_empty() {
        return view! {
            <section class="mt-6 flex gap-3 rounded-box border border-success/60 bg-success/10 p-5 text-sm">
                {icon(Icon::Check, "size-5 shrink-0")}{t("checks.fine")}
            </section>
        }
        .into_any();
    }
    let lines: Vec<AnyView> = findings.into_iter().map(finding).collect();
    view! {
        <section class="mt-6 rounded-box border border-base-300 bg-base-100 p-5">
            <h2 class="mb-2 font-semibold">{t("checks.title")}</h2>
            <ul class="divide-y divide-base-300">{lines}</ul>
            <a class="btn btn-sm mt-3" href=format!("/messages/{message}")>{t("checks.edit")}</a>
        </section>
    }
    .into_any()
}

fn finding(Finding { level, key, line, detail }: Finding) -> AnyView {
    let (word, symbol, colour) = match level {
        Level::Red => ("checks.red", Icon::Ban, BAD),
        Level::Yellow => ("checks.yellow", Icon::Alert, WAIT),
    };
    view! {
        <li class="flex flex-wrap items-baseline gap-3 py-2 text-sm">
            {badge(t(word), symbol, colour)}
            <span class="min-w-0 flex-1 break-words">{t_with(&key, &[("line", &line), ("name", &detail)])}</span>
        </li>
    }
    .into_any()
}

/// The form as the server function takes it.
pub fn fields(form: &MailingForm) -> [(&'static str, String); 13] {
    [
        ("id", form.id.to_string()),
        ("title", form.title.clone()),
        ("message", form.message.to_string()),
        ("clients", form.clients.clone()),
        ("search", form.search.clone()),
        ("selection", form.selection.to_string()),
        ("topic", form.topic.to_string()),
        ("start", form.start.clone()),
        ("end", form.end.clone()),
        ("zone", form.zone.clone()),
        ("period", form.period.clone()),
        ("policy", form.policy.clone()),
        ("version", form.version.clone()),
    ]
}
