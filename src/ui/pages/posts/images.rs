//! `/posts/images`: one's pictures. Works without scripts, as the way to pictures then.

use super::breadcrumb;
use crate::api::error::AppError;
use crate::api::posts::{DeleteImage, list_images};
use crate::domain::post::{ALT_MAX, Gallery, Stored};
use crate::domain::user::{Permission, Session};
use crate::ui::components::dialog::Confirm;
use crate::ui::components::empty::Empty;
use crate::ui::components::error_panel::failed;
use crate::ui::components::field::TextField;
use crate::ui::components::icon::Icon;
use crate::ui::components::page::Page;
use crate::ui::components::pagination::Pagination;
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, error_of, errors_of};
use crate::ui::i18n::{t, t_with, tn, use_lang};
use crate::ui::link::use_param;
use crate::ui::session::use_session;
use crate::ui::time::format_bytes;
use leptos::prelude::*;

/// One's pictures, the form for another one, and the room that is left.
#[component]
pub fn ImagesPage() -> impl IntoView {
    let (after, problem) = (use_param("after"), use_param("problem"));
    let delete = ServerAction::<DeleteImage>::new();
    let found = Resource::new_blocking(move || (after.get(), delete.version().get()), |(after, _)| list_images(after));
    // A plain form that failed comes back with its error in the address.
    let upload = move || problem.with(|text| serde_json::from_str::<AppError>(text).ok());
    let error = Signal::derive(move || error_of(delete.value().get().as_ref()).or_else(upload));
    let errors = Signal::derive(move || errors_of(upload().map(Err::<(), _>).as_ref()));
    let session = use_session();
    let body = move || {
        view! {
                <FormErrors error=error />
                <form
                    method="post"
                    action="/posts/images/upload"
                    enctype="multipart/form-data"
                    class="mb-8 max-w-xl rounded-box border border-base-300 bg-base-100 p-6"
                >
                    <TextField name="file" label=t("posts.image_file") kind="file" required=true hint=t("posts.image_hint") errors=errors />
                    <TextField name="alt" label=t("posts.image_alt") hint=t("posts.image_ask_text") maxlength=ALT_MAX />
                    <Submit label=t("posts.image_upload") />
                </form>
                <Transition>
                    {move || found.get().map(|found| match found {
                        Ok(gallery) => shown(gallery, delete),
                        Err(error) => failed(&error),
                    })}
                </Transition>
        }
    };
    view! {
        <Suspense>
            {move || session.get().map(|session| {
                let above = above(&session.unwrap_or_default());
                view! { <Page title=t("posts.images_title") lead=t("posts.images_lead") breadcrumb=above>{body()}</Page> }
            })}
        </Suspense>
    }
    .into_any()
}

/// The way up: to posts for who writes them, otherwise to messages.
fn above(session: &Session) -> Vec<(String, String)> {
    match &session.me {
        Some(me) if me.role.may(Permission::Blog) => breadcrumb(),
        _ => vec![(t("messages.title"), "/messages".to_owned())],
    }
}

fn shown(gallery: Gallery, delete: ServerAction<DeleteImage>) -> AnyView {
    let Gallery { pictures, used, quota } = gallery;
    if pictures.total == 0 {
        return view! {
            <Empty symbol=Icon::Upload title=t("posts.images_empty") text=t("posts.images_empty_text") />
        }
        .into_any();
    }
    let size = |bytes| format_bytes(use_lang(), bytes);
    let room = t_with("posts.images_used", &[("used", &size(used)), ("quota", &size(quota))]);
    let cards: Vec<AnyView> = pictures.rows.into_iter().map(|stored| card(stored, delete)).collect();
    let count = format!("{} · {room}", tn("posts.images_count", pictures.total));
    view! {
        <ul class="grid gap-4 sm:grid-cols-2 lg:grid-cols-4">{cards}</ul>
        <Pagination next=pictures.next count=count />
    }
    .into_any()
}

fn card(stored: Stored, delete: ServerAction<DeleteImage>) -> AnyView {
    let Stored { picture, name, bytes, posts, .. } = stored;
    let markdown = format!("![{}](/images/{})", picture.alt.replace(['[', ']'], ""), picture.id);
    let facts = format!("{} × {} · {}", picture.width, picture.height, format_bytes(use_lang(), bytes));
    let id = picture.id.clone();
    let tail = if posts > 0 {
        view! { <p class="mt-2 text-xs opacity-80">{tn("posts.image_shown", posts)}</p> }.into_any()
    } else {
        view! {
            <div class="mt-2">
                <Confirm
                    name=format!("delete-{id}")
                    trigger=t("posts.delete")
                    class="btn btn-xs"
                    title=t_with("posts.image_delete_ask", &[("name", &name)])
                    text=t("posts.image_delete_text")
                >
                    <ActionForm action=delete>
                        <input type="hidden" name="id" value=id.clone() />
                        <Submit label=t("posts.delete") pending=delete.pending() class="btn-error" />
                    </ActionForm>
                </Confirm>
            </div>
        }
        .into_any()
    };
    view! {
        <li class="overflow-hidden rounded-box border border-base-300 bg-base-100">
            {crate::ui::pages::blog::picture(&picture, "aspect-[3/2] w-full object-cover", "18rem", false)}
            <div class="p-3">
                <p class="truncate text-sm font-medium">{name}</p>
                <p class="text-xs opacity-80">{facts}</p>
                <label class="mt-2 block text-xs">
                    <span class="opacity-80">{t("posts.image_markdown")}</span>
                    <input class="input input-xs w-full font-mono" readonly=true value=markdown />
                </label>
                {tail}
            </div>
        </li>
    }
    .into_any()
}
