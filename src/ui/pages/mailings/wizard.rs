//! Making and changing a mailing: message, clients, window and period, review.

use super::query::{self, Input, Step};
use super::{audience, breadcrumb, failed_page, pick, review, steps, use_id, when};
use crate::api::error::{AppError, FieldErrors};
use crate::api::mailings::{
    SaveMailing, count_audience, list_choices, list_zones, look_beside, mailing_draft, review_mailing,
};
use crate::api::messages::{get_message, list_messages};
use crate::api::topics::list_topics;
use crate::domain::audience::AudienceSize;
use crate::domain::client::Client;
use crate::domain::mailing::{Review, ReviewBeside};
use crate::domain::message::MessageRow;
use crate::domain::page;
use crate::domain::suppression::NO_TOPIC;
use crate::domain::topic::Topic;
use crate::forms::mailings::MailingForm;
use crate::ui::components::page::Page;
use crate::ui::form::use_steps_guard;
use crate::ui::i18n::t;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use serde::{Deserialize, Serialize};

/// A new mailing, or a copy of one.
#[component]
pub fn MailingNewPage() -> impl IntoView {
    wizard(Memo::new(|_| Some(0)))
}

/// A stored mailing.
#[component]
pub fn MailingEditPage() -> impl IntoView {
    wizard(use_id("id"))
}

/// What a step shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Shown {
    /// Messages that the search `q` finds, and the subject of the one that is chosen.
    Message {
        q: String,
        messages: page::Page<MessageRow>,
        chosen: Option<String>,
    },
    Clients {
        counts: Counts,
        topics: Vec<Topic>,
    },
    /// Clients with whether they are chosen, and how many are in all.
    Pick {
        clients: page::Page<(Client, bool)>,
        chosen: i64,
    },
    Window {
        zones: Vec<String>,
    },
    Review(Review, ReviewBeside),
}

/// How many clients there are, and how many of them the search finds and the selection holds.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Counts {
    pub all: AudienceSize,
    pub found: AudienceSize,
    pub picked: AudienceSize,
}

/// A step with the form as it is so far.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Loaded {
    pub step: Step,
    pub form: MailingForm,
    pub errors: FieldErrors,
    pub shown: Shown,
}

fn wizard(id: Memo<Option<i64>>) -> AnyView {
    let query = use_query_map();
    let input = Memo::new(move |_| id.get().map(|id| query.with(|query| query::read(query, id))));
    let loaded = Resource::new_blocking(move || input.get(), load);
    let save = ServerAction::<SaveMailing>::new();
    view! {
        <Transition>
            {move || loaded.get().map(|loaded| match loaded {
                Ok(loaded) => {
                    let begun = input.with_untracked(|input| input.as_ref().is_some_and(|input| input.begun));
                    page(loaded, begun, save)
                }
                Err(error) => failed_page(&error),
            })}
        </Transition>
    }
    .into_any()
}

async fn load(input: Option<Input>) -> Result<Loaded, AppError> {
    let Input { mut step, mut form, copy, begun, q, after } = input.ok_or(AppError::NotFound)?;
    let source = if form.id != 0 { form.id } else { copy };
    if source != 0 && !begun {
        form = mailing_draft(source, form.id == 0).await?;
    }
    let mut errors = FieldErrors::default();
    if matches!(step, Step::Clients | Step::Window | Step::Review) {
        // Who came past the step about the time has their own zone.
        if form.zone.is_empty() && step == Step::Review {
            form.zone = list_zones().await?.0;
        }
        match review_mailing(form.clone()).await? {
            Ok(review) if step == Step::Review => {
                let beside = look_beside(form.clone(), review.audience_size.letters()).await?;
                return Ok(Loaded { step, form, errors, shown: Shown::Review(review, beside) });
            }
            Ok(_) => {}
            // Back to the first step with a wrong field, if it lies behind, with what was typed.
            Err(wrong) => {
                let first = wrong.0.iter().map(|error| Step::of_field(&error.field)).min().unwrap_or(Step::Window);
                if first < step {
                    step = first;
                    errors = wrong;
                    errors.0.retain(|error| Step::of_field(&error.field) == first);
                }
            }
        }
    }
    let shown = match step {
        Step::Message => {
            let messages = list_messages(q.clone(), String::new(), after).await?;
            let listed = messages.rows.iter().any(|message| message.id == form.message);
            let chosen = if form.message == 0 || listed { None } else { get_message(form.message).await.ok() };
            Shown::Message { q, messages, chosen: chosen.map(|message| message.subject) }
        }
        Step::Pick => {
            let chosen = count_audience("picked".to_owned(), String::new(), form.selection, NO_TOPIC).await?.clients;
            Shown::Pick { clients: list_choices(form.selection, q, after).await?, chosen }
        }
        Step::Clients => {
            let count = |kind: &str, search: &str| {
                count_audience(kind.to_owned(), search.to_owned(), form.selection, form.topic)
            };
            let (all, found) = (count("all", "").await?, count("search", &form.search).await?);
            let picked = if form.selection == 0 { AudienceSize::default() } else { count("picked", "").await? };
            Shown::Clients { counts: Counts { all, found, picked }, topics: list_topics().await? }
        }
        Step::Window | Step::Review => {
            let (mine, zones) = list_zones().await?;
            if form.zone.is_empty() {
                form.zone = mine;
            }
            Shown::Window { zones }
        }
    };
    Ok(Loaded { step, form, errors, shown })
}

fn page(loaded: Loaded, begun: bool, save: ServerAction<SaveMailing>) -> AnyView {
    let Loaded { step, form, errors, shown } = loaded;
    use_steps_guard(steps::FORM, form.path(), begun);
    let title = t(if form.id == 0 { "mailings.new" } else { "mailings.edit_title" });
    let mut trail = breadcrumb();
    if form.id != 0 {
        trail.push((form.title.clone(), format!("/mailings/{}", form.id)));
    }
    let so_far = RwSignal::new(form.clone());
    let places = places(if step == Step::Pick { Step::Clients } else { step }, so_far);
    let body = match shown {
        Shown::Message { q, messages, chosen } => steps::message(so_far, errors, &q, messages, chosen),
        Shown::Pick { clients, chosen } => pick::page(&form, clients, chosen),
        Shown::Clients { counts, topics } => audience::clients(so_far, errors, counts, topics),
        Shown::Window { zones } => when::when(so_far, errors, zones),
        Shown::Review(found, beside) => review::review(&form, found, beside, save),
    };
    view! { <Page title=title breadcrumb=trail>{places} <div class="mt-6 max-w-3xl">{body}</div></Page> }.into_any()
}

/// The steps; those before are links back.
fn places(current: Step, form: RwSignal<MailingForm>) -> AnyView {
    let mut before = true;
    let items: Vec<AnyView> = Step::ALL
        .into_iter()
        .map(|step| {
            let word = t(&format!("mailings.step_{}", step.as_str()));
            if step == current {
                before = false;
                return view! { <li class="step step-primary font-medium" aria-current="step">{word}</li> }.into_any();
            }
            if before {
                let href = move || form.with(|form| query::link(form, step));
                return view! { <li class="step step-primary"><a class="link link-hover" href=href>{word}</a></li> }
                    .into_any();
            }
            view! { <li class="step">{word}</li> }.into_any()
        })
        .collect();
    view! { <nav aria-label=t("mailings.steps")><ol class="steps w-full max-w-3xl text-sm">{items}</ol></nav> }
        .into_any()
}
