//! `/posts/new` and `/posts/:id`.

use super::cover::{Named, newest};
use super::editor::{Editor, first_shown};
use super::{breadcrumb, state_badge, use_id};
use crate::api::error::AppError;
use crate::api::posts::{DiscardPost, PostToMessage, edit_post};
use crate::domain::post::{Editing, PostState, Rendered};
use crate::ui::components::error_panel::failed;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::page::Page;
use crate::ui::form::{ActionForm, FormErrors, error_of};
use crate::ui::i18n::{t, t_with};
use crate::ui::once::OnceField;
use crate::ui::time::Time;
use leptos::prelude::*;

/// What is edited, how it looks, and the pictures that a cover is chosen from.
type Opened = (Editing, Option<Rendered>, Vec<Named>);

async fn open(id: i64) -> Result<Opened, AppError> {
    let editing = edit_post(id).await?;
    let shown = first_shown(&editing).await;
    Ok((editing, shown, newest().await?))
}

/// A new post.
#[component]
pub fn PostNewPage() -> impl IntoView {
    let discard = ServerAction::<DiscardPost>::new();
    let loaded = Resource::new_blocking(move || discard.version().get(), |_| open(0));
    view! {
        <Page title=t("posts.new") breadcrumb=breadcrumb()>
            <Suspense>
                {move || loaded.get().map(|loaded| match loaded {
                    Ok((editing, shown, pictures)) => {
                        view! { {notice(&editing, discard)} <Editor editing=editing shown=shown pictures=pictures /> }.into_any()
                    }
                    Err(error) => failed(&error),
                })}
            </Suspense>
        </Page>
    }
    .into_any()
}

/// A stored post.
#[component]
pub fn PostEditPage() -> impl IntoView {
    let id = use_id();
    let discard = ServerAction::<DiscardPost>::new();
    let message = ServerAction::<PostToMessage>::new();
    let loaded = Resource::new_blocking(
        move || (id.get(), discard.version().get()),
        |(id, _)| async move { open(id.filter(|id| *id != 0).ok_or(AppError::NotFound)?).await },
    );
    let error = Signal::derive(move || error_of(message.value().get().as_ref()));
    view! {
        <Suspense>
            {move || loaded.get().map(|loaded| match loaded {
                Ok((editing, shown, pictures)) => {
                    let title = t_with("posts.edit_title", &[("title", &editing.fields.content.title)]);
                    let (aside, actions) = (state_badge(editing.state), actions(&editing, message));
                    view! {
                        <Page title=title breadcrumb=breadcrumb() aside=aside actions=actions>
                            <FormErrors error=error />
                            {notice(&editing, discard)}
                            <Editor editing=editing shown=shown pictures=pictures />
                        </Page>
                    }
                    .into_any()
                }
                Err(error) => view! { <Page title=t("posts.title") breadcrumb=breadcrumb()>{failed(&error)}</Page> }.into_any(),
            })}
        </Suspense>
    }
    .into_any()
}

fn actions(editing: &Editing, message: ServerAction<PostToMessage>) -> AnyView {
    let (id, state, fields) = (editing.id, editing.state, &editing.fields);
    let read = (state == PostState::Published)
        .then(|| view! { <a class="btn" href=format!("/blog/{}", fields.content.slug)>{t("posts.read")}</a> });
    view! {
        {read}
        <a class="btn" href=format!("/posts/{id}/history")>{t("posts.history")}</a>
        <ActionForm action=message>
            <OnceField />
            <input type="hidden" name="id" value=id />
            <button type="submit" class="btn">{icon(Icon::Mail, "size-4")}{t("posts.to_message")}</button>
        </ActionForm>
    }
    .into_any()
}

/// Says that the form holds what was not saved, and offers to drop it.
fn notice(editing: &Editing, discard: ServerAction<DiscardPost>) -> Option<AnyView> {
    let (id, at) = (editing.id, editing.draft_at?);
    Some(
        view! {
            <div class="mb-6 flex flex-wrap items-center gap-3 rounded-box border border-info/40 bg-info/10 p-4 text-sm">
                <span class="text-info">{icon(Icon::Info, "size-5")}</span>
                <p>{t("posts.draft_notice")} " " <Time at=at relative=true /></p>
                <ActionForm action=discard>
                    <input type="hidden" name="id" value=id />
                    <button type="submit" class="btn btn-sm">{t("posts.draft_discard")}</button>
                </ActionForm>
            </div>
        }
        .into_any(),
    )
}
