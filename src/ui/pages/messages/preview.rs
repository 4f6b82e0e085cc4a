//! The letter as a client would get it, while it is being written.

use super::editor::Draft;
use crate::api::error::AppError;
use crate::api::messages::{preview_clients, preview_message};
use crate::domain::bidi::visible;
use crate::domain::client::Client;
use crate::domain::message;
use crate::ui::components::error_panel::describe;
use crate::ui::i18n::{error_text, t};
use crate::ui::markup::preformatted;
use leptos::prelude::*;
use std::time::Duration;

/// How long nothing must be typed before the server is asked.
const PAUSE: Duration = Duration::from_millis(300);

/// Calls `changed` when a value has not changed for a while; not for its first value.
fn use_settled<T>(value: impl Fn() -> T + 'static, changed: impl FnMut(T) + 'static)
where
    T: 'static,
{
    let mut push = debounce(PAUSE, changed);
    Effect::new(move |before: Option<()>| {
        let now = value();
        if before.is_some() {
            push(now);
        }
    });
}

/// What the server answers to a draft; nothing to an empty one.
pub(super) type Answer = Option<Result<message::Preview, AppError>>;

pub(super) async fn ask(subject: String, body: String, client: Option<i64>) -> Answer {
    if subject.is_empty() && body.is_empty() {
        return None;
    }
    Some(preview_message(subject, body, client).await)
}

/// The preview, with the client that it is for. The page brings what it begins with: on the server this is made
/// inside a closure that may be rendered anew, and what was asked from here would lose its context.
#[component]
pub(super) fn Preview(draft: Draft, clients: Vec<Client>, first: Answer) -> impl IntoView {
    let begin = (draft.subject.get_untracked(), draft.body.get_untracked());
    let settled = RwSignal::new(begin.clone());
    use_settled(move || (draft.subject.get(), draft.body.get()), move |now| settled.set(now));
    let filled = Resource::new(
        move || (settled.get(), draft.client.get()),
        move |((subject, body), client)| {
            let known = (client.is_none() && begin.0 == subject && begin.1 == body).then(|| first.clone());
            async move {
                match known {
                    Some(answer) => answer,
                    None => ask(subject, body, client).await,
                }
            }
        },
    );
    let as_text = RwSignal::new(false);
    let tab = move |text: bool, word: &'static str| {
        view! {
            <button
                type="button"
                class="btn btn-sm"
                class:btn-ghost=move || as_text.get() != text
                aria-pressed=move || (as_text.get() == text).to_string()
                on:click=move |_| as_text.set(text)
            >
                {t(word)}
            </button>
        }
    };
    view! {
        <section class="min-w-0" aria-labelledby="preview">
            <div class="mb-3 flex flex-wrap items-center gap-2">
                <h2 id="preview" class="mr-auto text-lg font-semibold">{t("messages.preview")}</h2>
                {tab(false, "messages.preview_html")}
                {tab(true, "messages.preview_text")}
            </div>
            <Chooser draft=draft first=clients />
            <div class="rounded-box border border-base-300 bg-base-100 p-4">
                <Transition fallback=|| view! { <p class="text-sm opacity-80">{t("messages.preview_wait")}</p> }>
                    {move || filled.get().map(|filled| match filled {
                        None => view! { <p class="text-sm opacity-80">{t("messages.preview_wait")}</p> }.into_any(),
                        Some(Ok(preview)) => letter(preview, as_text),
                        Some(Err(error)) => problem(&error),
                    })}
                </Transition>
            </div>
        </section>
    }
}

fn letter(preview: message::Preview, as_text: RwSignal<bool>) -> AnyView {
    let message::Preview { subject, html, text } = preview;
    let text = preformatted(&text);
    view! {
        <p class="mb-3 border-b border-base-300 pb-3 text-sm break-words">
            <span class="opacity-80">{t("messages.preview_subject")}</span>
            " "
            <strong>{subject}</strong>
        </p>
        // Nothing that somebody wrote runs, loads or navigates in here. The frame has no background of
        // its own, for the letter follows the reader's colours.
        <iframe
            class="h-[32rem] w-full rounded-field bg-white scheme-light"
            class:hidden=move || as_text.get()
            title=t("messages.preview_frame")
            sandbox=""
            srcdoc=html
        ></iframe>
        <pre class="overflow-x-auto text-sm whitespace-pre-wrap" class:hidden=move || !as_text.get()>{text}</pre>
    }
    .into_any()
}

/// Why there is no preview. It is no failure of the page, so it speaks softly.
fn problem(error: &AppError) -> AnyView {
    let lines: Vec<String> = match error {
        AppError::Validation(errors) => errors.0.iter().map(error_text).collect(),
        other => vec![describe(other).1],
    };
    let lines: Vec<AnyView> = lines.into_iter().map(|line| view! { <li>{line}</li> }.into_any()).collect();
    view! {
        <div role="status" class="text-sm">
            <p class="font-medium">{t("messages.preview_failed")}</p>
            <ul class="mt-1 list-disc pl-5 text-error">{lines}</ul>
        </div>
    }
    .into_any()
}

/// Whom the preview is for: the example, one of the first clients, or one that a search finds.
#[component]
fn Chooser(draft: Draft, first: Vec<Client>) -> impl IntoView {
    let typed = RwSignal::new(String::new());
    let offered = RwSignal::new(first);
    let search = Action::new(|text: &String| preview_clients(text.clone()));
    use_settled(move || typed.get(), move |text| drop(search.dispatch(text)));
    Effect::new(move |_| {
        // A search that failed leaves what was offered.
        if let Some(Ok(found)) = search.value().get() {
            // Whoever searches wants to see the one that was found.
            draft.client.set(found.first().map(|client| client.id));
            offered.set(found);
        }
    });
    let options = move || {
        let chosen = draft.client.get();
        let option = |client: &Client| {
            let word = match client.full_name.as_str() {
                "" => client.email.clone(),
                name => format!("{} <{}>", visible(name), client.email),
            };
            view! { <option value=client.id selected=chosen == Some(client.id)>{word}</option> }.into_any()
        };
        offered.with(|offered| offered.iter().map(option).collect::<Vec<AnyView>>())
    };
    view! {
        <div class="mb-3 grid gap-2 sm:grid-cols-2">
            <select
                class="select select-sm w-full"
                aria-label=t("messages.preview_for")
                on:change=move |event| draft.client.set(event_target_value(&event).parse().ok())
            >
                <option value="" selected=move || draft.client.get().is_none()>{t("messages.preview_example")}</option>
                {options}
            </select>
            <input
                type="search"
                class="input input-sm w-full"
                aria-label=t("messages.preview_search")
                placeholder=t("messages.preview_search")
                on:input=move |event| typed.set(event_target_value(&event))
            />
        </div>
    }
}
