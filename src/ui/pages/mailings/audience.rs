//! The wizard's second step: which clients. Nobody is chosen before somebody chooses; to type a search is to choose
//! what it finds. How many each choice has stands beside it, and the button says how many go on.

use super::query::Step;
use super::steps::{error, step_form};
use super::{left_out_words, pick, wizard};
use crate::api::error::FieldErrors;
use crate::api::mailings::count_audience;
use crate::domain::audience::AudienceSize;
use crate::domain::bidi::visible;
use crate::domain::topic::Topic;
use crate::forms::mailings::MailingForm;
use crate::ui::components::field::{SelectField, TextField};
use crate::ui::i18n::{t, tn};
use leptos::prelude::*;
use std::time::Duration;

/// How long nothing must be typed before the server counts.
const PAUSE: Duration = Duration::from_millis(300);

/// What is chosen, and how many clients each choice has.
#[derive(Clone, Copy)]
struct Choice {
    /// `all`, `search` or `picked`; empty before the first choice.
    kind: RwSignal<String>,
    text: RwSignal<String>,
    counts: StoredValue<wizard::Counts>,
    /// Clients that the search finds; none while that is not known.
    found: RwSignal<Option<AudienceSize>>,
}

impl Choice {
    fn new(form: &MailingForm, counts: wizard::Counts) -> Self {
        let (kind, text) = (RwSignal::new(form.clients.clone()), RwSignal::new(form.search.clone()));
        let found = RwSignal::new((!form.search.trim().is_empty()).then_some(counts.found));
        Self { kind, text, counts: StoredValue::new(counts), found }
    }

    /// Clients of one of the choices, as far as they are known.
    fn count(self, kind: &str) -> Option<AudienceSize> {
        match kind {
            "all" => Some(self.counts.get_value().all),
            "picked" => Some(self.counts.get_value().picked),
            "search" => self.found.get(),
            _ => None,
        }
    }

    /// Counts anew once nothing more is typed. The server makes this, too, and may drop it on another thread: it holds nothing
    /// that belongs to one.
    fn type_search(self, count: impl Fn(String) + Copy + 'static) -> impl Fn(String) + Clone + 'static {
        let turn = StoredValue::new(0_u32);
        move |text: String| {
            self.kind.set("search".to_owned());
            self.found.set(None);
            self.text.set(text.clone());
            turn.update_value(|turn| *turn = turn.wrapping_add(1));
            let this = turn.get_value();
            set_timeout(
                move || {
                    if turn.try_get_value() == Some(this) {
                        count(text);
                    }
                },
                PAUSE,
            );
        }
    }
}

/// The step.
pub fn clients(
    form: RwSignal<MailingForm>,
    errors: FieldErrors,
    counts: wizard::Counts,
    topics: Vec<Topic>,
) -> AnyView {
    let filled = form.get_untracked();
    let choice = Choice::new(&filled, counts);
    let about = filled.topic;
    let ask = Action::new(move |text: &String| {
        let text = text.clone();
        async move { (count_audience("search".to_owned(), text.clone(), 0, about).await, text) }
    });
    Effect::new(move |_| {
        // An answer that comes late is not about what stands there by now.
        if let Some((Ok(n), text)) = ask.value().get()
            && choice.text.with_untracked(|now| *now == text)
        {
            choice.found.set((!text.trim().is_empty()).then_some(n));
        }
    });
    let typed = choice.type_search(move |text| drop(ask.dispatch(text)));
    // Without scripts nothing follows the choice, so the button must not name one.
    let alive = RwSignal::new(false);
    Effect::new(move |_| alive.set(true));
    let go = Signal::derive(move || {
        let count = choice.kind.with(|kind| choice.count(kind)).filter(|_| alive.get());
        count.map_or_else(|| t("mailings.continue"), |size| tn("mailings.continue_with", size.letters()))
    });
    let unsent = Signal::derive(move || alive.get() && choice.kind.with(|kind| kind != "search"));
    let wrong = error(&errors, "clients");
    let picked = (filled.selection != 0).then(|| option(choice, "picked", "mailings.clients_picked"));
    // Whoever has said nothing about the time yet may not want to.
    let at_once = (filled.id == 0 && filled.start.is_empty()).then(|| {
        view! { <button type="submit" class="btn btn-sm mt-2" name="now" value="1">{t("mailings.at_once")}</button> }
    });
    let fields = view! {
        {wrong}
        <fieldset class="mb-4">
            <legend class="mb-1 text-sm font-medium">
                {t("mailings.clients")}
                <span class="ml-1 text-xs font-normal opacity-80">{format!("({})", t("common.required"))}</span>
            </legend>
            {option(choice, "all", "mailings.clients_all")}
            {option(choice, "search", "mailings.clients_search")}
            {picked}
        </fieldset>
        // The listener stands on an element of its own: one that is given to a component is lost when the step is
        // shown anew in its place.
        <div on:input=move |event| typed(event_target_value(&event))>
            <TextField
                name="search"
                label=t("mailings.search_text")
                hint=t("mailings.search_hint")
                value=filled.search.clone()
                errors=errors.clone()
                unsent=unsent
            />
        </div>
        {(!topics.is_empty()).then(|| topic_field(&filled, errors, topics))}
        {at_once}
    };
    view! {
        {step_form(form, &["clients", "search", "topic"], Step::Clients, go, fields.into_any())}
        {pick::offer(&filled)}
    }
    .into_any()
}

/// What the mailing is about: whoever has left that gets nothing.
fn topic_field(form: &MailingForm, errors: FieldErrors, topics: Vec<Topic>) -> AnyView {
    let everything = (String::new(), t("mailings.no_topic"));
    let each = topics.into_iter().map(|topic| (topic.id.to_string(), visible(&topic.name)));
    let value = if form.topic == 0 { String::new() } else { form.topic.to_string() };
    view! {
        <SelectField
            name="topic"
            label=t("mailings.topic")
            hint=t("mailings.topic_hint")
            options=std::iter::once(everything).chain(each).collect()
            value=value
            errors=errors
        />
    }
    .into_any()
}

fn option(choice: Choice, kind: &'static str, word: &'static str) -> AnyView {
    let count = move || choice.count(kind).map(|size| tn("mailings.clients_count", size.clients));
    let left_out = move || choice.count(kind).and_then(left_out_words);
    // The box of a search stays free: without scripts whoever types need not tick as well.
    view! {
        <label class="flex items-start gap-2 py-1 text-sm">
            <input
                type="radio"
                class="radio radio-sm"
                name="clients"
                value=kind
                checked=move || choice.kind.with(|chosen| chosen == kind)
                prop:checked=move || choice.kind.with(|chosen| chosen == kind)
                on:change=move |_| choice.kind.set(kind.to_owned())
            />
            <span>
                {t(word)}
                <span class="block text-xs tabular-nums opacity-80" aria-live="polite">{count} " " {left_out}</span>
            </span>
        </label>
    }
    .into_any()
}
