//! Sending a mailing once more to those whom its newest run did not reach.

use crate::api::error::AppError;
use crate::api::mailings::{SendToMissed, count_missed};
use crate::domain::mailing::{Run, RunState};
use crate::ui::components::dialog::Confirm;
use crate::ui::components::error_panel::failed;
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, error_of};
use crate::ui::i18n::{t, tn};
use crate::ui::link::{use_link, use_param};
use leptos::prelude::*;

/// The question's name in the address.
const NAME: &str = "missed";

/// The way to the question with the number; nothing while there is nobody, and while the run sends.
pub fn section(mailing: i64, run: Memo<Run>) -> AnyView {
    let send = ServerAction::<SendToMissed>::new();
    let error = Signal::derive(move || error_of(send.value().get().as_ref()));
    // Whom it missed is known once it is over.
    let over = Memo::new(move |_| {
        run.with(|run| (run.state == RunState::Done && run.counts.failed + run.counts.not_sent > 0).then_some(run.id))
    });
    let (confirm, link) = (use_param("confirm"), use_link());
    let asked = Memo::new(move |_| confirm.with(|confirm| confirm == NAME));
    // To count them may take seconds among a million: whoever only looks at the page does not wait for it.
    let missed = Resource::new_blocking(
        move || (over.get().filter(|_| asked.get()), send.version().get()),
        move |(run, _)| async move {
            match run {
                Some(run) => Some((run, count_missed(mailing, run).await)),
                None => None,
            }
        },
    );
    let offer = move || {
        (over.get().is_some() && !asked.get()).then(|| {
            view! { <a class="btn btn-sm" href=link(&[("confirm", Some(NAME))])>{t("mailings.send_missed_some")}</a> }
        })
    };
    let ask = move |(run, n): (i64, Result<i64, AppError>)| {
        let n = match n {
            Ok(n) if n > 0 => n,
            Ok(_) => return view! { <p class="text-sm opacity-80">{t("mailings.missed_none")}</p> }.into_any(),
            Err(error) => return failed(&error),
        };
        let word = tn("mailings.send_missed", n);
        view! {
            <Confirm
                name=NAME
                trigger=word.clone()
                title=tn("mailings.send_missed_ask", n)
                text=t("mailings.send_missed_text")
            >
                <ActionForm action=send>
                    <input type="hidden" name="form[mailing]" value=mailing.to_string() />
                    <input type="hidden" name="form[run]" value=run.to_string() />
                    <input type="hidden" name="form[n]" value=n.to_string() />
                    <Submit label=word pending=send.pending() />
                </ActionForm>
            </Confirm>
        }
        .into_any()
    };
    view! {
        <div>
            <FormErrors error=error />
            {offer}
            <Transition>{move || missed.get().flatten().map(ask)}</Transition>
        </div>
    }
    .into_any()
}
