//! Notices without a status part: what mail servers write for people. Found by who writes and how it begins; the code,
//! the words and the address are taken from the text before the copy of the letter.

use crate::delivery_status::vague;
use crate::fields::Fields;
use crate::mime::Part;
use crate::{Class, Report, address, classify, one_line, status};

/// Most bytes of a text that are looked at.
const TEXT_MAX: usize = 16 * 1024;
/// Names before the @ under which mail servers write, in lower case.
const SENDERS: [&str; 8] = [
    "mailer-daemon",
    "postmaster",
    "mailerdaemon",
    "mail-daemon",
    "mdaemon",
    "bounce",
    "mailsystem",
    "microsoftexchange",
];
/// What begins the copy of the letter, in lower case.
const COPIES: [&str; 13] = [
    "below this line is a copy",
    "this is a copy of the message",
    "this is a copy of your message",
    "a copy of the message",
    "copy of your message",
    "original message headers",
    "original message follows",
    "----- original message -----",
    "-----original message-----",
    "--- unsent message follows",
    "ursprüngliche nachricht",
    "исходное сообщение",
    "the header of the original",
];
/// What says that the letter has not come to nothing yet, in lower case.
const DELAYS: [&str; 8] = [
    "you do not need to resend",
    "do not need to resend your message",
    "message delayed",
    "delivery delayed",
    "will be retried",
    "will continue to be",
    "this is a warning message only",
    "no action is required on your part",
];
/// How subjects of such notices begin, in lower case.
const SUBJECTS: [&str; 18] = [
    "undelivered mail",
    "undeliverable",
    "undeliverable mail",
    "undelivered",
    "delivery status notification",
    "delivery failure",
    "delivery notification",
    "failure notice",
    "mail delivery failed",
    "mail delivery failure",
    "mail delivery problem",
    "returned mail",
    "unzustellbar",
    "non remis",
    "no se puede entregar",
    "недоставленное",
    "не удалось доставить",
    "系统退信",
];

/// Reads such a notice, if the letter is one.
pub fn read(head: &Fields, parts: &[Part]) -> Option<Report> {
    let listed = head.get("x-failed-recipients");
    let subject = mail_subject(head, parts);
    let by_machine = from_a_machine(head);
    let titled = SUBJECTS.iter().any(|start| subject.starts_with(start));
    if listed.is_none() && !titled && !by_machine {
        return None;
    }
    let text = parts.iter().find(|part| part.inside == 0 && part.is_prose()).map(Part::text)?;
    let gist = gist(&text);
    let lower = gist.to_lowercase();
    let recipient = listed.and_then(|list| list.split(',').find_map(address)).or_else(|| first_address(gist));
    let status = status::find(gist).filter(|status| status.class != 2);
    let status = match (status, status::find_reply(gist)) {
        (None, Some(code)) => Some(vague(code)),
        (status, _) => status,
    };
    let delayed = DELAYS.iter().any(|phrase| lower.contains(phrase));
    let class = if delayed { Class::UnderWay } else { classify(status, gist) };
    // Postmasters also write of other things, and so do people who answer under such a subject.
    if class == Class::Unknown && !titled && listed.is_none() {
        return None;
    }
    Some(Report {
        class,
        recipient,
        status: status.filter(|status| !status.is_vague()),
        diagnostic: one_line(said(gist)),
        message_id: None,
    })
}

fn mail_subject(head: &Fields, parts: &[Part]) -> String {
    parts
        .first()
        .and_then(Part::subject)
        .unwrap_or_else(|| head.get("subject").unwrap_or_default().to_owned())
        .to_lowercase()
}

/// Whether the letter comes from a mail server: with the null sender, or under a name of mail servers.
fn from_a_machine(head: &Fields) -> bool {
    if head.get("return-path").is_some_and(|path| path.trim() == "<>") && head.get("auto-submitted").is_none() {
        return true;
    }
    let from = head.get("from").unwrap_or_default();
    let local = address(from).map_or_else(|| from.to_lowercase(), |from| from.to_lowercase());
    let local = local.split('@').next().unwrap_or_default();
    SENDERS.iter().any(|name| local.starts_with(name))
}

/// The text before the copy of the letter, at most 16 KiB of it.
pub fn gist(text: &str) -> &str {
    let text = &text[..text.floor_char_boundary(TEXT_MAX)];
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let lower = line.to_lowercase();
        let is_copy = COPIES.iter().any(|start| lower.contains(start)) || lower.trim_start().starts_with("received: ");
        if at > 0 && is_copy {
            return &text[..at];
        }
        at += line.len();
    }
    text
}

/// The first address in a text, but for those of mail servers.
fn first_address(text: &str) -> Option<String> {
    let words = text.split(|c: char| {
        c.is_whitespace() || matches!(c, ',' | ';' | '"' | '\'' | '(' | ')' | '[' | ']' | '«' | '»' | '，' | '。')
    });
    words
        .filter(|word| word.contains('@'))
        .filter_map(|word| {
            address(
                word.trim_matches([':', '.', '<', '>', '*'])
                    .trim_start_matches("mailto:")
                    .trim_start_matches("rfc822;"),
            )
        })
        .find(|found| !SENDERS.iter().any(|name| found.to_lowercase().starts_with(name)))
}

/// The lines of a text that tell most: from the one with a code on, or else from the one after the address.
fn said(gist: &str) -> &str {
    let mut at = 0;
    let mut after_address = None;
    for line in gist.split_inclusive('\n') {
        if status::find(line).is_some() || status::find_reply(line).is_some() {
            return &gist[at..];
        }
        at += line.len();
        if after_address.is_none() && first_address(line).is_some() && at < gist.len() {
            after_address = Some(at);
        }
    }
    after_address.map(|at| &gist[at..]).filter(|rest| !rest.trim().is_empty()).unwrap_or(gist)
}
