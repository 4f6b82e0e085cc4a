//! Vestnik: a self-hosted mailing service. `domain`, `forms`, `api` and `ui` are compiled for the
//! server and for the browser; everything that only the server may know stands below `server`.
#![recursion_limit = "512"]

pub mod api;
pub mod domain;
pub mod forms;
#[cfg(test)]
mod layers;
pub mod locales;
pub mod ui;

#[cfg(feature = "ssr")]
pub mod server;

/// Takes over the page that the server rendered; called once by the script in the page's head, with the
/// texts of the page's language (see `locales`).
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate(texts: &str) {
    console_error_panic_hook::set_once();
    locales::take(texts);
    leptos::mount::hydrate_lazy(ui::App);
}
