//! Messages of Amazon SNS: whether they are of the topic that is expected, and signed with a certificate that comes from
//! Amazon's own host over HTTPS.

use crate::server::mail::tls::Trust;
use crate::server::services::https;
use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use url::Url;

/// Largest answer of Amazon's host, in bytes: a certificate has two thousand.
const ANSWER_MAX: u64 = 64 * 1024;
/// Certificates that are kept: Amazon changes them once in months.
const KEPT: usize = 8;
/// Questions to Amazon's host at a time.
const ASKING: usize = 2;
/// How old a message may be: Amazon tries again for an hour at most.
const AGE_MAX: TimeDelta = TimeDelta::hours(2);
/// How far our clocks may be apart.
const AHEAD_MAX: TimeDelta = TimeDelta::minutes(5);

/// The topic whose messages are taken, by its name (ARN).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    arn: String,
    /// The only host from which certificates and confirmations of the topic come.
    host: String,
}

impl Topic {
    /// Reads `arn:aws:sns:eu-west-1:123456789012:name`; none if it is no such name.
    pub fn parse(arn: &str) -> Option<Self> {
        let parts: Vec<&str> = arn.split(':').collect();
        let ["arn", partition, "sns", region, account, name] = parts.as_slice() else { return None };
        let word = |text: &str, also: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c))
        };
        let suffix = match *partition {
            "aws" | "aws-us-gov" => "amazonaws.com",
            "aws-cn" => "amazonaws.com.cn",
            _ => return None,
        };
        let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        if !(word(region, "-") && is_account && word(name, "-_.")) {
            return None;
        }
        Some(Self { arn: arn.to_owned(), host: format!("sns.{region}.{suffix}") })
    }

    /// The address of a certificate. The host also answers questions of everybody's, in words that the asker chooses: nothing
    /// but the files with its own certificates counts.
    fn certificate(&self, text: &str) -> Option<Url> {
        let url = self.address(text)?;
        let name = url.path().strip_prefix("/SimpleNotificationService-")?.strip_suffix(".pem")?;
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_hexdigit());
        (is_name && url.query().is_none() && url.fragment().is_none()).then_some(url)
    }

    /// An address of Amazon's that a message names; none if it is anybody else's.
    fn address(&self, text: &str) -> Option<Url> {
        let url = Url::parse(text).ok()?;
        let plain = url.username().is_empty() && url.password().is_none() && url.port().is_none();
        (url.scheme() == "https" && url.host_str() == Some(self.host.as_str()) && plain).then_some(url)
    }
}

/// A message as it comes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Envelope {
    #[serde(rename = "Type")]
    pub kind: String,
    pub message: String,
    message_id: String,
    timestamp: String,
    topic_arn: String,
    #[serde(default)]
    subject: Option<String>,
    #[serde(default)]
    token: Option<String>,
    #[serde(default, rename = "SubscribeURL")]
    subscribe_url: Option<String>,
    signature_version: String,
    signature: String,
    #[serde(rename = "SigningCertURL", alias = "SigningCertUrl")]
    signing_cert_url: String,
}

impl Envelope {
    /// What is signed: names and values, a line each, in the order of the names.
    fn signed(&self) -> String {
        let confirms = self.kind != "Notification";
        let fields = [
            ("Message", Some(&self.message)),
            ("MessageId", Some(&self.message_id)),
            ("Subject", self.subject.as_ref().filter(|_| !confirms)),
            ("SubscribeURL", self.subscribe_url.as_ref().filter(|_| confirms)),
            ("Timestamp", Some(&self.timestamp)),
            ("Token", self.token.as_ref().filter(|_| confirms)),
            ("TopicArn", Some(&self.topic_arn)),
            ("Type", Some(&self.kind)),
        ];
        fields.into_iter().filter_map(|(name, value)| Some(format!("{name}\n{}\n", value?))).collect()
    }
}

/// Why a message does not count.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("it is of another topic")]
    Topic,
    #[error("it is too old, or from the future")]
    Age,
    #[error("its certificate is not at Amazon's")]
    Address,
    #[error("its signature is wrong")]
    Signature,
    /// It may be good: it is to come again.
    #[error("{0}")]
    Away(String),
}

/// An answer that is on its way.
type Answer<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, Refused>> + Send + 'a>>;

