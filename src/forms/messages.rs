//! The message form.

use super::{Check, from_garde, is_filled, is_line, is_text};
use crate::api::error::FieldErrors;
use crate::domain::message::{BODY_MAX, SUBJECT_MAX};
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
    /// Markdown.
    #[garde(custom(is_filled), custom(is_text(BODY_MAX)))]
    pub body: String,
    /// `domain::version` of what was stored when the form was opened; empty: whatever is stored is changed.
    #[garde(skip)]
    #[serde(default)]
    pub version: String,
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
