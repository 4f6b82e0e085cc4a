//! One SMTP session, from the greeting to the last reply (RFC 5321).

use super::Shared;
use super::faults::{Habits, Strike};
use super::letter::{CaughtLetter, message_id};
use super::scenario::{Drip, Stage};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use vestnik_smtp_server::command::{self, Command, Path};
use vestnik_smtp_server::dots::Unstuffer;
use vestnik_smtp_server::wire::{End, Line, Wire};

/// Longest command line in bytes (RFC 5321, section 4.5.3.1.4, with room for extensions).
const COMMAND: usize = 2048;
/// Longest line of an AUTH exchange, in bytes (RFC 4954, section 4).
const AUTH: usize = 12_288;
/// Recipients of one letter (at least 100 by RFC 5321, section 4.5.3.1.8).
const RECIPIENTS: usize = 1000;

/// An envelope in the making.
#[derive(Debug, Default)]
struct Envelope {
    sender: String,
    recipients: Vec<String>,
    utf8: bool,
}

/// What the scenario leaves of a stage.
enum Met {
    /// The command does its work; another text and a slow pen may be asked for.
    Go { text: Option<Arc<[u8]>>, drip: Option<Drip>, drop_after: bool },
    /// The reply has been given in its place, and the command has no effect.
    Replaced,
}

/// The state of a session.
pub(super) struct Session<'a> {
    shared: &'a Shared,
    connection: u64,
    habits: Habits,
    secure: bool,
    greeted: bool,
    /// The greeting was a refusal: only QUIT is still understood (RFC 5321, section 3.1).
    refused: bool,
    authenticated: bool,
    letters: u64,
    envelope: Option<Envelope>,
}

/// Serves a TCP connection to its end.
pub(super) async fn serve(shared: &Shared, stream: TcpStream, connection: u64) {
    let mut session = Session::new(shared, connection);
    let mut wire = Wire::new(stream, shared.idle);
    let end = session.open(&mut wire).await;
    if end != End::StartTls {
        return wire.close(end).await;
    }
    let Some((acceptor, _)) = &shared.tls else { return };
    let Ok(Ok(stream)) = timeout(shared.idle, acceptor.accept(wire.into_inner())).await else { return };
    session.secured();
    let mut wire = Wire::new(stream, shared.idle);
    let end = session.converse(&mut wire).await;
    wire.close(end).await;
}

impl<'a> Session<'a> {
    pub fn new(shared: &'a Shared, connection: u64) -> Self {
        Self {
            shared,
            connection,
            habits: shared.faults.habits(connection),
            secure: false,
            greeted: false,
            refused: false,
            authenticated: false,
            letters: 0,
            envelope: None,
        }
    }

    /// Nothing said before TLS counts any more (RFC 3207, section 4.2).
    fn secured(&mut self) {
        (self.secure, self.greeted, self.authenticated, self.envelope) = (true, false, false, None);
    }

    /// Greets, and goes on until the session or its plain part ends.
    pub async fn open<S: AsyncRead + AsyncWrite + Unpin>(&mut self, wire: &mut Wire<S>) -> End {
        match self.greet(wire).await {
            Ok(()) => self.converse(wire).await,
            Err(end) => end,
        }
    }

    async fn greet<S: AsyncRead + AsyncWrite + Unpin>(&mut self, wire: &mut Wire<S>) -> Result<(), End> {
        let mut met = self.meet(wire, Stage::Connect).await?;
        if matches!(met, Met::Go { text: None, drip: None, .. }) {
            met = self.meet(wire, Stage::Greeting).await?;
        }
        self.refused = !self.say(wire, met, "220 localhost ESMTP Vestnik catches letters").await?;
        Ok(())
    }

    async fn converse<S: AsyncRead + AsyncWrite + Unpin>(&mut self, wire: &mut Wire<S>) -> End {
        loop {
            if let Err(end) = self.step(wire).await {
                return end;
            }
        }
    }

