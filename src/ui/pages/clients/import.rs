//! The upload of a file.

use crate::api::clients::import_limit;
use crate::api::error::FieldErrors;
use crate::ui::components::error_panel::failed;
use crate::ui::components::field::TextField;
use crate::ui::components::page::Page;
use crate::ui::components::submit::Submit;
use crate::ui::i18n::{t, t_with, use_lang};
use crate::ui::time::format_bytes;
use leptos::html;
use leptos::prelude::*;

/// `/clients/import`.
#[component]
pub fn ImportPage() -> impl IntoView {
    let limit = Resource::new_blocking(|| (), |()| import_limit());
    view! {
        <Page
            title=t("clients.import_title")
            lead=t("clients.import_lead")
            breadcrumb=vec![(t("clients.title"), "/clients".to_owned())]
        >
            <Suspense>
                {move || limit.get().map(|limit| match limit {
                    Ok(limit) => view! { <Upload limit=limit action="/clients/upload" hint="clients.file_hint" /> }.into_any(),
                    Err(error) => failed(&error),
                })}
            </Suspense>
            <h2 class="mt-8 font-semibold">{t("clients.example")}</h2>
            <pre class="mt-2 max-w-xl overflow-x-auto rounded-box border border-base-300 bg-base-100 p-4 text-sm" tabindex="0">{t("clients.example_file")}</pre>
        </Page>
    }
    .into_any()
}

/// A plain form: the browser shows how far the upload is, and leads on. A file that is too large is not
/// sent at all. `hint` is the key of what stands at the file, `first` are the fields before it.
#[component]
pub fn Upload(
    limit: i64,
    action: &'static str,
    hint: &'static str,
    #[prop(optional)] first: Option<AnyView>,
) -> impl IntoView {
    let form = NodeRef::<html::Form>::new();
    let errors = RwSignal::new(FieldErrors::default());
    let size = format_bytes(use_lang(), limit);
    let said = size.clone();
    let check = move || {
        let input = form.get_untracked().and_then(|form| form.query_selector("input[type=file]").ok().flatten());
        let size = input
            .and_then(|input| leptos::wasm_bindgen::JsCast::dyn_into::<web_sys::HtmlInputElement>(input).ok())
            .and_then(|input| input.files()?.get(0))
            .map_or(0.0, |file| file.size());
        let mut found = FieldErrors::default();
        if size > limit as f64 {
            found.push_with("file", "error.import.too_large", &[("limit", &said)]);
        }
        let good = found.is_empty();
        errors.set(found);
        good
    };
    let again = check.clone();
    view! {
        <form
            method="post"
            action=action
            enctype="multipart/form-data"
            class="max-w-xl rounded-box border border-base-300 bg-base-100 p-6"
            node_ref=form
            on:change=move |_| {
                check();
            }
            on:submit=move |event| {
                if !again() {
                    event.prevent_default();
                }
            }
        >
            {first}
            <TextField name="file" label=t("clients.file") kind="file" required=true errors=errors hint=t_with(hint, &[("limit", &size)]) />
            <Submit label=t("clients.upload") />
        </form>
    }
    .into_any()
}
