//! From a host name to a session that is greeted, encrypted and authenticated.

use super::dialogue::Dialogue;
use super::{Capabilities, Connection, Trouble, exchange, timed_out};
use crate::domain::delivery::Stage;
use crate::domain::relay::{Cause, Fault};
use crate::server::mail::relay::{Credentials, Relay, TlsMode};
use crate::server::mail::reply::Reply;
use crate::server::mail::secrets::Secrets;
use crate::server::mail::timeouts::Timeouts;
use crate::server::mail::wire::{Io, Wire, WireError};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, CertificateError};

/// Why there is no session. None of these charges a delivery a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpErrorKind {
    /// The host's name has no address.
    Dns,
    /// Nobody listens, or the network gives no way.
    Unreachable,
    Timeout,
    /// The connection was closed or reset.
    Closed,
    /// STARTTLS missing or refused, or the handshake failed.
    Tls,
    /// The server refused user and password, or they must not be sent.
    Auth,
    /// A 4xx reply: the server wants no session now.
    Busy,
    /// A 5xx reply: the server wants no session with us.
    Rejected,
    /// What the server said is not SMTP.
    Protocol,
}

/// A session that did not come about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpError {
    pub stage: Stage,
    pub kind: SmtpErrorKind,
    /// The same more exactly, for people.
    pub cause: Cause,
    pub reply: Option<Reply>,
    /// What we saw, in English for the log; never holds a password.
    pub text: String,
}

impl SmtpError {
    fn new(stage: Stage, kind: SmtpErrorKind, cause: Cause, text: impl fmt::Display) -> Self {
        Self { stage, kind, cause, reply: None, text: text.to_string() }
    }

    /// What is wrong, so that it can be said in any language.
    pub fn fault(&self) -> Fault {
        Fault { stage: self.stage, cause: self.cause, detail: self.text.clone() }
    }

    /// From a reply that ends the session; `permanent` is what a 5xx means at this stage.
    fn refused(stage: Stage, permanent: SmtpErrorKind, reply: Reply) -> Self {
        let kind = match reply.code / 100 {
            4 => SmtpErrorKind::Busy,
            5 => permanent,
            _ => SmtpErrorKind::Protocol,
        };
        let text = format!("{} {}", reply.code, reply.text);
        Self { stage, kind, cause: Cause::Reply, text, reply: Some(reply) }
    }

    fn trouble(stage: Stage, limit: Duration, trouble: Trouble) -> Self {
        match trouble {
            Trouble::Timeout => Self::new(stage, SmtpErrorKind::Timeout, Cause::Timeout, timed_out(stage, limit)),
            Trouble::Wire(error @ WireError::Reply(_)) => {
                Self::new(stage, SmtpErrorKind::Protocol, Cause::Protocol, error)
            }
            Trouble::Wire(error) => Self::new(stage, SmtpErrorKind::Closed, Cause::Closed, error),
        }
    }
}

impl fmt::Display for SmtpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.stage.as_str(), self.text)
    }
}

impl std::error::Error for SmtpError {}

impl Connection {
    /// Connects, encrypts as the relay asks, and authenticates.
    ///
    /// # Errors
    /// Says at which stage it failed and what the server said.
    pub async fn open(relay: &Relay, timeouts: &Timeouts) -> Result<Self, SmtpError> {
        Self::open_aloud(relay, timeouts, &mut Dialogue::silent()).await
    }