    /// Reads one command and answers it.
    async fn step<S: AsyncRead + AsyncWrite + Unpin>(&mut self, wire: &mut Wire<S>) -> Result<(), End> {
        let line = wire.line(COMMAND).await?;
        let command = match &line {
            Line::Text(line) => command::parse(line),
            Line::TooLong => Err("500 5.5.2 Line too long"),
        };
        if self.habits.close_after.is_some_and(|letters| self.letters >= letters) && command != Ok(Command::Quit) {
            reply(wire, "421 4.7.0 Enough letters on this connection");
            return Err(End::Closing);
        }
        if self.refused && command != Ok(Command::Quit) {
            reply(wire, "503 5.5.1 No service here");
            return Ok(());
        }
        match command {
            Err(refusal) => reply(wire, refusal),
            Ok(Command::Ehlo) => self.hello(wire, true).await?,
            Ok(Command::Helo) => self.hello(wire, false).await?,
            Ok(Command::StartTls) => self.start_tls(wire).await?,
            Ok(Command::Auth { mechanism, initial }) => self.auth(wire, mechanism, initial).await?,
            Ok(Command::Mail(path)) => self.mail(wire, path).await?,
            Ok(Command::Rcpt(recipient)) => self.rcpt(wire, recipient).await?,
            Ok(Command::Data) => self.data(wire).await?,
            Ok(Command::Rset) => {
                self.envelope = None;
                reply(wire, "250 2.0.0 Forgotten");
            }
            Ok(Command::Noop) => reply(wire, "250 2.0.0 Ok"),
            Ok(Command::Vrfy) => reply(wire, "252 2.5.0 Every address is caught"),
            Ok(Command::Quit) => {
                let met = self.meet(wire, Stage::Quit).await?;
                self.say(wire, met, "221 2.0.0 Bye").await?;
                return Err(End::Closing);
            }
        }
        Ok(())
    }

