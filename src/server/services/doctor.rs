//! Whether email from here arrives: the DNS as receivers see it (`vestnik_doctor`), the mail servers, the public address.

pub mod checkups;

use super::https::{self, Trouble};
use super::relays::{self, Keeper, Means};
use super::{Error, Result};
use crate::domain::email::EmailAddress;
use crate::domain::relay::{RelaySettings, RelayTest, TlsMode};
use crate::server::clock::SharedClock;
use crate::server::db::{Db, settings};
use crate::server::mail::address::WireAddress;
use crate::server::mail::dkim::Signer;
use crate::server::mail::relay::Relay;
use crate::server::mail::tls::Trust;
use url::{Host, Url};
use vestnik_doctor::{Check, Dns, Finding, Level, Sending, TimeServer, examine_clock};

/// Most of the public address's answer that is read, in bytes.
const ANSWER_MAX: u64 = 4096;

/// What is examined: the settings that have a say in how email leaves.
pub struct Patient<'a> {
    /// The address that letters come from unless the settings name another.
    pub from: &'a EmailAddress,
    pub return_domain: Option<&'a str>,
    /// The mail server of the settings.
    pub relay: Option<&'a Relay>,
    pub public_url: &'a str,
    pub dkim: Option<&'a Signer>,
    pub means: Means<'a>,
}

/// Looks at everything, at the parts beside each other. Nothing is changed, and no letter is sent. Each part has a deadline,
/// which is a finding where it is missed.
///
/// # Errors
/// Database errors; what cannot be looked at is a finding.
pub async fn examine(
    db: &Db,
    keeper: Keeper<'_>,
    patient: &Patient<'_>,
    dns: &Dns,
    time: &TimeServer,
    clock: &SharedClock,
) -> Result<Vec<Finding>> {
    let url = Url::parse(patient.public_url).map_err(|error| Error::Internal(error.to_string()))?;
    let sender = settings::sender(db, patient.from).await?;
    let from = WireAddress::new(sender.email.as_str()).map_err(|error| Error::Internal(error.to_string()))?;
    let stored: Vec<_> = relays::list(db, keeper).await?.into_iter().filter(|relay| relay.enabled).collect();
    let sending = Sending {
        from: from.domain().to_ascii_lowercase(),
        return_domain: patient.return_domain.map(str::to_owned),
        relay: patient.relay.map(|relay| &relay.host).or(stored.first().map(|relay| &relay.host)).cloned(),
        public_host: url.host_str().filter(|_| !is_local(&url)).map(|host| host.trim_matches(['[', ']']).to_owned()),
        dkim: patient.dkim.map(Signer::public),
    };
    let trust = Trust::default();
    let (mut found, late, relays, public) = tokio::join!(
        vestnik_doctor::examine(dns, &sending),
        examine_clock(dns, time, || clock.now().timestamp_millis()),
        mail_servers(db, keeper, patient, &stored),
        public_address(&url, &trust),
    );
    found.push(late);
    found.extend(relays?);
    found.push(public.with("url", patient.public_url));
    Ok(found)
}

/// The mail servers in their order.
async fn mail_servers(
    db: &Db,
    keeper: Keeper<'_>,
    patient: &Patient<'_>,
    stored: &[RelaySettings],
) -> Result<Vec<Finding>> {
    let given = async {
        match patient.relay {
            Some(given) => Some(relay(given.tls, &relays::test_given(keeper, given).await)),
            None => None,
        }
    };
    let tests =
        stored.iter().map(async |stored| match relays::test_stored(db, keeper, patient.means, stored.id).await {
            Ok(test) => Ok(Some(relay(stored.tls, &test))),
            // Removed meanwhile.
            Err(Error::NotFound) => Ok(None),
            Err(Error::Conflict(_)) => {
                Ok(Some(Finding::new(Check::Relay, Level::Bad, "sealed").with("address", &stored.host)))
            }
            Err(error) => Err(error),
        });
    let (given, tests) = tokio::join!(given, futures::future::try_join_all(tests));
    let found: Vec<Finding> = given.into_iter().chain(tests?.into_iter().flatten()).collect();
    Ok(if found.is_empty() { vec![Finding::new(Check::Relay, Level::Note, "none")] } else { found })
}

