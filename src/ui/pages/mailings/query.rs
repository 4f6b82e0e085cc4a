//! The wizard's state. It lives in the query, so that every step is a plain GET form, and back and
//! forward and a bookmark do what they promise.

use crate::forms::mailings::{MailingForm, NOW};
use leptos_router::params::ParamsMap;
use serde::{Deserialize, Serialize};

/// The steps, in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Step {
    #[default]
    Message,
    Clients,
    /// Choosing clients one by one, on the way from [`Step::Clients`].
    Pick,
    Window,
    Review,
}

impl Step {
    /// The steps that everybody takes.
    pub const ALL: [Self; 4] = [Self::Message, Self::Clients, Self::Window, Self::Review];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Clients => "clients",
            Self::Pick => "pick",
            Self::Window => "window",
            Self::Review => "review",
        }
    }

    fn parse(text: &str) -> Self {
        let known = Self::ALL.into_iter().chain([Self::Pick]);
        known.into_iter().find(|step| step.as_str() == text).unwrap_or_default()
    }

    /// The step before this one; the first one's is itself.
    fn before(self) -> Self {
        let at = Self::ALL.iter().position(|step| *step == self).unwrap_or_default();
        Self::ALL[at.saturating_sub(1)]
    }

    /// The step after this one; the last one's is itself.
    pub fn after(self) -> Self {
        let at = Self::ALL.iter().position(|step| *step == self).unwrap_or_default();
        Self::ALL.get(at + 1).copied().unwrap_or(self)
    }

    /// The step that holds a field of the form.
    pub fn of_field(field: &str) -> Self {
        match field {
            "title" | "message" => Self::Message,
            "clients" | "search" | "selection" | "topic" => Self::Clients,
            _ => Self::Window,
        }
    }
}

/// What the step about the time says: once and now, once and later, or again and again. Links say `now` or a start, and the
/// period beside it.
pub const IMMEDIATELY: &str = "immediately";
pub const LATER: &str = "later";
pub const REPEAT: &str = "repeat";

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
    // Whoever has changed the search, or asks for it, wants to see what it finds, whichever button was
    // pressed: Enter in a field presses the first.
    let finds = !text("find").is_empty() || query.get_str("found").is_some_and(|found| found != text("q"));
    // Who needs no schedule goes past it.
    let now = !text("now").is_empty();
    let step = match Step::parse(&text("step")) {
        _ if now => Step::Review,
        // A form leads to the step behind its own.
        next if !text("back").is_empty() => next.before().before(),
        Step::Clients if finds => Step::Message,
        step => step,
    };
    Input {
        step,
        form: match (now, filled(text, id)) {
            (true, form) => MailingForm { start: NOW.to_owned(), period: "once".to_owned(), ..form },
            (false, form) => form,
        },
        copy: text("copy").parse().unwrap_or(0),
        begun: query.get_str("step").is_some(),
        q: text("q"),
        after: text("after"),
    }
}

/// The form out of its fields, by the names that the address has for them.
pub fn filled(text: impl Fn(&str) -> String, id: i64) -> MailingForm {
    let number = |name: &str| text(name).parse().unwrap_or(0);
    let or = |text: String, default: &str| if text.is_empty() { default.to_owned() } else { text };
    let period = or(text("period"), "once");
    let (start, period) = match text("when").as_str() {
        IMMEDIATELY => (NOW.to_owned(), "once".to_owned()),
        LATER => (text("start"), "once".to_owned()),
        REPEAT => (or(text("start"), NOW), period),
        NOW => (NOW.to_owned(), period),
        _ => (text("start"), period),
    };
    let search = text("search");
    // Nobody is chosen unless somebody chooses; to type a search is to choose what it finds.
    let clients = match text("clients") {
        none if none.is_empty() && !search.trim().is_empty() => "search".to_owned(),
        clients => clients,
    };
    MailingForm {
        id,
        title: text("title"),
        message: number("message"),
        clients,
        search,
        selection: number("selection"),
        topic: number("topic"),
        start,
        end: text("end"),
        zone: text("zone"),
        period,
        policy: or(text("policy"), "resend"),
        version: text("version"),
    }
}