    /// The same, writing down what is said.
    ///
    /// # Errors
    /// As [`Connection::open`].
    pub async fn open_aloud(relay: &Relay, timeouts: &Timeouts, log: &mut Dialogue) -> Result<Self, SmtpError> {
        let stream = connect(relay, timeouts.connect).await?;
        // Without this, every letter waits for a delayed acknowledgement.
        stream
            .set_nodelay(true)
            .map_err(|error| SmtpError::new(Stage::Connect, SmtpErrorKind::Closed, Cause::Closed, error))?;
        let hello = hello(relay, &stream);
        // A server may have been told by an earlier connection.
        let secrets = Secrets::of(relay.credentials.as_ref());
        log.hide(&secrets);
        if relay.tls == TlsMode::Implicit {
            let stream = encrypt(relay, stream, Stage::Connect, timeouts.connect, log).await?;
            let wire: Wire<Box<dyn Io>> = Wire::new(Box::new(stream), secrets);
            let mut session = Session { wire, timeouts, log };
            session.greeting().await?;
            let capabilities = session.ehlo(&hello).await?;
            return session.finish(relay, capabilities, true).await;
        }
        let mut session = Session { wire: Wire::new(stream, secrets.clone()), timeouts, log };
        session.greeting().await?;
        let capabilities = session.ehlo(&hello).await?;
        let encrypted = match relay.tls {
            TlsMode::Required if !capabilities.starttls => {
                let text = "the server does not offer STARTTLS, which tls=required asks for";
                return Err(SmtpError::new(Stage::Starttls, SmtpErrorKind::Tls, Cause::NoStarttls, text));
            }
            TlsMode::Required => true,
            TlsMode::Offered => capabilities.starttls,
            TlsMode::None | TlsMode::Implicit => false,
        };
        if !encrypted {
            let wire: Wire<Box<dyn Io>> = session.wire.boxed();
            return Session { wire, timeouts, log: session.log }.finish(relay, capabilities, false).await;
        }
        session.starttls().await?;
        let Session { wire, log, .. } = session;
        let stream = encrypt(relay, wire.into_inner(), Stage::Starttls, timeouts.connect, log).await?;
        let wire: Wire<Box<dyn Io>> = Wire::new(Box::new(stream), secrets);
        let mut session = Session { wire, timeouts, log };
        // What was announced in the clear may have been forged (RFC 3207 4.2).
        let capabilities = session.ehlo(&hello).await?;
        session.finish(relay, capabilities, true).await
    }
}

/// A session on its way.
struct Session<'a, S> {
    wire: Wire<S>,
    timeouts: &'a Timeouts,
    log: &'a mut Dialogue,
}

impl<S: Io> Session<'_, S> {
    async fn ask(&mut self, stage: Stage, command: &[u8], limit: Duration) -> Result<Reply, SmtpError> {
        self.log.said(stage, command);
        let reply = exchange(&mut self.wire, command, limit).await;
        let reply = reply.map_err(|trouble| SmtpError::trouble(stage, limit, trouble))?;
        self.log.heard(&reply);
        Ok(reply)
    }

    async fn greeting(&mut self) -> Result<(), SmtpError> {
        let reply = self.ask(Stage::Greeting, b"", self.timeouts.greeting).await?;
        match reply.code {
            220 => Ok(()),
            _ => Err(SmtpError::refused(Stage::Greeting, SmtpErrorKind::Rejected, reply)),
        }
    }

    async fn ehlo(&mut self, hello: &str) -> Result<Capabilities, SmtpError> {
        let limit = self.timeouts.ehlo;
        let reply = self.ask(Stage::Ehlo, format!("EHLO {hello}\r\n").as_bytes(), limit).await?;
        if reply.code == 250 {
            return Ok(Capabilities::read(&reply));
        }
        // RFC 5321 3.2: a server without extensions knows only HELO.
        if matches!(reply.code, 500 | 502 | 504) {
            let reply = self.ask(Stage::Ehlo, format!("HELO {hello}\r\n").as_bytes(), limit).await?;
            if reply.code == 250 {
                return Ok(Capabilities::default());
            }
            return Err(SmtpError::refused(Stage::Ehlo, SmtpErrorKind::Rejected, reply));
        }
        Err(SmtpError::refused(Stage::Ehlo, SmtpErrorKind::Rejected, reply))
    }

    async fn starttls(&mut self) -> Result<(), SmtpError> {
        let reply = self.ask(Stage::Starttls, b"STARTTLS\r\n", self.timeouts.ehlo).await?;
        if reply.code != 220 {
            return Err(SmtpError::refused(Stage::Starttls, SmtpErrorKind::Tls, reply));
        }
        // Text that came in the clear must not pass as the encrypted server's (CVE-2011-0411).
        if self.wire.has_unread() {
            let text = "the server sent plain text after its reply to STARTTLS";
            return Err(SmtpError::new(Stage::Starttls, SmtpErrorKind::Tls, Cause::Injected, text));
        }
        Ok(())
    }
}

