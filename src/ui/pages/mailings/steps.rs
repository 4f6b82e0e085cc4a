//! The steps of the wizard.

use super::query::{self, Step};
use super::{audience_word, occurrences, period_word, wall};
use crate::api::error::FieldErrors;
use crate::api::mailings::SaveMailing;
use crate::domain::mailing::{DoubtPolicy, Review, TITLE_MAX};
use crate::domain::message::MessageRow;
use crate::domain::page::Page;
use crate::domain::schedule::Period;
use crate::forms::mailings::{MailingForm, NOW};
use crate::ui::components::dialog::Confirm;
use crate::ui::components::empty::Empty;
use crate::ui::components::field::{RadioField, SelectField, TextField};
use crate::ui::components::icon::Icon;
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, error_of};
use crate::ui::i18n::{error_text, t, t_with, tn};
use leptos::prelude::*;
use leptos_router::components::Form;

/// A GET form that carries the rest of the state and leads to the next step.
fn step_form(form: &MailingForm, own: &[&str], next: Step, back: Option<Step>, fields: AnyView) -> AnyView {
    let carried: Vec<AnyView> = query::pairs(form, own)
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=name value=value /> }.into_any())
        .collect();
    let back = back.map(|step| {
        let href = query::link(form, step);
        view! { <a class="btn" href=href>{t("mailings.back")}</a> }
    });
    view! {
        <Form method="GET" action=query::path(form.id)>
            {carried}
            <input type="hidden" name="step" value=next.as_str() />
            {fields}
            <div class="mt-6 flex gap-2">{back} <Submit label=t("mailings.continue") /></div>
        </Form>
    }
    .into_any()
}

fn error(errors: &FieldErrors, field: &str) -> Option<AnyView> {
    errors
        .get(field)
        .map(error_text)
        .map(|text| view! { <p role="alert" class="mb-3 text-sm text-error">{text}</p> }.into_any())
}

/// Which message.
pub fn message(form: &MailingForm, errors: FieldErrors, messages: Page<MessageRow>) -> AnyView {
    if messages.total == 0 {
        let first = (t("mailings.write_message"), "/messages/new".to_owned());
        return view! {
            <Empty symbol=Icon::Mail title=t("mailings.no_messages") text=t("mailings.no_messages_text") action=first />
        }
        .into_any();
    }
    let wrong = error(&errors, "message");
    let mut chosen = form.message;
    if chosen == 0 && messages.rows.len() == 1 {
        chosen = messages.rows[0].id;
    }
    let listed = messages.rows.iter().any(|message| message.id == chosen);
    // A message that is chosen already but stands on another page stays chosen.
    let kept = (!listed && chosen != 0).then(|| (chosen.to_string(), t("mailings.message_kept"), String::new()));
    let options = kept
        .into_iter()
        .chain(messages.rows.into_iter().map(|message| (message.id.to_string(), message.subject, String::new())))
        .collect();
    let more = messages.next.map(|next| {
        let mut pairs = query::pairs(form, &[]);
        pairs.push(("step".to_owned(), Step::Message.as_str().to_owned()));
        pairs.push(("after".to_owned(), next));
        let href = crate::ui::link::href(&query::path(form.id), &pairs);
        view! { <a class="link text-sm" href=href>{t("mailings.more_messages")}</a> }
    });
    let fields = view! {
        {wrong}
        <RadioField name="message" label=t("mailings.message") options=options value=chosen.to_string() required=true />
        {more}
        <div class="mt-4">
            <TextField
                name="title"
                label=t("mailings.title_field")
                hint=t("mailings.title_hint")
                value=form.title.clone()
                maxlength=TITLE_MAX
                errors=errors
            />
        </div>
    };
    step_form(form, &["message", "title"], Step::Clients, None, fields.into_any())
}

/// Which clients.
pub fn clients(form: &MailingForm, errors: FieldErrors, all: i64, chosen: i64) -> AnyView {
    let found = |kind: &str| if form.clients == kind { tn("mailings.clients_count", chosen) } else { String::new() };
    let mut options = vec![
        ("all".to_owned(), t("mailings.clients_all"), tn("mailings.clients_count", all)),
        ("search".to_owned(), t("mailings.clients_search"), found("search")),
    ];
    if form.selection != 0 {
        options.push(("picked".to_owned(), t("mailings.clients_picked"), found("picked")));
    }
    let wrong = error(&errors, "clients");
    let fields = view! {
        {wrong}
        <RadioField name="clients" label=t("mailings.clients") options=options value=form.clients.clone() required=true />
        <TextField
            name="search"
            label=t("mailings.search_text")
            hint=t("mailings.search_hint")
            value=form.search.clone()
            errors=errors
        />
        <p class="text-sm opacity-80">
            {t("mailings.pick_hint")} " " <a class="link" href="/clients">{t("nav.clients")}</a>
        </p>
    };
    step_form(form, &["clients", "search"], Step::Window, Some(Step::Message), fields.into_any())
}

