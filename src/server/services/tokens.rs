//! Random words for links and logs.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// A secret for a link (256 bits) and the hash under which it is stored.
pub fn link() -> (String, String) {
    let secret: [u8; 32] = rand::random();
    let text = URL_SAFE_NO_PAD.encode(secret);
    let hash = hash(&text);
    (text, hash)
}

/// The hash of what a link carries. Plain SHA-256 is enough: the input is 256 random bits.
pub fn hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes()))
}

/// A short word that ties an error page to a line in the log.
pub fn reference() -> String {
    format!("{:08x}", rand::random::<u32>())
}
