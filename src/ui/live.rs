//! Pages that follow what happens, without a reload: streams of events, and the word that one is not heard any more.

use crate::api::accounts::session as session_now;
use crate::api::error::AppError;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::i18n::t;
use crate::ui::session::{refusal, use_session};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_bindgen::{JsCast, closure::Closure};
use serde::de::DeserializeOwned;
use std::future::Future;
use std::time::Duration;
use web_sys::js_sys::Date;

/// A stream that is silent for so many milliseconds is lost: the server says something every two seconds.
pub const SILENCE: f64 = 4_000.0;
/// Time between two looks at the clock.
pub const LOOK: Duration = Duration::from_millis(500);
/// Time before a refused stream is asked for again; it doubles each time, up to [`SELDOM`].
const AGAIN: Duration = Duration::from_secs(2);
const SELDOM: Duration = Duration::from_secs(64);

/// What the server last said, none before the wasm is there, and whether it is heard at all.
#[derive(Debug)]
pub struct Heard<T: Send + Sync + 'static> {
    pub said: RwSignal<Option<T>>,
    pub lost: RwSignal<bool>,
}

impl<T: Send + Sync + 'static> Clone for Heard<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Heard<T> {}

/// Follows the stream at an address, where there is one. Where the server refuses it, because the reader has been blocked or
/// is out, the page asks anew who they are, and tells them. Only a server that does not answer counts as lost.
pub fn follow<T: DeserializeOwned + Send + Sync + 'static>(
    address: impl Fn() -> Option<String> + Send + Sync + 'static,
) -> Heard<T> {
    let heard = Heard { said: RwSignal::new(None), lost: RwSignal::new(false) };
    let session = use_session();
    let turn = RwSignal::new(());
    let wait = StoredValue::new(AGAIN);
    let address = Memo::new(move |_| address());
    Effect::new(move |_| {
        address.track();
        heard.said.set(None);
        heard.lost.set(false);
    });
    Effect::new(move |_| {
        turn.track();
        let Some(source) = address.get().and_then(|address| web_sys::EventSource::new(&address).ok()) else { return };
        let last = StoredValue::new(Date::now());
        let refused = StoredValue::new(false);
        let alive = move || {
            last.set_value(Date::now());
            wait.set_value(AGAIN);
            if heard.lost.get_untracked() {
                heard.lost.set(false);
            }
        };
        let message = Closure::<dyn Fn(web_sys::MessageEvent)>::new(move |event: web_sys::MessageEvent| {
            alive();
            if let Some(said) = event.data().as_string().and_then(|text| serde_json::from_str(&text).ok()) {
                heard.said.set(Some(said));
            }
        });
        source.set_onmessage(Some(message.as_ref().unchecked_ref()));
        let beat = Closure::<dyn Fn()>::new(alive);
        // A listener for a name that is none cannot be refused.
        let _ = source.add_event_listener_with_callback("beat", beat.as_ref().unchecked_ref());
        let stream = source.clone();
        // A connection that broke comes back by itself; one that was refused is closed.
        let failed = Closure::<dyn Fn()>::new(move || {
            if stream.ready_state() != web_sys::EventSource::CLOSED {
                return;
            }
            let delay = wait.get_value();
            wait.set_value((delay * 2).min(SELDOM));
            spawn_local(async move {
                // Not the page's own session, which would show a visitor while the server is away.
                let who = session_now().await;
                let out = who.as_ref().is_ok_and(|who| refusal(who).is_some());
                if who.is_ok() {
                    refused.try_set_value(true);
                    heard.lost.try_set(false);
                }
                // Whoever may not follow is not heard again by asking; a server that is away may be back.
                if out {
                    session.refetch();
                } else {
                    set_timeout(
                        move || {
                            turn.try_set(());
                        },
                        delay,
                    );
                }
            });
        });
        source.set_onerror(Some(failed.as_ref().unchecked_ref()));
        let watch = move || {
            let silent = !refused.get_value() && Date::now() - last.get_value() > SILENCE;
            if silent && !heard.lost.get_untracked() {
                heard.lost.set(true);
            }
        };
        let watching = set_interval_with_handle(watch, LOOK);
        let held = StoredValue::new_local((source, message, beat, failed));
        on_cleanup(move || {
            if let Ok(watching) = watching {
                watching.clear();
            }
            held.try_with_value(|(source, ..)| source.close());
        });
    });
    heard
}

/// Asks anew for as long as the page is open and looked at, at most once at a time: at each turn that is `due` it asks, and
/// `take`s what is answered. `lost` says that nothing is. What could not be asked now is asked again soon.
pub fn look_again<T, F>(
    every: Duration,
    lost: RwSignal<bool>,
    due: impl Fn(u32) -> bool + Copy + 'static,
    ask: impl Fn() -> F + Copy + 'static,
    take: impl Fn(T) + Copy + 'static,
) where
    T: 'static,
    F: Future<Output = Result<T, AppError>> + 'static,
{
    Effect::new(move |_| {
        let (turn, asking) = (StoredValue::new(0_u32), StoredValue::new(false));
        let look = move || {
            turn.update_value(|turn| *turn = turn.wrapping_add(1));
            if asking.get_value() {
                if !lost.get_untracked() {
                    lost.set(true);
                }
                return;
            }
            if !due(turn.get_value()) || document().hidden() {
                return;
            }
            asking.set_value(true);
            spawn_local(async move {
                let answer = ask().await;
                // The page may have been left meanwhile.
                asking.try_set_value(false);
                let away = answer.as_ref().is_err_and(AppError::is_away);
                if lost.try_get_untracked().is_some_and(|lost| lost != away) {
                    lost.set(away);
                }
                if let Ok(answer) = answer {
                    take(answer);
                }
            });
        };
        let handle = set_interval_with_handle(look, every);
        on_cleanup(move || {
            if let Ok(handle) = handle {
                handle.clear();
            }
        });
    });
}

/// Says that the page has lost its server, until it is heard again.
#[component]
pub fn LostNote(#[prop(into)] lost: Signal<bool>) -> impl IntoView {
    let note = || {
        view! {
            <p class="mb-4 flex items-center gap-3 rounded-box border border-warning/60 bg-warning/20 p-4 text-sm" data-testid="lost">
                {icon(Icon::Alert, "size-5")}
                {t("common.lost")}
            </p>
        }
    };
    view! { <div role="status">{move || lost.get().then(note)}</div> }
}
