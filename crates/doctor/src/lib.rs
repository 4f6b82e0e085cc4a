//! Looks at what the DNS says about a domain that sends mail: SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 7489), the
//! mail exchanger of the domain that bounces return to, the names of the addresses that send, and the clock, which
//! signatures depend on. Each finding has a level, a key for its sentence, and where a record is missing or wrong the
//! record to paste.
//!
//! Nothing is changed, and nothing is asked but name servers and one time server. Names are in A-labels (RFC 5890).

mod clock;
mod dkim;
mod dmarc;
pub mod dns;
mod mx;
mod ptr;
mod spf;
mod tags;

pub use clock::{NTP_SERVER, TimeServer};
pub use dns::{Dns, DnsError};

use serde::Serialize;
use std::net::IpAddr;
use std::time::Duration;

/// How long one check may take, all its looks together.
pub const CHECK_WITHIN: Duration = Duration::from_secs(30);

/// How bad a finding is; the worst one decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    Good,
    /// Nothing to do, but worth knowing; or it could not be looked at for a setting that is not there.
    Note,
    /// Some receivers will mind.
    Warning,
    /// Letters will be refused or lost.
    Bad,
}

/// What was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    Spf,
    Dkim,
    Dmarc,
    Mx,
    Ptr,
    Clock,
    /// TLS of the mail server that letters are handed to; looked at by the service.
    Relay,
    /// Whether the public address answers; looked at by the service.
    PublicUrl,
}

impl Check {
    /// The word for it in keys and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spf => "spf",
            Self::Dkim => "dkim",
            Self::Dmarc => "dmarc",
            Self::Mx => "mx",
            Self::Ptr => "ptr",
            Self::Clock => "clock",
            Self::Relay => "relay",
            Self::PublicUrl => "public_url",
        }
    }
}

/// A record as it is pasted at whoever hosts the domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// Without a final dot.
    pub name: String,
    pub kind: &'static str,
    pub value: String,
}

impl Record {
    pub(crate) fn new(name: impl Into<String>, kind: &'static str, value: impl Into<String>) -> Self {
        Self { name: name.into(), kind, value: value.into() }
    }

    /// As a line of a zone file: a TXT value in quoted strings of at most 255 bytes each (RFC 1035 3.3.14).
    #[must_use]
    pub fn zone_line(&self) -> String {
        if self.kind != "TXT" {
            return format!("{}. IN {} {}", self.name, self.kind, self.value);
        }
        let mut strings = Vec::new();
        let mut rest = self.value.as_str();
        loop {
            let end = rest.floor_char_boundary(255);
            strings.push(format!("\"{}\"", rest[..end].replace('\\', "\\\\").replace('"', "\\\"")));
            rest = &rest[end..];
            if rest.is_empty() {
                break;
            }
        }
        format!("{}. IN TXT {}", self.name, strings.join(" "))
    }
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub check: Check,
    pub level: Level,
    /// Says what was found, such as `missing`; unique within its check.
    pub key: &'static str,
    /// What stands in the sentence, by name.
    pub args: Vec<(&'static str, String)>,
    /// What is to be pasted, where something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<Record>,
}

impl Finding {
    /// A finding without anything in its sentence.
    #[must_use]
    pub fn new(check: Check, level: Level, key: &'static str) -> Self {
        Self { check, level, key, args: Vec::new(), record: None }
    }

    /// With a value in its sentence.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.args.push((name, value.to_string()));
        self
    }

    /// With a record to paste.
    #[must_use]
    pub fn paste(mut self, record: Record) -> Self {
        self.record = Some(record);
        self
    }

    /// That a look failed: it says nothing about the domain.
    fn unanswered(check: Check, error: &DnsError) -> Self {
        Self::new(check, Level::Warning, "unanswered").with("cause", error)
    }
}

/// Every key, with its check: each needs its sentences.
pub const KEYS: [(Check, &[&str]); 6] = [
    (
        Check::Spf,
        &["good", "missing", "several", "broken", "many_lookups", "relay_not_named", "no_address", "unanswered"],
    ),
    (Check::Dkim, &["good", "no_key", "missing", "other_key", "revoked", "several", "testing", "unanswered"]),
    (Check::Dmarc, &["good", "none_policy", "missing", "several", "broken", "not_aligned", "unanswered"]),
    (Check::Mx, &["good", "no_domain", "missing", "null", "no_address", "elsewhere", "from_unreachable", "unanswered"]),
    (Check::Ptr, &["good", "missing", "other_address", "no_address", "unanswered"]),
    (Check::Clock, &["good", "off", "unanswered"]),
];

