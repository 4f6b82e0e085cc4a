//! A letter as it was caught.

use chrono::{DateTime, Utc};

/// Longest Message-ID that is kept, in bytes: one line (RFC 5322, section 2.1.1).
const ID: usize = 998;

/// A letter that the server has accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaughtLetter {
    /// When its last byte had come.
    pub at: DateTime<Utc>,
    /// Number of the connection, counted from 1.
    pub connection: u64,
    /// Empty for a bounce.
    pub sender: String,
    pub recipients: Vec<String>,
    /// Header and body as they were before the sender doubled leading dots.
    pub raw: Vec<u8>,
    /// With its angle brackets, as it stands in the header.
    pub message_id: Option<String>,
}

/// The Message-ID in the header of a letter.
pub(super) fn message_id(raw: &[u8]) -> Option<String> {
    let name = b"message-id:";
    let mut lines = raw.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let first = lines.by_ref().take_while(|line| !line.is_empty()).find_map(|line| {
        let (start, value) = line.split_at_checked(name.len())?;
        start.eq_ignore_ascii_case(name).then_some(value)
    })?;
    let mut value = first.to_vec();
    for more in lines.take_while(|line| line.starts_with(b" ") || line.starts_with(b"\t")) {
        if value.len() > ID {
            break;
        }
        value.extend_from_slice(more);
    }
    value.truncate(ID);
    let value = String::from_utf8_lossy(&value).trim().to_string();
    (!value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_ids() {
        for (raw, id) in [
            ("Subject: x\r\nMessage-ID: <a@b>\r\n\r\nbody", Some("<a@b>")),
            ("message-id:<a@b>\nSubject: x\n", Some("<a@b>")),
            ("Message-Id:\r\n <a@b>\r\nTo: c\r\n\r\n", Some("<a@b>")),
            ("Subject: x\r\n\r\nMessage-ID: <in@body>\r\n", None),
            ("Message-ID: \r\n\r\n", None),
            ("", None),
        ] {
            assert_eq!(message_id(raw.as_bytes()).as_deref(), id, "{raw}");
        }
        let long = format!("Message-ID: {}\r\n\r\n", "x".repeat(5000));
        assert!(message_id(long.as_bytes()).unwrap().len() <= ID);
    }
}
