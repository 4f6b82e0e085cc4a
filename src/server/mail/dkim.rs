//! DKIM signatures (RFC 6376): relaxed canonicalisation of header and body, with RSA (RFC 8301) or Ed25519
//! keys (RFC 8463).

mod canonical;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::LazyLock;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use vestnik_doctor::DkimKey;

/// What is signed. Those that somebody could add to mislead a reader stand once more than they occur, so that
/// an added one breaks the signature (RFC 6376 8.15).
const FIELDS: [&str; 21] = [
    "from",
    "from",
    "reply-to",
    "reply-to",
    "to",
    "to",
    "subject",
    "subject",
    "date",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "content-type",
    "content-transfer-encoding",
    // RFC 8058 4: mail programs believe them only where they are signed.
    "list-unsubscribe",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "list-unsubscribe-post",
    "list-id",
    "feedback-id",
];
/// Columns of a line of the signature.
const LINE: usize = 72;

/// [`FIELDS`] as `h=` has them.
static NAMES: LazyLock<String> = LazyLock::new(|| canonical::list(&FIELDS, LINE));

/// A key with the name under which receivers find its public half.
pub struct Signer {
    domain: String,
    selector: String,
    key: Key,
    random: SystemRandom,
}

enum Key {
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("{path}: not a PEM file with a private key ({cause})")]
    Unreadable { path: String, cause: String },
    #[error("{0}: the key must be RSA with 2048 to 4096 bits, or Ed25519")]
    Kind(String),
    #[error("{0:?} cannot be a selector: letters, digits, - and . make one")]
    Selector(String),
}

impl Signer {
    /// Reads a private key in PEM (PKCS#8 or PKCS#1). Its public half is expected in the DNS at
    /// `selector._domainkey.domain`; `domain` is in A-labels.
    ///
    /// # Errors
    /// Names the file or the selector, and what is wrong with it.
    pub fn load(path: &Path, selector: &str, domain: &str) -> Result<Self, KeyError> {
        let shown = path.display().to_string();
        // RFC 6376 3.1: sub-domains, divided by dots.
        let label = |label: &str| {
            !label.is_empty()
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if !selector.split('.').all(label) {
            return Err(KeyError::Selector(selector.to_owned()));
        }
        let unreadable = |cause: String| KeyError::Unreadable { path: shown.clone(), cause };
        let der = PrivateKeyDer::from_pem_file(path).map_err(|error| unreadable(error.to_string()))?;
        let key = match &der {
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()).ok().map(Key::Rsa),
            PrivateKeyDer::Pkcs8(der) => {
                let der = der.secret_pkcs8_der();
                let rsa = RsaKeyPair::from_pkcs8(der).ok().map(Key::Rsa);
                // OpenSSL writes Ed25519 keys without their public half.
                rsa.or_else(|| Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok().map(Key::Ed25519))
            }
            _ => None,
        };
        let key = key.ok_or(KeyError::Kind(shown))?;
        Ok(Self { domain: domain.to_owned(), selector: selector.to_owned(), key, random: SystemRandom::new() })
    }

    /// The public half, as the DNS is to have it (RFC 6376 3.6.1, RFC 8463 4.2).
    pub fn public(&self) -> DkimKey {
        let (algorithm, public) = match &self.key {
            Key::Rsa(key) => {
                let der: Option<PublicKeyX509Der<'_>> = key.public_key().as_der().ok();
                ("rsa", der.map(|der| der.as_ref().to_vec()).unwrap_or_default())
            }
            Key::Ed25519(key) => ("ed25519", key.public_key().as_ref().to_vec()),
        };
        DkimKey { selector: self.selector.clone(), algorithm, public: STANDARD.encode(public) }
    }

