//! What a new owner does one after another, until it is all done.

use crate::domain::overview::Step;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::i18n::{number, t, t_with};
use leptos::prelude::*;

/// The steps that are done and those that are left, the first of these with the button; nothing once none is.
pub fn section(steps: Vec<(Step, bool)>, message: Option<i64>) -> Option<AnyView> {
    if steps.is_empty() {
        return None;
    }
    let first = steps.iter().find(|(_, done)| !done).map(|(step, _)| *step);
    let done = steps.iter().filter(|(_, done)| *done).count();
    let count = |n: usize| number(i64::try_from(n).unwrap_or(i64::MAX));
    let progress = t_with("overview.steps_done", &[("n", &count(done)), ("total", &count(steps.len()))]);
    let rows: Vec<AnyView> =
        steps.into_iter().map(|(step, done)| row(step, done, first == Some(step), message)).collect();
    Some(
        view! {
            <section class="mb-6 rounded-box border border-base-300 bg-base-100 p-5" aria-labelledby="steps">
                <div class="flex flex-wrap items-baseline justify-between gap-x-4">
                    <h2 id="steps" class="text-lg font-semibold">{t("overview.steps")}</h2>
                    <p class="text-sm opacity-80 tabular-nums">{progress}</p>
                </div>
                <ol class="mt-3 divide-y divide-base-300">{rows}</ol>
            </section>
        }
        .into_any(),
    )
}

fn row(step: Step, done: bool, first: bool, message: Option<i64>) -> AnyView {
    let key = |part: &str| format!("overview.{part}_{}", step.as_str());
    let mark = if done {
        view! {
            <span class="grid size-7 shrink-0 place-items-center rounded-full border border-success/40 bg-success/10 text-success">
                {icon(Icon::Check, "size-4")}<span class="sr-only">{t("overview.done")}</span>
            </span>
        }
        .into_any()
    } else {
        view! {
            <span class="grid size-7 shrink-0 place-items-center rounded-full border border-base-300">
                <span class="sr-only">{t("overview.to_do")}</span>
            </span>
        }
        .into_any()
    };
    let link = (!done).then(|| {
        let class = if first { "btn btn-primary btn-sm" } else { "btn btn-sm btn-ghost" };
        view! { <a class=class href=address(step, message)>{t(&key("go"))}</a> }
    });
    view! {
        <li class="flex flex-wrap items-center gap-x-4 gap-y-2 py-3" data-step=step.as_str() data-done=done.to_string()>
            {mark}
            <div class="min-w-0 flex-1 basis-60">
                <p class="font-medium">{t(&key("step"))}</p>
                <p class="text-sm opacity-80">{t(&key("why"))}</p>
            </div>
            {link}
        </li>
    }
    .into_any()
}

fn address(step: Step, message: Option<i64>) -> String {
    match (step, message) {
        (Step::Relay, _) => "/relays/new".to_owned(),
        (Step::Sender, _) => "/settings".to_owned(),
        (Step::Clients, _) => "/clients/import".to_owned(),
        (Step::Test, Some(message)) => format!("/messages/{message}"),
        (Step::Message | Step::Test, _) => "/messages/new".to_owned(),
        (Step::Mailing, _) => "/mailings/new".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_letter_is_sent_from_the_newest_message() {
        assert_eq!(address(Step::Test, Some(7)), "/messages/7");
        assert_eq!(address(Step::Test, None), "/messages/new");
    }
}
