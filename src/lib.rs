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

/// Takes over the page that the server rendered; called once by the script in the page's head.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(ui::App);
}
