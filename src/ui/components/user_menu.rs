//! What stands at the right of the header: theme, language, and the reader's own menu.

use crate::domain::bidi::visible;
use crate::domain::lang::Lang;
use crate::domain::user::{Me, Theme};
use crate::ui::i18n::{t, t_with, use_lang};
use crate::ui::link::{href, use_link};
use crate::ui::theme::{apply_theme, use_theme};
use leptos::html;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;

/// A choice that the server remembers in a cookie and then comes back here.
fn choice(path: &str, to: &str, next: String) -> String {
    href(path, &[("to".to_owned(), to.to_owned()), ("next".to_owned(), next)])
}

/// A link that loads this page again in the other language.
#[component]
pub fn LanguageLink() -> impl IntoView {
    let link = use_link();
    let other = match use_lang() {
        Lang::En => Lang::Ru,
        Lang::Ru => Lang::En,
    };
    view! {
        <a
            class="btn btn-ghost btn-sm"
            rel="external"
            lang=other.as_str()
            hreflang=other.as_str()
            href=move || choice("/language", other.as_str(), link(&[]))
        >
            {t("common.other_language")}
        </a>
    }
}

/// Three links; with the wasm they act at once, without it the server reloads the page.
#[component]
pub fn ThemeLinks() -> impl IntoView {
    let link = use_link();
    let current = RwSignal::new(use_theme());
    let links: Vec<AnyView> = Theme::ALL
        .into_iter()
        .map(|theme| {
            view! {
                <a
                    class="btn btn-ghost btn-sm"
                    class:btn-active=move || current.get() == theme
                    rel="external nofollow"
                    aria-current=move || (current.get() == theme).then_some("true")
                    href=move || choice("/theme", theme.as_str(), link(&[]))
                    on:click=move |event| {
                        event.prevent_default();
                        apply_theme(theme);
                        current.set(theme);
                    }
                >
                    {t(&format!("common.theme_{}", theme.as_str()))}
                </a>
            }
            .into_any()
        })
        .collect();
    view! { <nav aria-label=t("common.theme") class="flex flex-wrap gap-1">{links}</nav> }
}

/// Closes an open menu on Escape, which gives the focus back to what opened it, and when something else is pressed.
pub(super) fn use_closing(menu: NodeRef<html::Details>) {
    let open = move || menu.get_untracked().filter(|menu| menu.open());
    Effect::new(move |_| {
        let escape = window_event_listener(leptos::ev::keydown, move |event| {
            let Some(menu) = open().filter(|_| event.key() == "Escape") else { return };
            menu.set_open(false);
            let opener = menu.query_selector("summary").ok().flatten();
            if let Some(opener) = opener.and_then(|opener| opener.dyn_into::<web_sys::HtmlElement>().ok()) {
                let _ = opener.focus();
            }
        });
        let elsewhere = window_event_listener(leptos::ev::pointerdown, move |event| {
            let pressed = event.target().and_then(|target| target.dyn_into::<web_sys::Node>().ok());
            if let Some(menu) = open().filter(|menu| !menu.contains(pressed.as_ref())) {
                menu.set_open(false);
            }
        });
        on_cleanup(move || {
            escape.remove();
            elsewhere.remove();
        });
    });
}

/// The menu of somebody who is logged in. `details` opens without any script.
pub fn user_menu(me: &Me) -> AnyView {
    let name = if me.name.trim().is_empty() { me.email.clone() } else { visible(&me.name) };
    let initials: String =
        name.split_whitespace().filter_map(|word| word.chars().next()).take(2).flat_map(char::to_uppercase).collect();
    let menu = NodeRef::<html::Details>::new();
    use_closing(menu);
    view! {
        <details class="dropdown dropdown-end" node_ref=menu>
            <summary
                class="grid size-8 cursor-pointer list-none place-items-center rounded-full bg-secondary text-xs text-secondary-content"
                aria-label=t_with("common.user_menu", &[("name", &name)])
            >
                {initials}
            </summary>
            <div class="dropdown-content z-40 mt-2 w-64 rounded-box border border-base-300 bg-base-100 p-3 shadow-lg">
                <p class="truncate font-medium">{name}</p>
                <p class="truncate text-xs opacity-80">{me.email.clone()}</p>
                <p class="mb-2 text-xs opacity-80">{me.zone.clone()}</p>
                <a class="btn btn-ghost btn-sm w-full justify-start" href="/account">{t("common.account")}</a>
                <form method="post" action="/logout">
                    <button type="submit" class="btn btn-ghost btn-sm w-full justify-start">{t("common.log_out")}</button>
                </form>
            </div>
        </details>
    }
    .into_any()
}
