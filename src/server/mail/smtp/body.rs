//! The letter itself: dot-stuffed, with its final dot, and perhaps the next letter's envelope behind it.

use super::{Connection, End, Parcel, WireError, timed_out};
use crate::domain::delivery::Stage;
use crate::server::mail::classify::OutcomeKind;
use memchr::memmem::find_iter;
use tokio::time::{Instant, timeout_at};

/// Most bytes under one body deadline. A letter within it goes out in a single write, dot included.
const BLOCK: usize = 64 * 1024;

impl Connection {
    /// Writes the letter and the final dot, and reads what the server says to it.
    pub(super) async fn body(&mut self, letter: &[u8], next: Option<Parcel<'_>>) -> End {
        let mut out = std::mem::take(&mut self.out);
        out.clear();
        stuff(&mut out, letter);
        let dot = out.len();
        let next = next.filter(|next| self.capabilities.pipelining && self.unsendable(*next).is_none());
        if let Some(next) = next {
            self.commands(&mut out, next);
        }
        let mut taken = 0;
        for block in out.chunks(BLOCK) {
            let deadline = Instant::now() + self.timeouts.body;
            let written = match timeout_at(deadline, self.wire.write_counted(block, &mut taken)).await {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => WireError::Io(error).to_string(),
                Err(_) => timed_out(Stage::Body, self.timeouts.body),
            };
            // A write that fails has not handed all its bytes over. Where the dot ends them, it is not out.
            return if next.is_some() && taken >= dot {
                End::new(Stage::Dot, OutcomeKind::InDoubt, written)
            } else {
                End::new(Stage::Body, OutcomeKind::ConnectionLost, written)
            };
        }
        out.shrink_to(BLOCK);
        self.out = out;
        self.ahead = next.map(|next| next.recipient.to_owned());
        self.step(Stage::Dot, b"", self.timeouts.dot).await.1
    }
}

/// Doubles dots at line starts (RFC 5321 4.5.2) and adds the final dot.
fn stuff(out: &mut Vec<u8>, letter: &[u8]) {
    out.reserve(letter.len() + letter.len() / 64 + 8);
    let mut start = 0;
    if letter.starts_with(b".") {
        out.push(b'.');
    }
    for at in find_iter(letter, b"\n.") {
        out.extend_from_slice(&letter[start..=at]);
        out.push(b'.');
        start = at + 1;
    }
    out.extend_from_slice(&letter[start..]);
    if !letter.is_empty() && !letter.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_stuffed() {
        for (letter, wire) in [
            (&b"a\r\n"[..], &b"a\r\n.\r\n"[..]),
            (b"a", b"a\r\n.\r\n"),
            (b".\r\n..b\r\nc.\r\n", b"..\r\n...b\r\nc.\r\n.\r\n"),
            (b"", b".\r\n"),
        ] {
            let mut out = Vec::new();
            stuff(&mut out, letter);
            assert_eq!(out, wire);
        }
    }
}
