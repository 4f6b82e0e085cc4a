//! What a reply, or the lack of one, means for a delivery. Pure, so that every row of the table in
//! docs/engine.md has its test.

use super::reply::Reply;
use crate::domain::delivery::Stage;

/// What becomes of the delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutcomeKind {
    /// The server took the letter.
    Sent,
    /// This client is to be tried again later.
    TryLater,
    /// The server refused this letter or this address for good.
    Refused,
    /// The server refused the sender: no other client would fare better.
    SenderRefused,
    /// The server closes the session, or the letter was not to be sent yet: no try is charged.
    PutBack,
    /// The connection failed before the final dot was out: it is safe to send again.
    ConnectionLost,
    /// The final dot was out and no answer came: the letter may have been taken.
    InDoubt,
}

/// How one attempt over a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub stage: Stage,
    pub kind: OutcomeKind,
    pub reply: Option<Reply>,
    /// What we saw, in English for the log, where the server said nothing; empty otherwise.
    pub note: String,
    /// Whether the next letter may go over the same connection. If not, drop it.
    pub connection_usable: bool,
}

/// What happened at a stage.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    Reply(&'a Reply),
    /// Time-out, close, reset, garbage: whatever leaves the session out of step.
    Trouble,
}

/// What it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go on to the next stage.
    Continue,
    /// The delivery ends; `keep` says whether the session can go on after RSET.
    End { kind: OutcomeKind, keep: bool },
}

/// Judges an event at MAIL, RCPT, DATA, the body or the final dot. An unknown code is judged by its
/// first digit (RFC 5321 4.3.2); only 354 continues after DATA and only 2xx ends well.
pub fn classify(stage: Stage, event: Event<'_>) -> Verdict {
    use OutcomeKind::{ConnectionLost, InDoubt, PutBack, Refused, SenderRefused, Sent, TryLater};
    let keep = |kind| Verdict::End { kind, keep: true };
    let close = |kind| Verdict::End { kind, keep: false };
    let trouble = close(if stage == Stage::Dot { InDoubt } else { ConnectionLost });
    let Event::Reply(reply) = event else {
        return trouble;
    };
    match (stage, reply.code / 100) {
        (_, _) if reply.code == 421 => close(PutBack),
        (Stage::Mail | Stage::Rcpt, 2) => Verdict::Continue,
        (Stage::Data, 3) if reply.code == 354 => Verdict::Continue,
        (Stage::Mail, 5) if speaks_of_the_letter(reply) => keep(Refused),
        (Stage::Mail, 4 | 5) => keep(SenderRefused),
        // RFC 5321 4.5.3.1.10: 552 for too many recipients is to be treated as 452.
        (Stage::Rcpt, 5) if reply.code == 552 => keep(TryLater),
        (Stage::Rcpt | Stage::Data | Stage::Body | Stage::Dot, 4) => keep(TryLater),
        (Stage::Rcpt | Stage::Data | Stage::Body | Stage::Dot, 5) => keep(Refused),
        (Stage::Dot, 2) => keep(Sent),
        _ => trouble,
    }
}

/// A refusal at MAIL that is about this letter and not about its sender: its size (RFC 1870 6.1) or
/// its international address (RFC 6531 3.5).
fn speaks_of_the_letter(reply: &Reply) -> bool {
    reply.code == 552 || matches!(reply.enhanced.as_deref(), Some("5.3.4" | "5.2.3" | "5.6.7"))
}

/// Whether a reply that asks for a letter to be sent later is about the server, so that a row of such letters shows that it
/// takes none for now. At RCPT it may be about the one who is written to: their address or mailbox (RFC 3463 3.2, 3.3), or
/// that the sender is not known to them yet (greylisting, RFC 6647).
pub fn is_the_servers(stage: Stage, reply: &Reply) -> bool {
    let is_theirs = || {
        let subject = reply.enhanced.as_deref().and_then(|status| status.split('.').nth(1));
        let text = reply.text.to_ascii_lowercase();
        matches!(subject, Some("1" | "2"))
            || ["greylist", "graylist", "grey-list", "gray-list"].iter().any(|word| text.contains(word))
    };
    reply.code < 500 && !(stage == Stage::Rcpt && is_theirs())
}

