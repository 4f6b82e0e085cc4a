//! What became of a letter, said by a person.

use super::Check;
use crate::api::error::FieldErrors;
use crate::domain::delivery::Verdict;
use serde::{Deserialize, Serialize};

/// A verdict on one delivery whose fate is unknown, or on all of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct DecisionForm {
    pub mailing: i64,
    /// The run, if it is about all its unknown deliveries; otherwise 0.
    #[serde(default)]
    pub run: i64,
    /// The delivery, if it is about one; otherwise 0.
    #[serde(default)]
    pub delivery: i64,
    /// How many unknown deliveries the reader was told the run has.
    #[serde(default)]
    pub n: i64,
    /// A [`Verdict`] word.
    pub verdict: String,
}

impl Check for DecisionForm {
    fn check(&self) -> FieldErrors {
        match Verdict::parse(&self.verdict) {
            Some(_) => FieldErrors::default(),
            None => FieldErrors::one("verdict", "error.doubt.verdict"),
        }
    }
}
