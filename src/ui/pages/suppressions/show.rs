//! One entry of the ledger.

use super::above;
use super::panel::Entry;
use crate::api::error::AppError;
use crate::api::suppressions::get_suppression;
use crate::ui::components::error_panel::failed;
use crate::ui::components::page::Page;
use crate::ui::i18n::t;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

/// `/suppressions/:id`.
#[component]
pub fn SuppressionPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").and_then(|id| id.parse::<i64>().ok())));
    let loaded = Resource::new_blocking(
        move || id.get(),
        |id| async move { get_suppression(id.ok_or(AppError::NotFound)?).await },
    );
    view! {
        <Suspense>
            {move || loaded.get().map(|loaded| match loaded {
                Ok(entry) => view! {
                    <Page title=entry.email.clone() breadcrumb=above()>
                        <section class="max-w-xl rounded-box border border-base-300 bg-base-100 px-6 pt-3 pb-6">
                            <Entry entry=entry client=0 />
                        </section>
                    </Page>
                }
                .into_any(),
                Err(error) => view! { <Page title=t("suppressions.one") breadcrumb=above()>{failed(&error)}</Page> }.into_any(),
            })}
        </Suspense>
    }
    .into_any()
}
