//! Says that a client gets nothing any more, why, and lets its owner change that.

use crate::api::clients::LiftSuppression;
use crate::domain::client::Suppression;
use crate::ui::components::submit::Submit;
use crate::ui::form::{FormErrors, error_of};
use crate::ui::i18n::t;
use crate::ui::time::Time;
use leptos::form::ActionForm;
use leptos::prelude::*;

/// Why, and a button.
#[component]
pub fn SuppressionPanel(client: i64, suppression: Suppression) -> impl IntoView {
    let lift = ServerAction::<LiftSuppression>::new();
    let error = Signal::derive(move || error_of(lift.value().get().as_ref()));
    view! {
        <section class="mb-6 max-w-xl rounded-box border border-warning/60 bg-warning/20 p-5">
            <h2 class="font-semibold">{t("clients.suppressed")}</h2>
            <p class="mt-1 text-sm">{t("clients.suppressed_since")} " " <Time at=suppression.since with_zone=true /></p>
            <p class="mt-1 text-sm">{t("clients.suppressed_text")}</p>
            <p class="mt-2 font-mono text-xs break-words">{suppression.reply}</p>
            <FormErrors error=error />
            <ActionForm action=lift attr:class="mt-3">
                <input type="hidden" name="form[id]" value=client.to_string() />
                <Submit label=t("clients.lift") pending=lift.pending() class="btn-sm" />
            </ActionForm>
        </section>
    }
    .into_any()
}
