//! What the tab and search engines call a page.

use crate::ui::markup::written;
use leptos::prelude::*;
use leptos::text_prop::TextProp;

/// The title, which may be anybody's text.
#[component]
pub fn Title(#[prop(into)] text: TextProp) -> impl IntoView {
    view! { <leptos_meta::Title text=move || written(&text.get()) /> }
}
