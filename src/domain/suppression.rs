//! The ledger of addresses that a user's mailings leave out: why, since when, and who said so.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// No topic: an entry is about all that its owner sends, and so is a mailing of none.
pub const NO_TOPIC: i64 = 0;
/// Longest evidence that is kept, in characters: what a mail server, a reader or a file said.
pub const EVIDENCE_MAX: usize = 2_000;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$each])* $variant),*
        }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word in the database, on the wire and on the command line.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),*
                }
            }

            /// Reads [`Self::as_str`] back.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text)
            }
        }
    };
}

words! {
    /// Why an address is left out.
    Reason {
        /// The reader left.
        Unsubscribed = "unsubscribed",
        /// The reader told their provider that a letter was unwanted.
        Complaint = "complaint",
        /// A mail server said that the address does not exist.
        HardBounce = "hard_bounce",
        /// Letters came back again and again.
        SoftBounces = "soft_bounces",
        /// The owner, or somebody for them, entered it.
        ByHand = "by_hand",
        /// A file of another service said so.
        Imported = "imported",
    }
}

words! {
    /// Where an entry came from.
    Source {
        /// The reply of a mail server while a letter was handed over.
        Smtp = "smtp",
        /// A report that a mail server sent later.
        Report = "report",
        /// A call of a provider of mail.
        Webhook = "webhook",
        /// One click in a mail program (RFC 8058).
        OneClick = "one_click",
        /// A letter that a mail program sent to leave.
        Mailto = "mailto",
        /// The page behind a letter's link.
        Page = "page",
        /// The owner's pages.
        Owner = "owner",
        CommandLine = "command_line",
        /// A file of addresses.
        File = "file",
    }
}

/// An entry of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    pub id: i64,
    /// As it was written.
    pub email: String,
    /// [`NO_TOPIC`] for everything.
    pub topic: i64,
    /// Its name; empty for everything, and for a topic that is gone.
    pub topic_name: String,
    pub reason: Reason,
    pub source: Source,
    pub since: DateTime<Utc>,
    /// When it ends by itself.
    pub until: Option<DateTime<Utc>>,
    /// What was said: a mail server's reply, a reader's words.
    pub evidence: String,
    /// Who entered it, where somebody did: an address, as it was then.
    pub actor: String,
    /// The import that it came with.
    pub import: Option<i64>,
    /// It had ended by itself when it was asked for.
    #[serde(default)]
    pub ended: bool,
}

impl Suppression {
    /// The entry as it is at an instant.
    #[must_use]
    pub fn at(self, now: DateTime<Utc>) -> Self {
        Self { ended: self.until.is_some_and(|until| until <= now), ..self }
    }
}
