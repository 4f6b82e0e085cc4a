//! A mail server that letters are handed to, as VESTNIK_SMTP_URL or an administrator names it.

use super::tls::Trust;
use crate::domain::relay::{self, Limits};
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use tokio_rustls::rustls::pki_types::CertificateDer;
use url::Url;

pub use crate::domain::relay::TlsMode;

/// Connections at a time unless `connections=N` says otherwise.
const DEFAULT_CONNECTIONS: usize = relay::CONNECTIONS as usize;
const MAX_CONNECTIONS: usize = relay::CONNECTIONS_MAX as usize;

/// User and password for AUTH.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub user: String,
    pub password: SecretString,
}

/// A mail server. Cloning shares the trusted certificates.
#[derive(Clone, Debug)]
pub struct Relay {
    pub host: String,
    pub port: u16,
    pub tls: TlsMode,
    pub credentials: Option<Credentials>,
    /// The most connections at a time.
    pub connections: usize,
    /// The most letters in any second, hour and day.
    pub limits: Limits,
    /// The name in EHLO; without one, the address literal of our end (RFC 5321 4.1.4).
    pub hello: Option<String>,
    pub(super) trust: Trust,
}

/// Why a text names no mail server. No variant holds a part of the text, which may be the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RelayUrlError {
    #[error("it is not a URL such as smtp://user:password@mail.example.org:587?tls=required ({0})")]
    Url(url::ParseError),
    #[error("it must begin with smtp:// or smtps://")]
    Scheme,
    #[error("it names no host, or one that is not valid")]
    Host,
    #[error("it has a path or a #; special characters of user and password must be percent-encoded")]
    Path,
    #[error("user or password is not percent-encoded UTF-8 or holds a NUL")]
    Credentials,
    #[error("it has a password without a user, or a user without a password")]
    HalfCredentials,
    #[error("it has an option other than tls, connections, second, hour and day")]
    Option,
    #[error("tls must be none, starttls or required; smtps:// knows only required")]
    Tls,
    #[error("connections must be a number from 1 to {MAX_CONNECTIONS}")]
    Connections,
    #[error("second, hour and day must be numbers from 1 on: the most letters in such a time")]
    Limit,
}

impl Relay {
    /// Reads `smtp://` (port 25) or `smtps://` (port 465) with user, password, host, port and
    /// `?tls=none|starttls|required&connections=N&second=N&hour=N&day=N`; for submission write the port,
    /// 587.
    ///
    /// Without `tls`, an `smtp://` connection uses STARTTLS where it is offered, but not to a loopback
    /// host, where it protects nothing and certificates rarely fit. Certificates are always verified.
    ///
    /// # Errors
    /// Says what is wrong without repeating any of it.
    pub fn parse(text: &str) -> Result<Self, RelayUrlError> {
        let url = Url::parse(text.trim()).map_err(RelayUrlError::Url)?;
        let implicit = match url.scheme() {
            "smtp" => false,
            "smtps" => true,
            _ => return Err(RelayUrlError::Scheme),
        };
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(RelayUrlError::Path);
        }
        let host = host(&url)?;
        let mut tls = match (implicit, is_loopback(&host)) {
            (true, _) => TlsMode::Implicit,
            (false, true) => TlsMode::None,
            (false, false) => TlsMode::Offered,
        };
        let mut connections = DEFAULT_CONNECTIONS;
        let mut limits = Limits::default();
        let limit = |text: &str| match text.parse::<i64>() {
            Ok(n) if n > 0 => Ok(Some(n)),
            _ => Err(RelayUrlError::Limit),
        };
        for (name, value) in url.query_pairs() {
            match (&*name, &*value) {
                ("tls", "required") if implicit => {}
                ("tls", _) if implicit => return Err(RelayUrlError::Tls),
                ("tls", "none") => tls = TlsMode::None,
                ("tls", "starttls") => tls = TlsMode::Offered,
                ("tls", "required") => tls = TlsMode::Required,
                ("tls", _) => return Err(RelayUrlError::Tls),
                ("connections", number) => {
                    connections = number
                        .parse()
                        .ok()
                        .filter(|n| (1..=MAX_CONNECTIONS).contains(n))
                        .ok_or(RelayUrlError::Connections)?;
                }
                ("second", number) => limits.second = limit(number)?,
                ("hour", number) => limits.hour = limit(number)?,
                ("day", number) => limits.day = limit(number)?,
                _ => return Err(RelayUrlError::Option),
            }
        }
        let port = url.port().unwrap_or(if implicit { 465 } else { 25 });
        let credentials = credentials(&url)?;
        Ok(Self { host, port, tls, credentials, connections, limits, hello: None, trust: Trust::default() })
    }

    /// A server named in parts, as a form does. The host may be international.
    ///
    /// # Errors
    /// [`RelayUrlError::Host`] or [`RelayUrlError::Credentials`].
    pub fn new(
        host: &str,
        port: u16,
        tls: TlsMode,
        credentials: Option<Credentials>,
        connections: usize,
    ) -> Result<Self, RelayUrlError> {
        let host = match host.trim().trim_start_matches('[').trim_end_matches(']') {
            address if address.parse::<std::net::IpAddr>().is_ok() => address.to_owned(),
            name => name_of(name)?,
        };
        if let Some(Credentials { user, password }) = &credentials
            && (user.contains('\0') || password.expose_secret().contains('\0'))
        {
            return Err(RelayUrlError::Credentials);
        }
        let connections = connections.clamp(1, MAX_CONNECTIONS);
        let (limits, trust) = (Limits::default(), Trust::default());
        Ok(Self { host, port, tls, credentials, connections, limits, hello: None, trust })
    }

    /// The same server with limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same server, greeted under this name of ours, if there is one.
    #[must_use]
    pub fn with_hello(mut self, name: Option<&str>) -> Self {
        self.hello = name.map(str::to_owned);
        self
    }

    /// The same server, with one more certificate to trust, such as a private authority's.
    #[must_use]
    pub fn with_root(mut self, root: CertificateDer<'static>) -> Self {
        self.trust = Trust::with_root(root);
        self
    }

    /// Whether the host is this machine, by name or address.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }
}

