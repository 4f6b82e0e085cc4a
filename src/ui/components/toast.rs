//! What has just been done, said once.

use super::icon::{Icon, icon};
use crate::domain::lang::group;
use crate::locales;
use crate::ui::i18n::{t, use_lang};
use crate::ui::link::{use_link, use_param};
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use std::time::Duration;

/// How long a note stays.
const STAYS: Duration = Duration::from_secs(10);

/// Reads `?done=key` (and `&n=5` for a key with plural forms, `&m=2` for a second number) and announces its text. A redirect
/// after a successful form ends in such a link; a key that does not exist shows nothing. Once said, it leaves the address,
/// so that a reload does not say it again, and after a while the page.
#[component]
pub fn Toast() -> impl IntoView {
    let (key, n, m, link) = (use_param("done"), use_param("n"), use_param("m"), use_link());
    let message = move || {
        let (lang, key) = (use_lang(), key.get());
        locales::lookup(lang, &key)?;
        Some(match n.with(|n| n.parse().ok()) {
            Some(n) => {
                let m = m.with(|m| m.parse().unwrap_or(0));
                locales::count(lang, &key, n, &[("m", &group(lang, m))])
            }
            None => locales::text(lang, &key),
        })
    };
    let shown = RwSignal::new(message());
    let navigate = use_navigate();
    let last = StoredValue::new(None::<TimeoutHandle>);
    Effect::new(move |_| {
        let Some(text) = message() else { return };
        shown.set(Some(text));
        navigate(&link(&[]), NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() });
        let timer = set_timeout_with_handle(move || drop(shown.try_set(None)), STAYS).ok();
        if let Some(Some(before)) = last.try_update_value(|last| std::mem::replace(last, timer)) {
            before.clear();
        }
    });
    let hide = move |event: web_sys::MouseEvent| {
        event.prevent_default();
        shown.set(None);
    };
    view! {
        <div role="status" aria-live="polite" class="toast toast-end z-50">
            {move || shown.get().map(|text| view! {
                <div class="alert border border-base-300 bg-base-100 shadow-lg">
                    <span class="text-success">{icon(Icon::Check, "size-5")}</span>
                    <span class="whitespace-normal">{text}</span>
                    <a class="btn btn-ghost btn-xs" href=link(&[]) on:click=hide aria-label=t("common.close")>{icon(Icon::Cross, "size-4")}</a>
                </div>
            })}
        </div>
    }
}