/// The public half of the key that signs letters.
#[derive(Clone, Debug)]
pub struct DkimKey {
    pub selector: String,
    /// `rsa` or `ed25519`.
    pub algorithm: &'static str,
    /// The value of `p=`: base64 (RFC 6376 3.6.1).
    pub public: String,
}

/// How the service sends, as far as the DNS has a say in it.
#[derive(Clone, Debug)]
pub struct Sending {
    /// Domain of the address that letters come from.
    pub from: String,
    /// Where bounces return to (VERP); without one, to `from`.
    pub return_domain: Option<String>,
    /// The mail server that letters are handed to.
    pub relay: Option<String>,
    /// The name under which the service is reached: bounces are to come here.
    pub public_host: Option<String>,
    pub dkim: Option<DkimKey>,
}

impl Sending {
    /// The domain of the envelope's sender, which SPF is asked for.
    fn envelope(&self) -> &str {
        self.return_domain.as_deref().unwrap_or(&self.from)
    }
}

/// Looks at everything, and returns what was found in the order of [`Check`]. The checks run beside each other, and one
/// that takes longer than [`CHECK_WITHIN`] is a finding itself.
pub async fn examine(dns: &Dns, sending: &Sending) -> Vec<Finding> {
    let addresses = tokio::time::timeout(CHECK_WITHIN, senders(dns, sending)).await.unwrap_or_default();
    let of = addresses.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(", ");
    let late = |check| Finding::unanswered(check, &DnsError::Slow);
    let (spf, dkim, dmarc, mx, ptr) = tokio::join!(
        within(late(Check::Spf), async { vec![spf::check(dns, sending, &addresses).await] }),
        within(late(Check::Dkim), async { vec![dkim::check(dns, sending).await] }),
        within(late(Check::Dmarc), async { vec![dmarc::check(dns, sending).await] }),
        within(late(Check::Mx), mx::check(dns, sending)),
        within(late(Check::Ptr).with("address", of), ptr::check(dns, &addresses)),
    );
    [spf, dkim, dmarc, mx, ptr].concat()
}

/// What a check finds, or that it was `late`.
async fn within(late: Finding, check: impl Future<Output = Vec<Finding>>) -> Vec<Finding> {
    tokio::time::timeout(CHECK_WITHIN, check).await.unwrap_or_else(|_| vec![late])
}

/// Compares the clock with a time server's. `now` gives milliseconds since 1970.
pub async fn examine_clock(dns: &Dns, server: &TimeServer, now: impl Fn() -> i64) -> Finding {
    clock::check(dns, server, now).await
}

/// The addresses that letters come from: the relay's, or where that is this machine or in a private network, those of
/// the public host. A provider's relay may send from others that nobody can look up.
async fn senders(dns: &Dns, sending: &Sending) -> Vec<IpAddr> {
    for host in [&sending.relay, &sending.public_host].into_iter().flatten() {
        let addresses = match host.parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => dns.addresses(host).await.unwrap_or_default(),
        };
        let public: Vec<IpAddr> = addresses.into_iter().filter(|address| dns::is_public(*address)).collect();
        if !public.is_empty() {
            return public;
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut_into_strings() {
        let record = Record::new("a.example", "TXT", "x".repeat(300));
        assert_eq!(record.zone_line(), format!("a.example. IN TXT \"{}\" \"{}\"", "x".repeat(255), "x".repeat(45)));
        assert_eq!(Record::new("a", "TXT", "q\"\\").zone_line(), "a. IN TXT \"q\\\"\\\\\"");
        assert_eq!(Record::new("a", "MX", "10 b.").zone_line(), "a. IN MX 10 b.");
    }

    #[test]
    fn the_worst_level_is_the_greatest() {
        assert!(Level::Bad > Level::Warning && Level::Warning > Level::Note && Level::Note > Level::Good);
    }
}
