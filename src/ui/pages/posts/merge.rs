//! `/posts/:id/merge`: two people changed the same post.

use super::compare::{compared, field_name};
use super::cover::{Named, newest};
use super::editor::{Editor, first_shown};
use super::{breadcrumb, use_id};
use crate::api::error::AppError;
use crate::api::posts::merge_post;
use crate::domain::post::{Merge, Rendered};
use crate::ui::components::error_panel::failed;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::page::Page;
use crate::ui::i18n::{t, t_with};
use crate::ui::link::use_param;
use leptos::prelude::*;

/// Who was first, what differs, and a form with both changes joined.
#[component]
pub fn MergePage() -> impl IntoView {
    // Each clash has its own address, so that a second one is loaded anew.
    let (id, at) = (use_id(), use_param("at"));
    let loaded = Resource::new_blocking(move || (id.get(), at.get()), |(id, _)| load(id));
    view! {
        <Page title=t("posts.merge_title") breadcrumb=breadcrumb()>
            <Suspense>
                {move || loaded.get().map(|loaded| match loaded {
                    Ok(loaded) => shown(loaded),
                    Err(error) => failed(&error),
                })}
            </Suspense>
        </Page>
    }
    .into_any()
}

/// What is merged, how it looks, and the pictures that a cover is chosen from.
type Loaded = (Merge, Option<Rendered>, Vec<Named>);

async fn load(id: Option<i64>) -> Result<Loaded, AppError> {
    let merge = merge_post(id.ok_or(AppError::NotFound)?).await?;
    let rendered = first_shown(&merge.editing).await;
    Ok((merge, rendered, newest().await?))
}

fn shown((merge, rendered, pictures): Loaded) -> AnyView {
    let Merge { theirs, diff, clashes, editing } = merge;
    let names: Vec<String> = clashes.iter().map(|field| field_name(field)).collect();
    let clashes = (!names.is_empty()).then(|| {
        view! { <p class="mt-2 font-medium">{t_with("posts.merge_clashes", &[("fields", &names.join(", "))])}</p> }
    });
    view! {
        <div role="alert" class="mb-6 flex gap-3 rounded-box border border-warning/60 bg-warning/20 p-4 text-sm">
            {icon(Icon::Users, "size-5 shrink-0")}
            <div>
                <p>{t_with("posts.merge_text", &[("name", &theirs.name)])}</p>
                {clashes}
            </div>
        </div>
        <h2 class="mb-3 text-lg font-semibold">{t("posts.merge_diff")}</h2>
        {compared(diff)}
        <h2 class="mt-8 mb-3 text-lg font-semibold">{t("posts.merge_form")}</h2>
        <Editor editing=editing shown=rendered pictures=pictures />
    }
    .into_any()
}
