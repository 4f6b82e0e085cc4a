//! Pictures on their way into a text: chosen, dropped or pasted, uploaded, described, inserted.

use crate::api::error::AppError;
use crate::domain::post::{ALT_MAX, Picture};
use crate::ui::browser::{Place, cursor, insert_text};
use crate::ui::components::error_panel::describe;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::i18n::{error_text, t};
use leptos::html;
use leptos::prelude::*;
use leptos::wasm_bindgen::{JsCast, closure::Closure};

/// What has become of the last upload.
#[derive(Clone, Debug, PartialEq)]
pub enum Upload {
    Nothing,
    Running,
    Failed(String),
    /// It is there, and waits for its description.
    Done(Picture),
}

/// Sends a file; `state` follows. Browser only.
pub fn upload(file: &web_sys::File, state: RwSignal<Upload>) {
    let failed = || Upload::Failed(describe(&AppError::Network(String::new())).1);
    let (Ok(form), Ok(request)) = (web_sys::FormData::new(), web_sys::XmlHttpRequest::new()) else { return };
    let sent = form
        .append_with_blob("file", file)
        .and_then(|()| form.append_with_str("name", &file.name()))
        .and_then(|()| request.open("POST", "/posts/images/upload"))
        .and_then(|()| request.set_request_header("Accept", "application/json"));
    if sent.is_err() {
        return state.set(failed());
    }
    let answer = request.clone();
    let done = Closure::once_into_js(move || {
        let text = answer.response_text().ok().flatten().unwrap_or_default();
        state.set(match answer.status() {
            Ok(200) => serde_json::from_str(&text).map_or_else(|_| failed(), Upload::Done),
            _ => Upload::Failed(
                serde_json::from_str(&text)
                    .map_or_else(|_| describe(&AppError::Network(String::new())).1, |error| why(&error)),
            ),
        });
    });
    request.set_onloadend(Some(done.unchecked_ref()));
    state.set(Upload::Running);
    if request.send_with_opt_form_data(Some(&form)).is_err() {
        state.set(failed());
    }
}

fn why(error: &AppError) -> String {
    match error {
        AppError::Validation(errors) => errors.0.iter().map(error_text).collect::<Vec<_>>().join(" "),
        other => describe(other).1,
    }
}

/// A button that lets one choose a picture and sends it.
pub fn picker(label: String, state: RwSignal<Upload>) -> AnyView {
    let chosen = move |event: web_sys::Event| {
        // It is no field of the form: nothing has been typed.
        event.stop_propagation();
        let Some(input) = event.target().and_then(|target| target.dyn_into::<web_sys::HtmlInputElement>().ok()) else {
            return;
        };
        if let Some(file) = input.files().and_then(|files| files.get(0)) {
            upload(&file, state);
        }
        // The same file can be chosen again.
        input.set_value("");
    };
    view! {
        <label class="btn btn-sm focus-within:outline-2 focus-within:outline-accent" title=t("posts.image_hint")>
            {icon(Icon::Upload, "size-4")}
            {label}
            <input type="file" class="sr-only" accept="image/jpeg,image/png,image/webp,image/gif" on:change=chosen />
        </label>
    }
    .into_any()
}

/// The first file that was dropped.
pub fn first_file(data: Option<web_sys::DataTransfer>) -> Option<web_sys::File> {
    data?.files()?.get(0)
}

/// A picture that was pasted. Word and web pages paste one of their text beside the text itself, which is what is meant.
pub fn pasted_file(data: Option<web_sys::DataTransfer>) -> Option<web_sys::File> {
    let data = data?;
    let has_text = data.get_data("text/plain").is_ok_and(|text| !text.trim().is_empty());
    if has_text { None } else { data.files()?.get(0) }
}

/// How the upload goes, in words.
#[component]
pub fn UploadStatus(state: RwSignal<Upload>) -> impl IntoView {
    view! {
        <p role="status" class="text-sm empty:hidden">
            {move || matches!(state.get(), Upload::Running).then(|| t("posts.image_uploading"))}
        </p>
        <p role="alert" class="text-sm text-error empty:hidden">
            {move || match state.get() {
                Upload::Failed(why) => Some(format!("{} {why}", t("posts.image_failed"))),
                _ => None,
            }}
        </p>
    }
}

/// Asks what an uploaded picture shows, and puts it into the field with this id: behind the cursor, if the reader has put it
/// anywhere (`visited`), otherwise at the end.
#[component]
pub fn Describe(
    state: RwSignal<Upload>,
    field: &'static str,
    visited: StoredValue<bool>,
    /// The picture in the text's own words, with its description.
    written: fn(&Picture, &str) -> String,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let alt = NodeRef::<html::Input>::new();
    let picture = move || match state.get() {
        Upload::Done(picture) => Some(picture),
        _ => None,
    };
    Effect::new(move |_| {
        if let (Some(dialog), Some(_)) = (dialog.get(), picture()) {
            if let Some(alt) = alt.get_untracked() {
                alt.set_value("");
            }
            // Refused only where it is open already.
            let _ = dialog.show_modal();
        }
    });
    let insert = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let words = alt.get_untracked().map(|alt| alt.value()).unwrap_or_default();
        let place = Place::Paragraph(visited.get_value().then(|| cursor(field)).flatten());
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
        if let Upload::Done(picture) = state.get_untracked() {
            let words = words.trim().replace(['[', ']', '\\'], "");
            insert_text(field, &written(&picture, &words), place);
        }
        state.set(Upload::Nothing);
    };
    view! {
        <dialog class="modal" node_ref=dialog aria-labelledby="describe">
            <form class="modal-box" on:submit=insert>
                <h2 id="describe" class="text-lg font-semibold">{t("posts.image_ask")}</h2>
                <p id="describe-text" class="mt-2 text-sm">{t("posts.image_ask_text")}</p>
                {move || picture().map(|picture| view! {
                    <img class="mt-3 max-h-48 rounded-box" src=format!("{}/{}", picture.src(), crate::domain::post::widths(picture.width)[0]) alt="" />
                })}
                <label class="mt-3 block text-sm font-medium" for="describe-alt">{t("posts.image_alt")}</label>
                <input
                    id="describe-alt"
                    node_ref=alt
                    class="input mt-1 w-full"
                    maxlength=ALT_MAX.to_string()
                    aria-describedby="describe-text"
                />
                <div class="modal-action">
                    <button type="submit" class="btn btn-primary">{t("posts.image_insert")}</button>
                </div>
            </form>
        </dialog>
    }
}
