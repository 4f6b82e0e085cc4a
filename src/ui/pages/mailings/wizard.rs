//! Making and changing a mailing: message, clients, window and period, review.

use super::query::{self, Input, Step};
use super::{breadcrumb, failed_page, steps, use_id};
use crate::api::error::{AppError, FieldErrors};
use crate::api::mailings::{SaveMailing, count_audience, list_zones, mailing_draft, review_mailing};
use crate::api::messages::list_messages;
use crate::domain::mailing::Review;
use crate::domain::message::MessageRow;
use crate::domain::page;
use crate::forms::mailings::MailingForm;
use crate::ui::components::page::Page;
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
    Message(page::Page<MessageRow>),
    /// All clients, and those whom the search or the selection holds.
    Clients {
        all: i64,
        chosen: i64,
    },
    Window {
        zones: Vec<String>,
    },
    Review(Review),
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
                Ok(loaded) => page(loaded, save),
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
    if step == Step::Review {
        match review_mailing(form.clone()).await {
            Ok(review) => {
                let shown = Shown::Review(review);
                return Ok(Loaded { step, form, errors, shown });
            }
            // Back to the step where the first wrong field stands, with what was typed.
            Err(AppError::Validation(wrong)) => {
                step = wrong.0.first().map_or(Step::Window, |error| Step::of_field(&error.field));
                errors = wrong;
            }
            Err(error) => return Err(error),
        }
    }
    let shown = match step {
        Step::Message => Shown::Message(list_messages(q, String::new(), after).await?),
        Step::Clients => {
            let all = count_audience("all".to_owned(), String::new(), 0).await?;
            let chosen = count_audience(form.clients.clone(), form.search.clone(), form.selection).await?;
            Shown::Clients { all, chosen }
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

fn page(loaded: Loaded, save: ServerAction<SaveMailing>) -> AnyView {
    let Loaded { step, form, errors, shown } = loaded;
    let title = t(if form.id == 0 { "mailings.new" } else { "mailings.edit_title" });
    let mut trail = breadcrumb();
    if form.id != 0 {
        trail.push((form.title.clone(), format!("/mailings/{}", form.id)));
    }
    let places = places(step, &form);
    let body = match shown {
        Shown::Message(messages) => steps::message(&form, errors, messages),
        Shown::Clients { all, chosen } => steps::clients(&form, errors, all, chosen),
        Shown::Window { zones } => steps::window(&form, errors, zones),
        Shown::Review(review) => steps::review(&form, review, save),
    };
    view! { <Page title=title breadcrumb=trail>{places} <div class="mt-6 max-w-3xl">{body}</div></Page> }.into_any()
}

/// The steps; those before are links back.
fn places(current: Step, form: &MailingForm) -> AnyView {
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
                let href = query::link(form, step);
                return view! { <li class="step step-primary"><a class="link link-hover" href=href>{word}</a></li> }
                    .into_any();
            }
            view! { <li class="step">{word}</li> }.into_any()
        })
        .collect();
    view! { <nav aria-label=t("mailings.steps")><ol class="steps w-full max-w-3xl text-sm">{items}</ol></nav> }
        .into_any()
}
