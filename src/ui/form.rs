//! What forms share: errors out of an action's value, keys that save, a guard for unsaved changes.

use super::components::error_panel::{ErrorPanel, describe};
use super::i18n::{error_text, t};
use super::refused::{FormOf, PageField};
use crate::api::error::{AppError, CHANGED, FieldErrors};
use leptos::context::Provider;
use leptos::html;
use leptos::prelude::*;
use leptos::server_fn::client::Client;
use leptos::server_fn::codec::PostUrl;
use leptos::server_fn::request::ClientReq;
use leptos::server_fn::{Http, ServerFn};
use leptos::wasm_bindgen::{JsCast, JsValue, closure::Closure};
use serde::de::DeserializeOwned;
use web_sys::js_sys;

/// The form of a server function. It works without scripts, and a refused one comes back with all that
/// was typed into the fields of `components::field`.
#[component]
pub fn ActionForm<S, O>(
    action: ServerAction<S>,
    #[prop(optional)] node_ref: NodeRef<html::Form>,
    children: Children,
) -> impl IntoView
where
    S: DeserializeOwned + ServerFn<Protocol = Http<PostUrl, O>> + Clone + Send + Sync + 'static,
    <<S::Client as Client<S::Error>>::Request as ClientReq<S::Error>>::FormData: From<web_sys::FormData>,
    S::Output: Send + Sync + 'static,
    S::Error: Send + Sync + 'static,
    S::Client: Client<S::Error>,
    O: 'static,
{
    view! {
        <leptos::form::ActionForm action=action node_ref=node_ref>
            <PageField />
            <Provider value=FormOf(S::PATH)>{children()}</Provider>
        </leptos::form::ActionForm>
    }
}

/// The wrong fields of an action's last answer; none while there is no answer or another error.
pub fn errors_of<T>(value: Option<&Result<T, AppError>>) -> FieldErrors {
    match value {
        Some(Err(AppError::Validation(errors))) => errors.clone(),
        _ => FieldErrors::default(),
    }
}

/// The error of an action's last answer, whatever it is.
pub fn error_of<T>(value: Option<&Result<T, AppError>>) -> Option<AppError> {
    value.and_then(|result| result.as_ref().err().cloned())
}

/// Which state of its subject the form was opened on. Once it was refused because of another, it is that one: the reader
/// has been told, and who saves again replaces it knowingly.
#[component]
pub fn VersionField(
    #[prop(into)] opened: String,
    #[prop(into)] errors: Signal<FieldErrors>,
    /// What this form itself has stored since, where its page stays.
    #[prop(optional, into)]
    saved: Signal<Option<String>>,
) -> impl IntoView {
    let told = move |errors: &FieldErrors| {
        let changed = errors.0.iter().find(|error| error.key == CHANGED)?;
        changed.args.iter().find(|(name, _)| name == "version").map(|(_, version)| version.clone())
    };
    // What comes after, such as a wrong field, does not take it back.
    let version = RwSignal::new(errors.with_untracked(told).unwrap_or(opened));
    Effect::new(move |_| {
        if let Some(told) = errors.with(told) {
            version.set(told);
        }
    });
    Effect::new(move |_| {
        if let Some(saved) = saved.get() {
            version.set(saved);
        }
    });
    view! { <input type="hidden" name="form[version]" value=move || version.get() prop:value=move || version.get() /> }
}

/// What stands above a form after a failed submit: the errors of the form as a whole, or anything
/// that is no field's fault. Field errors stand at their fields. It is announced when it appears.
#[component]
pub fn FormErrors(#[prop(into)] error: Signal<Option<AppError>>) -> impl IntoView {
    let panel = move || match error.get() {
        None => None,
        Some(AppError::Validation(errors)) => {
            let whole: Vec<String> = errors.0.iter().filter(|error| error.field.is_empty()).map(error_text).collect();
            let detail = if whole.is_empty() { t("errors.validation_detail") } else { whole.join(" ") };
            Some(view! { <ErrorPanel title=t("errors.validation") detail=detail /> }.into_any())
        }
        Some(AppError::Unauthenticated) => {
            let (title, _) = describe(&AppError::Unauthenticated);
            let detail = t("errors.session_over");
            // Beside this page: what is typed stays here, and is sent once more afterwards.
            Some(
                view! {
                    <ErrorPanel title=title detail=detail>
                        <a class="btn btn-sm" href="/login" target="_blank">{t("errors.log_in_beside")}</a>
                    </ErrorPanel>
                }
                .into_any(),
            )
        }
        Some(error) => {
            let (title, detail) = describe(&error);
            Some(view! { <ErrorPanel title=title detail=detail /> }.into_any())
        }
    };
    view! { <div role="alert" class="empty:hidden mb-4">{panel}</div> }
}

/// Ctrl+S (Cmd+S) submits the form, and Ctrl+Enter does where the focus is inside it.
pub fn use_form_keys(form: NodeRef<html::Form>) {
    use_keys(move || form.get_untracked(), |form| drop(form.request_submit()));
}

