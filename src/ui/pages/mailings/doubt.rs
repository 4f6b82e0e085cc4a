//! Deliveries whose fate the mail server never told, and what somebody says of them.

use crate::api::mailings::DecideDeliveries;
use crate::domain::delivery::Verdict;
use crate::domain::mailing::Run;
use crate::ui::components::dialog::Confirm;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, error_of};
use crate::ui::i18n::{t, tn};
use leptos::prelude::*;

/// What is decided on.
#[derive(Clone, Copy)]
enum About {
    /// All unknown deliveries of a run.
    Run(Memo<Run>),
    Delivery(i64),
}

/// The section of a run with such deliveries; nothing while there are none.
pub fn section(mailing: i64, run: Memo<Run>, decide: ServerAction<DecideDeliveries>) -> AnyView {
    let unknown = Memo::new(move |_| run.with(|run| run.counts.unknown));
    let error = Signal::derive(move || error_of(decide.value().get().as_ref()));
    let one_by_one = move || format!("/mailings/{mailing}?run={}&state=unknown", run.with(|run| run.id));
    view! {
        <div>
            <FormErrors error=error />
            {move || unknown.with(|n| *n > 0).then(|| view! {
                <section class="rounded-box border border-dashed border-base-content/50 bg-base-100 p-5">
                    <h2 class="flex items-center gap-2 font-semibold">
                        {icon(Icon::Question, "size-5")}
                        {move || tn("mailings.doubt_title", unknown.get())}
                    </h2>
                    <p class="mt-1 text-sm">{t("mailings.doubt_text")}</p>
                    <div class="mt-3 flex flex-wrap items-center gap-2">
                        {buttons(mailing, About::Run(run), decide)}
                        <a class="link text-sm" href=one_by_one>{t("mailings.doubt_one_by_one")}</a>
                    </div>
                </section>
            })}
        </div>
    }
    .into_any()
}

/// The section of one such delivery.
pub fn of_one(mailing: i64, delivery: i64, decide: ServerAction<DecideDeliveries>) -> AnyView {
    view! {
        <section class="mb-6 rounded-box border border-dashed border-base-content/50 bg-base-100 p-5">
            <h2 class="font-semibold">{tn("mailings.doubt_title", 1)}</h2>
            <p class="mt-1 text-sm">{t("mailings.doubt_text")}</p>
            <div class="mt-3 flex flex-wrap items-center gap-2">{buttons(mailing, About::Delivery(delivery), decide)}</div>
        </section>
    }
    .into_any()
}

fn buttons(mailing: i64, about: About, decide: ServerAction<DecideDeliveries>) -> AnyView {
    let count = move || match about {
        About::Run(run) => run.with(|run| run.counts.unknown),
        About::Delivery(_) => 1,
    };
    let button = |verdict: Verdict| {
        let word = t(&format!("mailings.verdict_{}", verdict.as_str()));
        let ask = format!("mailings.verdict_{}_ask", verdict.as_str());
        view! {
            <Confirm
                name=format!("decide-{}", verdict.as_str())
                trigger=word.clone()
                title=Signal::derive(move || tn(&ask, count()))
                text=t(&format!("mailings.verdict_{}_text", verdict.as_str()))
            >
                <ActionForm action=decide>
                    <input type="hidden" name="form[mailing]" value=mailing.to_string() />
                    {move || match about {
                        About::Run(run) => view! {
                            <input type="hidden" name="form[run]" value=run.with(|run| run.id.to_string()) />
                            <input type="hidden" name="form[n]" value=count().to_string() />
                        }
                        .into_any(),
                        About::Delivery(id) => {
                            view! { <input type="hidden" name="form[delivery]" value=id.to_string() /> }.into_any()
                        }
                    }}
                    <input type="hidden" name="form[verdict]" value=verdict.as_str() />
                    <Submit label=word pending=decide.pending() />
                </ActionForm>
            </Confirm>
        }
        .into_any()
    };
    Verdict::ALL.map(button).into_iter().collect::<Vec<_>>().into_any()
}