    async fn hello<S>(&mut self, wire: &mut Wire<S>, extended: bool) -> Result<(), End>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let met = self.meet(wire, Stage::Ehlo).await?;
        let mut text = String::from("250 localhost");
        if extended {
            text = String::from("250-localhost\r\n");
            if !self.habits.no_pipelining {
                text.push_str("250-PIPELINING\r\n");
            }
            text.push_str(&format!("250-SIZE {}\r\n", self.shared.max_size));
            text.push_str("250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n");
            if self.offers_tls() {
                text.push_str("250-STARTTLS\r\n");
            }
            text.push_str("250 AUTH PLAIN LOGIN");
        }
        if self.say(wire, met, &text).await? {
            self.greeted = true;
            self.envelope = None;
        }
        Ok(())
    }

    fn offers_tls(&self) -> bool {
        !self.secure && !self.habits.no_starttls && self.shared.tls.is_some()
    }

    async fn start_tls<S: AsyncRead + AsyncWrite + Unpin>(&mut self, wire: &mut Wire<S>) -> Result<(), End> {
        if self.secure {
            reply(wire, "503 5.5.1 TLS is on already");
        } else if !self.offers_tls() {
            reply(wire, "502 5.5.1 No TLS here");
        } else {
            let met = self.meet(wire, Stage::StartTls).await?;
            if self.say(wire, met, "220 2.0.0 Go ahead").await? {
                wire.flush().await?;
                return Err(End::StartTls);
            }
        }
        Ok(())
    }

    async fn auth<S>(&mut self, wire: &mut Wire<S>, mechanism: &str, initial: Option<&str>) -> Result<(), End>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if !self.greeted || self.authenticated || self.envelope.is_some() {
            reply(wire, "503 5.5.1 Not now");
            return Ok(());
        }
        let given = if mechanism.eq_ignore_ascii_case("PLAIN") {
            let text = match initial {
                Some(text) => Some(text.to_string()),
                None => self.challenge(wire, "334 ").await?,
            };
            text.and_then(|text| command::plain(&text))
        } else if mechanism.eq_ignore_ascii_case("LOGIN") {
            let user = match initial {
                Some(text) => Some(text.to_string()),
                None => self.challenge(wire, "334 VXNlcm5hbWU6").await?,
            };
            match user.and_then(|user| command::decode(&user)) {
                Some(user) => {
                    let password = self.challenge(wire, "334 UGFzc3dvcmQ6").await?;
                    password.and_then(|text| command::decode(&text)).map(|password| (user, password))
                }
                None => None,
            }
        } else {
            reply(wire, "504 5.5.4 Mechanism not known");
            return Ok(());
        };
        let Some(given) = given else {
            reply(wire, "501 5.5.2 Authentication cancelled or not understood");
            return Ok(());
        };
        let met = self.meet(wire, Stage::Auth).await?;
        let right = self.shared.credentials.as_ref().is_none_or(|expected| *expected == given);
        if matches!(met, Met::Go { .. }) && !right {
            reply(wire, "535 5.7.8 Wrong user or password");
        } else {
            self.authenticated = self.say(wire, met, "235 2.7.0 Welcome").await?;
        }
        Ok(())
    }

    /// The client's answer; `None` if it gave up, or answered in a way nobody can read.
    async fn challenge<S>(&mut self, wire: &mut Wire<S>, text: &str) -> Result<Option<String>, End>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        reply(wire, text);
        Ok(match wire.line(AUTH).await? {
            Line::Text(line) => String::from_utf8(line).ok(),
            Line::TooLong => None,
        })
    }

    async fn mail<S: AsyncRead + AsyncWrite + Unpin>(&mut self, wire: &mut Wire<S>, path: Path<'_>) -> Result<(), End> {
        if !self.greeted {
            reply(wire, "503 5.5.1 EHLO comes first");
        } else if self.envelope.is_some() {
            reply(wire, "503 5.5.1 MAIL was given already");
        } else if self.shared.credentials.is_some() && !self.authenticated {
            reply(wire, "530 5.7.0 AUTH comes first");
        } else if path.size.is_some_and(|size| size > self.shared.max_size as u64) {
            reply(wire, "552 5.3.4 Letter too large");
        } else {
            let met = self.meet(wire, Stage::Mail).await?;
            if self.say(wire, met, "250 2.1.0 Ok").await? {
                self.envelope = Some(Envelope { sender: path.sender.into(), recipients: Vec::new(), utf8: path.utf8 });
            }
        }
        Ok(())
    }

    async fn rcpt<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        wire: &mut Wire<S>,
        recipient: &str,
    ) -> Result<(), End> {
        let refusal = match &self.envelope {
            None => "503 5.5.1 MAIL comes first",
            Some(envelope) if envelope.recipients.len() >= RECIPIENTS => "452 4.5.3 Too many recipients",
            Some(envelope) if !envelope.utf8 && !recipient.is_ascii() => "553 5.6.7 Address needs SMTPUTF8",
            Some(_) => "",
        };
        if !refusal.is_empty() {
            reply(wire, refusal);
            return Ok(());
        }
        let recipient = recipient.to_string();
        let met = self.meet_for(wire, Stage::Rcpt, std::slice::from_ref(&recipient)).await?;
        if self.say(wire, met, "250 2.1.5 Ok").await?
            && let Some(envelope) = &mut self.envelope
        {
            envelope.recipients.push(recipient);
        }
        Ok(())
    }

    async fn data<S: AsyncRead + AsyncWrite + Unpin>(&mut self, wire: &mut Wire<S>) -> Result<(), End> {
        let recipients = match &self.envelope {
            None => {
                reply(wire, "503 5.5.1 MAIL comes first");
                return Ok(());
            }
            Some(envelope) if envelope.recipients.is_empty() => {
                reply(wire, "554 5.5.1 No valid recipients");
                return Ok(());
            }
            Some(envelope) => &envelope.recipients,
        };
        let met = self.meet_for(wire, Stage::Data, recipients).await?;
        if self.say(wire, met, "354 End with a dot on a line of its own").await? {
            let envelope = self.envelope.take().unwrap_or_default();
            self.body(wire, envelope).await?;
        }
        Ok(())
    }

    async fn body<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        wire: &mut Wire<S>,
        envelope: Envelope,
    ) -> Result<(), End> {
        let (mut dots, mut raw, mut too_large, mut done) = (Unstuffer::default(), Vec::new(), false, false);
        wire.fill().await?;
        if let Met::Replaced = self.meet_for(wire, Stage::Body, &envelope.recipients).await? {
            // In the middle of a body there is no way back into step.
            return Err(End::Closing);
        }
        while !done {
            wire.fill().await?;
            let (used, end) = dots.feed(wire.input(), &mut raw);
            wire.consume(used);
            done = end;
            if too_large || raw.len() > self.shared.max_size {
                too_large = true;
                raw = Vec::new();
            }
        }
        if too_large {
            reply(wire, "552 5.3.4 Letter too large");
            return Ok(());
        }
        let met = self.meet_for(wire, Stage::Dot, &envelope.recipients).await?;
        let Met::Go { drop_after, .. } = met else { return Ok(()) };
        match self.keep(envelope, raw).await {
            Ok(number) if !drop_after => {
                self.say(wire, met, &format!("250 2.0.0 Caught as {number}")).await?;
            }
            Ok(_) => {
                wire.flush().await?;
                return Err(End::Gone);
            }
            Err(refusal) => reply(wire, refusal),
        }
        Ok(())
    }

    /// Hands the letter over. Only after that may the client hear that it was accepted.
    async fn keep(&mut self, envelope: Envelope, raw: Vec<u8>) -> Result<u64, command::Refusal> {
        let shared = self.shared;
        let letter = CaughtLetter {
            at: shared.clock.now(),
            connection: self.connection,
            sender: envelope.sender,
            recipients: envelope.recipients,
            message_id: message_id(&raw),
            raw,
        };
        let room = match &shared.store {
            Some(store) => Some(store.reserve().await.map_err(|_| "451 4.3.0 The store is closed")?),
            None => None,
        };
        if let Some(ledger) = &shared.ledger
            && !ledger.record(&letter).await
        {
            return Err("452 4.3.1 The ledger cannot be written");
        }
        if let Some(room) = room {
            room.send(letter);
        }
        self.letters += 1;
        Ok(shared.accepted.fetch_add(1, Ordering::Relaxed) + 1)
    }

    async fn meet<S: AsyncRead + AsyncWrite + Unpin>(&self, wire: &mut Wire<S>, stage: Stage) -> Result<Met, End> {
        self.meet_for(wire, stage, &[]).await
    }

    /// Does what the scenario has for this stage.
    async fn meet_for<S>(&self, wire: &mut Wire<S>, stage: Stage, recipients: &[String]) -> Result<Met, End>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let trouble = self.shared.faults.at(stage, self.connection, recipients);
        if !trouble.delay.is_zero() {
            wire.pause(trouble.delay).await?;
        }
        let drip = trouble.drip;
        match trouble.strike {
            None => Ok(Met::Go { text: None, drip, drop_after: false }),
            Some(Strike::DropAfter) => Ok(Met::Go { text: None, drip, drop_after: true }),
            // A positive reply lets the command do its work, under other words.
            Some(Strike::Reply(reply)) if stage != Stage::Body && reply.code / 100 == stage.success() / 100 => {
                Ok(Met::Go { text: Some(reply.wire), drip, drop_after: false })
            }
            Some(Strike::Reply(reply)) => {
                write(wire, &reply.wire, drip).await?;
                // 421 announces the closing of the connection (RFC 5321, section 3.8).
                if reply.code == 421 { Err(End::Closing) } else { Ok(Met::Replaced) }
            }
            Some(Strike::Garbage) => {
                wire.garbage();
                Ok(Met::Replaced)
            }
            Some(Strike::Drop) => {
                wire.flush().await?;
                Err(End::Gone)
            }
            Some(Strike::Silence) => Err(wire.silence().await),
            Some(Strike::Endless) => {
                let line = format!("{}-and so on\r\n", stage.success());
                Err(wire.endless(line.as_bytes()).await)
            }
        }
    }

    /// Gives the ordinary reply, or its replacement; false if another one has been given already.
    async fn say<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        wire: &mut Wire<S>,
        met: Met,
        text: &str,
    ) -> Result<bool, End> {
        match met {
            Met::Replaced => return Ok(false),
            Met::Go { text: Some(text), drip, .. } => write(wire, &text, drip).await?,
            Met::Go { text: None, drip: None, .. } => reply(wire, text),
            Met::Go { text: None, drip, .. } => write(wire, format!("{text}\r\n").as_bytes(), drip).await?,
        }
        Ok(true)
    }
}

/// Queues a reply given without its line end.
fn reply<S: AsyncRead + AsyncWrite + Unpin>(wire: &mut Wire<S>, text: &str) {
    wire.push(text.as_bytes());
    wire.push(b"\r\n");
}

async fn write<S>(wire: &mut Wire<S>, text: &[u8], drip: Option<Drip>) -> Result<(), End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match drip {
        Some(drip) => wire.drip(text, drip.bytes, drip.pause).await,
        None => {
            wire.push(text);
            Ok(())
        }
    }
}
