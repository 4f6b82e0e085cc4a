//! Who follows which mailing: one look a second for each mailing that is open somewhere, however many
//! pages show it.

use super::quota::{Quota, Slot};
use crate::domain::mailing::MailingLive;
use crate::domain::user::Permission;
use crate::server::clock::SharedClock;
use crate::server::db::sessions::alive;
use crate::server::db::{Db, users};
use crate::server::services::{Actor, Error, Result, mailings};
use chrono::{DateTime, Utc};
use futures::FutureExt;
use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Time between two looks at a mailing.
const LOOK: Duration = Duration::from_secs(1);
/// Looks that the rate is taken over.
const LOOKS: usize = 6;
/// Streams that one user may have open.
pub const STREAMS: usize = 20;

/// Who follows, and what.
type Key = (i64, i64);

/// The streams of one process. Clones share them.
#[derive(Clone, Debug)]
pub struct Live {
    quota: Quota,
    topics: Arc<Mutex<HashMap<Key, Topic>>>,
}

#[derive(Debug)]
struct Topic {
    said: watch::Sender<MailingLive>,
    readers: HashMap<u64, Reader>,
}

/// One open page.
#[derive(Debug)]
struct Reader {
    session: String,
    end: CancellationToken,
}

/// What an open page hears. It leaves when it is dropped.
#[derive(Debug)]
pub struct Follower {
    live: Live,
    key: Key,
    reader: u64,
    said: watch::Receiver<MailingLive>,
    end: CancellationToken,
    fresh: bool,
    _slot: Slot,
}

impl Follower {
    /// The next state of the mailing, beginning with the present one; none at the end: the mailing is gone,
    /// its reader logged out or was blocked, or the service stops.
    pub async fn next(&mut self) -> Option<MailingLive> {
        if !std::mem::take(&mut self.fresh) {
            tokio::select! {
                () = self.end.cancelled() => return None,
                changed = self.said.changed() => changed.ok()?,
            }
        }
        Some(self.said.borrow_and_update().clone())
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        if let Some(topic) = self.live.topics().get_mut(&self.key) {
            topic.readers.remove(&self.reader);
        }
    }
}

impl Default for Live {
    fn default() -> Self {
        Self { quota: Quota::new(STREAMS), topics: Arc::default() }
    }
}

impl Live {
    fn topics(&self) -> MutexGuard<'_, HashMap<Key, Topic>> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many mailings are looked at.
    #[cfg(test)]
    pub fn looked_at(&self) -> usize {
        self.topics().len()
    }

    /// Follows one of the actor's mailings until the session ends; none if the actor follows too many.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the mailing is not the actor's.
    pub async fn follow(
        &self,
        (db, clock, stop): (&Db, &SharedClock, &CancellationToken),
        actor: Actor,
        session: String,
        id: i64,
    ) -> Result<Option<Follower>> {
        let now = mailings::live(db, &actor, id, clock.now()).await?;
        let Some(slot) = self.quota.take(actor.id) else { return Ok(None) };
        let key = (actor.id, id);
        let (reader, end) = (rand::random(), CancellationToken::new());
        let entry = Reader { session, end: end.clone() };
        let mut topics = self.topics();
        let said = match topics.get_mut(&key) {
            Some(topic) => {
                topic.readers.insert(reader, entry);
                topic.said.subscribe()
            }
            None => {
                let (sender, said) = watch::channel(now);
                topics.insert(key, Topic { said: sender, readers: HashMap::from([(reader, entry)]) });
                let looker = Looker {
                    live: self.clone(),
                    db: db.clone(),
                    clock: clock.clone(),
                    actor,
                    id,
                    rate: Rate::default(),
                };
                tokio::spawn(looker.run(stop.clone()));
                said
            }
        };
        drop(topics);
        Ok(Some(Follower { live: self.clone(), key, reader, said, end, fresh: true, _slot: slot }))
    }
}

/// Looks at one mailing while anybody follows it.
struct Looker {
    live: Live,
    db: Db,
    clock: SharedClock,
    actor: Actor,
    id: i64,
    rate: Rate,
}

impl Looker {
    fn key(&self) -> Key {
        (self.actor.id, self.id)
    }

    async fn run(mut self, stop: CancellationToken) {
        loop {
            let looked = AssertUnwindSafe(self.look()).catch_unwind().await;
            match looked.unwrap_or_else(|_| Err(Error::Internal("a panic ended it".to_owned()))) {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    // A browser comes back by itself, and is told then what is wrong.
                    tracing::debug!(%error, mailing = self.id, "nobody may follow the mailing any more");
                    break;
                }
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        if let Some(topic) = self.live.topics().remove(&self.key()) {
            topic.readers.values().for_each(|reader| reader.end.cancel());
        }
    }

    /// Tells what has changed, and ends the streams of sessions that have ended. False once nobody follows.
    async fn look(&mut self) -> Result<bool> {
        let now = self.clock.now();
        let user = users::by_id(&self.db, self.actor.id).await?.ok_or(Error::Unauthenticated)?;
        Actor::prove(&user, Permission::Own)?;
        let mut seen = mailings::live(&self.db, &self.actor, self.id, now).await?;
        if let Some(run) = &seen.run {
            seen.rate = self.rate.add(run.id, run.counts.finals(), now);
        }
        let sessions: Vec<String> = {
            let topics = self.live.topics();
            let Some(topic) = topics.get(&self.key()) else { return Ok(false) };
            topic.readers.values().map(|reader| reader.session.clone()).collect()
        };
        let alive = alive(&self.db, &sessions, now).await?;
        let mut topics = self.live.topics();
        let Some(topic) = topics.get_mut(&self.key()) else { return Ok(false) };
        if topic.readers.is_empty() {
            topics.remove(&self.key());
            return Ok(false);
        }
        for reader in topic.readers.values() {
            // Who came while the sessions were read is looked at the next time.
            if sessions.contains(&reader.session) && !alive.contains(&reader.session) {
                reader.end.cancel();
            }
        }
        topic.said.send_if_modified(|said| {
            let changed = MailingLive { now, ..said.clone() } != seen;
            *said = seen;
            changed
        });
        Ok(true)
    }
}

/// How fast deliveries become final.
#[derive(Default)]
struct Rate {
    run: i64,
    seen: VecDeque<(DateTime<Utc>, i64)>,
}

impl Rate {
    /// Notes a count and returns deliveries a second over the looks that are remembered.
    fn add(&mut self, run: i64, finals: i64, now: DateTime<Utc>) -> f64 {
        if self.run != run {
            self.run = run;
            self.seen.clear();
        }
        self.seen.push_back((now, finals));
        if self.seen.len() > LOOKS {
            self.seen.pop_front();
        }
        let Some((since, before)) = self.seen.front() else { return 0.0 };
        let millis = now.signed_duration_since(*since).num_milliseconds();
        if millis <= 0 { 0.0 } else { (finals - before) as f64 * 1000.0 / millis as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn the_rate_is_that_of_the_last_seconds_of_one_run() {
        let mut rate = Rate::default();
        let begin = DateTime::UNIX_EPOCH;
        assert_eq!(rate.add(1, 500, begin), 0.0);
        assert_eq!(rate.add(1, 600, begin + TimeDelta::seconds(1)), 100.0);
        for second in 2..20 {
            rate.add(1, 600, begin + TimeDelta::seconds(second));
        }
        assert_eq!(rate.add(1, 600, begin + TimeDelta::seconds(20)), 0.0);
        assert_eq!(rate.add(2, 5, begin + TimeDelta::seconds(21)), 0.0);
    }
}