fn relay(tls: TlsMode, test: &RelayTest) -> Finding {
    let finding = match &test.fault {
        Some(fault) => {
            let cause = format!("{}: {:?} {}", fault.stage_word(), fault.cause, fault.detail);
            Finding::new(Check::Relay, Level::Bad, "unusable").with("cause", cause.trim())
        }
        // On this machine nobody listens in.
        None if tls == TlsMode::None && !is_local_host(&test.address) => {
            Finding::new(Check::Relay, Level::Warning, "plain")
        }
        None => Finding::new(Check::Relay, Level::Good, "good"),
    };
    finding.with("address", &test.address)
}

fn is_local_host(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost") || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback() || ip.is_unspecified(),
        Some(Host::Ipv6(ip)) => ip.is_loopback() || ip.is_unspecified(),
        None => true,
    }
}

/// Whether the address in letters answers, with a certificate that mail providers take.
async fn public_address(url: &Url, trust: &Trust) -> Finding {
    let find = |level, key| Finding::new(Check::PublicUrl, level, key);
    if is_local(url) {
        return find(Level::Bad, "local");
    }
    if url.scheme() != "https" {
        return find(Level::Bad, "not_https");
    }
    let mut health = url.clone();
    health.set_path("/healthz");
    match https::get(&health, trust, ANSWER_MAX).await {
        Ok((200, _)) => find(Level::Good, "good"),
        Ok((status, _)) => find(Level::Warning, "unreachable").with("cause", format!("HTTP {status}")),
        Err(Trouble::Certificate(cause)) => find(Level::Bad, "certificate").with("cause", cause),
        // Some networks lead nobody inside back to their own outer address.
        Err(Trouble::Other(cause)) => find(Level::Warning, "unreachable").with("cause", cause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::lang::Lang;
    use crate::locales;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::crypto::aws_lc_rs;
    use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

    #[test]
    fn every_finding_has_its_sentences() {
        let ours = [(Check::Relay, &["good", "none", "plain", "sealed", "unusable"][..])];
        let web = [(Check::PublicUrl, &["good", "local", "not_https", "certificate", "unreachable"][..])];
        for (check, keys) in vestnik_doctor::KEYS.iter().chain(&ours).chain(&web) {
            for key in *keys {
                let key = format!("doctor.{}_{key}", check.as_str());
                for lang in [Lang::En, Lang::Ru] {
                    assert!(locales::lookup(lang, &key).is_some(), "{key}");
                }
            }
        }
    }

    /// Answers every request over TLS with a status, under a certificate for `localhost`.
    async fn secure(status: &'static str) -> (u16, Trust) {
        let made = rcgen::generate_simple_self_signed(["example.test".to_owned()]).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(std::sync::Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(std::sync::Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut request = [0; 1024];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        (port, Trust::with_root(made.cert.der().clone()))
    }

    /// The trouble of asking 127.0.0.1 by a name that its certificate has or has not.
    async fn asked(name: &str, port: u16, trust: &Trust) -> std::result::Result<(), Trouble> {
        let url = Url::parse(&format!("https://{name}:{port}")).unwrap();
        https::get(&url, trust, ANSWER_MAX).await.map(drop)
    }

    #[tokio::test]
    async fn a_certificate_of_another_name_is_told_from_no_answer() {
        let (port, trust) = secure("200 OK").await;
        assert!(matches!(asked("127.0.0.1", port, &trust).await, Err(Trouble::Certificate(_))));
        assert!(matches!(asked("127.0.0.1", 1, &trust).await, Err(Trouble::Other(_))));
    }

    #[tokio::test]
    async fn addresses_that_readers_cannot_use() {
        for (url, key) in [
            ("http://127.0.0.1:3000", "local"),
            ("https://localhost", "local"),
            ("http://[::1]", "local"),
            ("http://news.example.org", "not_https"),
        ] {
            let found = public_address(&Url::parse(url).unwrap(), &Trust::default()).await;
            assert_eq!((found.level, found.key), (Level::Bad, key), "{url}");
        }
    }

    #[test]
    fn an_open_line_to_another_machine_is_minded() {
        let test = |address: &str| RelayTest { address: address.into(), dialogue: Vec::new(), fault: None };
        assert_eq!(relay(TlsMode::None, &test("mail.example.org:25")).key, "plain");
        assert_eq!(relay(TlsMode::None, &test("127.0.0.1:25")).key, "good");
        assert_eq!(relay(TlsMode::None, &test("[::1]:25")).key, "good");
        assert_eq!(relay(TlsMode::Required, &test("mail.example.org:25")).key, "good");
    }
}
