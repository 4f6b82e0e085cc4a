//! The wizard's state. It lives in the query, so that every step is a plain GET form, and back and
//! forward and a bookmark do what they promise.

use crate::forms::mailings::{MailingForm, NOW};
use crate::ui::link::href;
use leptos_router::params::ParamsMap;
use serde::{Deserialize, Serialize};

/// The steps, in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    #[default]
    Message,
    Clients,
    Window,
    Review,
}

impl Step {
    pub const ALL: [Self; 4] = [Self::Message, Self::Clients, Self::Window, Self::Review];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Clients => "clients",
            Self::Window => "window",
            Self::Review => "review",
        }
    }

    fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|step| step.as_str() == text).unwrap_or_default()
    }

    /// The step that holds a field of the form.
    pub fn of_field(field: &str) -> Self {
        match field {
            "title" | "message" => Self::Message,
            "clients" | "search" | "selection" => Self::Clients,
            _ => Self::Window,
        }
    }
}

/// What the query says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Input {
    pub step: Step,
    pub form: MailingForm,
    /// The mailing that is copied, or 0.
    pub copy: i64,
    /// Whether anything has been filled in yet.
    pub begun: bool,
    /// Search and cursor among the messages.
    pub q: String,
    pub after: String,
}

/// Reads the query; `id` is that of the mailing that is edited, or 0.
pub fn read(query: &ParamsMap, id: i64) -> Input {
    let text = |name: &str| query.get_str(name).unwrap_or_default().to_owned();
    let number = |name: &str| query.get_str(name).and_then(|text| text.parse().ok()).unwrap_or(0);
    let or = |text: String, default: &str| if text.is_empty() { default.to_owned() } else { text };
    let start = if text("when") == NOW { NOW.to_owned() } else { text("start") };
    let form = MailingForm {
        id,
        title: text("title"),
        message: number("message"),
        clients: or(text("clients"), "all"),
        search: text("search"),
        selection: number("selection"),
        start,
        end: text("end"),
        zone: text("zone"),
        period: or(text("period"), "once"),
        policy: or(text("policy"), "resend"),
    };
    Input {
        step: Step::parse(&text("step")),
        form,
        copy: number("copy"),
        begun: query.get_str("step").is_some(),
        q: text("q"),
        after: text("after"),
    }
}

/// The form's fields as the query holds them, except the named ones.
pub fn pairs(form: &MailingForm, except: &[&str]) -> Vec<(String, String)> {
    let now = form.start == NOW;
    let number = |n: i64| if n == 0 { String::new() } else { n.to_string() };
    [
        ("title", form.title.clone()),
        ("message", number(form.message)),
        ("clients", form.clients.clone()),
        ("search", form.search.clone()),
        ("selection", number(form.selection)),
        ("when", if now { NOW } else { "at" }.to_owned()),
        ("start", if now { String::new() } else { form.start.clone() }),
        ("end", form.end.clone()),
        ("zone", form.zone.clone()),
        ("period", form.period.clone()),
        ("policy", form.policy.clone()),
    ]
    .into_iter()
    .filter(|(name, value)| !value.is_empty() && !except.contains(name))
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

/// Where the wizard is.
pub fn path(id: i64) -> String {
    if id == 0 { "/mailings/new".to_owned() } else { format!("/mailings/{id}/edit") }
}

/// A link to a step with everything filled in so far.
pub fn link(form: &MailingForm, step: Step) -> String {
    let mut pairs = pairs(form, &[]);
    pairs.push(("step".to_owned(), step.as_str().to_owned()));
    href(&path(form.id), &pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_survives_the_query() {
        let mut query = ParamsMap::new();
        for (name, value) in [
            ("title", "Осень"),
            ("message", "7"),
            ("clients", "search"),
            ("search", "a&b"),
            ("when", "at"),
            ("start", "2026-11-23T10:00"),
            ("end", "2026-12-23T10:00"),
            ("zone", "Europe/Moscow"),
            ("period", "daily"),
            ("policy", "hold"),
            ("step", "review"),
        ] {
            query.insert(name, value.to_owned());
        }
        let input = read(&query, 5);
        assert_eq!((input.step, input.form.id, input.form.message), (Step::Review, 5, 7));
        let mut again = ParamsMap::new();
        for (name, value) in pairs(&input.form, &[]) {
            again.insert(name, value);
        }
        assert_eq!(read(&again, 5).form, input.form);
        let now = MailingForm { start: NOW.to_owned(), ..input.form };
        assert!(pairs(&now, &[]).contains(&("when".to_owned(), NOW.to_owned())));
    }
}
