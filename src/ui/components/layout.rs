//! What stands around every page.

use super::icon::{Icon, icon};
use super::navigation::{administration, folded, navigation};
use super::toast::Toast;
use super::user_menu::{LanguageLink, ThemeLinks, user_menu};
use crate::domain::relay::Fault;
use crate::domain::settings::Registration;
use crate::domain::user::Session;
use crate::ui::i18n::{t, t_with};
use crate::ui::pages::oversight::stopped_note;
use crate::ui::pages::relays::fault_text;
use crate::ui::session::use_session;
use leptos::prelude::*;

/// Header, the page itself in `main`, footer, and the toast.
#[component]
pub fn Shell(children: Children) -> impl IntoView {
    let session = use_session();
    // A session that could not be loaded shows what an anonymous reader sees; pages say the error.
    let read = move || session.get().map(|session| session.unwrap_or_default());
    view! {
        <div class="flex min-h-dvh flex-col">
            <a href="#content" class="btn btn-primary sr-only focus:not-sr-only focus:absolute focus:z-50 focus:m-2">{t("common.skip")}</a>
            <header class="border-b border-base-300 bg-base-100">
                <div class="mx-auto flex h-14 max-w-7xl items-center gap-4 px-5">
                    <Suspense>{move || read().map(|session| brand(&session))}</Suspense>
                    <div class="hidden min-w-0 overflow-x-auto md:block">
                        <Suspense>{move || read().map(|session| navigation(&session))}</Suspense>
                    </div>
                    <div class="ml-auto flex items-center gap-2 text-sm">
                        <LanguageLink />
                        <Suspense>{move || read().map(|session| person(&session))}</Suspense>
                    </div>
                </div>
                <div class="md:hidden">
                    <Suspense>{move || read().map(|session| folded(&session))}</Suspense>
                </div>
                <Suspense>
                    {move || read().map(|session| (administration(&session), banner(&session), alerts(&session)))}
                </Suspense>
            </header>
            <main id="content" tabindex="-1" class="flex-1 outline-none">
                <Suspense>{move || read().and_then(|session| blocked(&session))}</Suspense>
                {children()}
            </main>
            <footer class="border-t border-base-300">
                <div class="mx-auto flex max-w-7xl flex-wrap items-center gap-3 px-5 py-4 text-sm">
                    <p class="mr-auto opacity-80">{t("common.footer")}</p>
                    <ThemeLinks />
                </div>
            </footer>
            <Toast />
        </div>
    }
}

/// The way home: who is in has it on the overview.
fn brand(session: &Session) -> AnyView {
    let is_in = session.me.as_ref().is_some_and(|me| me.confirmed);
    view! {
        <a href=if is_in { "/overview" } else { "/" } class="flex items-center gap-2 text-lg font-semibold">
            <span class="text-accent">{icon(Icon::Horn, "size-6")}</span>
            {t("common.app")}
        </a>
    }
    .into_any()
}

fn person(session: &Session) -> AnyView {
    match &session.me {
        Some(me) => user_menu(me),
        // Who is blocked is in already, and told so.
        None if session.blocked.is_some() => ().into_any(),
        None => view! {
            <a class="btn btn-ghost btn-sm" href="/login">{t("common.log_in")}</a>
            // Where there is room for one alone, the page of the other leads to it.
            {(session.registration == Registration::Open)
                .then(|| view! { <a class="btn btn-sm hidden sm:inline-flex" href="/signup">{t("common.sign_up")}</a> })}
        }
        .into_any(),
    }
}

fn banner(session: &Session) -> Option<AnyView> {
    session.catching.then(|| {
        let link = session.outbox.then(|| view! { <a class="link" href="/outbox">{t("common.catching_link")}</a> });
        view! {
            <div class="border-t border-warning/60 bg-warning/20">
                <p class="mx-auto flex max-w-7xl items-center gap-2 px-5 py-2 text-sm">
                    {icon(Icon::Inbox, "size-4 shrink-0")}
                    <span>{t("common.catching")} " " {link}</span>
                </p>
            </div>
        }
        .into_any()
    })
}

/// Somebody who was blocked learns why, and whom to ask.
fn blocked(session: &Session) -> Option<AnyView> {
    let stopped = session.blocked.clone()?;
    let ask = t_with("oversight.you_are_blocked_ask", &[("contact", &session.contact)]);
    Some(
        view! {
            <div class="mx-auto max-w-7xl px-5 pt-8" role="alert" data-blocked>
                <h2 class="mb-2 text-lg font-semibold">{t("oversight.you_are_blocked")}</h2>
                {stopped_note(stopped)}
                <p class="mt-2 text-sm">{ask}</p>
                <form method="post" action="/logout" class="mt-3">
                    <button type="submit" class="btn btn-sm">{t("common.log_out")}</button>
                </form>
            </div>
        }
        .into_any(),
    )
}

/// Mail servers that somebody must see to.
fn alerts(session: &Session) -> Vec<AnyView> {
    let alert = |(name, fault): &(String, Fault)| {
        let text = t_with("relays.alert", &[("name", name), ("reason", &fault_text(fault))]);
        view! {
            <div role="alert" class="border-t border-error/40 bg-error/10">
                <p class="mx-auto flex max-w-7xl flex-wrap items-center gap-2 px-5 py-2 text-sm">
                    <span class="text-error">{icon(Icon::Alert, "size-4")}</span>
                    <span class="min-w-0 break-words">{text}</span>
                    <a class="link" href="/relays">{t("relays.alert_link")}</a>
                </p>
            </div>
        }
        .into_any()
    };
    session.alerts.iter().map(alert).collect()
}
