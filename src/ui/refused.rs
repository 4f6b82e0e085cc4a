//! A form that was sent without scripts and refused: the server renders its page again, with what was
//! typed and what is wrong. A browser whose scripts come alive on that page finds both in it.

use super::link::use_link;
use leptos::prelude::*;
use leptos_router::hooks::use_location;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The hidden field that says which page a form stands on.
pub const PAGE: &str = "__page";
/// The element that holds a [`Refused`] as JSON.
const ELEMENT: &str = "refused";

/// What was sent, and what the server function said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Path of the server function.
    pub action: String,
    /// Its error, as leptos encodes it.
    pub error: String,
    /// Path and query of the page.
    pub page: String,
    /// Names and values as typed; never passwords.
    pub values: Vec<(String, String)>,
}

/// The context that pages read.
#[derive(Clone, Default)]
struct Typed(Arc<Refused>);

/// The server function of the form around a field.
#[derive(Clone, Copy)]
pub struct FormOf(pub &'static str);

/// Makes a refused form known to the page: its error to the action, its values to the fields.
pub fn provide_refused(refused: Refused) {
    provide_context(ServerActionError::new(&refused.action, &refused.error));
    provide_context(Typed(Arc::new(refused)));
}

/// What the reader typed into this field of the form of `action`; none when that form was not refused.
pub fn typed_for(action: &str, name: &str) -> Option<String> {
    let Typed(refused) = use_context::<Typed>()?;
    (refused.action == action)
        .then(|| refused.values.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()))?
}

/// The same for a field inside its form.
pub fn typed(name: &str) -> Option<String> {
    typed_for(use_context::<FormOf>()?.0, name)
}

/// Whether a box inside its form was ticked; none when that form was not refused.
pub fn ticked(name: &str) -> Option<bool> {
    let (FormOf(action), Typed(refused)) = (use_context()?, use_context()?);
    (refused.action == action).then(|| refused.values.iter().any(|(known, _)| known == name))
}

/// The refused form as an element of the page, for the browser. On the server.
pub fn carried() -> Option<AnyView> {
    let Typed(refused) = use_context::<Typed>()?;
    // Inside of JSON a `<` stands in texts only; escaped, it cannot end the element.
    let json = serde_json::to_string(&*refused).unwrap_or_default().replace('<', "\\u003c");
    Some(view! { <script type="application/json" id=ELEMENT inner_html=json></script> }.into_any())
}

/// Takes up what [`carried`] left, and shows the page's own address again. In the browser, before the
/// router looks at the address.
pub fn take_up() {
    if !is_browser() {
        return;
    }
    let text = document().get_element_by_id(ELEMENT).and_then(|element| element.text_content());
    let Some(refused) = text.and_then(|text| serde_json::from_str::<Refused>(&text).ok()) else { return };
    if let Ok(history) = window().history() {
        // Refused for another origin's address only; this is a path of ours.
        let _ = history.replace_state_with_url(&leptos::wasm_bindgen::JsValue::NULL, "", Some(&refused.page));
    }
    provide_refused(refused);
}

/// Forgets the refused form when the reader goes on to another page. Inside the router.
#[component]
pub fn ForgetRefused(owner: Option<Owner>) -> impl IntoView {
    let location = use_location();
    Effect::new(move |before: Option<(String, String)>| {
        let here = (location.pathname.get(), location.search.get());
        if before.is_some_and(|before| before != here)
            && let Some(owner) = &owner
        {
            owner.with(|| provide_refused(Refused::default()));
        }
        here
    });
}

/// The hidden field [`PAGE`].
#[component]
pub fn PageField() -> impl IntoView {
    let link = use_link();
    view! { <input type="hidden" name=PAGE value=move || link(&[]) /> }
}
