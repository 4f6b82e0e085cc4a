//! Forms that come twice: a button that is pressed twice, a browser or proxy that sends a request again. A page gives
//! each of its forms a key; what comes with the same key and the same content makes one thing.

use super::{Actor, Result};
pub use crate::server::db::submissions::Made;
use crate::server::db::{Tx, submissions};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// A form, and what it makes.
#[derive(Clone, Debug)]
pub struct Once {
    owner: i64,
    kind: Made,
    /// None without a key: the command line makes what it is told to.
    form: Option<String>,
}

impl Once {
    /// The form's content counts beside its key: who goes back, changes something and sends it again wants both.
    pub fn new(actor: &Actor, kind: Made, key: &str, content: &impl Serialize) -> Self {
        let hashed = || {
            let mut hash = Sha256::new();
            for part in [kind.word(), key, &serde_json::to_string(content).unwrap_or_default()] {
                hash.update((part.len() as u64).to_be_bytes());
                hash.update(part);
            }
            URL_SAFE_NO_PAD.encode(hash.finalize())
        };
        Self { owner: actor.id, kind, form: Some(key).filter(|key| !key.is_empty()).map(|_| hashed()) }
    }

    /// What was made of the form before. Until the end of the transaction nobody else makes anything of it.
    ///
    /// # Errors
    /// Database errors.
    pub async fn before(&self, tx: &mut Tx, now: DateTime<Utc>) -> Result<Option<i64>> {
        match &self.form {
            Some(form) => Ok(submissions::take(tx, self.owner, form, self.kind, now).await?),
            None => Ok(None),
        }
    }

    /// Notes what was made.
    ///
    /// # Errors
    /// Database errors.
    pub async fn made(&self, tx: &mut Tx, id: i64) -> Result<()> {
        match &self.form {
            Some(form) => Ok(submissions::made(tx, self.owner, form, id).await?),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
#[path = "once_tests.rs"]
mod tests;
