//! The menus of the header: what everybody works with, and beneath it what belongs to the whole service.

use crate::domain::user::{Permission, Session};
use crate::ui::i18n::t;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// An address, and its word.
type Entry = (&'static str, String);

/// The reader's own work, and the blog.
pub fn navigation(session: &Session) -> AnyView {
    let mut entries = Vec::new();
    if let Some(me) = &session.me {
        entries.extend([
            ("/mailings", t("nav.mailings")),
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
    view! { <nav aria-label=t("common.menu") class="flex gap-1">{links(entries)}</nav> }.into_any()
}

/// What managers and administrators see of everybody: a row of its own, because both menus together are
/// wider than a screen. Nothing for anybody else.
pub fn administration(session: &Session) -> Option<AnyView> {
    let role = session.me.as_ref()?.role;
    let mut entries = Vec::new();
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
            ("/returns", t("nav.returns")),
            ("/settings", t("nav.settings")),
        ]);
    }
    if entries.is_empty() {
        return None;
    }
    let name = t("nav.administration");
    Some(
        view! {
            <div class="border-t border-base-300 bg-base-200/60">
                <div class="mx-auto flex max-w-7xl items-center gap-3 overflow-x-auto px-5 py-1">
                    <span class="hidden text-xs opacity-80 md:inline" aria-hidden="true">{name.clone()}</span>
                    <nav aria-label=name class="flex gap-1">{links(entries)}</nav>
                </div>
            </div>
        }
        .into_any(),
    )
}

fn links(entries: Vec<Entry>) -> Vec<AnyView> {
    let path = use_location().pathname;
    let link = |(href, word): Entry| {
        let here = move || {
            path.with(|path| path.strip_prefix(href).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
        };
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
