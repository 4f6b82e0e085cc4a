//! One session of the receiver, from the greeting to the last reply.

use crate::command::{self, Command, Path};
use crate::dots::Unstuffer;
use crate::receiver::{Received, Shared};
use crate::wire::{End, Line, Wire};
use std::net::IpAddr;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longest command line in bytes (RFC 5321 4.5.3.1.4, with room for extensions).
const COMMAND: usize = 2048;
/// Recipients of one letter: a report is about one, and each must be kept before it is acknowledged. A sender with more
/// sends the letter again for the others (RFC 5321 4.5.3.1.10).
const RECIPIENTS: usize = 1;
/// Recipients that may be turned away in one session: more, and somebody guesses.
const REFUSED: u32 = 10;
/// Commands that may be wrong or lead to nothing in one session.
const IDLE_TALK: u32 = 50;
/// How many times the largest letter is read and thrown away of one that is too large, before the connection is closed.
const PATIENCE: usize = 4;

#[derive(Debug, Default)]
struct Envelope {
    sender: String,
    recipients: Vec<String>,
}

struct Session<'a> {
    shared: &'a Shared,
    peer: IpAddr,
    secure: bool,
    greeted: bool,
    refused: u32,
    idle_talk: u32,
    envelope: Option<Envelope>,
}

/// Serves a connection to its end. Who is not welcome is told to come later.
pub(crate) async fn serve(shared: &Shared, stream: TcpStream, peer: IpAddr, welcome: bool) {
    let mut wire = Wire::new(stream, shared.config.idle);
    if !welcome {
        wire.push(format!("421 4.7.0 {} Too many connections from your network\r\n", shared.config.host).as_bytes());
        return wire.close(End::Closing).await;
    }
    let mut session = Session { shared, peer, secure: false, greeted: false, refused: 0, idle_talk: 0, envelope: None };
    wire.push(format!("220 {} ESMTP\r\n", shared.config.host).as_bytes());
    let end = session.converse(&mut wire).await;
    if end != End::StartTls {
        return wire.close(end).await;
    }
    let Some(acceptor) = &shared.config.tls else { return };
    let accepted = timeout(shared.config.idle, acceptor.accept(wire.into_inner())).await;
    let Ok(Ok(stream)) = accepted else { return };
    // Nothing said before TLS counts any more (RFC 3207 4.2).
    (session.secure, session.greeted, session.envelope) = (true, false, None);
    let mut wire = Wire::new(stream, shared.config.idle);
    let end = session.converse(&mut wire).await;
    wire.close(end).await;
}

