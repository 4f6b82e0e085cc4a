//! A button that copies a text. Without scripts, or where the browser has no clipboard for us, it is not there: what it would
//! copy stands beside it.

use super::icon::{Icon, icon};
use crate::ui::i18n::t;
use leptos::prelude::*;
use leptos::wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::js_sys;

/// What answers the clipboard's promise.
type Answer = Closure<dyn FnMut(JsValue)>;

/// Copies `text`. `label` says what it is, for screen readers.
#[component]
pub fn CopyButton(text: String, #[prop(into)] label: String) -> impl IntoView {
    let (can, copied) = (RwSignal::new(false), RwSignal::new(false));
    Effect::new(move |_| can.set(clipboard().is_some()));
    let copy = move |_| {
        let Some(clipboard) = clipboard() else { return };
        let done = Answer::new(move |_| {
            copied.try_set(true);
        });
        // The text can be selected by hand still.
        let refused = Answer::new(|_| {});
        drop(clipboard.write_text(&text).then2(&done, &refused));
        // Some bytes for each click, until the page goes: a value kept for one thread may not be part of a component,
        // which the server drops on any.
        done.forget();
        refused.forget();
    };
    view! {
        <button type="button" class="btn btn-xs" hidden=move || !can.get() on:click=copy>
            {move || icon(if copied.get() { Icon::Check } else { Icon::Copy }, "size-4")}
            <span aria-hidden="true">{move || t(if copied.get() { "common.copied" } else { "common.copy" })}</span>
            <span class="sr-only">{format!("{}: {label}", t("common.copy"))}</span>
        </button>
        <span role="status" class="sr-only">{move || copied.get().then(|| t("common.copied"))}</span>
    }
}

/// The browser's; there is none where the page came over plain HTTP from another machine.
fn clipboard() -> Option<web_sys::Clipboard> {
    let navigator = window().navigator();
    js_sys::Reflect::get(&navigator, &"clipboard".into()).ok()?.dyn_into().ok()
}
