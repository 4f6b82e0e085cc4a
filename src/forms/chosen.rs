//! Rows chosen in a list: ticked ones, or all that its search and filter find.

use serde::{Deserialize, Serialize};

/// Which rows, and the list as it stood.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Chosen {
    #[serde(default)]
    pub ids: Vec<i64>,
    /// All that `q` and `state` find; `ids` does not count then.
    #[serde(default)]
    pub all: bool,
    /// How many rows the reader was told `all` are.
    #[serde(default)]
    pub n: i64,
    /// Which ones those were: `domain::page::Whole::mark`.
    #[serde(default)]
    pub mark: i64,
    #[serde(default)]
    pub q: String,
    #[serde(default)]
    pub state: String,
    #[serde(default)]
    pub sort: String,
}

impl Chosen {
    /// The address of the list as it stood, with further parameters.
    pub fn back(&self, path: &str, more: &[(&str, &str)]) -> String {
        let list = [("q", self.q.as_str()), ("status", &self.state), ("sort", &self.sort)];
        let pairs = list.iter().chain(more).filter(|(_, value)| !value.is_empty());
        super::address(path, pairs.map(|(name, value)| (*name, *value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leads_back_to_the_list_as_it_stood() {
        let chosen = Chosen { q: "а&b".to_owned(), state: "paused".to_owned(), ..Chosen::default() };
        let back = chosen.back("/mailings", &[("done", "mailings.deleted_many"), ("n", "3")]);
        assert_eq!(back, "/mailings?q=%D0%B0%26b&status=paused&done=mailings.deleted_many&n=3");
    }
}
