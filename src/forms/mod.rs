//! What people submit. Each form is one struct, sent whole as the argument of a server function and
//! checked by the same rules in the browser (on blur) and on the server.

pub mod accounts;
pub mod chosen;
pub mod clients;
pub mod decisions;
pub mod designs;
pub mod mailings;
pub mod messages;
pub mod oversight;
pub mod picks;
pub mod posts;
pub mod relays;
pub mod settings;
pub mod suppressions;
pub mod topics;

use crate::api::error::FieldErrors;
use crate::domain::email::EmailAddress;

/// A form that can be checked without asking the database.
pub trait Check {
    /// What is wrong, by field; the keys name sentences in the locale files.
    fn check(&self) -> FieldErrors;
}

/// A path with a query.
pub fn address<'a>(path: &str, pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let pairs: Vec<String> = pairs.map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}

/// Percent-encodes all but what RFC 3986 2.3 leaves unreserved.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// Runs a garde check and takes its messages as locale keys.
pub(crate) fn from_garde<T>(form: &T) -> FieldErrors
where
    T: garde::Validate,
    T::Context: Default,
{
    let mut errors = FieldErrors::default();
    if let Err(report) = form.validate() {
        for (path, error) in report.iter() {
            errors.push(&path.to_string(), error.message());
        }
    }
    errors
}

/// garde rule: an address that can be sent to.
pub(crate) fn is_email<C>(value: &str, _: &C) -> garde::Result {
    EmailAddress::parse(value).map(drop).map_err(|error| garde::Error::new(error.key()))
}

/// garde rule: something other than white space.
pub(crate) fn is_filled<C>(value: &str, _: &C) -> garde::Result {
    if value.trim().is_empty() { Err(garde::Error::new("error.required")) } else { Ok(()) }
}

/// garde rule: at most `max` characters, none of which would break a header line.
pub(crate) fn is_line<C>(max: usize) -> impl FnOnce(&str, &C) -> garde::Result {
    move |value, _| {
        if value.chars().count() > max {
            Err(garde::Error::new("error.too_long"))
        } else if value.chars().any(char::is_control) {
            Err(garde::Error::new("error.control"))
        } else {
            Ok(())
        }
    }
}

/// garde rule: lines of text, at most `max` characters, with no control characters but those that end and indent
/// them.
pub(crate) fn is_text<C>(max: usize) -> impl FnOnce(&str, &C) -> garde::Result {
    move |value, _| {
        if value.chars().count() > max {
            Err(garde::Error::new("error.too_long"))
        } else if value.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            Err(garde::Error::new("error.control"))
        } else {
            Ok(())
        }
    }
}
