//! What a program answers for a reader: a vacation note (RFC 3834), or that the letter was displayed or thrown away
//! (RFC 8098). Neither says anything about the address.

use crate::fields::Fields;
use crate::mime::Part;
use crate::{Class, Report, one_line};

/// Fields of programs from before RFC 3834.
const MARKS: [&str; 6] =
    ["x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply-from", "x-mail-autoreply", "x-vacation"];
/// How subjects of such answers begin, in lower case.
const SUBJECTS: [&str; 11] = [
    "automatic reply",
    "auto reply",
    "autoreply",
    "auto-reply",
    "out of office",
    "out of the office",
    "abwesenheit",
    "automatische antwort",
    "réponse automatique",
    "respuesta automática",
    "автоответ",
];

/// Reads a receipt for reading.
pub fn receipt(parts: &[Part]) -> Option<Report> {
    let is_receipt = |part: &Part| {
        part.inside == 0
            && (part.report_type == "disposition-notification" || part.kind == "message/disposition-notification")
    };
    parts.iter().any(is_receipt).then(|| Report::of(Class::AutoReply))
}

/// Reads an auto-reply by its header.
pub fn read(head: &Fields) -> Option<Report> {
    let submitted = head.get("auto-submitted").is_some_and(|value| {
        let word = value.split([';', ' ', '(']).next().unwrap_or_default();
        !word.is_empty() && !word.eq_ignore_ascii_case("no")
    });
    let precedence = head.get("precedence").is_some_and(|value| {
        matches!(value.to_ascii_lowercase().as_str(), "auto_reply" | "auto-reply" | "bulk" | "junk")
    });
    let marked = MARKS.iter().any(|name| head.get(name).is_some_and(|value| !value.eq_ignore_ascii_case("no")));
    let subject = head.get("subject").unwrap_or_default();
    let named = {
        let subject = subject.to_lowercase();
        SUBJECTS.iter().any(|start| subject.starts_with(start))
    };
    if !(submitted || precedence || marked || named) {
        return None;
    }
    let recipient = head.get("from").and_then(crate::address);
    Some(Report { recipient, diagnostic: one_line(subject), ..Report::of(Class::AutoReply) })
}
