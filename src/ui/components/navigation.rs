//! The menus of the header: what everybody works with, and beneath it what belongs to the whole service; where a screen is
//! narrow, one menu with both.

use super::icon::{Icon, icon};
use super::user_menu::use_closing;
use crate::domain::user::{Permission, Session};
use crate::ui::i18n::t;
use leptos::html;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// An address, and its word.
type Entry = (&'static str, String);

/// The reader's own work, and the blog.
fn own(session: &Session) -> Vec<Entry> {
    let mut entries = Vec::new();
    if let Some(me) = &session.me {
        entries.extend([
            ("/overview", t("nav.overview")),
            ("/mailings", t("nav.mailings")),
            ("/calendar", t("nav.calendar")),
            ("/messages", t("nav.messages")),
            ("/clients", t("nav.clients")),
            ("/suppressions", t("nav.suppressions")),
            ("/reports", t("nav.reports")),
        ]);
        if session.outbox {
            entries.push(("/outbox", t("nav.outbox")));
        }
        if me.role.may(Permission::Blog) {
            entries.push(("/posts", t("nav.posts")));
        }
    }
    entries.push(("/blog", t("nav.blog")));
    entries
}

/// The same in a row.
pub fn navigation(session: &Session) -> AnyView {
    view! { <nav aria-label=t("common.menu") class="flex gap-1">{links(own(session))}</nav> }.into_any()
}

/// What managers and administrators see of everybody; nothing for anybody else.
fn everybodys(session: &Session) -> Vec<Entry> {
    let mut entries = Vec::new();
    let Some(role) = session.me.as_ref().map(|me| me.role) else { return entries };
    if role.may(Permission::Oversee) {
        entries.extend([
            ("/all-mailings", t("nav.all_mailings")),
            ("/users", t("nav.users")),
            ("/audit", t("nav.audit")),
        ]);
    }
    if role.may(Permission::Settings) {
        entries.extend([
            ("/relays", t("nav.relays")),
            ("/doctor", t("nav.doctor")),
            ("/returns", t("nav.returns")),
            ("/settings", t("nav.settings")),
        ]);
    }
    entries
}

/// The same in a row of its own, because both menus together are wider than a screen.
pub fn administration(session: &Session) -> Option<AnyView> {
    let entries = everybodys(session);
    if entries.is_empty() {
        return None;
    }
    let name = t("nav.administration");
    Some(
        view! {
            <div class="hidden border-t border-base-300 bg-base-200/60 md:block">
                <div class="mx-auto flex max-w-7xl items-center gap-3 overflow-x-auto px-5 py-1">
                    <span class="text-xs opacity-80" aria-hidden="true">{name.clone()}</span>
                    <nav aria-label=name class="flex gap-1">{links(entries)}</nav>
                </div>
            </div>
        }
        .into_any(),
    )
}

/// All of it where a screen is narrow: folded, with the place where the reader is in sight. `details` opens without any script.
pub fn folded(session: &Session) -> AnyView {
    let (own, everybodys) = (own(session), everybodys(session));
    if let [only] = own.as_slice()
        && everybodys.is_empty()
    {
        return view! { <nav aria-label=t("common.menu") class="px-3 pb-2">{links(vec![only.clone()])}</nav> }
            .into_any();
    }
    let path = use_location().pathname;
    let menu = NodeRef::<html::Details>::new();
    use_closing(menu);
    Effect::new(move |_| {
        path.track();
        if let Some(menu) = menu.get_untracked() {
            menu.set_open(false);
        }
    });
    let places: Vec<Entry> = own.iter().chain(&everybodys).cloned().collect();
    let place = move || {
        let place = path.with(|path| places.iter().find(|(href, _)| is_at(path, href)).map(|(_, word)| word.clone()));
        place.map(|word| format!(": {word}"))
    };
    let rest = (!everybodys.is_empty()).then(|| {
        let name = t("nav.administration");
        view! {
            <p class="mt-2 px-3 text-xs opacity-80" aria-hidden="true">{name.clone()}</p>
            <nav aria-label=name class="grid grid-cols-2 gap-1">{links(everybodys)}</nav>
        }
    });
    view! {
        <details node_ref=menu class="border-t border-base-300">
            <summary class="flex cursor-pointer items-center gap-2 px-5 py-3 text-sm font-medium">
                <span class="min-w-0 break-words">{t("common.menu_narrow")}{place}</span>
                {icon(Icon::ChevronDown, "size-4 ml-auto")}
            </summary>
            <div class="px-2 pb-3">
                <nav aria-label=t("common.menu") class="grid grid-cols-2 gap-1">{links(own)}</nav>
                {rest}
            </div>
        </details>
    }
    .into_any()
}

/// Whether a page is that of a menu's entry, or beneath it.
fn is_at(path: &str, href: &str) -> bool {
    path.strip_prefix(href).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn links(entries: Vec<Entry>) -> Vec<AnyView> {
    let path = use_location().pathname;
    let link = |(href, word): Entry| {
        let here = move || path.with(|path| is_at(path, href));
        view! {
            <a
                class="rounded-field px-3 py-2 text-sm whitespace-nowrap"
                class=("bg-base-200", here)
                class=("font-medium", here)
                aria-current=move || here().then_some("page")
                href=href
            >
                {word}
            </a>
        }
        .into_any()
    };
    entries.into_iter().map(link).collect()
}