impl Session<'_> {
    async fn converse<S: AsyncRead + AsyncWrite + Unpin>(&mut self, wire: &mut Wire<S>) -> End {
        loop {
            if let Err(end) = self.step(wire).await {
                return end;
            }
        }
    }

    /// Reads one command and answers it.
    async fn step<S: AsyncRead + AsyncWrite + Unpin>(&mut self, wire: &mut Wire<S>) -> Result<(), End> {
        let line = match wire.raw_line(COMMAND).await? {
            Line::TooLong => return self.vain(wire, "500 5.5.2 Line too long"),
            Line::Text(line) => line,
        };
        // Where some see two lines and others one, a letter could hold commands.
        let Some(line) = line.strip_suffix(b"\r\n").filter(|line| !line.contains(&b'\r')) else {
            say(wire, "521 5.5.2 A line must end with CR and LF");
            return Err(End::Closing);
        };
        let command = match command::parse(line) {
            Ok(command) => command,
            Err(refusal) => return self.vain(wire, refusal),
        };
        match command {
            Command::Ehlo => {
                self.hello();
                say(wire, &format!("250-{}", self.shared.config.host));
                for offered in ["PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"] {
                    say(wire, &format!("250-{offered}"));
                }
                if !self.secure && self.shared.config.tls.is_some() {
                    say(wire, "250-STARTTLS");
                }
                say(wire, &format!("250 SIZE {}", self.shared.config.max_size));
            }
            Command::Helo => {
                self.hello();
                say(wire, &format!("250 {}", self.shared.config.host));
            }
            Command::StartTls if self.secure || self.shared.config.tls.is_none() => {
                return self.vain(wire, "502 5.5.1 Not available");
            }
            Command::StartTls => {
                say(wire, "220 2.0.0 Ready to start TLS");
                wire.flush().await?;
                return Err(End::StartTls);
            }
            Command::Quit => {
                say(wire, "221 2.0.0 Closing");
                return Err(End::Closing);
            }
            Command::Noop => return self.vain(wire, "250 2.0.0 OK"),
            Command::Vrfy => return self.vain(wire, "252 2.1.5 Cannot say, try to send"),
            Command::Auth { .. } => return self.vain(wire, "502 5.5.1 There is nothing to log in to"),
            Command::Rset => {
                self.envelope = None;
                return self.vain(wire, "250 2.0.0 OK");
            }
            _ if !self.greeted => return self.vain(wire, "503 5.5.1 EHLO first"),
            Command::Mail(path) => return self.mail(wire, &path),
            Command::Rcpt(address) => return self.rcpt(wire, address),
            Command::Data => return self.data(wire).await,
        }
        Ok(())
    }

    fn hello(&mut self) {
        (self.greeted, self.envelope) = (true, None);
    }

    /// Answers what leads to nothing; whoever says much of it is sent away.
    fn vain<S: AsyncRead + AsyncWrite + Unpin>(&mut self, wire: &mut Wire<S>, reply: &str) -> Result<(), End> {
        say(wire, reply);
        self.idle_talk += 1;
        if self.idle_talk < IDLE_TALK {
            return Ok(());
        }
        say(wire, "421 4.7.0 Too much of that");
        Err(End::Closing)
    }

    fn mail<S: AsyncRead + AsyncWrite + Unpin>(&mut self, wire: &mut Wire<S>, path: &Path<'_>) -> Result<(), End> {
        if self.envelope.is_some() {
            return self.vain(wire, "503 5.5.1 One letter at a time");
        }
        if path.size.is_some_and(|size| size > self.shared.config.max_size as u64) {
            return self.vain(wire, "552 5.3.4 Letter too large");
        }
        self.envelope = Some(Envelope { sender: path.sender.to_owned(), recipients: Vec::new() });
        say(wire, "250 2.1.0 OK");
        Ok(())
    }

    fn rcpt<S: AsyncRead + AsyncWrite + Unpin>(&mut self, wire: &mut Wire<S>, address: &str) -> Result<(), End> {
        let Some(envelope) = &mut self.envelope else { return self.vain(wire, "503 5.5.1 MAIL first") };
        if !self.shared.mailroom.accepts(address) {
            self.shared.count_refused();
            self.refused += 1;
            say(wire, "550 5.1.1 No such address here");
            if self.refused < REFUSED {
                return Ok(());
            }
            say(wire, "421 4.7.0 Too many addresses that are not here");
            return Err(End::Closing);
        }
        if envelope.recipients.len() == RECIPIENTS {
            return self.vain(wire, "452 4.5.3 Too many recipients");
        }
        envelope.recipients.push(address.to_owned());
        say(wire, "250 2.1.5 OK");
        Ok(())
    }

    async fn data<S: AsyncRead + AsyncWrite + Unpin>(&mut self, wire: &mut Wire<S>) -> Result<(), End> {
        match &self.envelope {
            None => return self.vain(wire, "503 5.5.1 MAIL first"),
            Some(envelope) if envelope.recipients.is_empty() => {
                return self.vain(wire, "554 5.5.1 No valid recipients");
            }
            Some(_) => {}
        }
        let place = self.shared.readers.enter(self.peer, self.shared.config.letters_each);
        let (Some(place), Ok(permit)) = (place, self.shared.reading.try_acquire()) else {
            self.envelope = None;
            say(wire, "451 4.3.2 Too busy, try again later");
            return Ok(());
        };
        let Some(envelope) = self.envelope.take() else { return Ok(()) };
        say(wire, "354 End with a dot");
        let Ok(body) = timeout(self.shared.config.letter, self.body(wire)).await else {
            say(wire, "421 4.4.2 Too slow, try again later");
            return Err(End::Closing);
        };
        let raw = match body? {
            Body::Whole(raw) => raw,
            Body::TooLarge => {
                say(wire, "552 5.3.4 Letter too large");
                return Ok(());
            }
        };
        if is_ragged(&raw) {
            say(wire, "550 5.6.0 A line of the letter ends with CR or LF alone");
            return Err(End::Closing);
        }
        let letter = Received { peer: self.peer, sender: envelope.sender, recipients: envelope.recipients, raw };
        let taken = timeout(self.shared.config.idle, self.shared.mailroom.take(letter)).await;
        drop((permit, place));
        say(wire, if let Ok(Ok(())) = taken { "250 2.0.0 Taken" } else { "451 4.3.0 Not now, try again later" });
        Ok(())
    }

    /// Reads a letter to its final dot. One that is far too large ends the connection instead.
    async fn body<S: AsyncRead + AsyncWrite + Unpin>(&self, wire: &mut Wire<S>) -> Result<Body, End> {
        let max = self.shared.config.max_size;
        let (mut raw, mut dots, mut over) = (Vec::new(), Unstuffer::default(), 0);
        loop {
            wire.fill().await?;
            let (used, done) = dots.feed(wire.input(), &mut raw);
            wire.consume(used);
            if over > 0 || raw.len() > max {
                over += raw.len();
                raw = Vec::new();
            }
            if done {
                return Ok(if over > 0 { Body::TooLarge } else { Body::Whole(raw) });
            }
            if over > PATIENCE * max {
                say(wire, "552 5.3.4 Letter too large");
                return Err(End::Closing);
            }
        }
    }
}

enum Body {
    Whole(Vec<u8>),
    TooLarge,
}

/// Whether a line ends with CR or LF alone.
fn is_ragged(raw: &[u8]) -> bool {
    let mut last = 0;
    for &byte in raw {
        if (byte == b'\n') != (last == b'\r') {
            return true;
        }
        last = byte;
    }
    last == b'\r'
}

fn say<S: AsyncRead + AsyncWrite + Unpin>(wire: &mut Wire<S>, reply: &str) {
    wire.push(reply.as_bytes());
    wire.push(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::is_ragged;

    #[test]
    fn line_ends() {
        for raw in [&b"a\r\nb\r\n"[..], b"", b"\r\n", b"a"] {
            assert!(!is_ragged(raw), "{}", raw.escape_ascii());
        }
        for raw in [&b"a\nb\r\n"[..], b"\n", b"a\rb\r\n", b"a\r\r\n", b"a\r"] {
            assert!(is_ragged(raw), "{}", raw.escape_ascii());
        }
    }
}
