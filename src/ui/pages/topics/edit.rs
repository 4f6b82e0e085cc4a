//! The form of one topic.

use super::above;
use crate::api::error::AppError;
use crate::api::topics::{DeleteTopic, SaveTopic, get_topic};
use crate::domain::suppression::NO_TOPIC;
use crate::domain::topic::{DESCRIPTION_MAX, NAME_MAX, Topic};
use crate::ui::components::dialog::Confirm;
use crate::ui::components::error_panel::failed;
use crate::ui::components::field::{CheckField, RadioField, TextField};
use crate::ui::components::page::Page;
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, VersionField, error_of, errors_of, use_form_keys, use_unsaved_guard};
use crate::ui::i18n::{t, t_with};
use crate::ui::session::{refusal, use_session};
use leptos::html;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

/// `/topics/new`.
#[component]
pub fn TopicNewPage() -> impl IntoView {
    let session = use_session();
    // The form asks nothing of the server, which would say who may not.
    let fields = move || {
        session.get().map(|session| match session.map_or_else(Some, |session| refusal(&session)) {
            Some(error) => failed(&error),
            None => {
                let new = Topic { public: true, by_default: true, ..Topic::default() };
                view! { <Fields topic=new /> }.into_any()
            }
        })
    };
    view! {
        <Page title=t("topics.new") breadcrumb=above()>
            <Suspense>{fields}</Suspense>
        </Page>
    }
    .into_any()
}

/// `/topics/:id`.
#[component]
pub fn TopicEditPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").and_then(|id| id.parse::<i64>().ok())));
    let loaded =
        Resource::new_blocking(move || id.get(), |id| async move { get_topic(id.ok_or(AppError::NotFound)?).await });
    view! {
        <Suspense>
            {move || loaded.get().map(|loaded| match loaded {
                Ok(topic) => view! {
                    <Page title=topic.name.clone() breadcrumb=above()>
                        <Fields topic=topic.clone() />
                        <Delete topic=topic />
                    </Page>
                }
                .into_any(),
                Err(error) => view! { <Page title=t("topics.one") breadcrumb=above()>{failed(&error)}</Page> }.into_any(),
            })}
        </Suspense>
    }
    .into_any()
}

#[component]
fn Fields(topic: Topic) -> impl IntoView {
    let action = ServerAction::<SaveTopic>::new();
    let errors = Signal::derive(move || errors_of(action.value().get().as_ref()));
    let error = Signal::derive(move || error_of(action.value().get().as_ref()));
    let form = NodeRef::<html::Form>::new();
    use_form_keys(form);
    use_unsaved_guard(form);
    let who = ["true", "false"]
        .into_iter()
        .map(|value| {
            let key = if value == "true" { "topics.who_all" } else { "topics.who_asked" };
            (value.to_owned(), t(key), t(&format!("{key}_hint")))
        })
        .collect();
    let opened = if topic.id == NO_TOPIC { String::new() } else { topic.version() };
    view! {
        <FormErrors error=error />
        <ActionForm action=action node_ref=form attr:class="max-w-xl rounded-box border border-base-300 bg-base-100 p-6">
            <input type="hidden" name="form[id]" value=topic.id.to_string() />
            <VersionField opened=opened errors=errors />
            <TextField name="form[name]" label=t("topics.name") hint=t("topics.name_hint") value=topic.name errors=errors required=true maxlength=NAME_MAX autocomplete="off" />
            <TextField name="form[description]" label=t("topics.description") hint=t("topics.description_hint") value=topic.description errors=errors maxlength=DESCRIPTION_MAX autocomplete="off" />
            <RadioField name="form[by_default]" label=t("topics.who") options=who value=topic.by_default.to_string() errors=errors required=true />
            <CheckField name="form[public]" label=t("topics.public_label") hint=t("topics.public_hint") checked=topic.public errors=errors />
            <div class="flex gap-2">
                <Submit label=t("common.save") pending=action.pending() />
                <a class="btn btn-ghost" href="/topics">{t("common.cancel")}</a>
            </div>
        </ActionForm>
    }
    .into_any()
}

#[component]
fn Delete(topic: Topic) -> impl IntoView {
    let action = ServerAction::<DeleteTopic>::new();
    let error = Signal::derive(move || error_of(action.value().get().as_ref()));
    view! {
        <div class="mt-6 max-w-xl">
            <FormErrors error=error />
            <Confirm
                name="delete"
                trigger=t("topics.delete")
                class="btn btn-sm btn-ghost text-error"
                title=t_with("topics.delete_title", &[("name", &topic.name)])
                text=t("topics.delete_text")
            >
                <ActionForm action=action>
                    <input type="hidden" name="form[id]" value=topic.id.to_string() />
                    <Submit label=t("topics.delete") pending=action.pending() class="btn-error" />
                </ActionForm>
            </Confirm>
        </div>
    }
    .into_any()
}