/// The same for a form with this id; `save` is what the keys do, instead of submitting it at once.
pub fn use_save_keys(id: &'static str, save: impl Fn(web_sys::HtmlFormElement) + Copy + 'static) {
    let form = move || document().get_element_by_id(id)?.dyn_into().ok();
    use_keys(form, save);
}

fn use_keys(
    form: impl Fn() -> Option<web_sys::HtmlFormElement> + Copy + 'static,
    save: impl Fn(web_sys::HtmlFormElement) + Copy + 'static,
) {
    Effect::new(move |_| {
        let handle = window_event_listener(leptos::ev::keydown, move |event| {
            let Some(form) = form() else { return };
            if !(event.ctrl_key() || event.meta_key()) || event.repeat() {
                return;
            }
            let saves = event.code() == "KeyS"
                || event.key() == "Enter" && form.contains(document().active_element().as_deref());
            if saves {
                event.prevent_default();
                save(form);
            }
        });
        on_cleanup(move || handle.remove());
    });
}

/// Asks before the reader leaves a form with changes that were not submitted: at a link of ours as
/// well as at a closed tab.
pub fn use_unsaved_guard(form: NodeRef<html::Form>) {
    let inside = move |node: Option<&web_sys::Node>| form.get_untracked().is_some_and(|form| form.contains(node));
    use_guard(inside, StoredValue::new(false), None);
}

/// The same for a form in steps with this id, each of which is submitted without being stored: links
/// within `path` lead to its other steps and keep everything. `begun` says whether steps lie behind.
pub fn use_steps_guard(id: &'static str, path: String, begun: bool) {
    let inside =
        move |node: Option<&web_sys::Node>| document().get_element_by_id(id).is_some_and(|form| form.contains(node));
    use_guard(inside, StoredValue::new(begun), Some(path));
}

fn use_guard(
    inside: impl Fn(Option<&web_sys::Node>) -> bool + Copy + 'static,
    dirty: StoredValue<bool>,
    path: Option<String>,
) {
    let in_steps = path.is_some();
    let path = StoredValue::new(path);
    Effect::new(move |_| {
        let inside = move |event: &web_sys::Event| {
            inside(event.target().and_then(|target| target.dyn_into::<web_sys::Node>().ok()).as_ref())
        };
        let input = window_event_listener_untyped("input", move |event| {
            if inside(&event) {
                dirty.set_value(true);
            }
        });
        let submit = window_event_listener_untyped("submit", move |event| {
            if !in_steps && inside(&event) {
                dirty.set_value(false);
            }
        });
        let leave = window_event_listener_untyped("beforeunload", move |event| {
            if dirty.get_value() && acted() {
                event.prevent_default();
            }
        });
        let release_links = guard_links(dirty, path);
        on_cleanup(move || {
            input.remove();
            submit.remove();
            leave.remove();
            release_links();
        });
    });
}

/// Whether the reader has done anything on this page. Chromium asks nobody who has not, and complains on its console; a
/// browser that does not tell asks by its own rules.
fn acted() -> bool {
    let get = |of: &JsValue, name: &str| js_sys::Reflect::get(of, &name.into()).unwrap_or_default();
    get(&get(&window().navigator(), "userActivation"), "hasBeenActive").as_bool().unwrap_or(true)
}

/// Catches clicks on links before the router does, which listens at the window.
fn guard_links(dirty: StoredValue<bool>, path: StoredValue<Option<String>>) -> impl FnOnce() + Send + Sync {
    let ask = Closure::<dyn Fn(web_sys::Event)>::new(move |event: web_sys::Event| {
        let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        let link = target.and_then(|target| target.closest("a[href]").ok().flatten());
        let leaves = link.is_some_and(|link| {
            let to = link.get_attribute("href").unwrap_or_default();
            let stays = |path: &Option<String>| path.as_deref().is_some_and(|path| is_within(&to, path));
            !link.has_attribute("download")
                && !link.has_attribute("target")
                && !path.try_with_value(stays).unwrap_or_default()
        });
        if leaves && !event.default_prevented() && dirty.try_get_value() == Some(true) {
            if window().confirm_with_message(&t("common.unsaved")).unwrap_or(true) {
                dirty.set_value(false);
            } else {
                event.prevent_default();
                event.stop_propagation();
            }
        }
    });
    let document = document();
    let _ = document.add_event_listener_with_callback_and_bool("click", ask.as_ref().unchecked_ref(), true);
    let held = StoredValue::new_local((document, ask));
    move || {
        // Gone already if the form's owner went first, and the closure with it.
        held.try_with_value(|(document, ask)| {
            let _ = document.remove_event_listener_with_callback_and_bool("click", ask.as_ref().unchecked_ref(), true);
        });
    }
}

/// Whether a link leads to a path, whatever its query.
fn is_within(link: &str, path: &str) -> bool {
    link.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['?', '#']))
}

#[cfg(test)]
mod tests {
    use super::is_within;

    #[test]
    fn other_steps_are_within() {
        for link in ["/mailings/new", "/mailings/new?step=window", "/mailings/new#x"] {
            assert!(is_within(link, "/mailings/new"), "{link}");
        }
        for link in ["/mailings", "/mailings/newer", "/messages?x=/mailings/new"] {
            assert!(!is_within(link, "/mailings/new"), "{link}");
        }
    }
}
