//! The form of a message, beside its preview.

use super::preview::{Answer, Preview, ask};
use crate::api::error::AppError;
use crate::api::messages::{SaveMessage, SendTest, preview_clients};
use crate::domain::client::Client;
use crate::domain::message::{BODY_MAX, Message, SUBJECT_MAX};
use crate::domain::version::version;
use crate::forms::messages::MessageForm;
use crate::ui::browser::{Place, insert_text};
use crate::ui::components::field::{TextArea, TextField};
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, VersionField, error_of, errors_of, use_form_keys, use_unsaved_guard};
use crate::ui::i18n::{t, t_with, tn};
use crate::ui::once::OnceField;
use crate::ui::refused::typed_for;
use leptos::html;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The id that the kit gives to the field `form[body]`.
const BODY: &str = "field-form-body-";

/// What is being written, as the preview and the test letter need it.
#[derive(Clone, Copy)]
pub(super) struct Draft {
    pub subject: RwSignal<String>,
    pub body: RwSignal<String>,
    /// The client that the preview is for; none for the example.
    pub client: RwSignal<Option<i64>>,
}

/// What the form begins with: as stored, or as it was typed before it was refused.
fn begin(message: Option<&Message>) -> (String, String) {
    let (subject, body) =
        message.map_or_else(Default::default, |message| (message.subject.clone(), message.body.clone()));
    let first = |name: &str, stored: String| typed_for(SaveMessage::PATH, name).unwrap_or(stored);
    (first("form[subject]", subject), first("form[body]", body))
}

/// What the page loads beside the message: clients to preview with, and the first preview.
pub(super) async fn load(message: Option<&Message>) -> Result<(Vec<Client>, Answer), AppError> {
    let (subject, body) = begin(message);
    let clients = preview_clients(String::new()).await?;
    Ok((clients, ask(subject, body, None).await))
}

/// The form and its preview. `message` is none for a new one.
#[component]
pub(super) fn Editor(message: Option<Message>, clients: Vec<Client>, preview: Answer) -> impl IntoView {
    let (id, mailings) = message.as_ref().map_or((0, 0), |message| (message.id, message.mailings));
    let (first_subject, first_body) = begin(message.as_ref());
    let opened = message.map(|message| version(&[&message.subject, &message.body])).unwrap_or_default();
    let draft = Draft {
        subject: RwSignal::new(first_subject.clone()),
        body: RwSignal::new(first_body.clone()),
        client: RwSignal::new(None),
    };
    let save = ServerAction::<SaveMessage>::new();
    let test = ServerAction::<SendTest>::new();
    // What was sent last, which is what is stored once the answer is good.
    let sent = RwSignal::new(String::new());
    Effect::new(move |_| {
        if let Some(SaveMessage { form, .. }) = save.input().get() {
            sent.set(version(&[form.subject.trim(), &form.body]));
        }
    });
    let saved = Signal::derive(move || matches!(save.value().get(), Some(Ok(_))).then(|| sent.get_untracked()));
    let form = NodeRef::<html::Form>::new();
    use_form_keys(form);
    use_unsaved_guard(form);
    // What was typed before the scripts came stands in the fields, and no event tells of it.
    Effect::new(move |_| {
        let Some(form) = form.get() else { return };
        let Ok(data) = web_sys::FormData::new_with_form(&form) else { return };
        for (name, signal) in [("form[subject]", draft.subject), ("form[body]", draft.body)] {
            let typed = data.get(name).as_string().unwrap_or_default();
            if signal.with_untracked(|known| *known != typed) {
                signal.set(typed);
            }
        }
    });
    // Whichever was asked last has answered last: the other's answer is cleared before it is asked.
    let error =
        Signal::derive(move || error_of(save.value().get().as_ref()).or_else(|| error_of(test.value().get().as_ref())));
    let errors = Signal::derive(move || match save.value().get() {
        Some(Err(_)) => errors_of(save.value().get().as_ref()),
        _ => errors_of(test.value().get().as_ref()),
    });
    let send_test = move |_| {
        save.clear();
        let (subject, body) = (draft.subject.get_untracked(), draft.body.get_untracked());
        let form = MessageForm { id, subject, body, ..MessageForm::default() };
        test.dispatch(SendTest { form, client: draft.client.get_untracked() });
    };
    view! {
        {(mailings > 0).then(|| used_by(mailings))}
        <div class="grid gap-8 lg:grid-cols-2">
            <div class="min-w-0">
                <FormErrors error=error />
                <div on:submit:capture=move |_| test.clear()>
                    <ActionForm action=save node_ref=form>
                        <OnceField />
                        <input type="hidden" name="form[id]" value=id />
                        <VersionField opened=opened errors=errors saved=saved />
                        <TextField
                            name="form[subject]"
                            label=t("messages.subject")
                            hint=t("messages.subject_hint")
                            value=first_subject
                            errors=errors
                            maxlength=SUBJECT_MAX
                            required=true
                            on:input=move |event| draft.subject.set(event_target_value(&event))
                        />
                        {insert_buttons()}
                        <TextArea
                            name="form[body]"
                            label=t("messages.body")
                            hint=t("messages.body_hint")
                            value=first_body
                            errors=errors
                            rows=18
                            maxlength=BODY_MAX
                            required=true
                            on:input=move |event| draft.body.set(event_target_value(&event))
                        />
                        <div class="flex flex-wrap items-center gap-3">
                            <Submit label=t("messages.save") pending=save.pending() />
                            <button type="button" class="btn" disabled=move || test.pending().get() on:click=send_test>
                                {icon(Icon::Mail, "size-4")}
                                {move || t(if test.pending().get() { "common.working" } else { "messages.test" })}
                            </button>
                            <span class="text-xs opacity-80">{t("messages.keys")}</span>
                        </div>
                        <p role="status" class="mt-3 text-sm text-success empty:hidden">
                            {move || match test.value().get() {
                                Some(Ok(email)) => Some(t_with("messages.test_sent", &[("email", &email)])),
                                _ => None,
                            }}
                        </p>
                    </ActionForm>
                </div>
            </div>
            <Preview draft=draft clients=clients first=preview />
        </div>
    }
}

fn used_by(mailings: i64) -> AnyView {
    view! {
        <div class="mb-6 flex gap-3 rounded-box border border-info/40 bg-info/10 p-4 text-sm">
            <span class="text-info">{icon(Icon::Info, "size-5")}</span>
            <p>{tn("messages.used", mailings)}" "{t("messages.used_text")}</p>
        </div>
    }
    .into_any()
}

/// Buttons that put a placeholder where the cursor stands in the body.
fn insert_buttons() -> AnyView {
    let buttons: Vec<AnyView> = [
        ("messages.insert_full_name", "{{ full_name }}"),
        ("messages.insert_email", "{{ email }}"),
        ("messages.insert_comment", "{{ comment }}"),
    ]
    .into_iter()
    .map(|(word, placeholder)| {
        view! {
            <button type="button" class="btn btn-xs" title=placeholder on:click=move |_| insert_text(BODY, placeholder, Place::Cursor)>
                {t(word)}
            </button>
        }
        .into_any()
    })
    .collect();
    view! {
        <div class="mb-2 flex flex-wrap items-center gap-2 text-xs">
            <span class="opacity-80">{t("messages.insert")}</span>
            {buttons}
        </div>
    }
    .into_any()
}
