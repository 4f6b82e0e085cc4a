//! How often somebody may try: some tries are free, then each one doubles the wait for the next.

use super::{Error, Result, tokens};
use crate::server::db::throttles::{self, Throttle};
use crate::server::db::{Db, Tx};
use chrono::{DateTime, TimeDelta, Utc};
use std::net::IpAddr;

/// After this time without a try everything is forgotten; no rule remembers longer.
pub const REMEMBER: TimeDelta = TimeDelta::days(1);

/// What may be tried how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// A password or a code, for one account.
    LogIn,
    /// The password of somebody who is logged in, asked for once more.
    Prove,
    /// A code of the second factor. A right password does not end its throttling, as it does that of log-in.
    Code,
    /// A log-in from one address: many people may sit behind it, and those that succeed do not count.
    LogInFrom,
    /// A letter to one address: a link to reset the password or to confirm.
    Letter,
    /// Asking for such letters, or registering, from one address.
    LetterFrom,
}

impl Act {
    fn as_str(self) -> &'static str {
        match self {
            Self::LogIn => "login",
            Self::Prove => "prove",
            Self::Code => "code",
            Self::LogInFrom => "login-from",
            Self::Letter => "letter",
            Self::LetterFrom => "letter-from",
        }
    }

    fn rule(self) -> Rule {
        let (free, first, most) = match self {
            Self::LogIn | Self::Prove | Self::Code => (5, TimeDelta::seconds(5), TimeDelta::minutes(15)),
            Self::LogInFrom => (30, TimeDelta::seconds(2), TimeDelta::minutes(15)),
            Self::Letter => (3, TimeDelta::minutes(5), TimeDelta::hours(12)),
            Self::LetterFrom => (20, TimeDelta::seconds(10), TimeDelta::hours(1)),
        };
        Rule { free, first, most }
    }
}

#[derive(Clone, Copy, Debug)]
struct Rule {
    /// Tries without a wait.
    free: i64,
    /// The wait after the first try that is not free; it doubles with each further one.
    first: TimeDelta,
    most: TimeDelta,
}

/// What a try makes of what is known; or until when it is refused.
fn judge(known: &Throttle, rule: Rule, now: DateTime<Utc>) -> std::result::Result<Throttle, DateTime<Utc>> {
    if now < known.blocked_until {
        return Err(known.blocked_until);
    }
    let before = if now - known.updated_at > REMEMBER { 0 } else { known.tries };
    let tries = before + 1;
    let over = tries - rule.free;
    let wait = if over <= 0 {
        TimeDelta::zero()
    } else {
        // 2^20 seconds are more than any `most`.
        let doubled = rule.first * (1 << (over - 1).min(20));
        doubled.min(rule.most)
    };
    Ok(Throttle { tries, blocked_until: now + wait, updated_at: now })
}

/// One thing that is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    act: Act,
    key: String,
}

impl Key {
    /// For an account: by its address (as `EmailAddress::key` folds it), whether it exists or not. Only
    /// a hash is stored.
    pub fn account(act: Act, email_key: &str) -> Self {
        Self { act, key: format!("{}:{}", act.as_str(), tokens::hash(email_key)) }
    }

    /// For whoever asks. IPv6 counts by /64, which is what one household gets.
    pub fn peer(act: Act, peer: IpAddr) -> Self {
        let network = match peer.to_canonical() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        };
        Self { act, key: format!("{}:{network}", act.as_str()) }
    }
}

/// Counts a try under all keys, before it is made: tries that run at once cannot slip through.
///
/// # Errors
/// [`Error::RateLimited`] if one of the keys has to wait; then nothing is counted.
pub async fn take(db: &Db, keys: &[Key], now: DateTime<Utc>) -> Result<()> {
    let mut tx = db.begin().await?;
    take_in(&mut tx, keys, now).await?;
    Ok(tx.commit().await?)
}

/// The same in a transaction; says whether further tries have to wait from now on, which they had not before.
pub async fn take_in(tx: &mut Tx, keys: &[Key], now: DateTime<Utc>) -> Result<bool> {
    let mut keys: Vec<&Key> = keys.iter().collect();
    // In one order, so that two transactions cannot wait for each other.
    keys.sort_by(|a, b| a.key.cmp(&b.key));
    let mut begins = false;
    for Key { act, key } in keys {
        let known = throttles::lock(tx, key, now).await?;
        let next = judge(&known, act.rule(), now).map_err(|_| Error::RateLimited)?;
        begins |= next.tries == act.rule().free + 1;
        throttles::store(tx, key, &next).await?;
    }
    Ok(begins)
}

/// The try has succeeded: an account is as good as new, and an address gets its try back.
pub async fn succeeded(tx: &mut Tx, keys: &[Key]) -> Result<()> {
    for Key { act, key } in keys {
        match act {
            Act::LogIn | Act::Prove | Act::Code => throttles::forget(tx, key).await?,
            Act::LogInFrom | Act::Letter | Act::LetterFrom => throttles::give_back(tx, key).await?,
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "throttle_tests.rs"]
mod tests;
