//! One connection to a mail server: opened, and used for one letter after the other.
//!
//! The protocol (RFC 5321, pipelining as in RFC 2920) is spoken here rather than through lettre's
//! `AsyncSmtpConnection`, which fails on a reply that is not UTF-8, cannot answer a refused RCPT
//! whose DATA was accepted, writes the final dot apart from the body, hides its read buffer (so text
//! injected behind a STARTTLS reply would pass as the encrypted server's), and hands out no stream of
//! ours to encrypt. The engine needs each reply with its stage, and a deadline on each.

mod dialogue;
mod open;

use super::classify::{Event, Outcome, OutcomeKind, Verdict, classify};
use super::reply::Reply;
use super::timeouts::Timeouts;
use super::wire::{Io, Wire, WireError};
use crate::domain::delivery::Stage;
use std::fmt::Display;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

pub use dialogue::Dialogue;
pub use open::{SmtpError, SmtpErrorKind};

/// Most bytes under one body deadline. A letter within it goes out in a single write, dot included.
const BLOCK: usize = 64 * 1024;
/// How long a polite QUIT may take.
const QUIT_TIMEOUT: Duration = Duration::from_secs(5);

/// What the server announced in its EHLO reply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    pub pipelining: bool,
    pub eight_bit_mime: bool,
    pub smtputf8: bool,
    pub starttls: bool,
    /// Whether SIZE was announced at all (RFC 1870).
    pub size: bool,
    /// The largest letter in octets, where the server names a limit.
    pub max_size: Option<u64>,
    /// AUTH mechanisms, upper case.
    pub auth: Vec<String>,
}

/// An open session. It is out of use, for good, after any time-out, close or protocol error, and
/// when a future that used it was dropped before its end.
pub struct Connection {
    wire: Wire<Box<dyn Io>>,
    capabilities: Capabilities,
    timeouts: Timeouts,
    encrypted: bool,
    usable: bool,
    out: Vec<u8>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("capabilities", &self.capabilities)
            .field("encrypted", &self.encrypted)
            .field("usable", &self.usable)
            .finish_non_exhaustive()
    }
}

/// An ended transaction: the stage and what it means.
struct End {
    stage: Stage,
    kind: OutcomeKind,
    reply: Option<Reply>,
    note: String,
    keep: bool,
}

impl End {
    fn new(stage: Stage, kind: OutcomeKind, note: impl Display) -> Self {
        Self { stage, kind, reply: None, note: note.to_string(), keep: false }
    }
}

/// What the envelope commands led to.
struct Envelope {
    /// `None` where MAIL and RCPT were taken and DATA got 354.
    end: Option<End>,
    /// Whether the server waits for a body.
    data_open: bool,
}

impl Connection {
    /// What the server announced.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Whether the session is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Whether another letter may be sent.
    pub fn is_usable(&self) -> bool {
        self.usable
    }

    /// Sends one letter. `sender` and `recipient` are addresses as [`super::address::WireAddress`]
    /// makes them; `letter` has CRLF line ends and is not dot-stuffed.
    ///
    /// `before_dot` runs beside the envelope's round trip and is always awaited to its end. No byte
    /// of the letter is written before it has returned `Ok`; if it fails, the connection is dropped
    /// and the delivery put back. Once [`OutcomeKind::InDoubt`] is possible, it has therefore
    /// returned.
    pub async fn send<F, E>(
        &mut self,
        sender: &str,
        recipient: &str,
        letter: &[u8],
        needs_smtputf8: bool,
        before_dot: F,
    ) -> Outcome
    where
        F: AsyncFnOnce() -> Result<(), E>,
        E: Display,
    {
        let end = if !self.usable {
            End::new(Stage::Mail, OutcomeKind::ConnectionLost, "the connection is no longer usable")
        } else if let Some(end) = self.unsendable(sender, recipient, letter, needs_smtputf8) {
            end
        } else {
            // Only a transaction that comes to its end makes the session usable again; a dropped
            // future never gets there.
            self.usable = false;
            let end = self.transaction(sender, recipient, letter, needs_smtputf8, before_dot).await;
            self.usable = end.keep && !self.wire.has_unread();
            end
        };
        Outcome { stage: end.stage, kind: end.kind, reply: end.reply, note: end.note, connection_usable: self.usable }
    }

