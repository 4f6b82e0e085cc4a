//! One worker's way to send: a place at a relay, a connection, and what is learned from each letter.

use super::allowance::{Grant, PATIENCE};
use super::live;
use super::pool::{Pool, Slot};
use crate::domain::delivery::Stage;
use crate::domain::relay::{Cause, Fault};
use crate::server::mail::classify::{Outcome, OutcomeKind, is_the_servers};
use crate::server::mail::smtp::{Connection, Parcel};
use crate::server::metrics::OpenConnection;
use std::fmt::Display;
use tokio_util::sync::CancellationToken;

/// A worker's place, connection and permission.
pub struct Session {
    pool: Pool,
    stop: CancellationToken,
    place: Option<Place>,
}

struct Place {
    slot: Slot,
    connection: Option<Open>,
    /// Letters that were taken on this connection.
    letters: u64,
    /// Whether the server has said anything of use on it.
    answered: bool,
    grant: Option<Grant>,
}

impl Place {
    fn new(slot: Slot) -> Self {
        Self { slot, connection: None, letters: 0, answered: false, grant: None }
    }
}

/// An open connection, counted while it lives.
struct Open {
    connection: Connection,
    _counted: OpenConnection,
    _at_work: live::Session,
}

/// What became of a letter that was handed over.
pub struct Handed {
    pub outcome: Outcome,
    /// `host:port` of the relay.
    pub relay: String,
}

impl Handed {
    /// A letter that could not be made: no relay has seen it.
    pub fn not_made(why: String) -> Self {
        let outcome = Outcome {
            stage: Stage::Compose,
            kind: OutcomeKind::Refused,
            reply: None,
            note: why,
            connection_usable: true,
        };
        Self { outcome, relay: String::new() }
    }

    /// A letter whose handing over a fault of ours cut off: it may have left.
    pub fn cut_off() -> Self {
        let outcome = Outcome {
            stage: Stage::Dot,
            kind: OutcomeKind::InDoubt,
            reply: None,
            note: "A fault of Vestnik's own ended the conversation with the mail server; its log tells more".to_owned(),
            connection_usable: false,
        };
        Self { outcome, relay: String::new() }
    }
}

impl Session {
    pub(super) fn new(pool: Pool, stop: CancellationToken) -> Self {
        Self { pool, stop, place: None }
    }

    /// Waits until there is a place for this worker, or none for anybody. Whoever has no place takes
    /// no letter from those who have one. Safe to cancel.
    pub async fn placed(&mut self) {
        if self.place.is_none()
            && let Some(slot) = self.pool.0.place(&self.stop).await
        {
            self.place = Some(Place::new(slot));
        }
    }

    /// Sees to it that a letter can be handed over: a place at the right relay, permission for one
    /// letter, and an open connection. False if this worker has no place and none is free: it does not
    /// wait for one with a letter in hand, for which others may wait. If that is so because no relay can be
    /// used now, [`Pool::closed_until`] tells until when.
    pub async fn ready(&mut self) -> bool {
        let pool = self.pool.0.clone();
        loop {
            let now = pool.clock.now();
            if self.stop.is_cancelled() {
                return false;
            }
            if let Some(place) = &self.place
                && (!place.slot.live.may_go_on(now) || pool.is_better(&place.slot.live, now))
            {
                self.leave().await;
            }
            let place = match &mut self.place {
                Some(place) => place,
                none => {
                    let Some(slot) = pool.free_place() else { return false };
                    none.insert(Place::new(slot))
                }
            };
            if place.grant.is_none() {
                match place.slot.live.allowance.take().await {
                    Ok(grant) => place.grant = Some(grant),
                    Err(until) if until - pool.clock.now() <= PATIENCE => {
                        tokio::select! {
                            () = pool.clock.until(until) => {}
                            () = self.stop.cancelled() => {}
                        }
                        continue;
                    }
                    // Another relay may do, or none: that is for the next round to see.
                    Err(_) => {
                        self.leave().await;
                        continue;
                    }
                }
            }
            if place.connection.is_some() {
                return true;
            }
            match place.slot.connect().await {
                Ok((connection, at_work)) => {
                    let connection = Open { connection, _counted: OpenConnection::new(), _at_work: at_work };
                    (place.connection, place.letters, place.answered) = (Some(connection), 0, false);
                    return true;
                }
                Err(_) => self.leave().await,
            }
        }
    }

