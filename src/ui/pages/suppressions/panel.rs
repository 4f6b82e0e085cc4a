//! What is known of an entry, and the form that lifts it.

use super::{reason_word, topic_word};
use crate::api::suppressions::LiftSuppression;
use crate::domain::bidi::visible;
use crate::domain::suppression::{NO_TOPIC, Suppression};
use crate::forms::suppressions::REASON_MAX;
use crate::ui::components::field::TextField;
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, error_of, errors_of};
use crate::ui::i18n::t;
use crate::ui::time::Time;
use leptos::prelude::*;

/// Says that a client gets nothing any more and why, one entry for each reason, each with a way to lift it.
#[component]
pub fn SuppressionPanel(client: i64, suppressions: Vec<Suppression>) -> impl IntoView {
    view! {
        <section class="mb-6 max-w-xl rounded-box border border-warning/60 bg-warning/20 p-5">
            <h2 class="font-semibold">{t("clients.suppressed")}</h2>
            {suppressions.into_iter().map(|entry| view! { <Entry entry=entry client=client /> }).collect_view()}
        </section>
    }
    .into_any()
}

/// One entry with what is known of it, and the form that lifts it; then the page of `client` comes, or with 0 the ledger's.
#[component]
pub fn Entry(entry: Suppression, client: i64) -> impl IntoView {
    let lift = ServerAction::<LiftSuppression>::new();
    let errors = Signal::derive(move || errors_of(lift.value().get().as_ref()));
    let error = Signal::derive(move || error_of(lift.value().get().as_ref()));
    let until = entry.until.map(|until| {
        let word = t(if entry.ended { "suppressions.ended" } else { "suppressions.until" });
        view! { <p class="text-sm">{word} " " <Time at=until with_zone=true /></p> }
    });
    let import = entry.import.map(|id| {
        view! { <p class="text-sm"><a class="link" href=format!("/suppressions/import/{id}")>{t("suppressions.its_import")}</a></p> }
    });
    let mut source = t(&format!("suppressions.source_{}", entry.source.as_str()));
    if !entry.actor.is_empty() {
        source = format!("{source}, {}", visible(&entry.actor));
    }
    let topic = (entry.topic != NO_TOPIC).then(|| view! { <p class="text-sm">{topic_word(&entry.topic_name)}</p> });
    let evidence = Some(entry.evidence)
        .filter(|evidence| !evidence.is_empty())
        .map(|evidence| view! { <p class="mt-2 font-mono text-xs break-words">{visible(&evidence)}</p> });
    view! {
        <div class="mt-3">
            <p class="text-sm font-medium">{reason_word(entry.reason)}</p>
            {topic}
            <p class="text-sm">{t("suppressions.source")} ": " {source}</p>
            <p class="text-sm">{t("clients.suppressed_since")} " " <Time at=entry.since with_zone=true /></p>
            {until}
            {import}
            {evidence}
            <p class="mt-2 text-sm">{t(&format!("suppressions.about_{}", entry.reason.as_str()))}</p>
            <FormErrors error=error />
            <ActionForm action=lift attr:class="mt-3">
                <input type="hidden" name="form[id]" value=entry.id.to_string() />
                <input type="hidden" name="form[client]" value=client.to_string() />
                <TextField name="form[reason]" label=t("suppressions.lift_reason") errors=errors required=true maxlength=REASON_MAX autocomplete="off" hint=t("suppressions.lift_reason_hint") />
                <Submit label=t("suppressions.lift") pending=lift.pending() class="btn-sm" />
            </ActionForm>
        </div>
    }
    .into_any()
}
