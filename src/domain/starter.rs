//! Messages to begin with. Their texts stand with the others, by language: `starters.WORD_subject` and the like.

use super::design::BuiltIn;

/// A message to begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Starter {
    /// In addresses and in the keys of its texts.
    pub word: &'static str,
    /// What it looks best in.
    pub design: BuiltIn,
}

const fn starter(word: &'static str, design: BuiltIn) -> Starter {
    Starter { word, design }
}

/// All of them, those that people need most first.
pub const STARTERS: [Starter; 12] = [
    starter("news", BuiltIn::Harbour),
    starter("offer", BuiltIn::Berry),
    starter("invitation", BuiltIn::Ink),
    starter("welcome", BuiltIn::Bakery),
    starter("product", BuiltIn::Bakery),
    starter("workshop", BuiltIn::Meadow),
    starter("reminder", BuiltIn::Harbour),
    starter("receipt", BuiltIn::Harbour),
    starter("birthday", BuiltIn::Berry),
    starter("survey", BuiltIn::Meadow),
    starter("season", BuiltIn::Night),
    starter("thanks", BuiltIn::Plain),
];

/// The one of this word.
pub fn find(word: &str) -> Option<Starter> {
    STARTERS.into_iter().find(|starter| starter.word == word)
}
