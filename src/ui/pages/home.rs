//! The home page: what the service does, its figures, and three posts.

use super::blog::{Head, PostCard};
use crate::api::error::AppError;
use crate::api::posts::load_home;
use crate::domain::post::{Figures, Home as Loaded};
use crate::domain::settings::Registration;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::title::Title;
use crate::ui::i18n::{number, t};
use crate::ui::session::use_session;
use leptos::prelude::*;
use leptos::wasm_bindgen::{JsCast, closure::Closure};

/// What a visitor sees first; its main action is to sign up.
#[component]
pub fn Home() -> impl IntoView {
    let loaded = Resource::new_blocking(|| (), |()| load_home());
    let show = move |part: fn(Result<Loaded, AppError>) -> AnyView| {
        view! { <Suspense>{move || loaded.get().map(part)}</Suspense> }
    };
    view! {
        {show(head)}
        <section class="border-b border-base-300 bg-base-100">
            <div class="mx-auto grid max-w-6xl items-center gap-12 px-5 py-16 sm:py-24 lg:grid-cols-[1.1fr_1fr]">
                <div>
                    <h1 class="text-4xl leading-[1.08] font-semibold sm:text-5xl">{t("home.title")}</h1>
                    <p class="mt-5 max-w-xl text-lg opacity-80">{t("home.lead")}</p>
                    <div class="mt-8 flex flex-wrap gap-3">
                        <Start />
                        <a class="btn btn-lg btn-outline border-base-300" href="#how">{t("home.see_how")}</a>
                    </div>
                    <p class="mt-6 text-sm opacity-80">{t("home.free")}</p>
                </div>
                {steps()}
            </div>
        </section>
        {show(figures)}
        {points()}
        {show(posts)}
    }
    .into_any()
}

fn head(loaded: Result<Loaded, AppError>) -> AnyView {
    let title = format!("{} · {}", t("common.app"), t("home.title"));
    match loaded {
        Ok(Loaded { site, .. }) => {
            view! { <Head title=title description=t("home.lead") site=site path="/" /> }.into_any()
        }
        Err(_) => view! { <Title text=title /> }.into_any(),
    }
}

/// Sign-up; for somebody who is logged in, the way to their mailings.
#[component]
fn Start() -> impl IntoView {
    let session = use_session();
    view! {
        <Suspense>
            {move || session.get().map(|session| {
                let session = session.unwrap_or_default();
                let (href, word) = match (session.me, session.registration) {
                    (Some(_), _) => ("/overview", "home.dashboard"),
                    (None, Registration::Open) => ("/signup", "home.start"),
                    (None, Registration::Invitation | Registration::Closed) => ("/login", "common.log_in"),
                };
                view! { <a class="btn btn-primary btn-lg" href=href>{t(word)}</a> }
            })}
        </Suspense>
    }
}

/// The way of a mailing, as a path with four stops.
fn steps() -> AnyView {
    let steps: Vec<AnyView> = [
        (Icon::Users, "home.step1", "home.step1_text"),
        (Icon::Edit, "home.step2", "home.step2_text"),
        (Icon::Clock, "home.step3", "home.step3_text"),
        (Icon::Mail, "home.step4", "home.step4_text"),
    ]
    .into_iter()
    .map(|(symbol, word, text)| {
        view! {
            <li class="relative flex gap-4 pb-6 last:pb-0 before:absolute before:top-10 before:bottom-0 before:left-5 before:w-px before:bg-base-300 last:before:hidden">
                <span class="grid size-10 shrink-0 place-items-center rounded-full border border-base-300 bg-base-200 text-accent">
                    {icon(symbol, "size-5")}
                </span>
                <div>
                    <p class="font-semibold">{t(word)}</p>
                    <p class="mt-0.5 text-sm opacity-80">{t(text)}</p>
                </div>
            </li>
        }
        .into_any()
    })
    .collect();
    view! {
        <div id="how" class="scroll-mt-6 rounded-box border border-base-300 p-6 shadow-xl shadow-base-content/5 sm:p-8">
            <h2 class="font-semibold">{t("home.how")}</h2>
            <ol class="mt-5">{steps}</ol>
        </div>
    }
    .into_any()
}

