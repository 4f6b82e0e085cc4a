//! What the review says beside the mailing itself: who it comes from, how many get it, and when the last letter leaves.

use crate::domain::mailing::ReviewBeside;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::i18n::{t, t_with, tn};
use crate::ui::time::Time;
use leptos::prelude::*;

/// The section; so many `letters` leave, and `zone` is the mailing's.
pub fn section(beside: &ReviewBeside, letters: i64, zone: &str) -> AnyView {
    let ReviewBeside { sender_name, sender_email, reply_to, last_at, late, stuck } = beside.clone();
    let sender = if sender_name.is_empty() { sender_email } else { format!("{sender_name} <{sender_email}>") };
    let zone = zone.to_owned();
    let last = match last_at {
        _ if stuck => t("mailings.no_server").into_any(),
        Some(at) => {
            view! { <span>{t("mailings.last_leaves")} " " <Time at=at zone=zone with_zone=true /></span> }.into_any()
        }
        None => t("mailings.no_limit").into_any(),
    };
    let late = late.then(|| {
        view! {
            <p class="mt-2 flex gap-2 rounded-box border border-warning/60 bg-warning/20 p-3">
                {icon(Icon::Alert, "size-5 shrink-0")}{t("mailings.too_late")}
            </p>
        }
    });
    view! {
        <section class="mt-6 rounded-box border border-base-300 bg-base-100 p-5 text-sm" data-testid="beside">
            <h2 class="text-base font-semibold">{t("mailings.beside")}</h2>
            <div class="mt-2 space-y-2">
                <p class="font-medium">{tn("mailings.reached", letters)}</p>
                <p class="wrap-anywhere">{t_with("mailings.sent_as", &[("sender", &sender), ("reply", &reply_to)])}</p>
                <p>{last}</p>
            </div>
            {late}
        </section>
    }
    .into_any()
}
