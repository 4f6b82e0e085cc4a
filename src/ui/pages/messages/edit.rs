//! Writing a message: a new one, or one that is there.

use super::editor::{self, Beside, Editor};
use crate::api::error::AppError;
use crate::api::messages::get_message;
use crate::domain::message::Message;
use crate::ui::components::error_panel::failed;
use crate::ui::components::page::Page;
use crate::ui::i18n::t;
use crate::ui::link::use_param;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

fn breadcrumb() -> Vec<(String, String)> {
    vec![(t("messages.title"), "/messages".to_owned())]
}

/// A new message.
#[component]
pub fn MessageNewPage() -> impl IntoView {
    // The clients to preview with; for somebody who is not logged in, the reason why there is no form.
    let starter = use_param("starter");
    let loaded =
        Resource::new_blocking(move || starter.get(), |starter| async move { editor::load(None, &starter).await });
    view! {
        <Page title=t("messages.new") breadcrumb=breadcrumb()>
            <Suspense>
                {move || loaded.get().map(|loaded| match loaded {
                    Ok(beside) => view! { <Editor message=None starter=starter.get_untracked() beside=beside /> }.into_any(),
                    Err(error) => failed(&error),
                })}
            </Suspense>
        </Page>
    }
    .into_any()
}

/// A stored message.
#[component]
pub fn MessageEditPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get_str("id").and_then(|id| id.parse::<i64>().ok())));
    let loaded = Resource::new_blocking(move || id.get(), load);
    view! {
        <Suspense>
            {move || loaded.get().map(|loaded| {
                let (title, body) = match loaded {
                    Ok((message, beside)) => {
                        let title = beside.subject().unwrap_or_else(|| message.subject.clone());
                        let editor = view! { <Editor message=Some(message) beside=beside /> };
                        (title, editor.into_any())
                    }
                    Err(error) => (t("messages.title"), failed(&error)),
                };
                view! { <Page title=title breadcrumb=breadcrumb()>{body}</Page> }
            })}
        </Suspense>
    }
    .into_any()
}

async fn load(id: Option<i64>) -> Result<(Message, Beside), AppError> {
    let message = get_message(id.ok_or(AppError::NotFound)?).await?;
    let beside = editor::load(Some(&message), "").await?;
    Ok((message, beside))
}
