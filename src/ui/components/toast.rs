//! What has just been done, said once.

use super::icon::{Icon, icon};
use crate::domain::lang::group;
use crate::locales;
use crate::ui::i18n::{t, use_lang};
use crate::ui::link::{use_link, use_param};
use leptos::prelude::*;

/// Reads `?done=key` (and `&n=5` for a key with plural forms, `&m=2` for a second number) and announces its text. A redirect
/// after a successful form ends in such a link; a key that does not exist shows nothing.
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
    view! {
        <div role="status" aria-live="polite" class="toast toast-end z-50">
            {move || message().map(|text| view! {
                <div class="alert border border-base-300 bg-base-100 shadow-lg">
                    <span class="text-success">{icon(Icon::Check, "size-5")}</span>
                    <span class="whitespace-normal">{text}</span>
                    <a class="btn btn-ghost btn-xs" href=link(&[]) aria-label=t("common.close")>{icon(Icon::Cross, "size-4")}</a>
                </div>
            })}
        </div>
    }
}
