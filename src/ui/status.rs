//! The status of the page's HTTP answer. Everything that sets it goes through here.

use leptos::prelude::*;
use std::sync::Arc;

/// Sets the status of the answer that is being rendered; provided by the server as a context.
#[derive(Clone)]
pub struct StatusSetter(pub Arc<dyn Fn(u16) + Send + Sync>);

/// Sets the HTTP status on the server; does nothing in the browser, which has its answer already.
pub fn set_status(status: u16) {
    if let Some(setter) = use_context::<StatusSetter>() {
        (setter.0)(status);
    }
}
