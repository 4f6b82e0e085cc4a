//! One connection to a mail server: opened, and used for one letter after the other.
//!
//! The protocol (RFC 5321, pipelining as in RFC 2920) is spoken here rather than through lettre's
//! `AsyncSmtpConnection`, which fails on a reply that is not UTF-8, cannot answer a refused RCPT
//! whose DATA was accepted, writes the final dot apart from the body, hides its read buffer (so text
//! injected behind a STARTTLS reply would pass as the encrypted server's), and hands out no stream of
//! ours to encrypt. The engine needs each reply with its stage, and a deadline on each.

mod body;
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

/// How long a polite QUIT may take.
const QUIT_TIMEOUT: Duration = Duration::from_secs(5);

/// A letter as the mail server gets it. `sender` and `recipient` are addresses as [`super::address::WireAddress`] makes
/// them; `bytes` has CRLF line ends and is not dot-stuffed.
#[derive(Clone, Copy, Debug)]
pub struct Parcel<'a> {
    pub sender: &'a str,
    pub recipient: &'a str,
    pub bytes: &'a [u8],
    pub needs_smtputf8: bool,
}

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
    /// The recipient whose envelope went out behind the last letter's dot and is not answered yet.
    ahead: Option<String>,
    /// The server did not take such an envelope.
    refuses_ahead: bool,
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

    /// Whether the envelope of the next letter is out already: the session can do nothing but send it.
    pub fn is_ahead(&self) -> bool {
        self.ahead.is_some()
    }

    /// Whether the server, though it announces PIPELINING, did not take an envelope that came right behind a dot.
    pub fn refuses_ahead(&self) -> bool {
        self.refuses_ahead
    }

    /// Sends one letter.
    ///
    /// With `next`, and where the server allows it, that letter's envelope goes out behind this one's dot (RFC 2920 3.1:
    /// a dot may be followed by the next transaction), which saves a round trip for each letter. [`Connection::is_ahead`]
    /// tells whether it did; then `next` must be the letter that is sent next. If it is answered badly, that letter is
    /// put back untouched.
    ///
    /// `before_dot` runs beside the envelope's round trip, also where there is none because the server could not take the
    /// letter, and is always awaited to its end. No byte of the letter is written before it has returned `Ok`; if it
    /// fails, the connection is dropped and the delivery put back. Once [`OutcomeKind::InDoubt`] is possible, it has
    /// therefore returned.
    pub async fn send<F, E>(&mut self, parcel: Parcel<'_>, next: Option<Parcel<'_>>, before_dot: F) -> Outcome
    where
        F: AsyncFnOnce() -> Result<(), E>,
        E: Display,
    {
        let ahead = self.ahead.take();
        let end = if !self.usable {
            End::new(Stage::Mail, OutcomeKind::ConnectionLost, "the connection is no longer usable")
        } else if ahead.as_ref().is_some_and(|recipient| recipient != parcel.recipient) {
            self.usable = false;
            End::new(Stage::Mail, OutcomeKind::PutBack, "the server waits for another letter")
        } else if let Some(end) = self.unsendable(parcel) {
            // Nothing leaves, whatever it says.
            let _ = before_dot().await;
            end
        } else {
            // Only a transaction that comes to its end makes the session usable again; a dropped
            // future never gets there.
            self.usable = false;
            let end = self.transaction(parcel, ahead.is_some(), next, before_dot).await;
            self.usable = end.keep && (self.ahead.is_some() || !self.wire.has_unread());
            end
        };
        Outcome { stage: end.stage, kind: end.kind, reply: end.reply, note: end.note, connection_usable: self.usable }
    }

    /// Says goodbye and closes. A session that is out of step is closed without a word.
    pub async fn quit(mut self) {
        // A server that waits for a letter would take the word for one.
        if self.usable && self.ahead.is_none() {
            // Nothing depends on the answer.
            let _ = self.command(b"QUIT\r\n", QUIT_TIMEOUT).await;
        }
    }

    /// Drops whatever transaction the server holds; says whether the session is still in step.
    pub async fn reset(&mut self) -> bool {
        if self.usable {
            self.usable = false;
            self.usable = self.ahead.take().is_none() && self.rset().await;
        }
        self.usable
    }

    /// What this server, or any, could not take.
    fn unsendable(&self, parcel: Parcel<'_>) -> Option<End> {
        let Parcel { sender, recipient, bytes: letter, needs_smtputf8 } = parcel;
        let refuse = |stage, note: String| Some(End { keep: true, ..End::new(stage, OutcomeKind::Refused, note) });
        if breaks(sender) || breaks(recipient) || recipient.is_empty() {
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
        parcel: Parcel<'_>,
        ahead: bool,
        next: Option<Parcel<'_>>,
        before_dot: F,
    ) -> End
    where
        F: AsyncFnOnce() -> Result<(), E>,
        E: Display,
    {
        let (envelope, armed) = tokio::join!(self.envelope(parcel, ahead), before_dot());
        if let Some(end) = envelope.end {
            return self.clear(end, envelope.data_open).await;
        }
        if let Err(error) = armed {
            return End::new(Stage::Data, OutcomeKind::PutBack, error);
        }
        self.body(parcel.bytes, next).await
    }

    /// Writes MAIL, RCPT and DATA, and says where RCPT and DATA begin.
    fn commands(&self, out: &mut Vec<u8>, parcel: Parcel<'_>) -> [usize; 2] {
        let Parcel { sender, recipient, bytes: letter, needs_smtputf8 } = parcel;
        let begun = out.len();
        for piece in ["MAIL FROM:<", sender, ">"] {
            out.extend_from_slice(piece.as_bytes());
        }
        if self.capabilities.size {
            out.extend_from_slice(format!(" SIZE={}", letter.len()).as_bytes());
        }
        if !letter.is_ascii() {
            out.extend_from_slice(b" BODY=8BITMIME");
        }
        if needs_smtputf8 || !sender.is_ascii() {
            out.extend_from_slice(b" SMTPUTF8");
        }
        out.extend_from_slice(b"\r\n");
        let rcpt = out.len() - begun;
        for piece in ["RCPT TO:<", recipient, ">\r\n"] {
            out.extend_from_slice(piece.as_bytes());
        }
        let data = out.len() - begun;
        out.extend_from_slice(b"DATA\r\n");
        [rcpt, data]
    }

    /// MAIL, RCPT and DATA: in one write where the server allows it, or not at all where they are out already.
    async fn envelope(&mut self, parcel: Parcel<'_>, ahead: bool) -> Envelope {
        let pipelining = self.capabilities.pipelining;
        let mut together = Vec::new();
        let [rcpt, data] = if ahead { [0, 0] } else { self.commands(&mut together, parcel) };
        let stages = [
            (Stage::Mail, self.timeouts.mail, &together[..rcpt]),
            (Stage::Rcpt, self.timeouts.rcpt, &together[rcpt..data]),
            (Stage::Data, self.timeouts.data, &together[data..]),
        ];
        let mut end: Option<End> = None;
        for (stage, limit, command) in stages {
            let command = match (pipelining, stage) {
                (true, Stage::Mail) => together.as_slice(),
                (true, _) => &[],
                (false, _) => command,
            };
            let (verdict, found) = self.step(stage, command, limit).await;
            if ahead && stage == Stage::Mail && verdict != Verdict::Continue {
                // What it says may be about the place of the command and not about the letter.
                self.refuses_ahead = found.reply.as_ref().is_none_or(|reply| reply.code != 421);
                let end = End { kind: OutcomeKind::PutBack, keep: false, ..found };
                return Envelope { end: Some(end), data_open: false };
            }
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

/// Whether an address holds what would end it, or the command in which it stands.
fn breaks(address: &str) -> bool {
    if address.is_ascii() {
        return address.bytes().any(|b| b <= b' ' || matches!(b, b'<' | b'>' | 0x7f));
    }
    address.contains(|c: char| c.is_control() || c.is_whitespace() || c == '<' || c == '>')
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
    format!("no answer at {} within {}", stage.as_str(), humantime::format_duration(limit))
}
