//! One relay at work: its settings, and all that is known of how it does.

use super::allowance::Allowance;
use super::concurrency::Concurrency;
use super::learned::Learned;
use super::rate::Rate;
use super::rest::Rest;
use crate::domain::delivery::Stage;
use crate::domain::relay::{Fault, RelayLive, RelaySettings, RelayState, Trouble};
use crate::server::engine::breaker::{Access, Breaker};
use crate::server::mail::relay::Relay;
use crate::server::mail::smtp::{SmtpError, SmtpErrorKind};
use chrono::{DateTime, Utc};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A relay and its state, shared by all connections.
pub struct Live {
    pub settings: RelaySettings,
    pub relay: Relay,
    /// Tells these settings from any others, the password included.
    pub fingerprint: String,
    pub allowance: Arc<Allowance>,
    state: Mutex<State>,
    /// The settings have changed or the relay is gone: another one stands in its place.
    retired: AtomicBool,
    /// It did not take an envelope behind a dot.
    refuses_ahead: AtomicBool,
}

struct State {
    breaker: Breaker,
    concurrency: Concurrency,
    learned: Learned,
    rate: Rate,
    rest: Rest,
    paused: Option<Trouble>,
    trouble: Option<Trouble>,
    /// Sessions that have come about and live. A place alone says nothing of what the relay bears.
    sessions: usize,
}

/// A session with a relay, counted while it lives.
pub struct Session(Arc<Live>);

impl Drop for Session {
    fn drop(&mut self) {
        self.0.state().sessions -= 1;
    }
}

/// What a relay says to somebody who wants to connect.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// A place is free; it is taken with [`Live::take`].
    Free,
    /// Other connections are at work, and no more may be opened now.
    Wait,
    /// It could not be reached, and one connection may see whether it can now.
    Probe,
    /// Another one sees whether it can be reached.
    Probing,
    /// Not before this instant; none if somebody must act first.
    Closed(Option<DateTime<Utc>>),
}

/// Whether a server at which others are at work may mean: no more of you. Some say so (421, 554), some close the connection
/// without a word, and a firewall in front of one refuses or drops it.
fn turned_away(error: &SmtpError) -> bool {
    use SmtpErrorKind::{Busy, Closed, Rejected, Timeout, Unreachable};
    error.stage != Stage::Auth && matches!(error.kind, Busy | Rejected | Closed | Unreachable | Timeout)
}