    /// Hands one letter over, after [`Session::ready`]. `next` is the letter that follows, if it is known; it and
    /// `before_dot` are as in [`Connection::send`].
    pub async fn send<F, E>(&mut self, parcel: Parcel<'_>, next: Option<Parcel<'_>>, before_dot: F) -> Handed
    where
        F: AsyncFnOnce() -> Result<(), E>,
        E: Display,
    {
        let Some((place, mut open)) =
            self.place.as_mut().and_then(|place| place.connection.take().map(|open| (place, open)))
        else {
            return Handed { outcome: not_ready(), relay: String::new() };
        };
        let live = &place.slot.live;
        let mut next = next.filter(|_| live.may_be_ahead(place.letters + 1));
        let mut next_grant = None;
        if next.is_some() {
            next_grant = live.allowance.take().await.ok();
            next = next.filter(|_| next_grant.is_some());
        }
        let outcome = open.connection.send(parcel, next, before_dot).await;
        if let Some(grant) = std::mem::replace(&mut place.grant, next_grant)
            && outcome.stage == Stage::Compose
        {
            grant.unused();
        }
        if open.connection.refuses_ahead() {
            live.refused_ahead();
        }
        let now = self.pool.0.clock.now();
        let mut useless = false;
        place.answered |= outcome.kind != OutcomeKind::PutBack;
        match outcome.kind {
            OutcomeKind::Sent => {
                place.letters += 1;
                if live.succeeded(now) {
                    self.pool.0.changed.notify_waiters();
                }
            }
            OutcomeKind::TryLater | OutcomeKind::SenderRefused
                if outcome.reply.as_ref().is_some_and(|reply| is_the_servers(outcome.stage, reply)) =>
            {
                live.put_off(fault_of(&outcome), now);
            }
            OutcomeKind::ConnectionLost | OutcomeKind::InDoubt => live.broke(fault_of(&outcome), now),
            // Without a reply it was us who held the letter back, which says nothing about the relay.
            OutcomeKind::PutBack if outcome.reply.is_some() => {
                useless = live.closed(place.letters, place.answered, fault_of(&outcome), now);
            }
            _ => {}
        }
        let handed = Handed { relay: live.relay.to_string(), outcome };
        if !handed.outcome.connection_usable {
            drop(open);
        } else if !open.connection.is_ahead() && live.is_enough(place.letters) {
            open.connection.quit().await;
        } else {
            place.connection = Some(open);
        }
        if useless {
            self.leave().await;
        }
        handed
    }

    /// Says goodbye, and gives the place and the permission back.
    pub async fn leave(&mut self) {
        if let Some(Place { connection, grant, slot, .. }) = self.place.take() {
            if let Some(grant) = grant {
                grant.unused();
            }
            if let Some(open) = connection {
                open.connection.quit().await;
            }
            drop(slot);
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(grant) = self.place.as_mut().and_then(|place| place.grant.take()) {
            grant.unused();
        }
    }
}

fn fault_of(outcome: &Outcome) -> Fault {
    match &outcome.reply {
        Some(reply) => {
            Fault { stage: outcome.stage, cause: Cause::Reply, detail: format!("{} {}", reply.code, reply.text) }
        }
        None => Fault { stage: outcome.stage, cause: Cause::Closed, detail: outcome.note.clone() },
    }
}

fn not_ready() -> Outcome {
    Outcome {
        stage: Stage::Connect,
        kind: OutcomeKind::PutBack,
        reply: None,
        note: "there is no connection".to_owned(),
        connection_usable: false,
    }
}
