//! The page of mail servers follows what happens, without a reload.

use crate::domain::relay::RelaysReport;
use leptos::prelude::*;
use leptos::wasm_bindgen::{JsCast, closure::Closure};

/// What the server last said; none before the wasm is there.
pub fn use_live() -> RwSignal<Option<RelaysReport>> {
    let live = RwSignal::new(None);
    Effect::new(move |_| {
        let Ok(source) = web_sys::EventSource::new("/events/relays") else { return };
        let heard = Closure::<dyn Fn(web_sys::MessageEvent)>::new(move |event: web_sys::MessageEvent| {
            if let Some(said) = event.data().as_string().and_then(|text| serde_json::from_str(&text).ok()) {
                live.set(Some(said));
            }
        });
        source.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        let held = StoredValue::new_local((source, heard));
        on_cleanup(move || {
            held.try_with_value(|(source, _)| source.close());
        });
    });
    live
}
