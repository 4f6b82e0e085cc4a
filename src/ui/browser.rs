//! The few browser calls that several components share. Call them from effects and handlers only.

use leptos::prelude::*;

/// Remembers a choice for a year, as the server does under `/theme` and `/language`.
pub fn set_cookie(name: &str, value: &str) {
    use leptos::wasm_bindgen::JsCast;
    if let Ok(document) = document().dyn_into::<web_sys::HtmlDocument>() {
        // A browser that refuses cookies keeps the choice for this page only.
        let _ = document.set_cookie(&format!("{name}={value}; Path=/; Max-Age=31536000; SameSite=Lax"));
    }
}
