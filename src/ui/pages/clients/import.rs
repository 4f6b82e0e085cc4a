//! The upload of a file.

use crate::ui::components::field::TextField;
use crate::ui::components::page::Page;
use crate::ui::components::submit::Submit;
use crate::ui::i18n::t;
use leptos::prelude::*;

/// `/clients/import`. A plain form: the browser shows how far the upload is, and leads on.
#[component]
pub fn ImportPage() -> impl IntoView {
    view! {
        <Page
            title=t("clients.import_title")
            lead=t("clients.import_lead")
            breadcrumb=vec![(t("clients.title"), "/clients".to_owned())]
        >
            <form
                method="post"
                action="/clients/upload"
                enctype="multipart/form-data"
                class="max-w-xl rounded-box border border-base-300 bg-base-100 p-6"
            >
                <TextField name="file" label=t("clients.file") kind="file" required=true hint=t("clients.file_hint") />
                <Submit label=t("clients.upload") />
            </form>
            <h2 class="mt-8 font-semibold">{t("clients.example")}</h2>
            <pre class="mt-2 max-w-xl overflow-x-auto rounded-box border border-base-300 bg-base-100 p-4 text-sm" tabindex="0">{t("clients.example_file")}</pre>
        </Page>
    }
    .into_any()
}
