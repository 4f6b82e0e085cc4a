//! The token of a delivery: what the links and the envelope sender of a letter name it by.
//!
//! It is opaque and signed, so that whoever has a letter can speak for its recipient and nobody can guess another's, and
//! needs no row of its own: it is good for as long as the key is. 40 characters of base32 in lower case (RFC 4648 6, but
//! for the case) fit the local part of an address and a subject, and outlive whatever changes the case of letters.

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Key, delivery, and 128 bits of an HMAC over both: 25 bytes are 40 characters without padding.
const BYTES: usize = 25;
const SIGNED: usize = 9;
/// Characters of a token.
pub const LEN: usize = 40;

#[derive(Clone)]
struct Key {
    id: u8,
    mac: Hmac<Sha256>,
}

impl Key {
    fn new(secret: &[u8]) -> Self {
        // As long as the block, so that it cannot be refused; for this use alone.
        let mut key = [0u8; 64];
        key[..32]
            .copy_from_slice(&Sha256::new().chain_update(b"vestnik delivery token\0").chain_update(secret).finalize());
        Self { id: Sha256::digest(key)[0], mac: Hmac::new(&key.into()) }
    }

    fn sign(&self, signed: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        mac.update(signed);
        mac
    }
}

/// Makes tokens with the newest key and reads those of all. Cheap to clone; does not show its keys.
#[derive(Clone)]
pub struct DeliveryTokens {
    newest: Key,
    former: Vec<Key>,
}

impl std::fmt::Debug for DeliveryTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeliveryTokens")
    }
}

impl DeliveryTokens {
    /// With the service's secret, and those that it had before, whose letters are still in people's mailboxes.
    pub fn new<'a>(secret: &[u8], former: impl IntoIterator<Item = &'a [u8]>) -> Self {
        Self { newest: Key::new(secret), former: former.into_iter().map(Key::new).collect() }
    }

    /// The token of a delivery: [`LEN`] characters out of `a` to `z` and `2` to `7`.
    pub fn token(&self, delivery: i64) -> String {
        let mut bytes = [0u8; BYTES];
        bytes[0] = self.newest.id;
        bytes[1..SIGNED].copy_from_slice(&delivery.to_be_bytes());
        let signature = self.newest.sign(&bytes[..SIGNED]).finalize().into_bytes();
        bytes[SIGNED..].copy_from_slice(&signature[..BYTES - SIGNED]);
        encode(&bytes)
    }

    /// The delivery that a token is of, whatever its case; none if it is not ours or not whole.
    pub fn read(&self, token: &str) -> Option<i64> {
        let bytes = decode(token)?;
        let (signed, signature) = bytes.split_at(SIGNED);
        let keys = std::iter::once(&self.newest).chain(&self.former);
        // Two keys may have one id.
        keys.filter(|key| key.id == signed[0])
            .any(|key| key.sign(signed).verify_truncated_left(signature).is_ok())
            .then(|| i64::from_be_bytes(signed[1..].try_into().unwrap_or_default()))
    }
}

fn encode(bytes: &[u8; BYTES]) -> String {
    let mut text = String::with_capacity(LEN);
    for five in bytes.chunks(5) {
        let bits = five.iter().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
        text.extend((0..8).rev().map(|n| char::from(ALPHABET[(bits >> (5 * n) & 31) as usize])));
    }
    text
}

fn decode(text: &str) -> Option<[u8; BYTES]> {
    let text = text.as_bytes();
    if text.len() != LEN {
        return None;
    }
    let mut bytes = [0u8; BYTES];
    for (eight, five) in text.chunks(8).zip(bytes.chunks_mut(5)) {
        let mut bits = 0u64;
        for c in eight {
            let value = match c.to_ascii_lowercase() {
                c @ b'a'..=b'z' => c - b'a',
                c @ b'2'..=b'7' => c - b'2' + 26,
                _ => return None,
            };
            bits = bits << 5 | u64::from(value);
        }
        five.copy_from_slice(&bits.to_be_bytes()[3..]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

    fn ours() -> DeliveryTokens {
        DeliveryTokens::new(SECRET, [])
    }

    proptest! {
        #[test]
        fn every_delivery_has_its_token(delivery: i64) {
            let token = ours().token(delivery);
            prop_assert_eq!(token.len(), LEN);
            prop_assert!(token.bytes().all(|c| ALPHABET.contains(&c)));
            prop_assert_eq!(ours().read(&token), Some(delivery));
        }

        #[test]
        fn one_other_character_and_it_is_nobodys(delivery: i64, at in 0..LEN, other in 1..32usize) {
            let mut token = ours().token(delivery).into_bytes();
            let was = ALPHABET.iter().position(|c| *c == token[at]).unwrap();
            token[at] = ALPHABET[(was + other) % 32];
            prop_assert_eq!(ours().read(std::str::from_utf8(&token).unwrap()), None);
        }

        #[test]
        fn whatever_comes_is_no_token(text in ".{0,80}") {
            prop_assert_eq!(ours().read(&text), None);
        }
    }

    #[test]
    fn it_outlives_upper_case_and_not_a_cut() {
        let token = ours().token(7);
        assert_eq!(ours().read(&token.to_ascii_uppercase()), Some(7));
        assert_eq!(ours().read(&token[..LEN - 1]), None);
        assert_eq!(ours().read(&format!("{token}a")), None);
        assert_ne!(token, ours().token(8));
    }

    #[test]
    fn it_is_of_this_installation_and_of_the_secrets_it_had() {
        let token = ours().token(7);
        let other = DeliveryTokens::new(b"another secret", []);
        assert_eq!(other.read(&token), None);
        let renewed = DeliveryTokens::new(b"another secret", [SECRET]);
        assert_eq!(renewed.read(&token), Some(7));
        assert_eq!(renewed.token(7), other.token(7), "new ones are of the new key");
        assert!(!format!("{renewed:?}").contains("secret"));
    }
}