/// Asks Amazon's host; in tests, a test's.
pub trait Fetch: Send + Sync + 'static {
    /// The body behind an https address; [`Refused::Address`] if there is none, [`Refused::Away`] if nobody answers now.
    fn get<'a>(&'a self, url: &'a Url) -> Answer<'a>;
}

/// Over the network.
#[derive(Default)]
struct Network {
    /// The machine's certificates, read once.
    trust: Trust,
}

impl Fetch for Network {
    fn get<'a>(&'a self, url: &'a Url) -> Answer<'a> {
        Box::pin(async move {
            match https::get(url, &self.trust, ANSWER_MAX).await {
                Ok((200, body)) => Ok(body),
                // It is not sent again after a refusal: only what is not there is refused.
                Ok((404 | 410, _)) => Err(Refused::Address),
                Ok((status, _)) => Err(Refused::Away(format!("{url}: HTTP {status}"))),
                Err(error) => Err(Refused::Away(format!("{url}: {error}"))),
            }
        })
    }
}

/// Judges messages. Cheap to clone.
#[derive(Clone)]
pub struct Sns {
    fetch: Arc<dyn Fetch>,
    certificates: Arc<Mutex<HashMap<String, Vec<u8>>>>,
    /// Questions at a time: whoever sends messages with ever new addresses has us ask no more.
    asking: Arc<Semaphore>,
}

impl Default for Sns {
    fn default() -> Self {
        Self::with(Network::default())
    }
}

impl Sns {
    /// One that asks somebody else than the network.
    pub fn with(fetch: impl Fetch) -> Self {
        Self { fetch: Arc::new(fetch), certificates: Arc::default(), asking: Arc::new(Semaphore::new(ASKING)) }
    }

    /// Whether a message is of the topic, lately, and signed by Amazon.
    ///
    /// # Errors
    /// Says why it does not count.
    pub async fn check(&self, topic: &Topic, envelope: &Envelope, now: DateTime<Utc>) -> Result<(), Refused> {
        if envelope.topic_arn != topic.arn {
            return Err(Refused::Topic);
        }
        let at = DateTime::parse_from_rfc3339(&envelope.timestamp).map_err(|_| Refused::Age)?.to_utc();
        if now - at > AGE_MAX || at - now > AHEAD_MAX {
            return Err(Refused::Age);
        }
        let address = topic.certificate(&envelope.signing_cert_url).ok_or(Refused::Address)?;
        let certificate = self.certificate(&address).await?;
        let certificate = CertificateDer::from(certificate);
        let certificate = webpki::EndEntityCert::try_from(&certificate).map_err(|_| Refused::Signature)?;
        let algorithm = match envelope.signature_version.as_str() {
            "1" => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
            "2" => &RSA_PKCS1_2048_8192_SHA256,
            _ => return Err(Refused::Signature),
        };
        let signature = STANDARD.decode(&envelope.signature).map_err(|_| Refused::Signature)?;
        let key = UnparsedPublicKey::new(algorithm, certificate.subject_public_key_info());
        key.verify(envelope.signed().as_bytes(), &signature).map_err(|_| Refused::Signature)
    }

    /// Tells Amazon that the topic's messages are wanted here; the message was found good by [`Sns::check`].
    ///
    /// # Errors
    /// Says why that did not work.
    pub async fn confirm(&self, topic: &Topic, envelope: &Envelope) -> Result<(), Refused> {
        let address = envelope.subscribe_url.as_deref().and_then(|url| topic.address(url)).ok_or(Refused::Address)?;
        self.ask(&address).await.map(drop)
    }

    async fn ask(&self, address: &Url) -> Result<Vec<u8>, Refused> {
        let _asking = self.asking.try_acquire().map_err(|_| Refused::Away("others are being asked for".to_owned()))?;
        self.fetch.get(address).await
    }

    /// The certificate behind an address, in DER.
    async fn certificate(&self, address: &Url) -> Result<Vec<u8>, Refused> {
        let known = || self.certificates.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(der) = known().get(address.as_str()) {
            return Ok(der.clone());
        }
        let pem = self.ask(address).await?;
        let der = CertificateDer::from_pem_slice(&pem)
            .map_err(|error| Refused::Away(format!("{address}: {error}")))?
            .to_vec();
        let mut known = known();
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(address.to_string(), der.clone());
        Ok(der)
    }
}
