//! The few browser calls that several components share. Call them from effects and handlers only.

use leptos::prelude::*;

/// Remembers a choice for a year, as the server does under `/theme` and `/language`.
pub fn set_cookie(name: &str, value: &str) {
    use leptos::wasm_bindgen::JsCast;
    if let Ok(document) = document().dyn_into::<web_sys::HtmlDocument>() {
        let secure = if location().protocol().is_ok_and(|protocol| protocol == "https:") { "; Secure" } else { "" };
        // A browser that refuses cookies keeps the choice for this page only.
        let _ = document.set_cookie(&format!("{name}={value}; Path=/; Max-Age=31536000; SameSite=Lax{secure}"));
    }
}

/// Puts a text where the cursor stands in the field with this id, instead of what is selected there.
pub fn insert_text(id: &str, text: &str) {
    use leptos::wasm_bindgen::JsCast;
    let field =
        document().get_element_by_id(id).and_then(|field| field.dyn_into::<web_sys::HtmlTextAreaElement>().ok());
    let Some(field) = field else { return };
    let end = u32::try_from(field.value().encode_utf16().count()).unwrap_or(u32::MAX);
    let from = field.selection_start().ok().flatten().unwrap_or(end);
    let to = field.selection_end().ok().flatten().unwrap_or(end);
    // Refused only for a range that is not in the field; these come from the field itself.
    let _ = field.set_range_text_with_start_and_end(text, from, to);
    let behind = from.saturating_add(u32::try_from(text.encode_utf16().count()).unwrap_or_default());
    let _ = field.set_selection_range(behind, behind);
    let _ = field.focus();
    // Whoever listens for typing hears of this too.
    let options = web_sys::EventInit::new();
    options.set_bubbles(true);
    if let Ok(event) = web_sys::Event::new_with_event_init_dict("input", &options) {
        let _ = field.dispatch_event(&event);
    }
}
