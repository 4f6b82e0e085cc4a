//! Delivery status notifications (RFC 3464, and RFC 6533 for international addresses).

use crate::fields::{self, Fields};
use crate::mime::Part;
use crate::{Class, Report, Status, address, classify, one_line, prose, status};

/// Most recipients of one report that are looked at.
const RECIPIENTS_MAX: usize = 100;

/// Reads the status part, if there is one with a recipient in it.
pub fn read(parts: &[Part]) -> Option<Report> {
    let part = parts.iter().find(|part| {
        part.inside == 0 && matches!(part.kind.as_str(), "message/delivery-status" | "message/global-delivery-status")
    })?;
    let bytes = part.bytes();
    let mut recipients = Vec::new();
    let mut rest: &[u8] = &bytes;
    while !rest.is_empty() && recipients.len() < RECIPIENTS_MAX {
        let (block, after) = fields::split(rest);
        rest = after;
        let fields = Fields::read(block);
        // The first block is about the letter; some servers leave the empty line after it out.
        if fields.get("final-recipient").or(fields.get("original-recipient")).or(fields.get("action")).is_some() {
            recipients.push(fields);
        }
    }
    let failed = recipients.iter().find(|fields| action(fields) == "failed");
    let fields = failed.or_else(|| recipients.first())?;
    let prose = parts.iter().find(|part| part.inside == 0 && part.is_prose()).map(Part::text);
    Some(about(fields, prose.as_deref().unwrap_or_default()))
}

fn action(fields: &Fields) -> String {
    // Some servers write a comment behind the word.
    let word = fields.get("action").unwrap_or_default().split([' ', '(', ';']).next();
    word.unwrap_or_default().to_ascii_lowercase()
}

/// What one recipient's fields say; `prose` is what the report tells people, which counts where the fields say nothing.
fn about(fields: &Fields, prose: &str) -> Report {
    let stated = fields.get("status").and_then(status::find);
    let quoted = fields.get("diagnostic-code").unwrap_or_default();
    let quoted = quoted.split_once(';').map_or(quoted, |(_, text)| text);
    let diagnostic = one_line(quoted);
    // The code that the mail server gave is nearer than the reporter's own.
    let said = status::find(&diagnostic).filter(|said| said.class != 2);
    let status = match (stated, said) {
        (Some(stated), Some(said)) if stated.is_vague() || stated.class == said.class && !said.is_vague() => Some(said),
        (stated, said) => stated.or(said),
    };
    let class = match action(fields).as_str() {
        "failed" => failed(status, &diagnostic, prose),
        "delayed" | "delivered" | "relayed" | "expanded" => Class::UnderWay,
        // Not all servers say the action.
        "" if status.is_some_and(|status| status.class == 5) => failed(status, &diagnostic, prose),
        _ => Class::Unknown,
    };
    let recipient = ["original-recipient", "final-recipient", "x-actual-recipient"];
    let recipient = recipient.iter().find_map(|name| fields.get(name).and_then(address));
    let diagnostic = if diagnostic.is_empty() { one_line(prose::gist(prose)) } else { diagnostic };
    Report { class, recipient, status, diagnostic, message_id: None }
}

fn failed(status: Option<Status>, diagnostic: &str, prose: &str) -> Class {
    let bare = status.or_else(|| status::find_reply(diagnostic).map(vague));
    let class = classify(bare, diagnostic);
    // Words for people are less exact than a code, and count only where nothing else says anything.
    if class == Class::Unknown && bare.is_none_or(Status::is_vague) {
        return classify(bare, prose::gist(prose));
    }
    class
}

/// A reply's code without one of RFC 3463.
pub fn vague(code: u16) -> Status {
    Status { class: if code < 500 { 4 } else { 5 }, subject: 0, detail: 0 }
}