/// The form's fields as the query holds them, except the named ones.
pub fn pairs(form: &MailingForm, except: &[&str]) -> Vec<(String, String)> {
    let pairs = form.pairs().into_iter().filter(|(name, _)| !except.contains(name));
    pairs.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A link to a step with everything filled in so far.
pub fn link(form: &MailingForm, step: Step) -> String {
    form.address(step.as_str())
}

/// A link to the messages with everything filled in so far, and the place in their list.
pub fn listed(form: &MailingForm, q: &str, after: &str) -> String {
    let mut pairs = pairs(form, &[]);
    let place = [("step", Step::Message.as_str()), ("q", q), ("found", q), ("after", after)];
    pairs.extend(
        place
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    crate::ui::link::href(&form.path(), &pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_search_stays_at_its_step() {
        let step = |pairs: &[(&'static str, &str)]| {
            let mut query = ParamsMap::new();
            for (name, value) in pairs {
                query.insert(*name, (*value).to_owned());
            }
            read(&query, 0).step
        };
        assert_eq!(step(&[("step", "clients"), ("q", "a"), ("found", "a")]), Step::Clients);
        assert_eq!(step(&[("step", "clients"), ("q", "b"), ("found", "a")]), Step::Message);
        assert_eq!(step(&[("step", "clients"), ("q", "a"), ("found", "a"), ("find", "1")]), Step::Message);
        assert_eq!(step(&[("step", "pick"), ("q", "a")]), Step::Pick);
    }

    #[test]
    fn nobody_is_chosen_unless_somebody_chooses() {
        let clients = |pairs: &[(&'static str, &str)]| {
            let mut query = ParamsMap::new();
            for (name, value) in pairs {
                query.insert(*name, (*value).to_owned());
            }
            read(&query, 0).form.clients
        };
        assert_eq!(clients(&[]), "");
        assert_eq!(clients(&[("step", "window"), ("message", "7"), ("search", " ")]), "");
        assert_eq!(clients(&[("step", "window"), ("search", "anna")]), "search", "to type is to choose");
        assert_eq!(clients(&[("clients", "all")]), "all");
        assert_eq!(clients(&[("clients", "picked"), ("selection", "3")]), "picked");
    }

    #[test]
    fn the_place_in_the_list_of_messages_is_kept() {
        let form = MailingForm { title: "Autumn & more".to_owned(), ..MailingForm::default() };
        let link = listed(&form, "sale", "abc");
        for part in ["title=Autumn%20%26%20more", "step=message", "q=sale", "found=sale", "after=abc"] {
            assert!(link.contains(part), "{part}: {link}");
        }
        let plain = listed(&form, "", "");
        assert!(plain.contains("title=") && !plain.contains("q=") && !plain.contains("after="), "{plain}");
    }

    #[test]
    fn back_leads_to_the_step_before_with_what_was_chosen() {
        let read = |next: &str| {
            let mut query = ParamsMap::new();
            for (name, value) in [("step", next), ("back", "1"), ("clients", "search"), ("search", "anna")] {
                query.insert(name, value.to_owned());
            }
            read(&query, 0)
        };
        let input = read("window");
        assert_eq!((input.step, input.form.search.as_str()), (Step::Message, "anna"));
        assert_eq!(read("review").step, Step::Clients);
        assert_eq!(read("clients").step, Step::Message);
    }

    #[test]
    fn now_later_or_again() {
        let when = |pairs: &[(&'static str, &str)]| {
            let mut query = ParamsMap::new();
            for (name, value) in pairs {
                query.insert(*name, (*value).to_owned());
            }
            let Input { form, step, .. } = read(&query, 0);
            (form.start, form.period, step)
        };
        let start = ("start", "2026-11-23T10:00");
        for (pairs, expected) in [
            // What a choice does not need may stand in a field that is hidden.
            (
                vec![("step", "review"), ("when", "immediately"), start, ("period", "daily")],
                (NOW, "once", Step::Review),
            ),
            (vec![("step", "review"), ("when", "later"), start, ("period", "daily")], (start.1, "once", Step::Review)),
            (
                vec![("step", "review"), ("when", "repeat"), start, ("period", "daily")],
                (start.1, "daily", Step::Review),
            ),
            (vec![("step", "review"), ("when", "repeat"), ("period", "weekly")], (NOW, "weekly", Step::Review)),
            (vec![("step", "window"), ("now", "1"), ("clients", "all")], (NOW, "once", Step::Review)),
            // As links have it.
            (vec![("step", "review"), ("when", "now"), ("period", "daily")], (NOW, "daily", Step::Review)),
            (
                vec![("step", "review"), ("when", "at"), start, ("period", "monthly")],
                (start.1, "monthly", Step::Review),
            ),
        ] {
            let (begin, period, step) = expected;
            assert_eq!(when(&pairs), (begin.to_owned(), period.to_owned(), step), "{pairs:?}");
        }
    }

    #[test]
    fn a_form_survives_the_query() {
        let mut query = ParamsMap::new();
        for (name, value) in [
            ("title", "Осень"),
            ("message", "7"),
            ("clients", "search"),
            ("search", "a&b"),
            ("topic", "3"),
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
