//! A mailing, as the wizard, its review and the command line submit it.

use super::{Check, from_garde, is_filled, is_line};
use crate::api::error::FieldErrors;
use crate::domain::mailing::{DoubtPolicy, TITLE_MAX};
use crate::domain::schedule::Period;
use crate::domain::version::version;
use chrono::{DateTime, NaiveDateTime};
use garde::Validate;
use serde::{Deserialize, Serialize};

/// Longest search of an audience, in characters.
const SEARCH_MAX: usize = 200;
/// Longest zone name that is looked at.
const ZONE_MAX: usize = 64;

/// The start that means this very moment.
pub const NOW: &str = "now";

/// A new mailing (`id` 0) or a change of one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, Validate)]
pub struct MailingForm {
    #[garde(skip)]
    #[serde(default)]
    pub id: i64,
    /// Empty: the message's subject.
    #[garde(custom(is_line(TITLE_MAX)))]
    #[serde(default)]
    pub title: String,
    #[garde(custom(is_id))]
    #[serde(default)]
    pub message: i64,
    /// `all`, `search` or `picked`; nothing is chosen by itself.
    #[garde(custom(is_audience))]
    #[serde(default)]
    pub clients: String,
    #[garde(custom(is_line(SEARCH_MAX)))]
    #[serde(default)]
    pub search: String,
    #[garde(skip)]
    #[serde(default)]
    pub selection: i64,
    /// What it is about; 0 for everything.
    #[garde(skip)]
    #[serde(default)]
    pub topic: i64,
    /// [`NOW`], a wall time in `zone` (`2026-11-23T10:00`), or an instant (RFC 3339).
    #[garde(custom(is_start))]
    #[serde(default)]
    pub start: String,
    /// A wall time in `zone`, or an instant (RFC 3339). Empty: what runs once is sent for three days, what repeats runs until
    /// it is stopped.
    #[garde(custom(is_end))]
    #[serde(default)]
    pub end: String,
    #[garde(custom(is_filled), custom(is_line(ZONE_MAX)))]
    #[serde(default)]
    pub zone: String,
    /// A [`Period`] word.
    #[garde(custom(is_period))]
    #[serde(default)]
    pub period: String,
    /// A [`DoubtPolicy`] word.
    #[garde(custom(is_policy))]
    #[serde(default)]
    pub policy: String,
    /// [`MailingForm::content`] of what was stored when the wizard was opened; empty: whatever is stored is changed.
    #[garde(skip)]
    #[serde(default)]
    pub version: String,
}

impl MailingForm {
    /// What is filled in, by the names that the address of the wizard has for it.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let now = self.start == NOW;
        let number = |n: i64| if n == 0 { String::new() } else { n.to_string() };
        [
            ("title", self.title.clone()),
            ("message", number(self.message)),
            ("clients", self.clients.clone()),
            ("search", self.search.clone()),
            ("selection", number(self.selection)),
            ("topic", number(self.topic)),
            ("when", if now { NOW } else { "at" }.to_owned()),
            ("start", if now { String::new() } else { self.start.clone() }),
            ("end", self.end.clone()),
            ("zone", self.zone.clone()),
            ("period", self.period.clone()),
            ("policy", self.policy.clone()),
            ("version", self.version.clone()),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect()
    }

    /// A `domain::version` of all that is filled in.
    pub fn content(&self) -> String {
        let filled = Self { version: String::new(), ..self.clone() }.pairs();
        let fields: Vec<&str> = filled.iter().flat_map(|(name, value)| [*name, value.as_str()]).collect();
        version(&fields)
    }

    /// Where the wizard is.
    pub fn path(&self) -> String {
        if self.id == 0 { "/mailings/new".to_owned() } else { format!("/mailings/{}/edit", self.id) }
    }

    /// A step of the wizard with everything filled in so far.
    pub fn address(&self, step: &str) -> String {
        let mut pairs = self.pairs();
        pairs.push(("step", step.to_owned()));
        super::address(&self.path(), pairs.iter().map(|(name, value)| (*name, value.as_str())))
    }
}

