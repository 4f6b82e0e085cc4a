//! What a mail server's answer to a letter means, for somebody who is no engineer: finer than [`Class`](crate::Class), which
//! only decides what becomes of the address.

use crate::Class;
use crate::class::classify;
use crate::status::{self, Status};

/// What a mail server said, as people say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// There is no such mailbox.
    NoMailbox,
    /// There is no such domain, or it takes no mail.
    NoDomain,
    /// The mailbox is there and closed.
    Closed,
    Full,
    TooBig,
    /// The letter looks like spam to the server.
    Spam,
    /// The sending server, or a link in the letter, stands on a blocklist or has a bad name.
    Blocklisted,
    /// SPF, DKIM, DMARC or the name of the sending server do not bear the sender out.
    Unverified,
    /// Too much in too short a time.
    TooFast,
    /// A server that does not know the sender lets it come a second time.
    Greylisted,
    /// The server cannot take anything just now.
    Busy,
    /// Nobody answered, or the connection broke.
    NoAnswer,
    /// The server does not pass letters on to others for us.
    NoRelay,
    /// The sender's address was refused.
    SenderRefused,
    /// The address is not written as the server wants it.
    BadAddress,
    /// Rules of the receiver that say no more.
    Policy,
    /// A form of letter that the server does not take.
    Unsupported,
    /// For good, and no more is known.
    Refused,
    /// For now, and no more is known.
    Later,
}

impl Meaning {
    pub const ALL: [Self; 19] = [
        Self::NoMailbox,
        Self::NoDomain,
        Self::Closed,
        Self::Full,
        Self::TooBig,
        Self::Spam,
        Self::Blocklisted,
        Self::Unverified,
        Self::TooFast,
        Self::Greylisted,
        Self::Busy,
        Self::NoAnswer,
        Self::NoRelay,
        Self::SenderRefused,
        Self::BadAddress,
        Self::Policy,
        Self::Unsupported,
        Self::Refused,
        Self::Later,
    ];

    /// The word for it, such as the key of its sentence.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoMailbox => "no_mailbox",
            Self::NoDomain => "no_domain",
            Self::Closed => "closed",
            Self::Full => "full",
            Self::TooBig => "too_big",
            Self::Spam => "spam",
            Self::Blocklisted => "blocklisted",
            Self::Unverified => "unverified",
            Self::TooFast => "too_fast",
            Self::Greylisted => "greylisted",
            Self::Busy => "busy",
            Self::NoAnswer => "no_answer",
            Self::NoRelay => "no_relay",
            Self::SenderRefused => "sender_refused",
            Self::BadAddress => "bad_address",
            Self::Policy => "policy",
            Self::Unsupported => "unsupported",
            Self::Refused => "refused",
            Self::Later => "later",
        }
    }
}

/// Words that say more than a code, in the order in which they count, in lower case.
const WORDS: [(Meaning, &[&str]); 11] = [
    (
        Meaning::Blocklisted,
        &[
            "spamhaus",
            "spamcop",
            "barracudacentral",
            "blocklist",
            "block list",
            "blacklist",
            "black list",
            "dnsbl",
            " rbl",
            "reputation",
            "listed by",
            "listed at",
            "[ts03]",
            "[ts04]",
            "banned sending ip",
        ],
    ),
    (
        Meaning::Spam,
        &[
            "likely unsolicited",
            "spam message rejected",
            "message rejected as spam",
            "rejected under suspicion of spam",
            "considered spam",
            "considered as spam",
            "identified as spam",
            "classified as spam",
            "looks like spam",
            "detected as spam",
            "suspected spam",
            "suspicion of spam",
            "spam detected",
            "high probability of spam",
            "contains spam",
            "mail content denied",
            "message content rejected",
            "спам",
            "垃圾邮件",
        ],
    ),
    (
        Meaning::Unverified,
        &[
            "dmarc",
            "dkim",
            " spf",
            "unauthenticated email",
            "sender is unauthenticated",
            "authentication checks",
            "reverse dns",
            "reverse hostname",
            "ptr record",
            "helo command rejected",
        ],
    ),
    (Meaning::NoRelay, &["relay access denied", "relaying denied", "unable to relay", "relay not permitted"]),
    (Meaning::Greylisted, &["greylist", "graylist", "try again in 5 minutes", "please retry in"]),
    (
        Meaning::TooFast,
        &[
            "too many connections",
            "too many messages",
            "too many recipients",
            "too many concurrent",
            "receiving mail too quickly",
            "receiving mail at a rate",
            "rate that prevents",
            "unusual rate",
            "rate limit",
            "ratelimit",
            "sending too",
            "throttl",
            "temporarily deferred due to",
            "limit exceeded for",
            // What the sender's own provider lets pass in a day.
            "sending quota",
            "message quota exceeded",
            "emails per hour",
            "слишком много",
        ],
    ),
    (
        Meaning::SenderRefused,
        &["sender rejected", "sender denied", "sender verify failed", "sender address rejected", "invalid sender"],
    ),
    (
        Meaning::Closed,
        &[
            "disabled",
            "inactive",
            "suspended",
            "is closed",
            "mailbox closed",
            "no longer",
            "ящик заблокирован",
            "ящик отключен",
        ],
    ),
    (
        Meaning::NoDomain,
        &[
            "domain not found",
            "no such domain",
            "host not found",
            "host unknown",
            "unrouteable mail domain",
            "domain does not accept mail",
            "host does not accept mail",
            "null mx",
            "nullmx",
        ],
    ),
    (
        Meaning::BadAddress,
        &["bad recipient address syntax", "address syntax", "invalid address syntax", "malformed address"],
    ),
    (
        Meaning::NoAnswer,
        &["connection timed out", "connection refused", "could not connect", "couldn't connect", "lost connection"],
    ),
];

