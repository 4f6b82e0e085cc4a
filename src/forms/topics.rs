//! Topics, and whether a client gets what is about them.

use super::{Check, from_garde, is_filled, is_line};
use crate::api::error::FieldErrors;
use crate::domain::topic::{DESCRIPTION_MAX, NAME_MAX};
use garde::Validate;
use serde::{Deserialize, Serialize};

/// A topic, new (`id` 0) or changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, Validate)]
pub struct TopicForm {
    #[garde(skip)]
    #[serde(default)]
    pub id: i64,
    #[garde(custom(is_filled), custom(is_line(NAME_MAX)), custom(is_no_number))]
    pub name: String,
    #[garde(custom(is_line(DESCRIPTION_MAX)))]
    #[serde(default)]
    pub description: String,
    #[garde(skip)]
    #[serde(default)]
    pub public: bool,
    #[garde(skip)]
    #[serde(default)]
    pub by_default: bool,
    /// The state that the form was opened on; empty to save whatever is stored.
    #[garde(skip)]
    #[serde(default)]
    pub version: String,
}

/// In files a number stands for a topic that is gone.
fn is_no_number<C>(value: &str, _: &C) -> garde::Result {
    let number = value.trim().strip_prefix('#').unwrap_or_default();
    if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) {
        return Err(garde::Error::new("error.topic.number"));
    }
    Ok(())
}

impl Check for TopicForm {
    fn check(&self) -> FieldErrors {
        from_garde(self)
    }
}

/// Which topics a client gets: all that are ticked, of those that the page has shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct WishForm {
    pub client: i64,
    /// Those that stood there to be ticked.
    #[serde(default)]
    pub shown: Vec<i64>,
    #[serde(default)]
    pub topics: Vec<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_alone_is_no_name() {
        let keys = |name: &str| {
            let form = TopicForm { name: name.to_owned(), ..TopicForm::default() };
            form.check().0.into_iter().map(|error| error.key).collect::<Vec<_>>()
        };
        for bad in ["#5", " #0042 "] {
            assert_eq!(keys(bad), ["error.topic.number"], "{bad}");
        }
        for good in ["#", "#5a", "5", "#news", "News #5"] {
            assert!(keys(good).is_empty(), "{good}");
        }
    }
}
