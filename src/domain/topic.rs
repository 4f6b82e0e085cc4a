//! Topics: what an owner's mailings are about, so that a reader can leave one kind of them and keep the others.

use super::version::version;
use serde::{Deserialize, Serialize};

/// Longest name and description, in characters.
pub const NAME_MAX: usize = 80;
pub const DESCRIPTION_MAX: usize = 300;
/// Topics that an owner may have: readers choose among all of them on one page.
pub const TOPICS_MAX: usize = 50;

/// What mailings are about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topic {
    pub id: i64,
    pub name: String,
    /// For readers; may be empty.
    pub description: String,
    /// Readers are offered it on the page by which they leave.
    pub public: bool,
    /// Everybody gets it who does not leave it; otherwise only who has asked for it.
    pub by_default: bool,
}

impl Topic {
    /// Which state it is in: [`version`].
    pub fn version(&self) -> String {
        let Self { name, description, public, by_default, .. } = self;
        version(&[name, description, if *public { "public" } else { "" }, if *by_default { "all" } else { "" }])
    }
}

/// Whether somebody gets what is about a topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    pub topic: Topic,
    pub wanted: bool,
    /// They have left it themselves, or complained: no owner says otherwise by a tick.
    pub theirs: bool,
}
