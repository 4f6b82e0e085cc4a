//! Passwords: which are refused, and their hashes: argon2id with OWASP's figures (m = 19 MiB, t = 2, p = 1).

use super::{Error, Result};
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::collections::HashSet;
use std::sync::LazyLock;
use tokio::sync::oneshot;

const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Hashes at once: each holds 19 MiB, and more than the cores gain nothing.
const THREADS: usize = 2;

/// Threads of their own, since the allocator keeps for a thread what it has once held: were each hash made by any of
/// tokio's many threads, a hundred log-ins would leave hundreds of MiB behind.
static HASHERS: LazyLock<std::result::Result<ThreadPool, String>> = LazyLock::new(|| {
    let pool = ThreadPoolBuilder::new().num_threads(THREADS).thread_name(|n| format!("hasher {n}"));
    // Whoever waits for the answer is told; without this the process would abort.
    let pool = pool.panic_handler(|_| tracing::error!("a hash could not be made"));
    pool.build().map_err(|error| error.to_string())
});

/// What an unknown address is compared with, so that it takes as long as a known one.
static DECOY: LazyLock<String> = LazyLock::new(|| hash_now("an address that nobody has").unwrap_or_default());

fn argon2() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash_now(password: &str) -> Result<String> {
    let hash = argon2()?.hash_password(password.as_bytes()).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(hash.to_string())
}

async fn apart<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let pool = HASHERS.as_ref().map_err(|error| Error::Internal(error.clone()))?;
    let (done, answer) = oneshot::channel();
    pool.spawn_fifo(move || {
        // Who has hung up meanwhile costs nothing more.
        if !done.is_closed() {
            let _ = done.send(work());
        }
    });
    answer.await.map_err(|error| Error::Internal(error.to_string()))?
}

/// Whether a hash was made with lower parameters than those of today.
pub fn is_outdated(hash: &str) -> bool {
    let params = PasswordHash::new(hash).ok().and_then(|hash| Params::try_from(&hash).ok());
    params.is_none_or(|params| params.m_cost() < MEMORY_KIB || params.t_cost() < PASSES || params.p_cost() < LANES)
}

/// Passwords that are tried first, from a list of our own of those known from every published one, as
/// far as they are long enough to be taken otherwise.
const COMMON: &str = include_str!("common_passwords.txt");
/// A password of fewer different characters is no better than a common one.
const FEWEST_DIFFERENT: usize = 4;

/// Refuses passwords that would be guessed first: common ones and the address itself.
///
/// # Errors
/// [`Error::Invalid`] at the field.
pub fn acceptable(field: &str, password: &str, email: &str) -> Result<()> {
    let folded = password.trim().to_lowercase();
    let different: HashSet<char> = folded.chars().collect();
    let local = email.split('@').next().unwrap_or_default().to_lowercase();
    let easy = different.len() < FEWEST_DIFFERENT
        || folded == email.to_lowercase()
        || folded == local
        || COMMON.lines().any(|common| common == folded);
    if easy { Err(Error::field(field, "error.password.common")) } else { Ok(()) }
}

/// Hashes a new password, off the async threads.
///
/// # Errors
/// Only if the machine cannot (no memory, no thread).
pub async fn hash(password: &str) -> Result<String> {
    let password = password.to_owned();
    apart(move || hash_now(&password)).await
}

/// Whether the password is the one that was hashed; without a hash the same time is spent and the
/// answer is no.
///
/// # Errors
/// Only if the machine cannot (no memory, no thread).
pub async fn verify(password: &str, hash: Option<&str>) -> Result<bool> {
    // An account that waits for its confirmation has none.
    let hash = hash.filter(|hash| !hash.is_empty()).map(str::to_owned);
    let known = hash.is_some();
    let password = password.to_owned();
    let same = apart(move || {
        let hash = hash.unwrap_or_else(|| DECOY.clone());
        let parsed = PasswordHash::new(&hash).map_err(|error| Error::Internal(error.to_string()))?;
        Ok(argon2()?.verify_password(password.as_bytes(), &parsed).is_ok())
    })
    .await?;
    Ok(same && known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_same_password_passes() {
        let stored = hash("correct horse battery").await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(verify("correct horse battery", Some(&stored)).await.unwrap());
        assert!(!verify("correct horse batterz", Some(&stored)).await.unwrap());
        assert!(!verify("an address that nobody has", None).await.unwrap());
    }

    #[test]
    fn lower_parameters_are_outdated() {
        let with = |m, t| {
            let params = Params::new(m, t, 1, None).unwrap();
            Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password(b"x").unwrap().to_string()
        };
        assert!(is_outdated(&with(8, 1)) && is_outdated(&with(MEMORY_KIB, 1)) && is_outdated("rubbish"));
        assert!(!is_outdated(&with(MEMORY_KIB, PASSES)) && !is_outdated(&hash_now("x").unwrap()));
    }

    #[test]
    fn what_is_guessed_first_is_refused() {
        for easy in [
            "1234567890",
            "QwertyUiop",
            "password123",
            " password123 ",
            "aaaaaaaaaaaa",
            "ababababab",
            "anna@example.org",
            "annakarenina",
        ] {
            assert!(
                acceptable("password", easy, "annakarenina@example.org").is_err() || easy == "anna@example.org",
                "{easy}"
            );
        }
        assert!(acceptable("password", "anna@example.org", "Anna@Example.org").is_err());
        for good in ["correct horse battery", "зимний вечер у реки"] {
            assert!(acceptable("password", good, "anna@example.org").is_ok(), "{good}");
        }
        for line in COMMON.lines() {
            let length = line.chars().count();
            assert!(
                length >= crate::forms::accounts::PASSWORD_MIN && line == line.to_lowercase(),
                "{line} is of no use"
            );
        }
    }
}
