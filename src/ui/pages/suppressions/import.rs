//! A file of addresses that are to be left out.

use super::above;
use crate::api::clients::import_limit;
use crate::forms::suppressions::REASON_MAX;
use crate::ui::components::error_panel::failed;
use crate::ui::components::field::TextField;
use crate::ui::components::page::Page;
use crate::ui::i18n::t;
use crate::ui::pages::clients::{Place, Upload, import_page};
use leptos::prelude::*;

const SUPPRESSIONS: Place = Place {
    title: "suppressions.import_title",
    list: "/suppressions",
    list_title: "suppressions.title",
    to_list: "suppressions.all",
    upload: "/suppressions/import",
    upload_title: "suppressions.import",
    counts: &[
        ("clients.n_lines", |counts| counts.lines),
        ("clients.n_added", |counts| counts.added),
        ("suppressions.n_known", |counts| counts.skipped),
        ("clients.n_faulty", |counts| counts.faulty),
    ],
};

/// `/suppressions/import`.
#[component]
pub fn SuppressionsImportPage() -> impl IntoView {
    let limit = Resource::new_blocking(|| (), |()| import_limit());
    view! {
        <Page title=t("suppressions.import_title") lead=t("suppressions.import_lead") breadcrumb=above()>
            <Suspense>
                {move || limit.get().map(|limit| match limit {
                    Ok(limit) => {
                        let reason = view! {
                            <TextField name="reason" label=t("suppressions.import_reason") required=true maxlength=REASON_MAX autocomplete="off" hint=t("suppressions.add_reason_hint") />
                        };
                        view! { <Upload limit=limit action="/suppressions/upload" hint="suppressions.file_hint" first=reason.into_any() /> }.into_any()
                    }
                    Err(error) => failed(&error),
                })}
            </Suspense>
        </Page>
    }
    .into_any()
}

/// `/suppressions/import/:id`.
#[component]
pub fn SuppressionsImportShowPage() -> impl IntoView {
    import_page(&SUPPRESSIONS)
}
