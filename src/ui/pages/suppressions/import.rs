//! A file of addresses that are to be left out.

use super::above;
use crate::api::clients::import_limit;
use crate::api::error::FieldErrors;
use crate::forms::suppressions::REASON_MAX;
use crate::ui::components::error_panel::failed;
use crate::ui::components::field::TextField;
use crate::ui::components::page::Page;
use crate::ui::i18n::t;
use crate::ui::link::use_param;
use crate::ui::pages::clients::Upload;
use leptos::prelude::*;

/// `/suppressions/import`.
#[component]
pub fn SuppressionsImportPage() -> impl IntoView {
    let limit = Resource::new_blocking(|| (), |()| import_limit());
    let (problem, typed) = (use_param("problem"), use_param("reason"));
    let errors = Signal::derive(move || match problem.get() {
        key if key.starts_with("error.") => FieldErrors::one("reason", &key),
        _ => FieldErrors::default(),
    });
    view! {
        <Page title=t("suppressions.import_title") lead=t("suppressions.import_lead") breadcrumb=above()>
            <Suspense>
                {move || limit.get().map(|limit| match limit {
                    Ok(limit) => {
                        let reason = view! {
                            <TextField name="reason" label=t("suppressions.import_reason") value=typed.get_untracked() errors=errors required=true maxlength=REASON_MAX autocomplete="off" hint=t("suppressions.add_reason_hint") />
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