impl Live {
    pub fn new(settings: RelaySettings, relay: Relay, fingerprint: String, allowance: Arc<Allowance>) -> Self {
        let breaker = if relay.credentials.is_some() { Breaker::untested() } else { Breaker::default() };
        let state = State {
            breaker,
            concurrency: Concurrency::new(relay.connections),
            learned: Learned::default(),
            rate: Rate::default(),
            rest: Rest::default(),
            paused: None,
            trouble: None,
            sessions: 0,
        };
        Self {
            settings,
            relay,
            fingerprint,
            allowance,
            state: Mutex::new(state),
            retired: AtomicBool::new(false),
            refuses_ahead: AtomicBool::new(false),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn retire(&self) {
        self.retired.store(true, Ordering::Relaxed);
    }

    /// It did not take an envelope behind a dot: from now on each one waits for the dot's answer.
    pub fn refused_ahead(&self) {
        self.refuses_ahead.store(true, Ordering::Relaxed);
    }

    /// Whether a connection that has carried so many letters may send the next envelope before the last answer.
    pub fn may_be_ahead(&self, letters: u64) -> bool {
        !self.refuses_ahead.load(Ordering::Relaxed) && self.state().learned.most().is_none_or(|most| letters < most)
    }

    /// Whether an open connection may go on with another letter.
    pub fn may_go_on(&self, now: DateTime<Utc>) -> bool {
        !self.retired.load(Ordering::Relaxed)
            && self.settings.enabled
            && {
                let state = self.state();
                state.paused.is_none() && state.rest.until(now).is_none()
            }
            && self.allowance.used_up_until(now).is_none()
    }

    /// Whether one may connect now.
    pub fn ask(&self, now: DateTime<Utc>) -> Answer {
        let state = self.state();
        if !self.settings.enabled || state.paused.is_some() {
            return Answer::Closed(None);
        }
        if let Some(until) = state.rest.until(now).or(self.allowance.used_up_until(now)) {
            return Answer::Closed(Some(until));
        }
        let at_work = state.concurrency.open() > 0;
        let full = state.concurrency.open() >= state.concurrency.allowed();
        match state.breaker.access(now) {
            Access::Free if full => Answer::Wait,
            Access::Free => Answer::Free,
            Access::Probe | Access::Probing if full => Answer::Wait,
            Access::Probe => Answer::Probe,
            // The very first connection: not a reason to go elsewhere.
            Access::Probing if state.breaker.is_untested() => Answer::Wait,
            Access::Probing => Answer::Probing,
            // Connections that were open before go on; no need to give letters back meanwhile.
            Access::Closed(_) if at_work => Answer::Wait,
            Access::Closed(until) => Answer::Closed(Some(until)),
        }
    }

    /// Takes a place for a connection; the answer says whether it is the probe. None if somebody else
    /// was quicker.
    pub fn take(&self, now: DateTime<Utc>) -> Option<bool> {
        let mut state = self.state();
        let probe = match state.breaker.access(now) {
            Access::Free => false,
            Access::Probe => true,
            Access::Probing | Access::Closed(_) => return None,
        };
        if !state.concurrency.take() {
            return None;
        }
        if probe {
            state.breaker.begin_probe();
        }
        Some(probe)
    }

    /// Gives a place back; `probing` if the probe has not had its answer.
    pub fn give(&self, probing: bool) {
        let mut state = self.state();
        state.concurrency.give();
        if probing {
            state.breaker.abandoned();
        }
    }

    /// A connection came about.
    pub fn connected(self: &Arc<Self>) -> Session {
        let mut state = self.state();
        state.breaker.connected();
        state.concurrency.connected();
        state.sessions += 1;
        Session(Arc::clone(self))
    }

    /// A connection did not come about. True if the relay must be paused: it refused user and
    /// password, and would only lock the account if asked again.
    pub fn not_connected(&self, error: &SmtpError, now: DateTime<Utc>) -> bool {
        let mut state = self.state();
        let trouble = Trouble { at: now, fault: error.fault() };
        state.trouble = Some(trouble.clone());
        let refused = error.reply.as_ref().is_some_and(|reply| reply.code / 100 == 5);
        if error.stage == Stage::Auth && refused {
            state.paused = Some(trouble);
            return true;
        }
        if turned_away(error) && state.sessions > 0 {
            let others = state.sessions;
            state.concurrency.crowded(others, now);
            state.breaker.abandoned();
        } else {
            state.concurrency.failed();
            state.breaker.failed(now);
        }
        false
    }

    /// The relay closes a connection on which it took `letters`; `fault` says how. True if the
    /// connection was of no use at all.
    pub fn closed(&self, letters: u64, answered: bool, fault: Fault, now: DateTime<Utc>) -> bool {
        let mut state = self.state();
        if answered {
            state.learned.closed_after(letters);
            return false;
        }
        state.trouble = Some(Trouble { at: now, fault });
        let others = state.sessions.saturating_sub(1);
        if others > 0 {
            state.concurrency.crowded(others, now);
        } else {
            state.concurrency.failed();
            state.breaker.failed(now);
        }
        true
    }

    /// A connection broke in mid-letter.
    pub fn broke(&self, fault: Fault, now: DateTime<Utc>) {
        let mut state = self.state();
        state.trouble = Some(Trouble { at: now, fault });
        state.concurrency.failed();
    }

    /// The relay asks for a letter to be sent later, which says nothing against the letter. Many in a row have it rest,
    /// and then begin with fewer connections.
    pub fn put_off(&self, fault: Fault, now: DateTime<Utc>) {
        let mut state = self.state();
        if !state.rest.put_off(now) {
            return;
        }
        state.concurrency.failed();
        let until = state.rest.until(now).map(|until| until.to_rfc3339());
        tracing::warn!(
            relay = self.settings.name,
            reply = fault.detail,
            until,
            "the mail server takes no letters for now"
        );
        state.trouble = Some(Trouble { at: now, fault });
    }

    /// The relay took a letter. True if somebody who waits for a place may look again.
    pub fn succeeded(&self, now: DateTime<Utc>) -> bool {
        let mut state = self.state();
        state.rate.add(now);
        state.rest.took();
        state.concurrency.succeeded(now) || state.breaker.access(now) == Access::Probe
    }

    /// Whether a connection that has carried so many letters is to be closed before the relay does.
    pub fn is_enough(&self, letters: u64) -> bool {
        let mut state = self.state();
        let enough = state.learned.most().is_some_and(|most| letters >= most);
        if enough {
            state.learned.ended_in_peace();
        }
        enough
    }

    pub fn set_paused(&self, paused: Option<Trouble>) {
        let mut state = self.state();
        if state.paused.is_some() && paused.is_none() {
            // Somebody has acted: one connection finds out whether it helped.
            state.breaker = Breaker::untested();
        }
        state.paused = paused;
    }

    /// What is wrong now, if it cannot be used.
    pub fn trouble(&self, now: DateTime<Utc>) -> Option<Trouble> {
        let state = self.state();
        match (&state.paused, state.breaker.access(now)) {
            (Some(paused), _) => Some(paused.clone()),
            (None, Access::Free) if state.rest.until(now).is_none() => None,
            (None, _) => state.trouble.clone(),
        }
    }

    /// How it does, limits aside.
    pub fn look(&self, now: DateTime<Utc>) -> RelayLive {
        let state = self.state();
        let limited = self.allowance.used_up_until(now);
        let (shown, until) = match state.breaker.access(now) {
            _ if !self.settings.enabled => (RelayState::Off, None),
            _ if state.paused.is_some() => (RelayState::Paused, None),
            Access::Closed(until) => (RelayState::Resting, Some(until)),
            _ if state.rest.until(now).is_some() => (RelayState::Resting, state.rest.until(now)),
            Access::Probe | Access::Probing if !state.breaker.is_untested() => (RelayState::Resting, Some(now)),
            _ if limited.is_some() => (RelayState::Limited, limited),
            _ => (RelayState::Ready, None),
        };
        RelayLive {
            state: shown,
            until,
            open: i64::try_from(state.concurrency.open()).unwrap_or(i64::MAX),
            allowed: i64::try_from(state.concurrency.allowed()).unwrap_or(i64::MAX),
            rate: state.rate.per_second(now),
            per_connection: state.learned.most().and_then(|most| i64::try_from(most).ok()),
            trouble: state.paused.clone().or_else(|| state.trouble.clone()),
            limits: Vec::new(),
        }
    }
}
