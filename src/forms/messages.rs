//! The message form.

use super::{Check, from_garde, is_filled, is_line, is_text};
use crate::api::error::FieldErrors;
use crate::domain::design::Choice;
use crate::domain::message::{BODY_MAX, PREHEADER_MAX, SUBJECT_MAX};
use crate::domain::version::version;
use garde::Validate;
use serde::{Deserialize, Serialize};

/// A message as it is written: new while `id` is 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, Validate)]
pub struct MessageForm {
    #[garde(skip)]
    #[serde(default)]
    pub id: i64,
    #[garde(custom(is_filled), custom(is_line(SUBJECT_MAX)))]
    pub subject: String,
    /// What mail programs show beside the subject.
    #[garde(custom(is_line(PREHEADER_MAX)))]
    #[serde(default)]
    pub preheader: String,
    /// Markdown.
    #[garde(custom(is_filled), custom(is_text(BODY_MAX)))]
    pub body: String,
    /// A [`Choice`]; empty for the plain letter.
    #[garde(custom(is_design))]
    #[serde(default)]
    pub design: String,
    /// [`Message::version`](crate::domain::message::Message::version) of what was stored when the form was opened; empty: whatever is stored is changed.
    #[garde(skip)]
    #[serde(default)]
    pub version: String,
}

fn is_design<C>(value: &str, _: &C) -> garde::Result {
    Choice::parse(value).map(drop).ok_or_else(|| garde::Error::new("error.design.gone"))
}

impl MessageForm {
    /// The version of a message that this form was stored as.
    pub fn version_stored(&self) -> String {
        let design = Choice::parse(&self.design).unwrap_or_default().to_string();
        version(&[self.subject.trim(), self.preheader.trim(), &self.body, &design])
    }
}

impl Check for MessageForm {
    fn check(&self) -> FieldErrors {
        from_garde(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(subject: &str, body: &str) -> Vec<(String, String)> {
        let form = MessageForm { subject: subject.to_owned(), body: body.to_owned(), ..MessageForm::default() };
        form.check().0.into_iter().map(|error| (error.field, error.key)).collect()
    }

    #[test]
    fn says_which_field_is_wrong() {
        let one = |field: &str, key: &str| vec![(field.to_owned(), key.to_owned())];
        assert_eq!(keys("Hello", "Body\nwith lines"), vec![]);
        assert_eq!(keys(" ", "Body"), one("subject", "error.required"));
        assert_eq!(keys("Hello", "\n"), one("body", "error.required"));
        assert_eq!(keys("a\r\nBcc: x", "Body"), one("subject", "error.control"));
        assert_eq!(keys(&"я".repeat(SUBJECT_MAX + 1), "Body"), one("subject", "error.too_long"));
        assert_eq!(keys("Hello", &"я".repeat(BODY_MAX)), vec![]);
        assert_eq!(keys("Hello", &"я".repeat(BODY_MAX + 1)), one("body", "error.too_long"));
    }
}