    /// Says goodbye and closes. A session that is out of step is closed without a word.
    pub async fn quit(mut self) {
        if self.usable {
            // Nothing depends on the answer.
            let _ = self.command(b"QUIT\r\n", QUIT_TIMEOUT).await;
        }
    }

    /// Drops whatever transaction the server holds; says whether the session is still in step.
    pub async fn reset(&mut self) -> bool {
        if self.usable {
            self.usable = false;
            self.usable = self.rset().await;
        }
        self.usable
    }

    /// What this server, or any, could not take.
    fn unsendable(&self, sender: &str, recipient: &str, letter: &[u8], needs_smtputf8: bool) -> Option<End> {
        let refuse = |stage, note: String| Some(End { keep: true, ..End::new(stage, OutcomeKind::Refused, note) });
        let breaks = |c: char| c.is_control() || c.is_whitespace() || c == '<' || c == '>';
        if sender.contains(breaks) || recipient.contains(breaks) || recipient.is_empty() {
            return refuse(Stage::Compose, "an address holds characters that cannot stand in a command".to_owned());
        }
        let wide = needs_smtputf8 || !sender.is_ascii() || !recipient.is_ascii();
        if wide && !self.capabilities.smtputf8 {
            return refuse(Stage::Mail, "the mail server takes no international addresses (SMTPUTF8)".to_owned());
        }
        if !letter.is_ascii() && !self.capabilities.eight_bit_mime {
            return refuse(Stage::Mail, "the mail server takes no 8-bit letters (8BITMIME)".to_owned());
        }
        match self.capabilities.max_size {
            Some(max) if letter.len() as u64 > max => {
                refuse(Stage::Mail, format!("the letter has {} bytes, the mail server takes {max}", letter.len()))
            }
            _ => None,
        }
    }

    async fn transaction<F, E>(
        &mut self,
        sender: &str,
        recipient: &str,
        letter: &[u8],
        needs_smtputf8: bool,
        before_dot: F,
    ) -> End
    where
        F: AsyncFnOnce() -> Result<(), E>,
        E: Display,
    {
        let mail = self.mail_command(sender, letter, needs_smtputf8);
        let rcpt = format!("RCPT TO:<{recipient}>\r\n");
        let (envelope, armed) = tokio::join!(self.envelope(&mail, &rcpt), before_dot());
        if let Some(end) = envelope.end {
            return self.clear(end, envelope.data_open).await;
        }
        if let Err(error) = armed {
            return End::new(Stage::Data, OutcomeKind::PutBack, error);
        }
        self.body(letter).await
    }

    fn mail_command(&self, sender: &str, letter: &[u8], needs_smtputf8: bool) -> String {
        let mut mail = format!("MAIL FROM:<{sender}>");
        if self.capabilities.size {
            mail.push_str(&format!(" SIZE={}", letter.len()));
        }
        if !letter.is_ascii() {
            mail.push_str(" BODY=8BITMIME");
        }
        if needs_smtputf8 || !sender.is_ascii() {
            mail.push_str(" SMTPUTF8");
        }
        mail.push_str("\r\n");
        mail
    }

    /// MAIL, RCPT and DATA: in one write where the server allows it.
    async fn envelope(&mut self, mail: &str, rcpt: &str) -> Envelope {
        let stages = [
            (Stage::Mail, self.timeouts.mail, mail),
            (Stage::Rcpt, self.timeouts.rcpt, rcpt),
            (Stage::Data, self.timeouts.data, "DATA\r\n"),
        ];
        let pipelining = self.capabilities.pipelining;
        let together = [mail, rcpt, "DATA\r\n"].concat();
        let mut end: Option<End> = None;
        for (stage, limit, command) in stages {
            let command = match (pipelining, stage) {
                (true, Stage::Mail) => together.as_bytes(),
                (true, _) => b"",
                (false, _) => command.as_bytes(),
            };
            let (verdict, found) = self.step(stage, command, limit).await;
            match verdict {
                Verdict::Continue if stage == Stage::Data => return Envelope { end, data_open: true },
                Verdict::Continue => {}
                // Out of step: nothing that follows could be trusted.
                Verdict::End { keep: false, .. } => {
                    // A refusal that came first says more than the trouble behind it.
                    let end = end.map_or(found, |first| End { keep: false, ..first });
                    return Envelope { end: Some(end), data_open: false };
                }
                Verdict::End { .. } => {
                    end.get_or_insert(found);
                    if !pipelining {
                        return Envelope { end, data_open: false };
                    }
                }
            }
        }
        Envelope { end, data_open: false }
    }

