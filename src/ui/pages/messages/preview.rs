//! The letter as a client would get it, while it is being written.

use super::editor::Draft;
use crate::api::error::AppError;
use crate::api::messages::{preview_clients, preview_message};
use crate::domain::bidi::visible;
use crate::domain::client::Client;
use crate::domain::message::{self, CLIPPED_FROM};
use crate::forms::messages::MessageForm;
use crate::ui::components::error_panel::describe;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::letter_frame::LetterFrame;
use crate::ui::i18n::{error_text, t, t_with, use_lang};
use crate::ui::time::format_bytes;
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

pub(super) async fn ask(form: MessageForm, client: Option<i64>) -> Answer {
    if form.subject.is_empty() && form.body.is_empty() {
        return None;
    }
    Some(preview_message(form, client).await)
}

/// The preview, with the client that it is for. The page brings what it begins with: on the server this is made
/// inside a closure that may be rendered anew, and what was asked from here would lose its context.
#[component]
pub(super) fn Preview(id: i64, draft: Draft, clients: Vec<Client>, first: Answer) -> impl IntoView {
    let begin = draft.form.get_untracked();
    let settled = RwSignal::new(begin.clone());
    use_settled(move || draft.form.get(), move |now| settled.set(now));
    let known = first.clone();
    let filled = Resource::new(
        move || (settled.get(), draft.client.get()),
        move |(form, client)| {
            let known = (client.is_none() && begin == form).then(|| known.clone());
            async move {
                match known {
                    Some(answer) => answer,
                    None => ask(form, client).await,
                }
            }
        },
    );
    // The frame stays while the letter in it changes: made anew, it would blink and lose its place.
    let stale = RwSignal::new(false);
    let shown = RwSignal::new(first.as_ref().and_then(|answer| answer.as_ref().ok().cloned()));
    let letter = move || {
        filled.get().map(|filled| match filled {
            None => view! { <p class="text-sm opacity-80">{t("messages.preview_wait")}</p> }.into_any(),
            Some(Ok(preview)) => {
                stale.set(false);
                if shown.with_untracked(|known| known.as_ref() != Some(&preview)) {
                    shown.set(Some(preview));
                }
                ().into_any()
            }
            Some(Err(error)) => {
                stale.set(true);
                problem(&error)
            }
        })
    };
    let src = if id == 0 { "/letter".to_owned() } else { format!("/messages/{id}/page") };
    view! {
        <section class="min-w-0" aria-labelledby="preview">
            <h2 id="preview" class="mb-3 text-lg font-semibold">{t("messages.preview")}</h2>
            <Chooser draft=draft first=clients />
            <Transition fallback=|| view! { <p class="text-sm opacity-80">{t("messages.preview_wait")}</p> }>{letter}</Transition>
            // The last letter that could be filled in, while the present one cannot.
            <div class:opacity-50=move || stale.get()>
                <Letter shown=shown src=src />
            </div>
        </section>
    }
}

/// The letter, and above it how it stands in an inbox.
#[component]
fn Letter(shown: RwSignal<Option<message::Preview>>, src: String) -> impl IntoView {
    let part = move |part: fn(&message::Preview) -> &String| {
        move || shown.with(|shown| shown.as_ref().map(|shown| part(shown).clone()).unwrap_or_default())
    };
    let beside = move || {
        shown.with(|shown| {
            shown.as_ref().map(|shown| {
                let text = if shown.preheader.is_empty() { &shown.text } else { &shown.preheader };
                text.split_whitespace().take(24).collect::<Vec<_>>().join(" ")
            })
        })
    };
    let html = Signal::derive(part(|shown| &shown.html));
    let lang = use_lang();
    // Gmail shows the beginning of a longer one alone.
    let clipped = move || {
        (html.with(String::len) > CLIPPED_FROM).then(|| {
            let size = format_bytes(lang, i64::try_from(html.with(String::len)).unwrap_or(i64::MAX));
            view! {
                <p role="status" class="mb-3 flex gap-2 rounded-box border border-warning/60 bg-warning/20 p-3 text-sm">
                    {icon(Icon::Alert, "size-5 shrink-0")}{t_with("messages.clipped", &[("size", &size)])}
                </p>
            }
        })
    };
    view! {
        <div class="mb-3 rounded-field border border-base-300 bg-base-100 px-4 py-3 text-sm" aria-label=t("messages.inbox") role="group">
            <p class="truncate font-semibold">{part(|shown| &shown.subject)}</p>
            <p class="truncate opacity-80">{beside}</p>
        </div>
        {clipped}
        <LetterFrame html=html text=Signal::derive(part(|shown| &shown.text)) src=src title=t("messages.preview_frame") />
    }
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
