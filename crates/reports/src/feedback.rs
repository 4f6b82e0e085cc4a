//! Complaints: feedback reports (RFC 5965), and what Outlook.com sends instead of them.

use crate::fields::Fields;
use crate::mime::Part;
use crate::{Class, Report, address, one_line};

/// The field of a letter that Outlook.com attaches to a complaint, with the reader's address in it.
const OUTLOOK: &str = "x-hmxmroriginalrecipient";

/// Reads a complaint, if the letter is one.
pub fn read(head: &Fields, parts: &[Part]) -> Option<Report> {
    let report = parts.iter().find(|part| part.inside == 0 && part.kind == "message/feedback-report");
    if let Some(part) = report {
        let bytes = part.bytes();
        let start = bytes.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(bytes.len());
        return Some(about(&Fields::read(&bytes[start..])));
    }
    let original = parts.iter().find(|part| part.inside > 0 && part.fields.get(OUTLOOK).is_some());
    let original = original.or_else(|| parts.first().filter(|_| head.get(OUTLOOK).is_some()))?;
    let recipient = original.fields.get(OUTLOOK).and_then(address);
    let diagnostic = one_line(head.get("subject").unwrap_or_default());
    Some(Report { class: Class::Complaint, recipient, status: None, diagnostic, message_id: None })
}

fn about(fields: &Fields) -> Report {
    let kind = fields.get("feedback-type").unwrap_or_default().trim().to_ascii_lowercase();
    let class = if kind == "abuse" { Class::Complaint } else { Class::Unknown };
    let recipient = ["original-rcpt-to", "removal-recipient", "original-recipient"];
    let recipient = recipient.iter().find_map(|name| fields.get(name).and_then(address));
    let agent = fields.get("user-agent").unwrap_or_default();
    let diagnostic = one_line(&format!("{kind} {agent}"));
    Report { class, recipient, status: None, diagnostic, message_id: None }
}