    /// The header line for a whole letter with CRLF line ends, to be put before it. `None` if the letter has no
    /// header or the system gives no randomness.
    pub fn sign(&self, letter: &[u8], at: DateTime<Utc>) -> Option<Vec<u8>> {
        let end = letter.windows(4).position(|four| four == b"\r\n\r\n")? + 2;
        let (header, body) = (&letter[..end], &letter[end + 2..]);
        let mut signed = canonical::fields(header, &FIELDS);
        let algorithm = match &self.key {
            Key::Rsa(_) => "rsa-sha256",
            Key::Ed25519(_) => "ed25519-sha256",
        };
        let mut line = format!(
            "DKIM-Signature: v=1; a={algorithm}; c=relaxed/relaxed; d={};\r\n s={}; t={};\r\n h={};\r\n bh={};\r\n b=",
            self.domain,
            self.selector,
            at.timestamp(),
            *NAMES,
            STANDARD.encode(canonical::body_hash(body)),
        )
        .into_bytes();
        // RFC 6376 3.7: the signature's own field comes last, without its value and its line end.
        canonical::field(&mut signed, &line);
        signed.truncate(signed.len() - 2);
        let signature = match &self.key {
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &self.random, &signed, &mut signature).ok()?;
                signature
            }
            Key::Ed25519(key) => key.sign(&Sha256::digest(&signed)).as_ref().to_vec(),
        };
        for (n, piece) in STANDARD.encode(signature).as_bytes().chunks(LINE).enumerate() {
            if n > 0 {
                line.extend_from_slice(b"\r\n ");
            }
            line.extend_from_slice(piece);
        }
        line.extend_from_slice(b"\r\n");
        Some(line)
    }

    /// The letter with its signature. One that cannot be signed leaves as it is: receivers take it as they
    /// take any letter without a signature.
    pub fn signed(&self, letter: Vec<u8>, at: DateTime<Utc>) -> Vec<u8> {
        match self.sign(&letter, at) {
            Some(mut signed) => {
                signed.extend_from_slice(&letter);
                signed
            }
            None => letter,
        }
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("domain", &self.domain).field("selector", &self.selector).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
    use chrono::TimeZone;

    #[test]
    fn the_public_half_is_as_the_dns_has_it() {
        let public = signer().public();
        assert_eq!((public.selector.as_str(), public.algorithm, public.public.len()), ("s1.mail", "ed25519", 44));
        // Of 2048 bits: 270 bytes of key (RFC 8017), and what is around it (RFC 5280 4.1.2.7).
        let key = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let raw = key.public_key().as_ref().to_vec();
        let signer = Signer { key: Key::Rsa(key), ..signer() };
        let info = STANDARD.decode(signer.public().public).unwrap();
        assert_eq!(info[..4], [0x30, 0x82, 1, 34]);
        assert_eq!(info[19..24], [3, 0x82, 1, 15, 0]);
        assert_eq!((info.len(), &info[24..]), (294, &raw[..]));
    }

    const LETTER: &str = "From: Anna <a@example.org>\r\nTo: b@example.net\r\nSubject: One\r\n two\r\n\
        Date: Mon, 9 Mar 2026 04:05:06 +0000\r\nMessage-ID: <1@example.org>\r\nMIME-Version: 1.0\r\n\
        Content-Type: text/plain\r\n\r\nHello  there \r\n\r\n";

    fn pem(kind: &str, der: &[u8]) -> String {
        format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", STANDARD.encode(der))
    }

    fn load(text: &str, selector: &str) -> Result<Signer, KeyError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        std::fs::write(&path, text).unwrap();
        Signer::load(&path, selector, "example.org")
    }

    fn signer() -> Signer {
        let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        load(&pem("PRIVATE KEY", der.as_ref()), "s1.mail").unwrap()
    }

    fn tag<'a>(line: &'a str, name: &str) -> &'a str {
        let value = line.split_once(&format!(" {name}=")).unwrap().1;
        value.split(';').next().unwrap()
    }

    /// As a receiver with this key would judge.
    fn holds(signer: &Signer, signed: &str) -> bool {
        let (line, letter) = signed.split_at(signed.find("From: ").unwrap());
        let (header, body) = letter.split_once("\r\n\r\n").unwrap();
        let names: Vec<&str> = tag(line, "h").split(':').map(str::trim).collect();
        let mut canonical = canonical::fields(format!("{header}\r\n").as_bytes(), &names);
        let (unsigned, signature) = line.split_at(line.find(" b=").unwrap() + 3);
        canonical::field(&mut canonical, unsigned.as_bytes());
        canonical.truncate(canonical.len() - 2);
        let Key::Ed25519(key) = &signer.key else { panic!("an Ed25519 key") };
        let signature: String = signature.split_whitespace().collect();
        let public = UnparsedPublicKey::new(&ED25519, key.public_key().as_ref());
        tag(line, "bh") == STANDARD.encode(canonical::body_hash(body.as_bytes()))
            && public.verify(&Sha256::digest(&canonical), &STANDARD.decode(signature).unwrap()).is_ok()
    }

    fn signed(signer: &Signer) -> String {
        let at = Utc.timestamp_opt(1_800_000_000, 0).unwrap();
        String::from_utf8(signer.signed(LETTER.as_bytes().to_vec(), at)).unwrap()
    }

    #[test]
    fn the_signature_names_key_and_time_in_short_lines() {
        let signed = signed(&signer());
        assert!(signed.ends_with(LETTER), "the letter itself is as it was");
        let line = &signed[..signed.len() - LETTER.len()];
        assert_eq!((tag(line, "d"), tag(line, "s"), tag(line, "t")), ("example.org", "s1.mail", "1800000000"));
        assert!(line.split("\r\n").all(|line| line.len() <= 170), "{line}");
        assert!(line.split("\r\n").skip(1).all(|line| line.len() <= 78), "{line}");
    }

    #[test]
    fn what_is_changed_or_added_breaks_it() {
        let signer = signer();
        let signed = signed(&signer);
        assert!(holds(&signer, &signed));
        assert!(holds(&signer, &signed.replace("Hello  there ", "Hello \t there")), "white space may change");
        for (from, to) in [
            ("Hello", "Hullo"),
            ("Anna", "Anne"),
            ("Subject: One", "Subject: Two"),
            ("To: b", "Subject: Three\r\nTo: b"),
            ("To: b", "Reply-To: c@example.net\r\nTo: b"),
            ("To: b", "From: c@example.net\r\nTo: b"),
            ("t=1800000000", "t=1800000001"),
        ] {
            assert!(!holds(&signer, &signed.replacen(from, to, 1)), "{to}");
        }
    }

    #[test]
    fn says_what_is_wrong_with_a_key() {
        assert!(matches!(load("not a key", "s"), Err(KeyError::Unreadable { .. })));
        assert!(matches!(load(&pem("PRIVATE KEY", b"nonsense"), "s"), Err(KeyError::Kind(_))));
        assert!(matches!(Signer::load(Path::new("/nowhere"), "s", "d"), Err(KeyError::Unreadable { .. })));
        for selector in ["", "a..b", "-a", "a b", "a;d=evil.example"] {
            assert!(matches!(load("not a key", selector), Err(KeyError::Selector(_))), "{selector:?}");
        }
    }
}
