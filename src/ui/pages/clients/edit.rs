//! The form of one client.

use crate::api::clients::{DeleteClients, SaveClient, get_client};
use crate::api::error::AppError;
use crate::api::suppressions::client_suppressions;
use crate::api::topics::client_topics;
use crate::domain::client::{COMMENT_MAX, Client, FULL_NAME_MAX};
use crate::domain::suppression::Suppression;
use crate::domain::topic::Wish;
use crate::domain::version::version;
use crate::ui::components::dialog::Confirm;
use crate::ui::components::error_panel::failed;
use crate::ui::components::field::{TextArea, TextField};
use crate::ui::components::page::Page;
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, VersionField, error_of, errors_of, use_form_keys, use_unsaved_guard};
use crate::ui::i18n::{t, t_with};
use crate::ui::link::use_param;
use crate::ui::once::OnceField;
use crate::ui::pages::suppressions::SuppressionPanel;
use crate::ui::pages::topics::TopicsPanel;
use crate::ui::session::{refusal, use_session};
use leptos::html;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

fn above() -> Vec<(String, String)> {
    vec![(t("clients.title"), "/clients".to_owned())]
}

/// `/clients/new`.
#[component]
pub fn ClientNewPage() -> impl IntoView {
    let session = use_session();
    // A faulty line of an import is mended here.
    let begun = ["email", "full_name", "comment"].map(|name| use_param(name).get_untracked());
    // The form asks nothing of the server, which would say who may not.
    let fields = move || {
        session.get().map(|session| match session.map_or_else(Some, |session| refusal(&session)) {
            Some(error) => failed(&error),
            None => view! { <ClientFields client=None begun=begun.clone() /> }.into_any(),
        })
    };
    view! {
        <Page title=t("clients.new") breadcrumb=above()>
            <Suspense>{fields}</Suspense>
        </Page>
    }
    .into_any()
}

/// `/clients/:id`.
#[component]
pub fn ClientEditPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").and_then(|id| id.parse::<i64>().ok())));
    let loaded = Resource::new_blocking(move || id.get(), load);
    view! {
        <Suspense>
            {move || loaded.get().map(|loaded| match loaded {
                Ok(loaded) => edit(loaded),
                Err(error) => view! { <Page title=t("clients.one")>{failed(&error)}</Page> }.into_any(),
            })}
        </Suspense>
    }
    .into_any()
}

/// A client, why they get nothing any more, and which topics they get.
type Loaded = (Client, Vec<Suppression>, Vec<Wish>);

async fn load(id: Option<i64>) -> Result<Loaded, AppError> {
    let client = get_client(id.ok_or(AppError::NotFound)?).await?;
    // Trouble with these is no reason to keep the client's form back.
    let suppressions = client_suppressions(client.id).await.unwrap_or_default();
    let wishes = client_topics(client.id).await.unwrap_or_default();
    Ok((client, suppressions, wishes))
}

fn edit((client, suppressions, wishes): Loaded) -> AnyView {
    let title = if client.full_name.is_empty() { client.email.clone() } else { client.full_name.clone() };
    view! {
        <Page title=title breadcrumb=above()>
            {(!suppressions.is_empty()).then(|| view! { <SuppressionPanel client=client.id suppressions=suppressions /> })}
            <ClientFields client=Some(client.clone()) begun=Default::default() />
            {(!wishes.is_empty()).then(|| view! { <TopicsPanel client=client.id wishes=wishes /> })}
            <DeleteOne client=client />
        </Page>
    }
    .into_any()
}

/// A new client begins with these texts: address, name, comment.
#[component]
fn ClientFields(client: Option<Client>, begun: [String; 3]) -> impl IntoView {
    let action = ServerAction::<SaveClient>::new();
    let errors = Signal::derive(move || errors_of(action.value().get().as_ref()));
    let error = Signal::derive(move || error_of(action.value().get().as_ref()));
    let form = NodeRef::<html::Form>::new();
    use_form_keys(form);
    use_unsaved_guard(form);
    let (id, email, full_name, comment) = match client {
        Some(client) => (client.id, client.email, client.full_name, client.comment),
        None => {
            let [email, full_name, comment] = begun;
            (0, email, full_name, comment)
        }
    };
    let opened = if id == 0 { String::new() } else { version(&[&email, &full_name, &comment]) };
    view! {
        <FormErrors error=error />
        <ActionForm action=action node_ref=form attr:class="max-w-xl rounded-box border border-base-300 bg-base-100 p-6">
            <OnceField />
            <input type="hidden" name="form[id]" value=id.to_string() />
            <VersionField opened=opened errors=errors />
            <TextField name="form[email]" label=t("clients.email") kind="email" required=true value=email errors=errors autocomplete="off" />
            <TextField name="form[full_name]" label=t("clients.full_name") value=full_name errors=errors maxlength=FULL_NAME_MAX autocomplete="off" hint=t("clients.full_name_hint") />
            <TextArea name="form[comment]" label=t("clients.comment") value=comment errors=errors maxlength=COMMENT_MAX hint=t("clients.comment_hint") />
            <div class="flex gap-2">
                <Submit label=t("common.save") pending=action.pending() />
                <a class="btn btn-ghost" href="/clients">{t("common.cancel")}</a>
            </div>
        </ActionForm>
    }
    .into_any()
}

#[component]
fn DeleteOne(client: Client) -> impl IntoView {
    let action = ServerAction::<DeleteClients>::new();
    let error = Signal::derive(move || error_of(action.value().get().as_ref()));
    view! {
        <div class="mt-6 max-w-xl">
            <FormErrors error=error />
            <Confirm
                name="delete"
                trigger=t("clients.delete")
                class="btn btn-sm btn-ghost text-error"
                title=t_with("clients.delete_one", &[("email", &client.email)])
                text=t("clients.delete_text")
            >
                <ActionForm action=action>
                    <input type="hidden" name="form[ids][0]" value=client.id.to_string() />
                    <Submit label=t("clients.delete") pending=action.pending() class="btn-error" />
                </ActionForm>
            </Confirm>
        </div>
    }
    .into_any()
}
