//! Relays: the mail servers that letters are handed to, as pages show them.

use super::delivery::Stage;
use super::version::version;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Longest name of a relay, in characters.
pub const NAME_MAX: usize = 60;
/// Longest host name (RFC 1035), user name and password, in characters.
pub const HOST_MAX: usize = 253;
pub const USER_MAX: usize = 255;
/// Most connections to one relay.
pub const CONNECTIONS_MAX: i64 = 1000;
/// Connections unless somebody says otherwise.
pub const CONNECTIONS: i64 = 20;
/// The id of the relay in VESTNIK_SMTP_URL, or of the built-in mail catcher, which no row has.
pub const FROM_SETTINGS: i64 = 0;

/// How a connection is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsMode {
    /// Never.
    None,
    /// STARTTLS where the server offers it. Once begun it must succeed.
    Offered,
    /// STARTTLS, or no session.
    #[default]
    Required,
    /// TLS from the first byte (RFC 8314).
    Implicit,
}

impl TlsMode {
    pub const ALL: [Self; 4] = [Self::Required, Self::Implicit, Self::Offered, Self::None];

    /// The word in the database, in forms and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Offered => "offered",
            Self::Required => "required",
            Self::Implicit => "implicit",
        }
    }

    /// Reads [`TlsMode::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text)
    }
}

/// What is wrong with a relay, so that it can be said in any language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The host's name has no address.
    Dns,
    /// Nobody listens, or the network gives no way.
    Unreachable,
    Timeout,
    /// The connection was closed or reset.
    Closed,
    /// The server's own words, which are the detail.
    Reply,
    /// What the server said is not SMTP.
    Protocol,
    NoStarttls,
    /// Text in the clear behind the reply to STARTTLS.
    Injected,
    Expired,
    NotYetValid,
    /// The certificate is for another name.
    OtherName,
    /// The certificate names nobody where names count (RFC 9525 6.3: no subjectAltName).
    NoName,
    /// Nobody who is trusted has signed the certificate.
    UnknownIssuer,
    /// Any other failure of the handshake.
    Handshake,
    /// The password is not sent in the clear.
    NotEncrypted,
    /// The server offers no AUTH that we know.
    NoMechanism,
    /// The stored password cannot be read: VESTNIK_SECRET is not the one it was sealed with.
    Sealed,
}

impl Cause {
    pub const ALL: [Self; 17] = [
        Self::Dns,
        Self::Unreachable,
        Self::Timeout,
        Self::Closed,
        Self::Reply,
        Self::Protocol,
        Self::NoStarttls,
        Self::Injected,
        Self::Expired,
        Self::NotYetValid,
        Self::OtherName,
        Self::NoName,
        Self::UnknownIssuer,
        Self::Handshake,
        Self::NotEncrypted,
        Self::NoMechanism,
        Self::Sealed,
    ];

    /// The second half of the locale key `cause.…`, and the word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Closed => "closed",
            Self::Reply => "reply",
            Self::Protocol => "protocol",
            Self::NoStarttls => "no_starttls",
            Self::Injected => "injected",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::OtherName => "other_name",
            Self::NoName => "no_name",
            Self::UnknownIssuer => "unknown_issuer",
            Self::Handshake => "handshake",
            Self::NotEncrypted => "not_encrypted",
            Self::NoMechanism => "no_mechanism",
            Self::Sealed => "sealed",
        }
    }

    /// Whether there is no safe way to speak to the server.
    pub fn is_tls(self) -> bool {
        matches!(
            self,
            Self::NoStarttls
                | Self::Injected
                | Self::Expired
                | Self::NotYetValid
                | Self::OtherName
                | Self::NoName
                | Self::UnknownIssuer
                | Self::Handshake
        )
    }
}

/// Why a relay could not be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    pub stage: Stage,
    pub cause: Cause,
    /// The server's reply with its code, or what the system said; no secret stands in it.
    pub detail: String,
}

impl Fault {
    /// The stage as people call it: whatever is wrong with encryption is TLS, also where a
    /// connection begins with it.
    pub fn stage_word(&self) -> &'static str {
        match self.stage {
            _ if self.cause.is_tls() => "TLS",
            Stage::Starttls => "TLS",
            Stage::Greeting => "SMTP",
            Stage::Ehlo => "EHLO",
            Stage::Auth => "AUTH",
            Stage::Mail => "MAIL",
            Stage::Rcpt => "RCPT",
            Stage::Data | Stage::Body | Stage::Dot => "DATA",
            Stage::Compose | Stage::Connect => "TCP",
        }
    }

    /// The locale key of its sentence, which has the placeholder `detail`.
    pub fn key(&self) -> String {
        format!("cause.{}", self.cause.as_str())
    }
}

/// How a relay is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelayState {
    Ready,
    /// It could not be reached and is left alone for a while.
    Resting,
    /// It refused user and password, or the password cannot be read: somebody must act.
    Paused,
    /// Its limits are used up for now.
    Limited,
    Off,
}

