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
/// texts of the page's language (see `locales`). Once that is done and the first effects have run, the root element
/// carries the attribute `data-hydrated`.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate(texts: &str) {
    console_error_panic_hook::set_once();
    locales::take(texts);
    // As `leptos::mount::hydrate_lazy`, which does not tell when it is done.
    let _ = any_spawner::Executor::init_wasm_bindgen();
    any_spawner::Executor::spawn_local(async {
        use leptos::prelude::document;
        let Some(body) = document().body() else { return };
        leptos::mount::hydrate_from_async(body, ui::App).await.forget();
        any_spawner::Executor::tick().await;
        if let Some(root) = document().document_element() {
            // Refused only for a name that is none.
            let _ = root.set_attribute("data-hydrated", "");
        }
    });
}