    /// Leaves a refused transaction. Where DATA was accepted all the same, RFC 2920 3.1 has the
    /// client send the dot alone.
    async fn clear(&mut self, mut end: End, data_open: bool) -> End {
        if end.keep && data_open {
            end.keep = self.command(b".\r\n", self.timeouts.dot).await.is_ok_and(|reply| reply.code != 421);
        }
        end.keep = end.keep && self.rset().await;
        end
    }

    async fn rset(&mut self) -> bool {
        self.command(b"RSET\r\n", self.timeouts.ehlo).await.is_ok_and(|reply| reply.code / 100 == 2)
    }

    /// Writes the letter and the final dot, and reads what the server says to it.
    async fn body(&mut self, letter: &[u8]) -> End {
        let mut out = std::mem::take(&mut self.out);
        out.clear();
        stuff(&mut out, letter);
        for block in out.chunks(BLOCK) {
            let deadline = Instant::now() + self.timeouts.body;
            // A write that fails has not handed all its bytes over, so the end of the dot, which is
            // in the last block, is not out.
            let written = match timeout_at(deadline, self.wire.write(block)).await {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => WireError::Io(error).to_string(),
                Err(_) => timed_out(Stage::Body, self.timeouts.body),
            };
            return End::new(Stage::Body, OutcomeKind::ConnectionLost, written);
        }
        out.shrink_to(BLOCK);
        self.out = out;
        self.step(Stage::Dot, b"", self.timeouts.dot).await.1
    }

    /// Writes a command (or nothing), reads a reply and judges it, all before one deadline.
    async fn step(&mut self, stage: Stage, command: &[u8], limit: Duration) -> (Verdict, End) {
        let (event, reply, note) = match self.command(command, limit).await {
            Ok(reply) => (None, Some(reply), String::new()),
            Err(Trouble::Timeout) => (Some(()), None, timed_out(stage, limit)),
            Err(Trouble::Wire(error)) => (Some(()), None, error.to_string()),
        };
        let verdict = match (&event, &reply) {
            (None, Some(reply)) => classify(stage, Event::Reply(reply)),
            _ => classify(stage, Event::Trouble),
        };
        let (kind, keep) = match verdict {
            Verdict::Continue => (OutcomeKind::Sent, true),
            Verdict::End { kind, keep } => (kind, keep),
        };
        (verdict, End { stage, kind, reply, note, keep })
    }

    async fn command(&mut self, command: &[u8], limit: Duration) -> Result<Reply, Trouble> {
        exchange(&mut self.wire, command, limit).await
    }
}

/// Why there is no reply.
#[derive(Debug)]
enum Trouble {
    Timeout,
    Wire(WireError),
}

/// Writes a command, unless it is empty, and reads one reply, both before one deadline.
async fn exchange<S: Io>(wire: &mut Wire<S>, command: &[u8], limit: Duration) -> Result<Reply, Trouble> {
    let talk = async {
        if !command.is_empty() {
            wire.write(command).await?;
        }
        wire.reply().await
    };
    match timeout_at(Instant::now() + limit, talk).await {
        Ok(result) => result.map_err(Trouble::Wire),
        Err(_) => Err(Trouble::Timeout),
    }
}

fn timed_out(stage: Stage, limit: Duration) -> String {
    format!("no answer at {} within {}", stage.as_str(), super::duration::HumanDuration(limit))
}

/// Doubles dots at line starts (RFC 5321 4.5.2) and adds the final dot.
fn stuff(out: &mut Vec<u8>, letter: &[u8]) {
    out.reserve(letter.len() + letter.len() / 64 + 8);
    for line in letter.split_inclusive(|b| *b == b'\n') {
        if line.first() == Some(&b'.') {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
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