impl RelayState {
    pub const ALL: [Self; 5] = [Self::Ready, Self::Resting, Self::Paused, Self::Limited, Self::Off];

    /// The second half of the locale key `relays.state_…`, and the word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Resting => "resting",
            Self::Paused => "paused",
            Self::Limited => "limited",
            Self::Off => "off",
        }
    }
}

/// What a limit is counted over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    Second,
    Hour,
    Day,
}

impl Span {
    pub const ALL: [Self; 3] = [Self::Second, Self::Hour, Self::Day];

    /// The word in the database and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    pub fn seconds(self) -> i64 {
        match self {
            Self::Second => 1,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }

    /// Reads [`Span::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|span| span.as_str() == text)
    }
}

/// Most letters in any second, hour and day; none is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    pub second: Option<i64>,
    pub hour: Option<i64>,
    pub day: Option<i64>,
}

impl Limits {
    pub fn of(&self, span: Span) -> Option<i64> {
        match span {
            Span::Second => self.second,
            Span::Hour => self.hour,
            Span::Day => self.day,
        }
    }

    /// Whether there is any.
    pub fn any(&self) -> bool {
        Span::ALL.into_iter().any(|span| self.of(span).is_some())
    }
}

/// How much of a limit is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitUse {
    pub span: Span,
    pub used: i64,
    pub limit: i64,
}

/// A relay as its settings say. The password is not among them: it never leaves the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelaySettings {
    /// [`FROM_SETTINGS`] for the one that no page can change.
    pub id: i64,
    pub name: String,
    pub host: String,
    pub port: u16,
    pub tls: TlsMode,
    pub user: String,
    pub has_password: bool,
    /// Most connections at a time.
    pub connections: i64,
    pub limits: Limits,
    /// The smallest goes first.
    pub priority: i64,
    pub enabled: bool,
}

impl RelaySettings {
    /// The state that a form of it was opened on.
    pub fn version(&self) -> String {
        let limits = Span::ALL.map(|span| self.limits.of(span).map(|n| n.to_string()).unwrap_or_default());
        let numbers =
            [i64::from(self.port), self.connections, self.priority, i64::from(self.enabled)].map(|n| n.to_string());
        let texts = [self.name.as_str(), &self.host, self.tls.as_str(), &self.user];
        let parts = texts.into_iter().chain(limits.iter().chain(&numbers).map(String::as_str));
        version(&parts.collect::<Vec<_>>())
    }
}

/// The last trouble with a relay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    pub at: DateTime<Utc>,
    pub fault: Fault,
}

/// A relay at work, in one process or in all together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RelayLive {
    pub state: RelayState,
    /// When it is tried again, if it rests or its limits are used up.
    pub until: Option<DateTime<Utc>>,
    /// Open connections.
    pub open: i64,
    /// Connections that may be open now; grows while all goes well.
    pub allowed: i64,
    /// Letters accepted a second, over the last ten seconds.
    pub rate: f64,
    /// After so many letters on one connection the server closes it, as far as is known.
    pub per_connection: Option<i64>,
    pub trouble: Option<Trouble>,
    pub limits: Vec<LimitUse>,
}

/// A relay on the administrator's page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RelayRow {
    pub settings: RelaySettings,
    pub live: RelayLive,
}

/// The administrator's page, and what it hears live.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RelaysReport {
    pub relays: Vec<RelayRow>,
    /// Letters are caught on this machine, because there is no relay.
    pub catching: bool,
    /// Deliveries of open runs that wait for their turn or for another try.
    pub queue: i64,
    /// Since when the one that waits longest could have been sent.
    pub oldest_due: Option<DateTime<Utc>>,
}

/// Who said a line of an SMTP dialogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    Us,
    Server,
    /// Nobody: from here on the connection is encrypted; the text is the protocol's version.
    Tls,
}

/// A line of an SMTP dialogue, secrets left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub speaker: Speaker,
    pub text: String,
}

/// What came of a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayTest {
    /// `host:port`.
    pub address: String,
    pub dialogue: Vec<Line>,
    /// Why the relay cannot be used; none if it can.
    pub fault: Option<Fault>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for mode in TlsMode::ALL {
            assert_eq!(TlsMode::parse(mode.as_str()), Some(mode));
        }
        for span in Span::ALL {
            assert_eq!(Span::parse(span.as_str()), Some(span));
        }
    }

    #[test]
    fn trouble_with_certificates_is_told_as_tls_wherever_it_came() {
        let fault = |stage, cause| Fault { stage, cause, detail: String::new() }.stage_word();
        assert_eq!(fault(Stage::Connect, Cause::Expired), "TLS");
        assert_eq!(fault(Stage::Starttls, Cause::Reply), "TLS");
        assert_eq!(fault(Stage::Connect, Cause::Dns), "TCP");
        assert_eq!(fault(Stage::Auth, Cause::Reply), "AUTH");
    }
}