impl Session<'_, Box<dyn Io>> {
    async fn finish(
        mut self,
        relay: &Relay,
        capabilities: Capabilities,
        encrypted: bool,
    ) -> Result<Connection, SmtpError> {
        if let Some(credentials) = &relay.credentials {
            if !encrypted && !relay.is_loopback() {
                let text = "the connection is not encrypted, so the password is not sent";
                return Err(SmtpError::new(Stage::Auth, SmtpErrorKind::Auth, Cause::NotEncrypted, text));
            }
            self.auth(credentials, &capabilities).await?;
        }
        Ok(Connection {
            wire: self.wire,
            capabilities,
            timeouts: self.timeouts.clone(),
            encrypted,
            usable: true,
            out: Vec::new(),
            ahead: None,
            refuses_ahead: false,
        })
    }

    async fn auth(&mut self, credentials: &Credentials, capabilities: &Capabilities) -> Result<(), SmtpError> {
        let offers = |name: &str| capabilities.auth.iter().any(|mechanism| mechanism == name);
        let (user, password) = (&credentials.user, credentials.password.expose_secret());
        let plain = || vec![format!("AUTH PLAIN {}\r\n", STANDARD.encode(format!("\0{user}\0{password}")))];
        let line = |text: &str| format!("{}\r\n", STANDARD.encode(text));
        let login = || vec!["AUTH LOGIN\r\n".to_owned(), line(user), line(password)];
        match (offers("PLAIN"), offers("LOGIN")) {
            (true, with_login) => match self.prove(&plain()).await {
                // RFC 4954 4 and 6: it does not know what it has just offered, or finds it too weak.
                Err(error)
                    if with_login
                        && error.reply.as_ref().is_some_and(|reply| matches!(reply.code, 502 | 504 | 534)) =>
                {
                    self.prove(&login()).await
                }
                proven => proven,
            },
            (false, true) => self.prove(&login()).await,
            (false, false) => {
                let text = "the server offers neither AUTH PLAIN nor AUTH LOGIN";
                Err(SmtpError::new(Stage::Auth, SmtpErrorKind::Auth, Cause::NoMechanism, text))
            }
        }
    }

    /// Goes through the steps of one mechanism.
    async fn prove(&mut self, steps: &[String]) -> Result<(), SmtpError> {
        let last = steps.len() - 1;
        for (index, step) in steps.iter().enumerate() {
            let reply = self.ask(Stage::Auth, step.as_bytes(), self.timeouts.ehlo).await?;
            match reply.code {
                235 => return Ok(()),
                334 if index < last => {}
                _ => return Err(SmtpError::refused(Stage::Auth, SmtpErrorKind::Auth, reply)),
            }
        }
        let text = "the server asked for more than there is";
        Err(SmtpError::new(Stage::Auth, SmtpErrorKind::Protocol, Cause::Protocol, text))
    }
}

