//! Which topics a client gets, on the client's page.

use crate::api::topics::ChooseTopics;
use crate::domain::bidi::visible;
use crate::domain::topic::Wish;
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, error_of};
use crate::ui::i18n::t;
use leptos::prelude::*;

/// A box for each topic; one that the client has left is shown, and lifted elsewhere.
#[component]
pub fn TopicsPanel(client: i64, wishes: Vec<Wish>) -> impl IntoView {
    let action = ServerAction::<ChooseTopics>::new();
    let error = Signal::derive(move || error_of(action.value().get().as_ref()));
    let boxes: Vec<AnyView> = wishes
        .into_iter()
        .enumerate()
        .map(|(at, Wish { topic, wanted, theirs })| {
            let name = visible(&topic.name);
            if theirs {
                return view! { <p class="py-1 text-sm">{name} " — " {t("topics.left")}</p> }.into_any();
            }
            view! {
                <label class="flex items-start gap-2 py-1 text-sm">
                    <input type="hidden" name=format!("form[shown][{at}]") value=topic.id.to_string() />
                    <input type="checkbox" class="checkbox checkbox-sm" name="form[topics][]" value=topic.id.to_string() checked=wanted />
                    <span class="min-w-0 break-words">{name}</span>
                </label>
            }
            .into_any()
        })
        .collect();
    view! {
        <section class="mt-6 max-w-xl rounded-box border border-base-300 bg-base-100 p-6">
            <h2 class="mb-2 font-semibold">{t("topics.of_client")}</h2>
            <FormErrors error=error />
            <ActionForm action=action>
                <input type="hidden" name="form[client]" value=client.to_string() />
                {boxes}
                <div class="mt-3"><Submit label=t("common.save") pending=action.pending() class="btn-sm" /></div>
            </ActionForm>
        </section>
    }
    .into_any()
}
