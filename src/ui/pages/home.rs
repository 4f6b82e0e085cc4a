//! The home page: what the service does.

use crate::ui::i18n::t;
use leptos::prelude::*;
use leptos_meta::Title;

/// What a visitor sees first; its main action is to sign up.
#[component]
pub fn Home() -> impl IntoView {
    let steps: Vec<AnyView> = ["home.step1", "home.step2", "home.step3", "home.step4"]
        .into_iter()
        .enumerate()
        .map(|(at, key)| {
            view! {
                <li class="flex items-center gap-4 py-3">
                    <span aria-hidden="true" class="grid size-8 place-items-center rounded-full bg-base-200 font-semibold tabular-nums">{at + 1}</span>
                    {t(key)}
                </li>
            }
            .into_any()
        })
        .collect();
    let points: Vec<AnyView> = [
        ("home.time_title", "home.time_text"),
        ("home.once_title", "home.once_text"),
        ("home.reply_title", "home.reply_text"),
    ]
    .into_iter()
    .map(|(title, text)| {
        view! {
            <div>
                <h2 class="font-semibold">{t(title)}</h2>
                <p class="mt-1 text-sm opacity-80">{t(text)}</p>
            </div>
        }
        .into_any()
    })
    .collect();
    view! {
        <Title text=t("common.app") />
        <section class="border-b border-base-300 bg-base-100">
            <div class="mx-auto grid max-w-6xl items-center gap-12 px-5 py-16 sm:py-24 lg:grid-cols-[1.1fr_1fr]">
                <div>
                    <h1 class="text-4xl font-semibold leading-[1.08] sm:text-5xl">{t("home.title")}</h1>
                    <p class="mt-5 max-w-xl text-lg opacity-80">{t("home.lead")}</p>
                    <a class="btn btn-primary btn-lg mt-8" href="/signup">{t("home.start")}</a>
                </div>
                <div class="rounded-box border border-base-300 p-6 shadow-xl shadow-base-content/5">
                    <h2 class="font-semibold">{t("home.how")}</h2>
                    <ol class="mt-2 divide-y divide-base-300">{steps}</ol>
                </div>
            </div>
        </section>
        <section class="mx-auto grid max-w-6xl gap-8 px-5 py-14 sm:grid-cols-3">{points}</section>
    }
    .into_any()
}