/// Sends a mailing to those whom its last run did not reach.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct MissedForm {
    pub mailing: i64,
    pub run: i64,
    /// How many the reader was told that they are.
    #[serde(default)]
    pub n: i64,
}

/// A point in time as somebody wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// What clocks in the form's zone show.
    Local(NaiveDateTime),
    Instant(DateTime<chrono::Utc>),
}

/// Reads `2026-11-23T10:00`, the same with seconds, or RFC 3339.
pub fn parse_moment(text: &str) -> Option<Moment> {
    let text = text.trim();
    let local = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
        .into_iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    local.map(Moment::Local).or_else(|| DateTime::parse_from_rfc3339(text).ok().map(|at| Moment::Instant(at.to_utc())))
}

fn refuse(good: bool, key: &'static str) -> garde::Result {
    if good { Ok(()) } else { Err(garde::Error::new(key)) }
}

fn is_id<C>(value: &i64, _: &C) -> garde::Result {
    refuse(*value > 0, "error.message.none")
}

fn is_audience<C>(value: &str, _: &C) -> garde::Result {
    refuse(matches!(value, "all" | "search" | "picked"), "error.audience.none")
}

fn is_start<C>(value: &str, context: &C) -> garde::Result {
    if value == NOW { Ok(()) } else { is_moment(value, context) }
}

fn is_end<C>(value: &str, context: &C) -> garde::Result {
    if value.trim().is_empty() { Ok(()) } else { is_moment(value, context) }
}

fn is_moment<C>(value: &str, _: &C) -> garde::Result {
    refuse(!value.trim().is_empty(), "error.required")?;
    refuse(parse_moment(value).is_some(), "error.moment")
}

fn is_period<C>(value: &str, _: &C) -> garde::Result {
    refuse(Period::parse(value).is_some(), "error.period")
}

fn is_policy<C>(value: &str, _: &C) -> garde::Result {
    refuse(DoubtPolicy::parse(value).is_some(), "error.policy")
}

impl Check for MailingForm {
    fn check(&self) -> FieldErrors {
        let mut errors = from_garde(self);
        if self.clients == "search" && self.search.trim().is_empty() {
            errors.push("search", "error.required");
        }
        // A search beside another choice says two things; which is meant is not for us to guess.
        if matches!(self.clients.as_str(), "all" | "picked") && !self.search.trim().is_empty() {
            errors.push("clients", "error.audience.both");
        }
        errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_is_checked() {
        let fields: Vec<String> = MailingForm::default().check().0.into_iter().map(|error| error.field).collect();
        for field in ["message", "clients", "start", "zone", "period", "policy"] {
            assert!(fields.iter().any(|known| known == field), "{field} is not in {fields:?}");
        }
        let search = MailingForm { clients: "search".to_owned(), ..MailingForm::default() };
        assert_eq!(search.check().get("search").map(|error| error.key.as_str()), Some("error.required"));
    }

    #[test]
    fn a_search_beside_another_choice_is_asked_about() {
        for (clients, search, error) in [
            ("all", "anna", Some("error.audience.both")),
            ("picked", "anna", Some("error.audience.both")),
            ("search", "anna", None),
            ("all", "  ", None),
            ("", "", Some("error.audience.none")),
            ("everybody", "", Some("error.audience.none")),
        ] {
            let form = MailingForm { clients: clients.to_owned(), search: search.to_owned(), ..MailingForm::default() };
            assert_eq!(form.check().get("clients").map(|error| error.key.as_str()), error, "{clients} {search}");
        }
    }

    #[test]
    fn moments_are_wall_times_or_instants() {
        assert!(matches!(parse_moment("2026-11-23T10:00"), Some(Moment::Local(_))));
        assert_eq!(parse_moment("2026-11-23T10:00:00"), parse_moment(" 2026-11-23T10:00 "));
        assert!(matches!(parse_moment("2026-11-23T10:00:00+03:00"), Some(Moment::Instant(_))));
        for bad in ["", "now", "2026-11-23", "23.11.2026 10:00", "2026-13-01T10:00"] {
            assert_eq!(parse_moment(bad), None, "{bad}");
        }
    }
}
