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
    /// A password, for one account.
    LogIn,
    /// The password of somebody who is logged in, asked for once more.
    Prove,
    /// A code of the second factor. A right password does not end its throttling, as it does that of log-in.
    Code,
    /// A log-in from one address: many people may sit behind it, and those that succeed do not count.
    LogInFrom,
    /// A letter to one address: a link to reset the password or to confirm.
    Letter,
    /// A letter with links to leave by, to one address.
    LeavingLetter,
    /// Asking for such letters, or registering, from one address.
    LetterFrom,
    /// A test letter to oneself.
    TestLetter,
}

impl Act {
    fn as_str(self) -> &'static str {
        match self {
            Self::LogIn => "login",
            Self::Prove => "prove",
            Self::Code => "code",
            Self::LogInFrom => "login-from",
            Self::Letter => "letter",
            Self::LeavingLetter => "leaving-letter",
            Self::LetterFrom => "letter-from",
            Self::TestLetter => "test-letter",
        }
    }

    fn rule(self) -> Rule {
        let (free, first, most) = match self {
            Self::LogIn | Self::Prove | Self::Code => (5, TimeDelta::seconds(5), TimeDelta::minutes(15)),
            Self::LogInFrom => (30, TimeDelta::seconds(2), TimeDelta::minutes(15)),
            // As long as the link in such a letter works: whoever asks for others' letters keeps nobody out.
            Self::Letter | Self::LeavingLetter => (3, TimeDelta::minutes(5), TimeDelta::hours(1)),
            Self::LetterFrom => (20, TimeDelta::seconds(10), TimeDelta::hours(1)),
            Self::TestLetter => (20, TimeDelta::seconds(30), TimeDelta::minutes(10)),
        };
        Rule { free, first, most }
    }
}

/// Of tries for one account from all networks together. One network makes some 110 a day at the most, so it takes several
/// to make others wait.
const ANYWHERE: Rule = Rule { free: 200, first: TimeDelta::seconds(5), most: TimeDelta::minutes(15) };

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    rule: Rule,
    /// What becomes of it when the try succeeds.
    ends: Ends,
    key: String,
}

/// What a success makes of what was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    /// It is forgotten: whoever tried has shown who they are.
    All,
    /// This try does not count; those of others do.
    One,
}

impl Key {
    /// For an account: by its address (as `accounts::account_key` folds it), whether it exists or not. Only
    /// a hash is stored.
    pub fn account(act: Act, account: &str) -> Self {
        Self { rule: act.rule(), ends: Ends::One, key: format!("{}:{}", act.as_str(), tokens::hash(account)) }
    }

    /// For whoever asks. IPv6 counts by /64, which is what one household gets.
    pub fn peer(act: Act, peer: IpAddr) -> Self {
        Self { rule: act.rule(), ends: Ends::One, key: format!("{}:{}", act.as_str(), network(peer)) }
    }

    /// For an account and whoever asks together: others' tries are not theirs.
    fn pair(act: Act, account: &str, who: &str) -> Self {
        let key = format!("{}:{}:{who}", act.as_str(), tokens::hash(account));
        Self { rule: act.rule(), ends: Ends::All, key }
    }

    fn anywhere(act: Act, account: &str) -> Self {
        let key = format!("{}-anywhere:{}", act.as_str(), tokens::hash(account));
        Self { rule: ANYWHERE, ends: Ends::One, key }
    }
}

fn network(peer: IpAddr) -> String {
    match peer.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// What a try for an account counts under: by the network that it comes from, and all networks together; or by the
/// browser alone, where the account was in it before.
pub fn tries(act: Act, account: &str, peer: IpAddr, device: Option<&str>) -> Vec<Key> {
    match device {
        // Its name is proven (`devices`), and bounded by that.
        Some(device) => vec![Key::pair(act, account, device)],
        None => vec![Key::pair(act, account, &network(peer)), Key::anywhere(act, account)],
    }
}

/// In one order, so that two transactions cannot wait for each other.
fn in_order(keys: &[Key]) -> Vec<&Key> {
    let mut keys: Vec<&Key> = keys.iter().collect();
    keys.sort_by(|a, b| a.key.cmp(&b.key));
    keys
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
    let mut begins = false;
    for Key { rule, key, .. } in in_order(keys) {
        let known = throttles::lock(tx, key, now).await?;
        let next = judge(&known, *rule, now).map_err(|_| Error::RateLimited)?;
        begins |= next.tries == rule.free + 1;
        throttles::store(tx, key, &next).await?;
    }
    Ok(begins)
}

/// The try has succeeded: what whoever tried has counted is forgotten, and what others share gets the try back.
pub async fn succeeded(tx: &mut Tx, keys: &[Key]) -> Result<()> {
    for Key { ends, key, .. } in in_order(keys) {
        match ends {
            Ends::All => throttles::forget(tx, key).await?,
            Ends::One => throttles::give_back(tx, key).await?,
        }
    }
    Ok(())
}

/// Forgets all that these keys have counted.
pub async fn forgive(tx: &mut Tx, keys: &[Key]) -> Result<()> {
    for Key { key, .. } in in_order(keys) {
        throttles::forget(tx, key).await?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "throttle_tests.rs"]
mod tests;
