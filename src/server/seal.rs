//! Secrets at rest: texts sealed with a key from VESTNIK_SECRET (XChaCha20-Poly1305, RFC 8439 with
//! long random nonces), so that a copy of the database alone gives nothing away.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// Marks the way of sealing, should there ever be another.
const VERSION: &str = "1.";
const NONCE: usize = 24;

/// Seals and opens. Cheap to clone; does not show its key.
#[derive(Clone)]
pub struct Sealer(SecretString);

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

impl Sealer {
    /// With the service's secret.
    pub fn new(secret: &SecretString) -> Self {
        Self(secret.clone())
    }

    /// The key is for this use alone: Message-IDs are made with the same secret.
    fn key(&self, purpose: &str) -> [u8; 32] {
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(self.0.expose_secret().as_bytes())
            .expect("HMAC takes keys of any length");
        mac.update(b"vestnik ");
        mac.update(purpose.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// A short text that tells settings apart without giving them away.
    pub fn fingerprint(&self, parts: &[&str]) -> String {
        let mut mac =
            <Hmac<Sha256> as Mac>::new_from_slice(&self.key("fingerprint")).expect("HMAC takes keys of any length");
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        URL_SAFE_NO_PAD.encode(&mac.finalize().into_bytes()[..16])
    }

    /// Seals a text; `context` must be the same when it is opened, so that a sealed text cannot be
    /// put in another's place.
    pub fn seal(&self, text: &str, context: &str) -> String {
        let nonce: [u8; NONCE] = rand::random();
        let payload = Payload { msg: text.as_bytes(), aad: context.as_bytes() };
        let sealed = XChaCha20Poly1305::new(&self.key("seal").into())
            .encrypt(&XNonce::from(nonce), payload)
            .expect("a text that fits into memory is not too long to seal");
        format!("{VERSION}{}", URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// Opens what [`Sealer::seal`] made; nothing if it was sealed with another secret or context, or
    /// has been changed.
    pub fn open(&self, sealed: &str, context: &str) -> Option<SecretString> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed.strip_prefix(VERSION)?).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE>()?;
        let payload = Payload { msg: sealed, aad: context.as_bytes() };
        let text = XChaCha20Poly1305::new(&self.key("seal").into()).decrypt(&XNonce::from(*nonce), payload).ok()?;
        String::from_utf8(text).ok().map(SecretString::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(secret: &str) -> Sealer {
        Sealer::new(&secret.to_owned().into())
    }

    #[test]
    fn opens_with_the_same_secret_and_context_only() {
        let ours = sealer("0123456789abcdef0123456789abcdef");
        let sealed = ours.seal("пароль", "host\nuser");
        assert!(!sealed.contains("пароль"));
        assert_ne!(sealed, ours.seal("пароль", "host\nuser"), "the same text looks different each time");
        let open = |sealer: &Sealer, sealed: &str, context| {
            sealer.open(sealed, context).map(|text| text.expose_secret().to_owned())
        };
        assert_eq!(open(&ours, &sealed, "host\nuser").as_deref(), Some("пароль"));
        assert_eq!(open(&ours, &sealed, "other\nuser"), None);
        assert_eq!(open(&sealer("another secret, long enough to be one"), &sealed, "host\nuser"), None);
        let mut changed = sealed.clone().into_bytes();
        let last = changed.len() - 2;
        changed[last] = if changed[last] == b'A' { b'B' } else { b'A' };
        assert_eq!(open(&ours, &String::from_utf8(changed).unwrap(), "host\nuser"), None);
        for broken in ["", "1.", "1.AAAA", "2.AAAA", "1.\u{44f}"] {
            assert_eq!(open(&ours, broken, ""), None, "{broken}");
        }
        assert!(!format!("{ours:?}").contains("0123"));
    }

    #[test]
    fn fingerprints_differ_where_a_border_moves() {
        let ours = sealer("0123456789abcdef0123456789abcdef");
        assert_ne!(ours.fingerprint(&["ab", "c"]), ours.fingerprint(&["a", "bc"]));
        assert_eq!(ours.fingerprint(&["ab", "c"]), ours.fingerprint(&["ab", "c"]));
    }
}