/// Where one of these stands it is the sender's account or domain that is closed, not the reader's.
const OF_THE_SENDER: [&str; 3] = ["your account", "your domain", "domain "];

/// The text without the addresses in it, whose words are nobody's answer.
fn without_addresses(text: &str) -> String {
    let is_address = |word: &&str| word.contains('@');
    text.split_inclusive(|c: char| c.is_whitespace() || "<>(),;".contains(c)).filter(|word| !is_address(word)).collect()
}

/// What an answer means: the code of the reply, none where there was no reply, and what was said, which may begin with a
/// code of RFC 3463. Where the words are plain they count before the codes, which servers give as they please.
#[must_use]
pub fn meaning(code: Option<u16>, text: &str) -> Meaning {
    let text = &without_addresses(text);
    let lower = text.to_lowercase().replace('\u{2019}', "'");
    let said = WORDS.iter().find(|(_, words)| words.iter().any(|word| lower.contains(word))).map(|(said, _)| *said);
    let Some(code) = code else { return Meaning::NoAnswer };
    let status = status::find(text).filter(|status| u16::from(status.class) == code / 100);
    let for_now = code / 100 == 4;
    let is_full = status.is_some_and(|status| (status.subject, status.detail) == (2, 2));
    // A mailbox that is full is so whatever else is said of it, but for lists of those who are not heard; what is used up
    // without its code may be the sender's share.
    let more_likely = match said {
        Some(Meaning::Blocklisted | Meaning::Spam) => true,
        Some(Meaning::TooFast) => !is_full,
        _ => false,
    };
    if !more_likely && classify(status, text) == Class::Full {
        return Meaning::Full;
    }
    match said {
        // A server that gives a reader's name may close it for good only.
        Some(Meaning::Closed) if for_now => Meaning::Later,
        Some(Meaning::Closed) if OF_THE_SENDER.iter().any(|word| lower.contains(word)) => Meaning::Policy,
        Some(said) => said,
        None => by_code(code, status, text),
    }
}

fn by_code(code: u16, status: Option<Status>, text: &str) -> Meaning {
    match status.map(|status| (status.class, status.subject, status.detail)) {
        Some((5, 1, 2) | (5, 1, 10) | (5, 4, 4)) if classify(status, text) != Class::Policy => match status {
            Some(Status { detail: 10, .. }) => Meaning::NoMailbox,
            _ => Meaning::NoDomain,
        },
        Some((5, 1, 3)) => Meaning::BadAddress,
        Some((_, 1, 7 | 8)) => Meaning::SenderRefused,
        Some((5, 2, 1)) if classify(status, text) == Class::NoAddress => Meaning::Closed,
        Some((_, 2, 3) | (_, 3, 4)) => Meaning::TooBig,
        Some((_, 6, _)) => Meaning::Unsupported,
        Some((_, 7, 20..=27)) => Meaning::Unverified,
        Some((4, 3, _)) => Meaning::Busy,
        Some((4, 4, 1 | 2)) => Meaning::NoAnswer,
        Some((4, 7, 0)) => Meaning::TooFast,
        Some((4, 7, _)) => Meaning::Later,
        _ => match (classify(status, text), code) {
            (Class::NoAddress, 400..=499) => Meaning::Later,
            (Class::NoAddress, _) => Meaning::NoMailbox,
            (Class::Full, _) => Meaning::Full,
            (Class::Letter, _) => Meaning::TooBig,
            (Class::Policy, 500..) => Meaning::Policy,
            (_, 421 | 451 | 452) => Meaning::Busy,
            (_, 501 | 553) => Meaning::BadAddress,
            (_, 552) => Meaning::TooBig,
            (_, 400..=499) => Meaning::Later,
            _ => Meaning::Refused,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phrases::lower_case_and_each_once;

    #[test]
    fn words_are_lower_case_and_each_stands_once() {
        lower_case_and_each_once(WORDS.iter().flat_map(|(_, words)| words.iter().copied()).collect());
    }

    #[test]
    fn without_a_reply_nobody_answered() {
        assert_eq!(meaning(None, ""), Meaning::NoAnswer);
        assert_eq!(meaning(None, "connection reset by peer"), Meaning::NoAnswer);
    }
}
