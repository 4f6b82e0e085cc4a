//! What the review says beside the mailing itself: who it comes from, who gets nothing, and when the last letter leaves.

use crate::domain::mailing::ReviewBeside;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::i18n::{number, t, t_with, tn};
use crate::ui::time::Time;
use leptos::prelude::*;

/// The section; `zone` is the mailing's.
pub fn section(beside: &ReviewBeside, zone: &str) -> AnyView {
    let ReviewBeside { sender_name, sender_email, reply_to, left_out, reached, last_at, late } = beside.clone();
    let sender = if sender_name.is_empty() { sender_email } else { format!("{sender_name} <{sender_email}>") };
    let reasons: Vec<AnyView> = left_out
        .into_iter()
        .map(|(reason, n)| {
            let word = t(&format!("suppressions.reason_{reason}"));
            view! { <li class="tabular-nums">{format!("{}: {word}", number(n))}</li> }.into_any()
        })
        .collect();
    let left_out = (!reasons.is_empty()).then(|| {
        view! {
            <div>
                <span class="opacity-80">{t("mailings.left_out")}</span>
                <ul class="list-disc pl-5">{reasons}</ul>
            </div>
        }
    });
    let zone = zone.to_owned();
    let last = match last_at {
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
                <p class="font-medium">{tn("mailings.reached", reached)}</p>
                {left_out}
                <p class="wrap-anywhere">{t_with("mailings.sent_as", &[("sender", &sender), ("reply", &reply_to)])}</p>
                <p>{last}</p>
            </div>
            {late}
        </section>
    }
    .into_any()
}
