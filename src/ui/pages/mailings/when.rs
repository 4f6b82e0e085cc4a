//! The wizard's third step: now, later, or again and again.

use super::period_word;
use super::query::{IMMEDIATELY, LATER, REPEAT, Step};
use super::steps::step_form;
use crate::api::error::FieldErrors;
use crate::domain::mailing::DoubtPolicy;
use crate::domain::schedule::Period;
use crate::forms::mailings::{MailingForm, NOW};
use crate::ui::components::field::{RadioField, SelectField, TextField};
use crate::ui::i18n::t;
use leptos::prelude::*;

/// Which of the three a form says.
fn chosen(form: &MailingForm, errors: &FieldErrors) -> &'static str {
    match form.period.as_str() {
        // What is wrong at a start was said of a later one.
        "once" | "" if errors.get("start").is_some() && form.start != NOW => LATER,
        "once" | "" if form.start == NOW || form.id == 0 && form.start.is_empty() => IMMEDIATELY,
        "once" | "" => LATER,
        _ => REPEAT,
    }
}

/// The errors where the reader sees them: *now* hides the field of the start.
fn in_sight(mut errors: FieldErrors, choice: &str) -> FieldErrors {
    if choice == IMMEDIATELY {
        errors.0.iter_mut().filter(|error| error.field == "start").for_each(|error| error.field = "when".to_owned());
    }
    errors
}

/// The step. What only one choice needs is hidden beside the others, without any script.
pub fn when(so_far: RwSignal<MailingForm>, errors: FieldErrors, zones: Vec<String>) -> AnyView {
    let form = &so_far.get_untracked();
    let choices = [IMMEDIATELY, LATER, REPEAT]
        .map(|choice| {
            (choice.to_owned(), t(&format!("mailings.when_{choice}")), t(&format!("mailings.when_{choice}_hint")))
        })
        .to_vec();
    let periods = [Period::Daily, Period::Weekly, Period::Monthly]
        .map(|period| (period.as_str().to_owned(), period_word(period), String::new()))
        .to_vec();
    // One of them is always chosen: a field that is hidden cannot ask for anything.
    let period = match Period::parse(&form.period) {
        Some(Period::Once) | None => Period::Weekly,
        Some(period) => period,
    };
    let policies = [DoubtPolicy::Resend, DoubtPolicy::Hold]
        .map(|policy| {
            let word = policy.as_str();
            (word.to_owned(), t(&format!("mailings.policy_{word}")), t(&format!("mailings.policy_{word}_hint")))
        })
        .to_vec();
    let zones = zones.into_iter().map(|zone| (zone.clone(), zone)).collect();
    let start = if form.start == NOW { String::new() } else { form.start.clone() };
    let choice = chosen(form, &errors);
    let errors = Signal::stored(in_sight(errors, choice));
    let fields = view! {
        <div class="group">
            <RadioField name="when" label=t("mailings.step_window") options=choices value=choice errors=errors required=true />
            <div class="hidden group-has-[input[value=repeat]:checked]:block">
                <RadioField name="period" label=t("mailings.period") options=periods value=period.as_str() errors=errors />
            </div>
            <div class="hidden group-has-[input[value=later]:checked]:block group-has-[input[value=repeat]:checked]:block">
                <TextField
                    name="start"
                    label=t("mailings.start_field")
                    hint=t("mailings.start_hint")
                    kind="datetime-local"
                    value=start
                    errors=errors
                />
            </div>
        </div>
        <SelectField name="zone" label=t("mailings.zone") options=zones value=form.zone.clone() errors=errors required=true />
        <TextField
            name="end"
            label=t("mailings.end")
            hint=t("mailings.end_hint")
            kind="datetime-local"
            value=form.end.clone()
            errors=errors
        />
        <RadioField
            name="policy"
            label=t("mailings.policy")
            options=policies
            value=form.policy.clone()
            errors=errors
            required=true
        />
    };
    let own = ["when", "start", "end", "zone", "period", "policy"];
    step_form(so_far, &own, Step::Window, t("mailings.continue").into(), fields.into_any())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever is wrong at the start of a mailing that is to go now.
    #[test]
    fn no_error_stands_at_a_field_that_is_hidden() {
        let form = MailingForm { id: 7, start: NOW.to_owned(), period: "once".to_owned(), ..MailingForm::default() };
        let errors = FieldErrors::one("start", "error.window.sending");
        let choice = chosen(&form, &errors);
        assert_eq!(choice, IMMEDIATELY);
        assert!(in_sight(errors.clone(), choice).get("when").is_some());
        assert_eq!(in_sight(errors.clone(), LATER), errors);
    }

    #[test]
    fn a_form_shows_the_choice_that_made_it() {
        let form = |id, start: &str, period: &str| MailingForm {
            id,
            start: start.to_owned(),
            period: period.to_owned(),
            ..MailingForm::default()
        };
        for (form, choice) in [
            (form(0, "", ""), IMMEDIATELY),
            (form(0, NOW, "once"), IMMEDIATELY),
            (form(0, "2026-11-23T10:00", "once"), LATER),
            (form(7, "", "once"), LATER),
            (form(0, NOW, "daily"), REPEAT),
            (form(7, "2026-11-23T10:00", "monthly"), REPEAT),
        ] {
            assert_eq!(chosen(&form, &FieldErrors::default()), choice, "{form:?}");
        }
        let mut errors = FieldErrors::default();
        errors.push("start", "error.required");
        assert_eq!(chosen(&form(0, "", "once"), &errors), LATER, "the wrong field is seen");
    }
}
