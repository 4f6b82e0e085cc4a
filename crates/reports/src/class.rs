//! What a report means for the address.

use crate::Status;
use crate::phrases::{self, Saying};

/// What becomes of an address for which a letter came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// There is no such address, or it is closed: nothing is to be sent there again.
    NoAddress,
    /// The mailbox is full, which may pass.
    Full,
    /// Whatever else may pass but had not for as long as the server tried.
    Passing,
    /// The letter itself: too big, or of a form that the server does not take.
    Letter,
    /// Rules, reputation, a blocklist: about the sender, never about the address.
    Policy,
    /// The reader called the letter spam.
    Complaint,
    /// A program answered for the reader (RFC 3834), or a receipt for reading (RFC 8098).
    AutoReply,
    /// It is under way, or has arrived (RFC 3464 2.3.3: delayed, delivered, relayed, expanded).
    UnderWay,
    /// A human has to look at it.
    Unknown,
}

impl Class {
    /// The word for it in tables and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoAddress => "no_address",
            Self::Full => "full",
            Self::Passing => "passing",
            Self::Letter => "letter",
            Self::Policy => "policy",
            Self::Complaint => "complaint",
            Self::AutoReply => "auto_reply",
            Self::UnderWay => "under_way",
            Self::Unknown => "unknown",
        }
    }

    /// Whether it says that a letter was not delivered.
    #[must_use]
    pub fn is_failure(self) -> bool {
        matches!(self, Self::NoAddress | Self::Full | Self::Passing | Self::Letter | Self::Policy)
    }

    /// Whether it is about a letter to a certain address, so that the letter's recipient is its own.
    pub(crate) fn is_about_a_letter(self) -> bool {
        self.is_failure() || matches!(self, Self::Complaint | Self::UnderWay)
    }
}

/// The class of a letter that was not delivered, by its code and what the mail server said. Servers give 5.1.1 for
/// blocklists and 5.7.1 for users they do not have, so where the words are plain they count before the code.
#[must_use]
pub fn classify(status: Option<Status>, text: &str) -> Class {
    let said = phrases::find(text);
    if said == Some(Saying::Blocked) {
        return Class::Policy;
    }
    let Some(status) = status else {
        return said.map_or(Class::Unknown, Saying::class);
    };
    match (status.class, status.subject, status.detail) {
        (5, 1, 1 | 2 | 3 | 6 | 10) => Class::NoAddress,
        // 5.2.1 is also said of a mailbox that takes nothing just now.
        (5, 2, 1) => said.map_or(Class::NoAddress, Saying::class),
        (4 | 5, 2, 2) => Class::Full,
        (5, 2, 3) | (5, 3, 4) | (5, 6, _) => Class::Letter,
        (5, 7, _) if said == Some(Saying::NoAddress) => Class::NoAddress,
        // 5.1.7 and 5.1.8 speak of the sender's address.
        (5, 7, _) | (5, 1, 7 | 8) => Class::Policy,
        (5, ..) => said.map_or(Class::Unknown, Saying::class),
        (4, ..) if said == Some(Saying::Full) => Class::Full,
        (4, ..) => Class::Passing,
        _ => Class::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes() {
        for (code, class) in [
            ("5.1.1", Class::NoAddress),
            ("5.1.2", Class::NoAddress),
            ("5.1.3", Class::NoAddress),
            ("5.1.6", Class::NoAddress),
            ("5.1.10", Class::NoAddress),
            ("5.1.7", Class::Policy),
            ("5.1.8", Class::Policy),
            ("5.1.9", Class::Unknown),
            ("5.2.1", Class::NoAddress),
            ("5.2.2", Class::Full),
            ("4.2.2", Class::Full),
            ("5.2.3", Class::Letter),
            ("5.3.4", Class::Letter),
            ("5.6.1", Class::Letter),
            ("5.7.1", Class::Policy),
            ("5.7.515", Class::Policy),
            ("4.4.7", Class::Passing),
            ("4.1.1", Class::Passing),
            ("4.7.1", Class::Passing),
            ("5.0.0", Class::Unknown),
            ("5.4.6", Class::Unknown),
            ("2.0.0", Class::Unknown),
        ] {
            assert_eq!(classify(code.parse().ok(), ""), class, "{code}");
        }
        assert_eq!(classify(None, ""), Class::Unknown);
    }

    #[test]
    fn words_count_before_vague_or_wrong_codes() {
        for (code, text, class) in [
            ("5.0.0", "550 User unknown", Class::NoAddress),
            ("5.7.1", "550 5.7.1 No such user!", Class::NoAddress),
            ("5.7.1", "relaying denied", Class::Policy),
            ("5.1.1", "blocked using zen.spamhaus.org", Class::Policy),
            ("4.4.7", "listed by an RBL, see https://blocklist.example", Class::Policy),
            ("4.3.0", "mailbox is full", Class::Full),
            ("4.4.1", "user unknown", Class::Passing),
            ("5.2.1", "mailbox full, over quota", Class::Full),
            ("5.5.0", "message size exceeds limit", Class::Letter),
        ] {
            assert_eq!(classify(code.parse().ok(), text), class, "{code} {text}");
        }
    }
}
