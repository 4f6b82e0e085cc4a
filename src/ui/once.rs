//! The key of a form that makes something: sent twice with the same key, it makes one.

use leptos::html;
use leptos::prelude::*;
use web_sys::js_sys;

/// The key that the server gives to the forms of a page that it renders.
#[derive(Clone, Debug)]
pub struct OnceKey(pub String);

/// The hidden field `once`.
#[component]
pub fn OnceField() -> impl IntoView {
    let key = use_context::<OnceKey>().map(|key| key.0).unwrap_or_default();
    let field = NodeRef::<html::Input>::new();
    // A page that the browser made has none yet.
    Effect::new(move |_| {
        if let Some(field) = field.get().filter(|field| field.value().is_empty()) {
            field.set_value(&fresh());
        }
    });
    view! { <input type="hidden" name="once" node_ref=field value=key /> }
}

/// Nobody has to be kept from guessing it: a key counts for its user's own forms.
fn fresh() -> String {
    format!("{}-{}", js_sys::Date::now(), js_sys::Math::random())
}
