//! The steps of the wizard.

use super::query::{self, Step};
use super::so_far::kept;
use crate::api::error::FieldErrors;
use crate::domain::mailing::TITLE_MAX;
use crate::domain::message::MessageRow;
use crate::domain::page::Page;
use crate::forms::mailings::MailingForm;
use crate::ui::components::empty::Empty;
use crate::ui::components::field::{RadioField, TextField};
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::submit::Submit;
use crate::ui::form::use_save_keys;
use crate::ui::i18n::{error_text, t, tn};
use leptos::prelude::*;
use leptos_router::components::Form;

/// The id of the form that a step is.
pub const FORM: &str = "wizard";

/// A GET form that carries the rest of the state and leads to the next step, or back; `go` is the word on its button.
pub(super) fn step_form(
    form: RwSignal<MailingForm>,
    own: &[&str],
    here: Step,
    go: Signal<String>,
    fields: AnyView,
) -> AnyView {
    let filled = form.get_untracked();
    let carried: Vec<AnyView> = query::pairs(&filled, own)
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=name value=value /> }.into_any())
        .collect();
    let back = (here != Step::Message).then(|| {
        view! { <button type="submit" class="btn" name="back" value="1" formnovalidate>{t("mailings.back")}</button> }
    });
    use_save_keys(FORM, |form| drop(form.request_submit()));
    let content = view! {
        <Form method="GET" action=filled.path() attr:id=FORM>
            // Enter in a field presses the first button: it goes on, whatever buttons follow.
            <button type="submit" class="sr-only" tabindex="-1" aria-hidden="true"></button>
            {carried}
            <input type="hidden" name="step" value=here.after().as_str() />
            {fields}
            <div class="mt-6 flex flex-wrap items-center gap-2">
                {back} <Submit label=go />
                <span class="text-xs opacity-80">{t("mailings.keys")}</span>
            </div>
        </Form>
    };
    kept(form, here, FORM, content.into_any())
}

pub(super) fn error(errors: &FieldErrors, field: &str) -> Option<AnyView> {
    errors
        .get(field)
        .map(error_text)
        .map(|text| view! { <p role="alert" class="mb-3 text-sm text-error">{text}</p> }.into_any())
}

/// Which message: of those that the search finds, or the one chosen before.
pub fn message(
    so_far: RwSignal<MailingForm>,
    errors: FieldErrors,
    q: &str,
    messages: Page<MessageRow>,
    before: Option<String>,
) -> AnyView {
    let form = &so_far.get_untracked();
    if messages.total == 0 && q.is_empty() {
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
    let nothing = messages.rows.is_empty().then(|| {
        view! { <p role="status" class="mb-3 text-sm">{t("messages.not_found_text")}</p> }
    });
    let count = tn("messages.count", messages.total);
    // A message that is chosen already but does not stand here stays chosen.
    let options = before
        .map(|subject| (chosen.to_string(), subject, t("mailings.message_kept")))
        .into_iter()
        .chain(messages.rows.into_iter().map(|message| (message.id.to_string(), message.subject, String::new())))
        .collect();
    let more = messages.next.map(|next| {
        let q = q.to_owned();
        let href = move || so_far.with(|form| query::listed(form, &q, &next));
        view! { <a class="link text-sm" href=href>{t("mailings.more_messages")}</a> }
    });
    let fields = view! {
        <div role="search" class="mb-4 flex flex-wrap items-center gap-2">
            <label class="input input-sm w-full sm:w-64">
                {icon(Icon::Search, "size-4 opacity-60")}
                <input type="search" name="q" value=q.to_owned() aria-label=t("messages.search") placeholder=t("messages.search") />
            </label>
            <input type="hidden" name="found" value=q.to_owned() />
            <button type="submit" class="btn btn-sm" name="find" value="1" formnovalidate>{t("common.search")}</button>
            <span class="text-sm tabular-nums opacity-80">{count}</span>
        </div>
        {wrong}
        {nothing}
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
    step_form(so_far, &["message", "title"], Step::Message, t("mailings.continue").into(), fields.into_any())
}
