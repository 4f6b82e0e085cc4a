//! What somebody must see to: each with the way there.

use super::name;
use crate::domain::mailing::MailingState;
use crate::domain::overview::{Attention, Named};
use crate::ui::components::badge::mailing_badge;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::i18n::{t, t_with, tn};
use crate::ui::pages::mailings::reason_word;
use crate::ui::time::Time;
use leptos::prelude::*;

/// The list; nothing where nothing needs anybody.
pub fn section(attention: Vec<Attention>) -> Option<AnyView> {
    if attention.is_empty() {
        return None;
    }
    let rows: Vec<AnyView> = attention.into_iter().map(row).collect();
    Some(
        view! {
            <section class="mb-6 rounded-box border border-warning/60 bg-warning/10 p-5" aria-labelledby="attention">
                <h2 id="attention" class="flex items-center gap-2 font-semibold">
                    {icon(Icon::Alert, "size-5")}{t("overview.attention")}
                </h2>
                <ul class="mt-3 divide-y divide-base-content/10">{rows}</ul>
            </section>
        }
        .into_any(),
    )
}

fn row(attention: Attention) -> AnyView {
    match attention {
        Attention::Unknown { mailing, run, n } => {
            let href = format!("/mailings/{}?run={run}&state=unknown", mailing.id);
            // What became of it is for its owner to say.
            let word = if mailing.owner.is_empty() { "overview.decide" } else { "overview.look" };
            line(name(&mailing), tn("mailings.doubt_title", n).into_any(), Some((href, t(word))))
        }
        Attention::Paused { mailing, reason } => {
            stopped(&mailing, MailingState::Paused, reason_word("paused", &reason))
        }
        Attention::Disabled { mailing, reason } => stopped(&mailing, MailingState::Disabled, reason),
        Attention::Limit { owner, held } => {
            let word = t("mailings.held");
            let first = if owner.is_empty() { word } else { format!("{owner}: {word}") };
            let text = view! { {tn("mailings.held_text", held.limit)} " " <Time at=held.until with_zone=true /> };
            line(view! { <span class="font-medium wrap-anywhere">{first}</span> }.into_any(), text.into_any(), None)
        }
        Attention::Relay { id, name, state } => {
            let word = t(&format!("relays.state_{}", state.as_str()));
            let first =
                view! { <span class="font-medium wrap-anywhere">{t_with("overview.relay", &[("name", &name)])}</span> };
            let href = if id == 0 { "/relays".to_owned() } else { format!("/relays/{id}") };
            line(first.into_any(), word.into_any(), Some((href, t("overview.look"))))
        }
        Attention::Late { since } => {
            let first = view! { <span class="font-medium">{t("overview.late")}</span> };
            let text = view! { {t("overview.late_since")} " " <Time at=since with_zone=true /> };
            line(first.into_any(), text.into_any(), Some(("/relays".to_owned(), t("overview.look"))))
        }
    }
}

fn stopped(mailing: &Named, state: MailingState, reason: String) -> AnyView {
    let badge = mailing_badge(state, 0);
    let reason = (!reason.is_empty()).then(|| view! { <span class="mt-1 block wrap-anywhere">{reason}</span> });
    let href = format!("/mailings/{}", mailing.id);
    line(name(mailing), view! { {badge} {reason} }.into_any(), Some((href, t("overview.look"))))
}

/// What it is about, what there is to say, and the way there.
fn line(first: AnyView, text: AnyView, link: Option<(String, String)>) -> AnyView {
    let link = link.map(|(href, word)| view! { <a class="btn btn-sm" href=href>{word}</a> });
    view! {
        <li class="flex flex-wrap items-center gap-x-4 gap-y-1 py-2 text-sm">
            <div class="min-w-0 basis-60">{first}</div>
            <div class="min-w-0 flex-1">{text}</div>
            {link}
        </li>
    }
    .into_any()
}
