//! Reads a letter that came back and says what it means for the address it was sent to.
//!
//! Three kinds are read by their standards: delivery status notifications (RFC 3462, RFC 3464, with the codes of
//! RFC 3463), complaints (RFC 5965) and auto-replies (RFC 3834). Many mail servers write none of these but a text for
//! people; [`prose`] finds in it what it can. Whatever is left is [`Class::Unknown`], which a human has to look at.
//!
//! The letter is a stranger's: at most [`LETTER_MAX`] bytes of it are read, into parts that are bounded in number and
//! depth ([`mime`]), and nothing is looked up anywhere.

mod auto_reply;
mod class;
mod delivery_status;
mod feedback;
mod fields;
mod meaning;
mod mime;
mod original;
mod phrases;
mod prose;
mod status;

pub use class::{Class, classify};
pub use meaning::{Meaning, meaning};
pub use status::Status;

/// Most bytes of a letter that are read; a longer one is [`Class::Unknown`].
pub const LETTER_MAX: usize = 512 * 1024;
/// Longest diagnostic text that is kept, in characters.
pub const DIAGNOSTIC_MAX: usize = 1000;
/// Longest address or Message-ID that is kept, in bytes (RFC 5321 4.5.3.1.3 allows 256 for a path).
const NAME_MAX: usize = 320;

/// What a letter that came back says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub class: Class,
    /// The address that the report is about, as the reporting server writes it.
    pub recipient: Option<String>,
    /// The code of RFC 3463, of the report or of the reply that it quotes.
    pub status: Option<Status>,
    /// What the mail server said, in one line of at most [`DIAGNOSTIC_MAX`] characters without control characters; may
    /// be empty.
    pub diagnostic: String,
    /// The Message-ID of the letter that was sent, without its angle brackets.
    pub message_id: Option<String>,
}

impl Report {
    fn of(class: Class) -> Self {
        Self { class, recipient: None, status: None, diagnostic: String::new(), message_id: None }
    }
}

/// Reads a raw letter, with line ends of either kind. Never fails: what cannot be read is [`Class::Unknown`].
#[must_use]
pub fn read(letter: &[u8]) -> Report {
    if letter.len() > LETTER_MAX {
        return Report::of(Class::Unknown);
    }
    let parts = mime::parts(letter);
    let Some(head) = parts.first().map(|part| &part.fields) else { return Report::of(Class::Unknown) };
    let mut report = feedback::read(head, &parts)
        .or_else(|| delivery_status::read(&parts))
        .or_else(|| auto_reply::receipt(&parts))
        .or_else(|| prose::read(head, &parts))
        .or_else(|| auto_reply::read(head))
        .unwrap_or_else(|| Report::of(Class::Unknown));
    if report.message_id.is_none() {
        report.message_id = original::message_id(head, &parts);
    }
    if report.recipient.is_none() && report.class.is_about_a_letter() {
        report.recipient = original::recipient(&parts);
    }
    report
}

/// A text in one line: white space made single, control characters and those that turn a text around left out.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    let mut room = DIAGNOSTIC_MAX;
    for word in text.split_whitespace() {
        let mut shown = word.chars().filter(|c| !c.is_control() && !turns_around(*c)).peekable();
        // A word of control characters alone is none.
        if shown.peek().is_none() {
            continue;
        }
        let space = (!line.is_empty()).then_some(' ');
        for c in space.into_iter().chain(shown) {
            if room == 0 {
                return line;
            }
            line.push(c);
            room -= 1;
        }
    }
    line
}

/// Marks of direction (Unicode's Bidi_Control), by which a text shows as another one.
fn turns_around(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// An address out of a field such as `rfc822; <a@example.org>`; `None` if there is none.
fn address(value: &str) -> Option<String> {
    let value = value.split_once(';').map_or(value, |(_, address)| address).trim();
    let value = match (value.rfind('<'), value.rfind('>')) {
        (Some(start), Some(end)) if start < end => &value[start + 1..end],
        _ => value,
    };
    let value = value.trim().trim_matches(['"', '\'']);
    let (local, domain) = value.rsplit_once('@')?;
    let fits = !local.is_empty()
        && domain.contains(|c: char| c.is_alphanumeric())
        && value.len() <= NAME_MAX
        && !value.contains(|c: char| {
            c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | ',' | ';') || turns_around(c)
        });
    fits.then(|| value.to_owned())
}

/// The id between the first pair of angle brackets of a field's value.
fn id(value: &str) -> Option<String> {
    let start = value.find('<')? + 1;
    let id = value[start..].split_once('>')?.0.trim();
    let fits = id.contains('@') && id.len() <= NAME_MAX && !id.contains(|c: char| c.is_whitespace() || c.is_control());
    fits.then(|| id.to_owned())
}
