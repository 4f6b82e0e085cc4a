//! For addresses that lead nowhere.

use crate::api::error::AppError;
use crate::ui::components::error_panel::failed;
use crate::ui::components::page::Page;
use crate::ui::i18n::t;
use leptos::prelude::*;

/// Says so, answers 404, and offers the way home.
#[component]
pub fn NotFound() -> impl IntoView {
    view! { <Page title=t("errors.not_found")>{failed(&AppError::NotFound)}</Page> }.into_any()
}
