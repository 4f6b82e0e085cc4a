//! A mailing's page follows what happens, without a reload.

use crate::domain::mailing::{MailingLive, Run, RunState};
use crate::ui::i18n::{number, t_with};
use crate::ui::session::use_session;
use leptos::prelude::*;
use leptos::wasm_bindgen::{JsCast, closure::Closure};

/// What the server last said of the mailing; none before the wasm is there. Where it says no more, because
/// the reader has been blocked or is out, the page asks anew who they are, and tells them.
pub fn use_live(id: Memo<Option<i64>>) -> RwSignal<Option<MailingLive>> {
    let live = RwSignal::new(None);
    let session = use_session();
    Effect::new(move |_| {
        live.set(None);
        let Some(id) = id.get() else { return };
        let Ok(source) = web_sys::EventSource::new(&format!("/events/mailings/{id}")) else { return };
        let heard = Closure::<dyn Fn(web_sys::MessageEvent)>::new(move |event: web_sys::MessageEvent| {
            if let Some(said) = event.data().as_string().and_then(|text| serde_json::from_str(&text).ok()) {
                live.set(Some(said));
            }
        });
        source.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        let stream = source.clone();
        // A connection that broke comes back by itself; one that was refused is closed.
        let failed = Closure::<dyn Fn()>::new(move || {
            if stream.ready_state() == web_sys::EventSource::CLOSED {
                session.refetch();
            }
        });
        source.set_onerror(Some(failed.as_ref().unchecked_ref()));
        let held = StoredValue::new_local((source, heard, failed));
        on_cleanup(move || {
            held.try_with_value(|(source, ..)| source.close());
        });
    });
    live
}

/// “118 a second · 28 s left”; empty while there is nothing to tell.
pub fn pace(live: Option<&MailingLive>) -> String {
    let Some((live, run)) = live.and_then(|live| Some((live, live.run.as_ref()?))) else { return String::new() };
    if run.state != RunState::Open || live.rate <= 0.0 {
        return String::new();
    }
    let rate = if live.rate < 10.0 { format!("{:.1}", live.rate) } else { number(live.rate.round() as i64) };
    let left = (run.counts.waiting as f64 / live.rate).ceil() as i64;
    let left = match left {
        ..120 => t_with("mailings.seconds_left", &[("n", &number(left))]),
        120..7_200 => t_with("mailings.minutes_left", &[("n", &number(left / 60))]),
        _ => t_with("mailings.hours_left", &[("n", &number(left / 3_600))]),
    };
    format!("{} · {left}", t_with("mailings.rate", &[("n", &rate)]))
}

/// The run as the page has it, or as it is now if it is the one that the events speak of.
pub fn newest(run: &Run, live: Option<&MailingLive>) -> Run {
    live.and_then(|live| live.run.as_ref()).filter(|now| now.id == run.id).unwrap_or(run).clone()
}