impl Capabilities {
    fn read(reply: &Reply) -> Self {
        let mut found = Self::default();
        for line in reply.lines.iter().skip(1) {
            // Some servers write AUTH=LOGIN.
            let line = line.to_ascii_uppercase().replace("AUTH=", "AUTH ");
            let mut words = line.split_whitespace();
            match words.next() {
                Some("PIPELINING") => found.pipelining = true,
                Some("8BITMIME") => found.eight_bit_mime = true,
                Some("SMTPUTF8") => found.smtputf8 = true,
                Some("STARTTLS") => found.starttls = true,
                Some("SIZE") => {
                    found.size = true;
                    found.max_size = words.next().and_then(|size| size.parse().ok()).filter(|size| *size > 0);
                }
                Some("AUTH") => found.auth.extend(words.map(str::to_owned)),
                _ => {}
            }
        }
        found
    }
}

async fn connect(relay: &Relay, limit: Duration) -> Result<TcpStream, SmtpError> {
    let fail = |kind, cause, text: String| SmtpError::new(Stage::Connect, kind, cause, text);
    let deadline = Instant::now() + limit;
    let timeout = || fail(SmtpErrorKind::Timeout, Cause::Timeout, timed_out(Stage::Connect, limit));
    let lookup = tokio::net::lookup_host((relay.host.as_str(), relay.port));
    let addresses: Vec<SocketAddr> = match timeout_at(deadline, lookup).await {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(error)) => return Err(fail(SmtpErrorKind::Dns, Cause::Dns, error.to_string())),
        Err(_) => return Err(timeout()),
    };
    let mut last = fail(SmtpErrorKind::Dns, Cause::Dns, "the host's name has no address".to_owned());
    for (index, address) in addresses.iter().enumerate() {
        // The rest of the time is shared, so that a dead address leaves some for the next.
        let left = deadline.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(addresses.len() - index).unwrap_or(1);
        match timeout_at(Instant::now() + share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = fail(SmtpErrorKind::Unreachable, Cause::Unreachable, error.to_string()),
            Err(_) => last = timeout(),
        }
    }
    Err(last)
}

fn hello(relay: &Relay, stream: &TcpStream) -> String {
    match (&relay.hello, stream.local_addr()) {
        (Some(name), _) => name.chars().filter(|c| c.is_ascii_graphic()).collect(),
        (None, Ok(SocketAddr::V4(address))) => format!("[{}]", address.ip()),
        (None, Ok(SocketAddr::V6(address))) => format!("[IPv6:{}]", address.ip()),
        (None, Err(_)) => "localhost".to_owned(),
    }
}

async fn encrypt(
    relay: &Relay,
    stream: TcpStream,
    stage: Stage,
    limit: Duration,
    log: &mut Dialogue,
) -> Result<TlsStream<TcpStream>, SmtpError> {
    let fail = |cause, text: String| SmtpError::new(stage, SmtpErrorKind::Tls, cause, text);
    let connector = relay.trust.connector().map_err(|error| fail(Cause::Handshake, error.to_string()))?;
    let name = ServerName::try_from(relay.host.clone()).map_err(|error| fail(Cause::Handshake, error.to_string()))?;
    match timeout_at(Instant::now() + limit, connector.connect(name, stream)).await {
        Ok(Ok(stream)) => {
            let version = stream.get_ref().1.protocol_version();
            log.encrypted(version.and_then(|version| version.as_str()).unwrap_or("TLS"));
            Ok(stream)
        }
        Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err(fail(Cause::Handshake, "the server closed the connection during the TLS handshake".to_owned()))
        }
        Ok(Err(error)) => Err(fail(cause_of(&error), error.to_string())),
        Err(_) => Err(SmtpError::new(stage, SmtpErrorKind::Timeout, Cause::Timeout, timed_out(stage, limit))),
    }
}

/// What is wrong with a certificate, of the things that people can put right.
fn cause_of(error: &io::Error) -> Cause {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let Some(rustls::Error::InvalidCertificate(error)) = inner else { return Cause::Handshake };
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Cause::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Cause::NotYetValid,
        CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => Cause::NoName,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Cause::OtherName,
        CertificateError::UnknownIssuer => Cause::UnknownIssuer,
        _ => Cause::Handshake,
    }
}
