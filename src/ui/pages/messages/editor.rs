//! The form of a message, beside its preview.

use super::preview::{Answer, Preview, ask};
use crate::api::designs::list_designs;
use crate::api::error::AppError;
use crate::api::messages::{SaveMessage, SendTest, preview_clients};
use crate::domain::client::Client;
use crate::domain::design::{BuiltIn, Design};
use crate::domain::message::{BODY_MAX, Message, PREHEADER_MAX, SUBJECT_MAX};
use crate::domain::post::{Picture, widths};
use crate::domain::starter::{self, Starter};
use crate::forms::messages::MessageForm;
use crate::ui::browser::{Place, insert_text};
use crate::ui::components::field::{SelectField, TextArea, TextField};
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::markdown_editor::{MarkdownEditor, Tools, Writing};
use crate::ui::components::pictures::Describe;
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, VersionField, error_of, errors_of, use_form_keys, use_unsaved_guard};
use crate::ui::i18n::{t, t_with, tn};
use crate::ui::once::OnceField;
use crate::ui::refused::typed_for;
use leptos::form::FromFormData;
use leptos::html;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use serde::{Deserialize, Serialize};

/// The id that the kit gives to the field `form[body]`.
const BODY: &str = "field-form-body-";

/// How wide a picture is at first, in pixels: as wide as the text.
const PICTURE_WIDTH: u32 = 536;

/// What is being written, as the preview and the test letter need it.
#[derive(Clone, Copy)]
pub(super) struct Draft {
    /// What the form sends, its version apart.
    pub form: RwSignal<MessageForm>,
    /// The client that the preview is for; none for the example.
    pub client: RwSignal<Option<i64>>,
}

/// What the form begins with: as stored, or as it was typed before it was refused.
fn begin(message: Option<&Message>, starter: &str) -> MessageForm {
    let stored = message.map_or_else(
        || started(starter),
        |message| MessageForm {
            id: message.id,
            subject: message.subject.clone(),
            preheader: message.preheader.clone(),
            body: message.body.clone(),
            design: message.design.to_string(),
            version: String::new(),
        },
    );
    let first = |name: &str, stored: String| typed_for(SaveMessage::PATH, name).unwrap_or(stored);
    MessageForm {
        subject: first("form[subject]", stored.subject),
        preheader: first("form[preheader]", stored.preheader),
        body: first("form[body]", stored.body),
        design: first("form[design]", stored.design),
        ..stored
    }
}

/// The message that a starter is; nothing for any other word.
fn started(word: &str) -> MessageForm {
    let Some(Starter { word, design }) = starter::find(word) else { return MessageForm::default() };
    let text = |part: &str| t(&format!("starters.{word}_{part}"));
    let (subject, preheader, body) = (text("subject"), text("preheader"), text("body"));
    MessageForm { subject, preheader, body, design: design.as_str().to_owned(), ..MessageForm::default() }
}

/// What the page loads beside the message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Beside {
    /// To preview with.
    clients: Vec<Client>,
    designs: Vec<Design>,
    /// The first preview.
    preview: Answer,
}

impl Beside {
    /// The subject as an example client would see it.
    pub(super) fn subject(&self) -> Option<String> {
        self.preview.as_ref().and_then(|preview| preview.as_ref().ok()).map(|preview| preview.subject.clone())
    }
}

pub(super) async fn load(message: Option<&Message>, starter: &str) -> Result<Beside, AppError> {
    let clients = preview_clients(String::new()).await?;
    let designs = list_designs().await?;
    Ok(Beside { clients, designs, preview: ask(begin(message, starter), None).await })
}