impl fmt::Display for Relay {
    /// `host:port`, as attempts record it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

fn host(url: &Url) -> Result<String, RelayUrlError> {
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or(RelayUrlError::Host)?;
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return Ok(address.to_owned());
    }
    name_of(&percent_decode_str(host).decode_utf8().map_err(|_| RelayUrlError::Host)?)
}

/// A host's name as DNS knows it.
fn name_of(host: &str) -> Result<String, RelayUrlError> {
    let host = idna::domain_to_ascii(host).map_err(|_| RelayUrlError::Host)?;
    let valid = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    if host.is_empty() || !host.chars().all(valid) { Err(RelayUrlError::Host) } else { Ok(host) }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn credentials(url: &Url) -> Result<Option<Credentials>, RelayUrlError> {
    let decode = |text: &str| match percent_decode_str(text).decode_utf8() {
        Ok(text) if !text.contains('\0') => Ok(text.into_owned()),
        _ => Err(RelayUrlError::Credentials),
    };
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) | (_, None) => Err(RelayUrlError::HalfCredentials),
        (user, Some(password)) => {
            Ok(Some(Credentials { user: decode(user)?, password: SecretString::from(decode(password)?) }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parts_make_the_same_server() {
        let of = |host: &str| Relay::new(host, 587, TlsMode::Required, None, 5).map(|relay| relay.to_string());
        assert_eq!(of(" почта.рф "), Ok("xn--80a1acny.xn--p1ai:587".to_owned()));
        assert_eq!((of("[::1]"), of("::1")), (Ok("[::1]:587".to_owned()), Ok("[::1]:587".to_owned())));
        for bad in ["", "two words", "a/b", "u:secret@h", "h:25"] {
            assert_eq!(of(bad), Err(RelayUrlError::Host), "{bad}");
        }
        let credentials = Credentials { user: "a".into(), password: "b\0".to_owned().into() };
        let relay = Relay::new("h", 25, TlsMode::None, Some(credentials), 5);
        assert_eq!(relay.map(drop), Err(RelayUrlError::Credentials));
    }

    #[test]
    fn reads_all_parts() {
        let relay =
            Relay::parse("smtp://an%40na:p%3Aa%2Fss@mail.example.org:587?tls=required&connections=7&hour=500").unwrap();
        assert_eq!(relay.limits, Limits { hour: Some(500), ..Limits::default() });
        assert_eq!((relay.host.as_str(), relay.port, relay.connections), ("mail.example.org", 587, 7));
        assert_eq!(relay.tls, TlsMode::Required);
        let credentials = relay.credentials.as_ref().unwrap();
        assert_eq!((credentials.user.as_str(), credentials.password.expose_secret()), ("an@na", "p:a/ss"));
        assert!(!format!("{relay:?}").contains("p:a/ss"));
        assert_eq!(relay.to_string(), "mail.example.org:587");
    }

    #[test]
    fn defaults() {
        let of = |text: &str| Relay::parse(text).map(|relay| (relay.port, relay.tls)).unwrap();
        assert_eq!(of("smtp://mail.example.org"), (25, TlsMode::Offered));
        assert_eq!(of("smtp://127.0.0.1"), (25, TlsMode::None));
        assert_eq!(of("smtp://localhost:2525?tls=starttls"), (2525, TlsMode::Offered));
        assert_eq!(of("smtps://mail.example.org"), (465, TlsMode::Implicit));
        assert_eq!(Relay::parse("smtp://[::1]:2525").unwrap().to_string(), "[::1]:2525");
        assert_eq!(Relay::parse("smtp://почта.рф").unwrap().host, "xn--80a1acny.xn--p1ai");
    }

    #[test]
    fn errors_never_repeat_the_password() {
        use RelayUrlError as E;
        for (text, error) in [
            ("mail.example.org", None),
            ("http://mail.example.org", Some(E::Scheme)),
            ("smtp://", None),
            ("smtp://u:secret@h?tls=maybe", Some(E::Tls)),
            ("smtps://u:secret@h?tls=none", Some(E::Tls)),
            ("smtp://h?connections=0", Some(E::Connections)),
            ("smtp://h?connections=secret", Some(E::Connections)),
            ("smtp://h?second=0", Some(E::Limit)),
            ("smtp://h?day=secret", Some(E::Limit)),
            ("smtp://u:1?secret@h", Some(E::Option)),
            ("smtp://u:1/secret@h", Some(E::Path)),
            ("smtp://u:1#secret@h", Some(E::Path)),
            ("smtp://u:secret/x@h", None),
            ("smtp://u@h", Some(E::HalfCredentials)),
            ("smtp://:secret@h", Some(E::HalfCredentials)),
            ("smtp://u:secret%00@h", Some(E::Credentials)),
            ("smtp://u:secret%ff@h", Some(E::Credentials)),
        ] {
            let got = Relay::parse(text).unwrap_err();
            assert!(error.is_none_or(|error| error == got), "{text}: {got}");
            assert!(!format!("{got} {got:?}").contains("secret"), "{got}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "smtps?://\\PC{0,40}") {
            let _ = Relay::parse(&text);
        }
    }
}
