//! From what the mail server did to what becomes of the delivery. Pure.

use crate::domain::delivery::{AttemptStatus, DeliveryState};
use crate::server::mail::classify::OutcomeKind;
use chrono::TimeDelta;
use std::time::Duration;

/// RFC 5321 4.5.4.1: give up after 4 to 5 days.
const GIVE_UP_AFTER: Duration = Duration::from_secs(5 * 24 * 3600);

/// How often a letter whose fate is unknown is sent again: everybody may have got that many more of it.
const COPIES: i64 = 2;

/// What becomes of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// An attempt is recorded and the delivery moves on; `wait` until it may be tried again.
    Settle { status: AttemptStatus, state: DeliveryState, reason: &'static str, wait: TimeDelta },
    /// As if it had never been claimed.
    PutBack,
}

/// What has been tried before.
#[derive(Clone, Copy, Debug)]
pub struct Tries {
    /// Attempts, this one included.
    pub all: i64,
    /// Those before this one of which nobody knows whether the letter arrived.
    pub unknown: i64,
}

/// Decides; `jitter` is within -1.0 to 1.0 and moves the wait by 10 %.
pub fn decide(kind: OutcomeKind, tries: Tries, hold: bool, retry: &[Duration], jitter: f64) -> Decision {
    let done = |status, state, reason| Decision::Settle { status, state, reason, wait: TimeDelta::zero() };
    let again = |status| match wait(tries.all, retry, jitter) {
        Some(wait) => Decision::Settle { status, state: DeliveryState::Deferred, reason: "", wait },
        None => done(status, DeliveryState::Failed, "gave_up"),
    };
    match kind {
        OutcomeKind::Sent => done(AttemptStatus::Sent, DeliveryState::Sent, ""),
        OutcomeKind::Refused => done(AttemptStatus::Failed, DeliveryState::Failed, ""),
        OutcomeKind::TryLater | OutcomeKind::SenderRefused | OutcomeKind::ConnectionLost => {
            again(AttemptStatus::Deferred)
        }
        OutcomeKind::InDoubt if hold || tries.unknown >= COPIES => {
            done(AttemptStatus::Unknown, DeliveryState::Unknown, "")
        }
        OutcomeKind::InDoubt => again(AttemptStatus::Unknown),
        OutcomeKind::PutBack => Decision::PutBack,
    }
}

/// How long to wait after so many tries; none when it has been tried for five days.
fn wait(tries: i64, retry: &[Duration], jitter: f64) -> Option<TimeDelta> {
    let nth = |n: usize| retry.get(n).or(retry.last()).copied().unwrap_or(Duration::from_secs(300));
    let tries = usize::try_from(tries.max(1)).unwrap_or(usize::MAX);
    let mut waited = Duration::ZERO;
    for n in 0..tries - 1 {
        waited = waited.saturating_add(nth(n));
        if waited >= GIVE_UP_AFTER {
            return None;
        }
        // Past the table the same wait repeats: no need to add it up one by one.
        if n >= retry.len() {
            let rest = u32::try_from(tries - 1 - n - 1).unwrap_or(u32::MAX);
            waited = waited.saturating_add(nth(n).saturating_mul(rest));
            break;
        }
    }
    if waited >= GIVE_UP_AFTER {
        return None;
    }
    let wait = nth(tries - 1).mul_f64(1.0 + 0.1 * jitter.clamp(-1.0, 1.0));
    TimeDelta::from_std(wait).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETRY: [Duration; 3] = [Duration::from_secs(300), Duration::from_secs(900), Duration::from_secs(4 * 3600)];

    fn wait_of(tries: i64) -> Option<i64> {
        wait(tries, &RETRY, 0.0).map(|wait| wait.num_seconds())
    }

    #[test]
    fn waits_grow_then_repeat_then_end_after_five_days() {
        assert_eq!(
            [wait_of(1), wait_of(2), wait_of(3), wait_of(4)],
            [Some(300), Some(900), Some(14_400), Some(14_400)]
        );
        // 300 + 900 + 30 * 14 400 s is just over five days.
        assert_eq!(wait_of(32), Some(14_400));
        assert_eq!(wait_of(33), None);
        assert_eq!(wait_of(i64::MAX), None);
    }

    #[test]
    fn jitter_moves_by_a_tenth() {
        let at = |jitter| wait(1, &RETRY, jitter).unwrap().num_seconds();
        assert_eq!((at(-1.0), at(1.0), at(99.0)), (270, 330, 330));
    }

    #[test]
    fn each_outcome_has_its_end() {
        let after = |unknown, kind, hold| match decide(kind, Tries { all: unknown + 1, unknown }, hold, &RETRY, 0.0) {
            Decision::Settle { status, state, .. } => Some((status, state)),
            Decision::PutBack => None,
        };
        let state = |kind, hold| after(0, kind, hold);
        use AttemptStatus as A;
        use DeliveryState as D;
        assert_eq!(state(OutcomeKind::Sent, false), Some((A::Sent, D::Sent)));
        assert_eq!(state(OutcomeKind::Refused, false), Some((A::Failed, D::Failed)));
        assert_eq!(state(OutcomeKind::TryLater, false), Some((A::Deferred, D::Deferred)));
        assert_eq!(state(OutcomeKind::ConnectionLost, true), Some((A::Deferred, D::Deferred)));
        assert_eq!(state(OutcomeKind::InDoubt, false), Some((A::Unknown, D::Deferred)));
        assert_eq!(state(OutcomeKind::InDoubt, true), Some((A::Unknown, D::Unknown)));
        assert_eq!(state(OutcomeKind::PutBack, false), None);
        // Two more copies, and no third one.
        assert_eq!(after(COPIES - 1, OutcomeKind::InDoubt, false), Some((A::Unknown, D::Deferred)));
        assert_eq!(after(COPIES, OutcomeKind::InDoubt, false), Some((A::Unknown, D::Unknown)));
        assert_eq!(after(COPIES, OutcomeKind::TryLater, false), Some((A::Deferred, D::Deferred)));
    }
}
