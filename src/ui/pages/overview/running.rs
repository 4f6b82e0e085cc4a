//! What is being sent, live.

use super::lines::none;
use super::name;
use super::watch::{Pace, Watch};
use crate::domain::mailing::Counts;
use crate::domain::overview::NamedRun;
use crate::ui::components::progress::Progress;
use crate::ui::i18n::{number, t_with};
use crate::ui::pages::mailings::pace_words;
use leptos::prelude::*;

/// The runs as they were when the page was made, and as they go on.
pub fn section(running: Vec<NamedRun>, watch: Watch) -> AnyView {
    if running.is_empty() {
        return super::section("overview.running", None, none("overview.no_running"));
    }
    let rows: Vec<AnyView> = running.into_iter().map(|run| row(run, watch)).collect();
    super::section("overview.running", None, view! { <ul class="mt-2 divide-y divide-base-300">{rows}</ul> }.into_any())
}

fn row(of: NamedRun, watch: Watch) -> AnyView {
    let NamedRun { mailing, run } = of;
    let now = watch.run(run);
    let count = move |of: fn(&Counts) -> i64| Signal::derive(move || now.with(|(counts, _)| of(counts)));
    let (done, total) = (count(Counts::finals), count(Counts::total));
    let pace = move || {
        now.with(|(counts, rate)| {
            let pace = Pace::of(counts, *rate);
            pace.map(|Pace { rate, seconds, later }| format!(" · {}", pace_words(rate, seconds, later)))
        })
    };
    view! {
        <li class="py-3 text-sm" data-testid="running">
            {name(&mailing)}
            <div class="mt-2"><Progress done=done total=total /></div>
            <p class="mt-1 tabular-nums opacity-80">
                {move || t_with("mailings.of_total", &[("n", &number(done.get())), ("total", &number(total.get()))])}
                {pace}
            </p>
        </li>
    }
    .into_any()
}