/// The form and its preview. `message` is none for a new one, which `starter` may begin.
#[component]
pub(super) fn Editor(
    message: Option<Message>,
    #[prop(optional, into)] starter: String,
    beside: Beside,
) -> impl IntoView {
    let Beside { clients, designs, preview } = beside;
    let (id, mailings) = message.as_ref().map_or((0, 0), |message| (message.id, message.mailings));
    let first = begin(message.as_ref(), &starter);
    let opened = message.map(|message| message.version()).unwrap_or_default();
    let draft = Draft { form: RwSignal::new(first.clone()), client: RwSignal::new(None) };
    let save = ServerAction::<SaveMessage>::new();
    let test = ServerAction::<SendTest>::new();
    // What was sent last, which is what is stored once the answer is good.
    let sent = RwSignal::new(String::new());
    Effect::new(move |_| {
        if let Some(SaveMessage { form, .. }) = save.input().get() {
            sent.set(form.version_stored());
        }
    });
    let saved = Signal::derive(move || matches!(save.value().get(), Some(Ok(_))).then(|| sent.get_untracked()));
    let (writing, form) = (Writing::default(), NodeRef::<html::Form>::new());
    use_form_keys(form);
    use_unsaved_guard(form);
    let read = move || {
        let Some(form) = form.get_untracked() else { return };
        let Ok(data) = web_sys::FormData::new_with_form(&form) else { return };
        let Ok(SaveMessage { form, .. }) = SaveMessage::from_form_data(&data) else { return };
        // The version is no part of what is written.
        let form = MessageForm { version: String::new(), ..form };
        if draft.form.with_untracked(|known| *known != form) {
            draft.form.set(form);
        }
    };
    // What was typed before the scripts came stands in the fields, and no event tells of it.
    Effect::new(move |_| {
        if form.get().is_some() {
            read();
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
        test.dispatch(SendTest { form: draft.form.get_untracked(), client: draft.client.get_untracked() });
    };
    view! {
        {(mailings > 0).then(|| used_by(mailings))}
        <div class="grid gap-8 lg:grid-cols-2">
            <div class="min-w-0">
                <FormErrors error=error />
                <div on:submit:capture=move |_| test.clear() on:input=move |_| read() on:change=move |_| read()>
                    <ActionForm action=save node_ref=form>
                        <OnceField />
                        <input type="hidden" name="form[id]" value=id />
                        <VersionField opened=opened errors=errors saved=saved />
                        <TextField
                            name="form[subject]"
                            label=t("messages.subject")
                            hint=t("messages.subject_hint")
                            value=first.subject
                            errors=errors
                            maxlength=SUBJECT_MAX
                            required=true
                        />
                        <TextField
                            name="form[preheader]"
                            label=t("messages.preheader")
                            hint=t("messages.preheader_hint")
                            value=first.preheader
                            errors=errors
                            maxlength=PREHEADER_MAX
                        />
                        <SelectField
                            name="form[design]"
                            label=t("messages.design")
                            options=choices(designs)
                            value=first.design
                            errors=errors
                        />
                        <p class="-mt-2 mb-4 text-xs">
                            <a class="link" href="/designs">{t("messages.designs")}</a>
                            " · "
                            <a class="link" href="/posts/images">{t("messages.pictures")}</a>
                        </p>
                        {insert_buttons()}
                        <MarkdownEditor field=BODY tools=Tools::Letter writing=writing>
                            <TextArea
                                name="form[body]"
                                label=t("messages.body")
                                hint=t("messages.body_hint")
                                value=first.body
                                errors=errors
                                rows=22
                                maxlength=BODY_MAX
                                required=true
                            />
                        </MarkdownEditor>
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
                <Describe state=writing.pictures field=BODY visited=writing.visited written=in_a_letter />
            </div>
            <Preview id=id draft=draft clients=clients first=preview />
        </div>
    }
}

/// A picture as letters have it: with its width, in a size that is sharp on a good screen.
fn in_a_letter(picture: &Picture, words: &str) -> String {
    let width = picture.width.clamp(1, PICTURE_WIDTH);
    let files = widths(picture.width);
    let file = files.iter().find(|file| **file >= width * 3 / 2).or(files.last()).copied().unwrap_or(width);
    format!("::picture[{words}](/images/{}/{file} width={width})", picture.id)
}

/// Designs to choose from: the plain letter, one's own, and those that everybody has.
fn choices(designs: Vec<Design>) -> Vec<(String, String)> {
    let built_in = |design: BuiltIn| {
        let word = design.as_str();
        (word.to_owned(), t(&format!("designs.built_in_{word}")))
    };
    let (plain, rest) = BuiltIn::ALL.split_at(1);
    let own = designs.into_iter().map(|design| (design.id.to_string(), design.name));
    plain.iter().copied().map(built_in).chain(own).chain(rest.iter().copied().map(built_in)).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_as_wide_as_the_text_and_sharp() {
        let id = "0".repeat(32);
        for (width, written) in [
            (4000, format!("::picture[Bread](/images/{id}/960 width=536)")),
            (600, format!("::picture[Bread](/images/{id}/600 width=536)")),
            (200, format!("::picture[Bread](/images/{id}/200 width=200)")),
        ] {
            let picture = Picture { id: id.clone(), alt: String::new(), width, height: 100 };
            assert_eq!(in_a_letter(&picture, "Bread"), written);
        }
    }
}
