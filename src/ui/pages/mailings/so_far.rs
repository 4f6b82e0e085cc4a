//! What the reader has filled in so far, kept in the address of the step as it is typed: so the browser's Back, a
//! reload and a copy in another tab show the step with it.

use super::query::{self, Step};
use crate::forms::mailings::MailingForm;
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use leptos::wasm_bindgen::{JsCast, JsValue};
use std::time::Duration;

/// How long nothing must be typed before it is kept: browsers take only so many changes of an address.
const PAUSE: Duration = Duration::from_millis(150);

/// Puts a step's form into a frame that keeps the address of `here` true. `form` follows what is filled in, for the
/// links that lead to other steps.
pub fn kept(form: RwSignal<MailingForm>, here: Step, id: &'static str, content: AnyView) -> AnyView {
    let waiting = StoredValue::new(None::<TimeoutHandle>);
    let forget = move || {
        if let Some(timer) = waiting.try_update_value(Option::take).flatten() {
            timer.clear();
        }
    };
    let later = move || {
        forget();
        waiting.set_value(set_timeout_with_handle(move || keep(form, here, id), PAUSE).ok());
    };
    on_cleanup(forget);
    view! {
        <div
            on:input=move |_| later()
            on:change=move |_| later()
            // Before the router: it puts the next step on top of what stands here.
            on:submit:capture=move |_| {
                forget();
                keep(form, here, id);
            }
        >
            {content}
        </div>
    }
    .into_any()
}

fn keep(form: RwSignal<MailingForm>, here: Step, id: &str) {
    let element = document().get_element_by_id(id).and_then(|form| form.dyn_into::<web_sys::HtmlFormElement>().ok());
    let Some(fields) = element.and_then(|form| web_sys::FormData::new_with_form(&form).ok()) else { return };
    let text = |name: &str| fields.get(name).as_string().unwrap_or_default();
    let Some(filled) = form.try_update(|form| {
        *form = query::filled(text, form.id);
        form.clone()
    }) else {
        return;
    };
    let link = match here {
        Step::Message => {
            let (typed, found) = (text("q"), text("found"));
            // Another search begins at the first page.
            let after = if typed == found { in_address("after") } else { String::new() };
            query::listed(&filled, &typed, &after)
        }
        _ => query::link(&filled, here),
    };
    let Ok(history) = window().history() else { return };
    let state = history.state().unwrap_or(JsValue::NULL);
    // Refused only where an address changes too often; the next change then keeps this one too.
    let _ = history.replace_state_with_url(&state, "", Some(&link));
}

/// What the address says now of a parameter.
fn in_address(name: &str) -> String {
    let search = window().location().search().ok();
    let query = search.and_then(|search| web_sys::UrlSearchParams::new_with_str(&search).ok());
    query.and_then(|query| query.get(name)).unwrap_or_default()
}