/// When.
pub fn window(form: &MailingForm, errors: FieldErrors, zones: Vec<String>) -> AnyView {
    let when = vec![
        (NOW.to_owned(), t("mailings.start_now"), t("mailings.start_now_hint")),
        ("at".to_owned(), t("mailings.start_at"), String::new()),
    ];
    // A stored mailing keeps its start unless told otherwise.
    let now = form.start == NOW || form.id == 0 && form.start.is_empty();
    let periods = Period::ALL.map(|period| (period.as_str().to_owned(), period_word(period), String::new())).to_vec();
    let policies = [DoubtPolicy::Resend, DoubtPolicy::Hold]
        .map(|policy| {
            let word = policy.as_str();
            (word.to_owned(), t(&format!("mailings.policy_{word}")), t(&format!("mailings.policy_{word}_hint")))
        })
        .to_vec();
    let zones = zones.into_iter().map(|zone| (zone.clone(), zone)).collect();
    let start = if form.start == NOW { String::new() } else { form.start.clone() };
    let errors = Signal::stored(errors);
    let fields = view! {
        <RadioField name="when" label=t("mailings.start") options=when value=if now { NOW } else { "at" } required=true />
        <TextField name="start" label=t("mailings.start_field") kind="datetime-local" value=start errors=errors />
        <TextField
            name="end"
            label=t("mailings.end")
            hint=t("mailings.end_hint")
            kind="datetime-local"
            value=form.end.clone()
            errors=errors
            required=true
        />
        <SelectField name="zone" label=t("mailings.zone") options=zones value=form.zone.clone() errors=errors required=true />
        <RadioField
            name="period"
            label=t("mailings.period")
            options=periods
            value=form.period.clone()
            errors=errors
            required=true
        />
        <RadioField
            name="policy"
            label=t("mailings.policy")
            options=policies
            value=form.policy.clone()
            errors=errors
            required=true
        />
    };
    let own = ["when", "start", "end", "zone", "period", "policy"];
    step_form(form, &own, Step::Review, Some(Step::Clients), fields.into_any())
}

/// What will happen, and the button.
pub fn review(form: &MailingForm, review: Review, save: ServerAction<SaveMailing>) -> AnyView {
    let back = query::link(form, Step::Window);
    let title = review.title.clone();
    let (key, ask) = match (form.id == 0, review.starts_now) {
        (true, true) => ("mailings.do_start", "mailings.ask_start"),
        (true, false) => ("mailings.do_plan", "mailings.ask_plan"),
        (false, _) => ("mailings.do_save", "mailings.ask_save"),
    };
    let ask = tn(ask, review.audience_count);
    let facts = [
        ("mailings.title_field", review.title),
        ("mailings.message", review.message_subject),
        ("mailings.clients", audience_word(&review.audience)),
        ("mailings.audience", tn("mailings.clients_count", review.audience_count)),
        ("mailings.start", if review.starts_now { t("mailings.start_now") } else { wall(review.start_local) }),
        ("mailings.end", wall(review.end_local)),
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
        .map(|(name, value)| view! { <input type="hidden" name=format!("form[{name}]") value=value /> }.into_any())
        .collect();
    let failed = Signal::derive(move || error_of(save.value().get().as_ref()));
    view! {
        <FormErrors error=failed />
        <section class="rounded-box border border-base-300 bg-base-100 p-5">
            <dl class="divide-y divide-base-300">{facts}</dl>
        </section>
        <section class="mt-6 rounded-box border border-base-300 bg-base-100 p-5">
            <h2 class="font-semibold">{t("mailings.next_runs")}</h2>
            {occurrences(review.next)}
        </section>
        <div class="mt-6 flex flex-wrap gap-2">
            <a class="btn" href=back>{t("mailings.back")}</a>
            <Confirm
                name="save"
                trigger=t(key)
                class="btn btn-primary"
                title=ask
                text=t_with("mailings.ask_text", &[("title", &title)])
            >
                <ActionForm action=save>
                    {hidden}
                    <Submit label=t(key) pending=save.pending() />
                </ActionForm>
            </Confirm>
        </div>
    }
    .into_any()
}

/// The form as the server function takes it.
fn fields(form: &MailingForm) -> [(&'static str, String); 11] {
    [
        ("id", form.id.to_string()),
        ("title", form.title.clone()),
        ("message", form.message.to_string()),
        ("clients", form.clients.clone()),
        ("search", form.search.clone()),
        ("selection", form.selection.to_string()),
        ("start", form.start.clone()),
        ("end", form.end.clone()),
        ("zone", form.zone.clone()),
        ("period", form.period.clone()),
        ("policy", form.policy.clone()),
    ]
}
