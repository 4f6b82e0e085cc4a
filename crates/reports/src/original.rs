//! Which letter it was that came back.

use crate::fields::Fields;
use crate::mime::Part;
use crate::{address, id};

/// Fields of an answer that name what it answers.
const ANSWERED: [&str; 2] = ["in-reply-to", "references"];
/// Fields of a report's own part that name the original.
const REPORTED: [&str; 2] = ["original-message-id", "x-original-message-id"];
/// Parts that have such fields.
const REPORTS: [&str; 4] = [
    "message/delivery-status",
    "message/global-delivery-status",
    "message/disposition-notification",
    "message/feedback-report",
];
/// Most lines of a text that are searched for a copy of the letter.
const LINES_MAX: usize = 20_000;

/// The original's Message-ID: of the letter that is attached, of one that is copied into a text, or as the answer names
/// it.
pub fn message_id(head: &Fields, parts: &[Part]) -> Option<String> {
    let attached = parts
        .iter()
        .filter(|part| part.is_letter())
        .find_map(|part| letter_fields(part).get("message-id").and_then(id));
    let within = || {
        parts.iter().skip(1).filter(|part| part.inside > 0).find_map(|part| part.fields.get("message-id").and_then(id))
    };
    let stated = || {
        let reports = parts.iter().filter(|part| part.inside == 0 && REPORTS.contains(&part.kind.as_str()));
        reports
            .map(|part| Fields::read(&part.bytes()))
            .find_map(|fields| REPORTED.iter().find_map(|name| fields.get(name).and_then(id)))
    };
    let copied = || {
        let texts = parts.iter().filter(|part| part.inside == 0 && part.is_prose());
        texts.map(Part::text).find_map(|text| {
            text.lines().take(LINES_MAX).find_map(|line| {
                let line = line.trim_start_matches(['>', ' ', '\t', '|']);
                let (name, value) = line.split_once(':')?;
                if name.trim().eq_ignore_ascii_case("message-id") { id(value) } else { None }
            })
        })
    };
    let named = || ANSWERED.iter().find_map(|name| head.get(name).and_then(id));
    attached.or_else(within).or_else(stated).or_else(copied).or_else(named)
}

/// The original's recipient, as the attached letter has it.
pub fn recipient(parts: &[Part]) -> Option<String> {
    parts.iter().filter(|part| part.is_letter()).find_map(|part| letter_fields(part).get("to").and_then(address))
}

/// The header of the letter that a part holds.
fn letter_fields(part: &Part) -> Fields {
    let bytes = part.bytes();
    Fields::read(crate::fields::split(&bytes).0)
}
