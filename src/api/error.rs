//! The error that crosses the wire. It carries keys and arguments, never sentences: the page says
//! them in its reader's language. Nothing of the cause leaves the server but a reference to its log.

use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};

/// What a server function answers when it cannot do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum AppError {
    #[error("the input is not valid")]
    Validation(FieldErrors),
    #[error("nobody is logged in")]
    Unauthenticated,
    #[error("not permitted")]
    Forbidden,
    #[error("not found, or another's")]
    NotFound,
    /// The state of things forbids it; the key names the sentence.
    #[error("conflict: {0}")]
    Conflict(String),
    #[error("too many requests")]
    RateLimited,
    /// The database is away; it is to be tried again soon.
    #[error("unavailable")]
    Unavailable,
    /// A fault of ours; the reference stands in the log beside its cause.
    #[error("internal error {reference}")]
    Internal { reference: String },
    /// The browser could not reach the server, or did not understand it.
    #[error("network: {0}")]
    Network(String),
}

/// What is wrong with a form, by field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldErrors(pub Vec<FieldError>);

/// One wrong field. The empty field name means the form as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    pub field: String,
    /// The locale key of the sentence.
    pub key: String,
    /// Values for the sentence's placeholders.
    pub args: Vec<(String, String)>,
}

impl FieldErrors {
    /// One error without arguments.
    pub fn one(field: &str, key: &str) -> Self {
        let mut errors = Self::default();
        errors.push(field, key);
        errors
    }

    pub fn push(&mut self, field: &str, key: &str) {
        self.0.push(FieldError { field: field.to_owned(), key: key.to_owned(), args: Vec::new() });
    }

    /// Adds an error whose sentence has placeholders.
    pub fn push_with(&mut self, field: &str, key: &str, args: &[(&str, &str)]) {
        let args = args.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.0.push(FieldError { field: field.to_owned(), key: key.to_owned(), args });
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first error of a field.
    pub fn get(&self, field: &str) -> Option<&FieldError> {
        self.0.iter().find(|error| error.field == field)
    }
}

/// The key of the refusal of a form whose subject was changed meanwhile; its argument `version` is that of what is stored.
pub const CHANGED: &str = "error.changed_meanwhile";

impl AppError {
    /// Whether the server, or what it needs, does not answer now. A refusal is an answer.
    pub fn is_away(&self) -> bool {
        matches!(self, Self::Network(_) | Self::Unavailable | Self::Internal { .. })
    }

    /// The HTTP status that goes with this error.
    pub fn status(&self) -> u16 {
        match self {
            Self::Validation(_) => 422,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict(_) => 409,
            Self::RateLimited => 429,
            Self::Internal { .. } => 500,
            Self::Unavailable => 503,
            Self::Network(_) => 400,
        }
    }
}

impl From<FieldErrors> for AppError {
    fn from(errors: FieldErrors) -> Self {
        Self::Validation(errors)
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        Self::Network(error.to_string())
    }
}