#[cfg(test)]
mod tests {
    use super::super::reply::ReplyParser;
    use super::*;
    use OutcomeKind::*;

    fn at(stage: Stage, line: &str) -> Verdict {
        let reply = ReplyParser::default().line(line.as_bytes()).unwrap().unwrap();
        classify(stage, Event::Reply(&reply))
    }

    fn keep(kind: OutcomeKind) -> Verdict {
        Verdict::End { kind, keep: true }
    }

    fn close(kind: OutcomeKind) -> Verdict {
        Verdict::End { kind, keep: false }
    }

    #[test]
    fn only_the_right_codes_continue() {
        assert_eq!(at(Stage::Mail, "250 ok"), Verdict::Continue);
        assert_eq!(at(Stage::Rcpt, "251 will forward"), Verdict::Continue);
        assert_eq!(at(Stage::Data, "354 go"), Verdict::Continue);
        for line in ["250 ok", "355 go", "334 x", "150 x"] {
            assert_eq!(at(Stage::Data, line), close(ConnectionLost), "{line}");
        }
        assert_eq!(at(Stage::Dot, "250 ok"), keep(Sent));
        assert_eq!(at(Stage::Dot, "299 ok"), keep(Sent));
        assert_eq!(at(Stage::Dot, "354 go"), close(InDoubt));
    }

    #[test]
    fn service_closing_is_put_back_anywhere() {
        for stage in [Stage::Mail, Stage::Rcpt, Stage::Data, Stage::Dot] {
            assert_eq!(at(stage, "421 4.3.2 closing"), close(PutBack), "{stage:?}");
        }
    }

    #[test]
    fn refusals_by_stage() {
        for (stage, line, kind) in [
            (Stage::Rcpt, "450 4.7.1 greylisted", TryLater),
            (Stage::Rcpt, "451 later", TryLater),
            (Stage::Rcpt, "499 what", TryLater),
            (Stage::Rcpt, "552 full", TryLater),
            (Stage::Rcpt, "550 5.1.1 unknown", Refused),
            (Stage::Rcpt, "599 what", Refused),
            (Stage::Mail, "550 5.7.1 no", SenderRefused),
            (Stage::Mail, "451 later", SenderRefused),
            (Stage::Mail, "552 5.3.4 too big", Refused),
            (Stage::Mail, "550 5.6.7 no SMTPUTF8", Refused),
            (Stage::Data, "451 later", TryLater),
            (Stage::Data, "554 no", Refused),
            (Stage::Dot, "452 full", TryLater),
            (Stage::Dot, "552 too big", Refused),
            (Stage::Dot, "554 spam", Refused),
        ] {
            assert_eq!(at(stage, line), keep(kind), "{stage:?} {line}");
        }
    }

    #[test]
    fn what_one_recipient_is_told_says_nothing_of_the_server() {
        for (stage, line, expected) in [
            (Stage::Rcpt, "450 4.7.1 <a@b.example>: Recipient address rejected: Rate limit exceeded", true),
            (Stage::Rcpt, "451 Too many recipients for now", true),
            (Stage::Rcpt, "452 4.3.1 Insufficient system storage", true),
            (Stage::Rcpt, "450 4.1.2 <a@b.example>: Domain not found", false),
            (Stage::Rcpt, "452 4.2.2 Mailbox full", false),
            (Stage::Rcpt, "450 4.7.1 Greylisted, come back in 5 minutes", false),
            (Stage::Rcpt, "552 5.2.2 full", false),
            (Stage::Dot, "450 4.2.0 Greylisted", true),
            (Stage::Mail, "451 4.7.1 later", true),
            (Stage::Mail, "550 5.7.1 no", false),
        ] {
            let reply = ReplyParser::default().line(line.as_bytes()).unwrap().unwrap();
            assert_eq!(is_the_servers(stage, &reply), expected, "{stage:?} {line}");
        }
    }

    #[test]
    fn trouble_is_safe_before_the_dot_and_in_doubt_after() {
        for stage in [Stage::Mail, Stage::Rcpt, Stage::Data, Stage::Body] {
            assert_eq!(classify(stage, Event::Trouble), close(ConnectionLost));
        }
        assert_eq!(classify(Stage::Dot, Event::Trouble), close(InDoubt));
    }
}
