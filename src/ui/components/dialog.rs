//! Asking before what cannot be undone.

use super::icon::{Icon, icon};
use crate::ui::i18n::t;
use crate::ui::link::{use_link, use_param};
use leptos::html;
use leptos::prelude::*;

/// A trigger and the question behind it. `children` is the real form that does it, with its submit
/// button. Without the wasm the trigger is a link to `?confirm=name`, which renders the dialog open;
/// with it the dialog is modal: it holds the focus and closes with Esc. With `form`, the id of a GET
/// form on the page, the trigger submits that one instead, so that what is ticked there comes along.
#[component]
pub fn Confirm(
    /// Unique on the page, such as `delete-5`.
    #[prop(into)]
    name: String,
    /// The word on the trigger.
    #[prop(into)]
    trigger: String,
    /// The trigger's button classes.
    #[prop(default = "btn btn-sm")]
    class: &'static str,
    /// Names the thing and the count: “Start for 12,480 clients?”
    #[prop(into)]
    title: Signal<String>,
    #[prop(optional, into)] text: Signal<String>,
    /// Shown instead of the word, which then names the trigger for screen readers and on hover.
    #[prop(optional)]
    symbol: Option<Icon>,
    #[prop(optional)] form: Option<&'static str>,
    /// Whether there is anything to ask about.
    #[prop(default = Signal::stored(true), into)]
    ready: Signal<bool>,
    /// The form in `children` has fields, and [`cancel`] beside its own button.
    #[prop(optional)]
    fields: bool,
    children: Children,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let (asked, link) = (use_param("confirm"), use_link());
    let (id, heading) = (format!("ask-{name}"), format!("ask-{name}-title"));
    let trigger_id = format!("{id}-open");
    let labelled = heading.clone();
    let (closing, cancelled) = (closing(&name), name.clone());
    let open = asked.with_untracked(|asked| *asked == name) && ready.get_untracked();
    let show = move || {
        if ready.get_untracked()
            && let Some(dialog) = dialog.get_untracked()
        {
            dialog.close();
            // Refused only where the dialog is no longer in the page.
            let _ = dialog.show_modal();
        }
    };
    Effect::new(move |_| {
        if open && dialog.get().is_some() {
            show();
        }
    });
    // What was asked is answered; the page may be drawn anew around an open dialog, which would hold it for ever. A form with
    // fields may be refused at one of them.
    let answered = move |_| {
        if let Some(dialog) = dialog.get_untracked().filter(|_| !fields) {
            dialog.close();
        }
    };
    let (hover, label) = match symbol {
        Some(_) => (Some(trigger.clone()), Some(trigger.clone())),
        None => (None, None),
    };
    let word = match symbol {
        Some(symbol) => icon(symbol, "size-4"),
        None => trigger.into_any(),
    };
    let ask = move |event: web_sys::MouseEvent| {
        event.prevent_default();
        show();
    };
    let trigger = match form {
        Some(form) => view! {
            <button
                type="submit"
                id=trigger_id
                class=class
                form=form
                name="confirm"
                value=name
                aria-haspopup="dialog"
                title=hover
                aria-label=label
                on:click=ask
            >
                {word}
            </button>
        }
        .into_any(),
        None => view! {
            <a
                id=trigger_id
                class=class
                role="button"
                aria-haspopup="dialog"
                title=hover
                aria-label=label
                href=move || link(&[("confirm", Some(name.as_str()))])
                on:click=ask
            >
                {word}
            </a>
        }
        .into_any(),
    };
    view! {
        {trigger}
        <dialog id=id class="modal" node_ref=dialog open=open aria-labelledby=labelled on:submit=answered>
            <div class="modal-box text-left whitespace-normal">
                <h2 id=heading class="text-lg font-semibold">{title}</h2>
                <p class="mt-2 text-sm empty:hidden">{text}</p>
                <form method="dialog" id=closing></form>
                <div class=if fields { "mt-4" } else { "modal-action" }>
                    {(!fields).then(|| cancel(&cancelled))}
                    {children()}
                </div>
            </div>
        </dialog>
    }
}

/// The id of the form that closes the dialog of that name.
fn closing(name: &str) -> String {
    format!("ask-{name}-cancel")
}

/// The button that closes the dialog of that name.
pub fn cancel(name: &str) -> AnyView {
    view! { <button class="btn" form=closing(name)>{t("common.cancel")}</button> }.into_any()
}
