//! A message whose letters have a wanted size.

use crate::domain::lang::Lang;
use crate::server::cli::Failure;
use crate::server::mail::compose::{Composer, Mailbox, RunParts, Which};
use crate::server::mail::delivery_token::DeliveryTokens;
use crate::server::mail::leaving::LeavingParts;
use crate::server::mail::template::Recipient;
use chrono::{DateTime, Utc};

pub const SUBJECT: &str = "News for {{ full_name }}";
const HEAD: &str = "# Dear {{ full_name }},\n\nthis is **the news** for {{ email }} ({{ comment }}).\n";
/// Lines short enough to need no transfer encoding, as people write them.
const LINE: &str = "The quick brown fox jumps over the lazy dog, and it does so again.";
const LINES_OF_A_PARAGRAPH: usize = 6;

/// The shortest message whose letters have at least so many bytes, and how many they have.
pub fn body_of(from: &str, size: usize, now: DateTime<Utc>) -> Result<(String, usize), Failure> {
    let mut body = HEAD.to_owned();
    loop {
        let lacking = match length(from, &body, now)? {
            length if length >= size => return Ok((body, length)),
            length => size - length,
        };
        // Both parts repeat the text.
        for n in 0..(lacking / (2 * LINE.len()) / 2).max(1) {
            body.push_str(if n % LINES_OF_A_PARAGRAPH == 0 { "\n" } else { "" });
            body.push_str(LINE);
            body.push('\n');
        }
    }
}

fn length(from: &str, body: &str, now: DateTime<Utc>) -> Result<usize, Failure> {
    let parts = RunParts {
        from: Mailbox { name: "Bench", address: from },
        reply_to: super::OWNER,
        subject: SUBJECT,
        preheader: "",
        body,
        look: None,
        lang: Lang::En,
        run_id: 1,
        secret: b"no letter of this one leaves",
        dkim: None,
        leaving: LeavingParts {
            tokens: &DeliveryTokens::new(b"no letter of this one leaves", []),
            site: "https://mail.example.org",
            returns: None,
            words: "Unsubscribe",
            owner: 1,
            mailing: 1,
            topic: 0,
        },
    };
    let client = Recipient { email: "client1@example.org", full_name: "Client Number 1", comment: "member 1" };
    Ok(Composer::new(&parts)?.compose(&client, Which { client: 1, delivery: 1 }, now)?.bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_have_the_size_and_not_much_more() {
        for size in [1, 4096, 100_000] {
            let (_, length) = body_of("vestnik@example.org", size, DateTime::UNIX_EPOCH).unwrap();
            assert!(length >= size && length < size.max(2400) + 400, "{size}: {length}");
        }
    }
}