fn points() -> AnyView {
    let points: Vec<AnyView> = [
        (Icon::Clock, "home.time_title", "home.time_text"),
        (Icon::Check, "home.once_title", "home.once_text"),
        (Icon::Inbox, "home.reply_title", "home.reply_text"),
        (Icon::Upload, "home.import_title", "home.import_text"),
        (Icon::Edit, "home.preview_title", "home.preview_text"),
        (Icon::Horn, "home.own_title", "home.own_text"),
    ]
    .into_iter()
    .map(|(symbol, title, text)| {
        view! {
            <li>
                <span class="text-accent">{icon(symbol, "size-6")}</span>
                <h3 class="mt-2 font-semibold">{t(title)}</h3>
                <p class="mt-1 text-sm opacity-80">{t(text)}</p>
            </li>
        }
        .into_any()
    })
    .collect();
    view! {
        <section class="mx-auto max-w-6xl px-5 py-14" aria-labelledby="points">
            <h2 id="points" class="text-2xl font-semibold">{t("home.points")}</h2>
            <ul class="mt-8 grid gap-x-8 gap-y-10 sm:grid-cols-2 lg:grid-cols-3">{points}</ul>
        </section>
    }
    .into_any()
}

/// The figures, which tick while the page is open. What could not be counted is left out.
fn figures(loaded: Result<Loaded, AppError>) -> AnyView {
    let Ok(Loaded { figures, .. }) = loaded else { return ().into_any() };
    let now = use_figures(figures);
    let parts: Vec<AnyView> = [
        ("home.mailings", Signal::derive(move || now.get().mailings)),
        ("home.active", Signal::derive(move || now.get().active)),
        ("home.clients", Signal::derive(move || now.get().clients)),
    ]
    .into_iter()
    .map(|(word, value)| {
        view! {
            <div class="px-6 py-5">
                <dt class="text-sm opacity-80">{t(word)}</dt>
                <dd class="mt-1 text-3xl font-semibold tabular-nums">{move || number(value.get())}</dd>
            </div>
        }
        .into_any()
    })
    .collect();
    view! {
        <section aria-label=t("home.figures") class="mx-auto max-w-6xl px-5">
            <dl class="grid divide-y divide-base-300 rounded-b-box border border-t-0 border-base-300 bg-base-100 sm:grid-cols-3 sm:divide-x sm:divide-y-0">
                {parts}
            </dl>
        </section>
    }
    .into_any()
}

/// The figures as the server last told them.
fn use_figures(first: Figures) -> RwSignal<Figures> {
    let now = RwSignal::new(first);
    Effect::new(move |_| {
        let Ok(source) = web_sys::EventSource::new("/events/home") else { return };
        let heard = Closure::<dyn Fn(web_sys::MessageEvent)>::new(move |event: web_sys::MessageEvent| {
            if let Some(said) = event.data().as_string().and_then(|text| serde_json::from_str(&text).ok()) {
                now.set(said);
            }
        });
        source.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        let held = StoredValue::new_local((source, heard));
        on_cleanup(move || {
            held.try_with_value(|(source, _)| source.close());
        });
    });
    now
}

fn posts(loaded: Result<Loaded, AppError>) -> AnyView {
    let posts = loaded.map(|loaded| loaded.posts).unwrap_or_default();
    if posts.is_empty() {
        return ().into_any();
    }
    let cards: Vec<AnyView> =
        posts.into_iter().map(|card| view! { <PostCard card=card level=3 /> }.into_any()).collect();
    view! {
        <section class="mx-auto max-w-6xl px-5 pb-20" aria-labelledby="posts">
            <div class="flex items-baseline justify-between gap-4">
                <h2 id="posts" class="text-2xl font-semibold">{t("home.posts")}</h2>
                <a class="link link-hover text-sm" href="/blog">{t("home.all_posts")}</a>
            </div>
            <div class="mt-6 grid gap-6 md:grid-cols-3">{cards}</div>
        </section>
    }
    .into_any()
}
