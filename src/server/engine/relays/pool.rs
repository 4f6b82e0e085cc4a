//! All relays, in their order. Who wants to send asks for a place: the first relay that is well gets
//! the letters, the next one while the first cannot be reached or its limits are used up.

use super::allowance::{Allowance, Grant};
use super::live::{self, Answer, Live};
use super::session::Session;
use crate::domain::audit::Act;
use crate::domain::delivery::Stage;
use crate::domain::relay::{Cause, FROM_SETTINGS, Fault, Limits, RelaySettings, RelayState, Trouble};
use crate::server::clock::SharedClock;
use crate::server::db::audit::{self, Entry};
use crate::server::db::relays::{self, Pause, Stored};
use crate::server::db::{Db, DbResult};
use crate::server::mail::relay::{Credentials, Relay};
use crate::server::mail::smtp::{Connection, SmtpError};
use crate::server::mail::timeouts::Timeouts;
use crate::server::seal::Sealer;
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How often settings are read again while there is work: another process may have changed them.
const REFRESH: TimeDelta = TimeDelta::seconds(5);
/// How long nothing is tried where only a person can help; whoever helps rings the bell.
const LONG: TimeDelta = TimeDelta::seconds(60);

/// What a pool is made of.
#[derive(Clone, Debug)]
pub struct PoolConfig {
    pub source: Source,
    pub timeouts: Timeouts,
    /// Our name in EHLO, for the stored relays.
    pub hello: Option<String>,
    pub secret: SecretString,
}

/// The relay that stands in no table.
#[derive(Clone, Debug)]
pub enum Source {
    /// VESTNIK_SMTP_URL: always the first.
    Settings(Relay),
    /// The built-in mail catcher: used while there is no other, not even one that is off.
    Catcher(Relay),
    Nothing,
}

/// All relays. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Pool(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub db: Db,
    pub clock: SharedClock,
    pub timeouts: Timeouts,
    hello: Option<String>,
    /// This process, among all that work on the database.
    pub holder: String,
    source: Source,
    sealer: Sealer,
    relays: RwLock<Arc<[Arc<Live>]>>,
    catching: AtomicBool,
    /// Rings when a place may have come free.
    pub changed: Notify,
    refreshed: Mutex<Option<DateTime<Utc>>>,
    /// Where the pool was made: what outlives a pass of the engine, and the database's connections,
    /// belong to it.
    runtime: Handle,
}

/// What the pool says to somebody who wants to send.
enum Choice {
    Take(Slot),
    /// Others are at work; wait until something changes.
    Wait,
    /// Nothing can be sent now.
    Closed,
}

/// A place for one connection to a relay; dropped, it is free again.
pub struct Slot {
    pub live: Arc<Live>,
    probing: bool,
    pool: Arc<Inner>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.live.give(self.probing);
        self.pool.changed.notify_waiters();
    }
}

impl Slot {
    /// Connects to the relay, and lets the breaker and all others know how it went.
    ///
    /// # Errors
    /// If no session came about; it is on record.
    pub async fn connect(&mut self) -> Result<(Connection, live::Session), SmtpError> {
        let result = Connection::open(&self.live.relay, &self.pool.timeouts).await;
        let now = self.pool.clock.now();
        self.probing = false;
        let result = match result {
            Ok(connection) => Ok((connection, self.live.connected())),
            Err(error) => {
                let relay = &self.live.settings.name;
                tracing::warn!(relay, %error, "the mail server cannot be used");
                if self.live.not_connected(&error, now) {
                    tracing::error!(relay, %error, "user and password are refused: the mail server is paused");
                    self.pool.keep_pause(&self.live, Trouble { at: now, fault: error.fault() }).await;
                }
                Err(error)
            }
        };
        self.pool.changed.notify_waiters();
        result
    }
}

impl Pool {
    /// A pool with what the settings say; [`Pool::reload`] adds what the database says.
    pub fn new(db: Db, clock: SharedClock, config: PoolConfig) -> Self {
        let pool = Self(Arc::new(Inner {
            db,
            clock,
            timeouts: config.timeouts,
            hello: config.hello,
            holder: format!("{:016x}", rand::random::<u64>()),
            source: config.source,
            sealer: Sealer::new(&config.secret),
            relays: RwLock::new(Arc::new([])),
            catching: AtomicBool::new(false),
            changed: Notify::new(),
            refreshed: Mutex::new(None),
            runtime: Handle::current(),
        }));
        pool.0.replace(Vec::new(), &HashMap::new());
        pool
    }

    /// Whether letters are caught on this machine: there is a catcher and no relay.
    pub fn catching(&self) -> bool {
        self.0.catching.load(Ordering::Relaxed)
    }

    /// Whether there is any relay, be it off.
    pub fn is_empty(&self) -> bool {
        self.0.all().is_empty()
    }

    /// The most connections that can be open at a time: more workers would only wait.
    pub fn workers(&self) -> usize {
        let most = |live: &Arc<Live>| live.relay.connections;
        self.0.all().iter().filter(|live| live.settings.enabled).map(most).max().unwrap_or(1)
    }

    /// A way to send for one worker, without a place yet.
    pub fn session(&self, stop: CancellationToken) -> Session {
        Session::new(self.clone(), stop)
    }

    /// When something can be sent again, if nothing can now.
    pub fn closed_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut until = now + LONG;
        for live in self.0.all().iter() {
            match live.ask(now) {
                Answer::Closed(at) => until = at.map_or(until, |at| at.min(until)),
                _ => return None,
            }
        }
        Some(until)
    }

    /// What is wrong, if no relay can be used now.
    pub fn trouble(&self) -> Option<String> {
        let (now, all) = (self.0.clock.now(), self.0.all());
        // One of which nothing is known yet counts as well.
        let well = |live: &Arc<Live>| {
            let look = live.look(now);
            look.state == RelayState::Ready || look.open > 0
        };
        if all.iter().any(well) {
            return None;
        }
        let troubles = all.iter().filter_map(|live| {
            let Trouble { fault, .. } = live.trouble(now)?;
            Some(format!("{}: {}: {}", live.relay, fault.stage_word(), fault.detail))
        });
        let text = troubles.collect::<Vec<_>>().join("; ");
        Some(if text.is_empty() { "no mail server may be used now".to_owned() } else { text })
    }

    /// What a person must put right, by name: relays that are paused, and those that cannot be spoken to safely.
    pub fn alerts(&self) -> Vec<(String, Fault)> {
        let alert = |live: &Arc<Live>| {
            let look = live.look(self.0.clock.now());
            let fault = look.trouble?.fault;
            let is = look.state == RelayState::Paused || look.state == RelayState::Resting && fault.cause.is_tls();
            is.then(|| (live.settings.name.clone(), fault))
        };
        self.0.all().iter().filter_map(alert).collect()
    }

    /// Relays that are in use, by name, and whether their breaker is open.
    pub fn breakers(&self) -> Vec<(String, bool)> {
        let now = self.0.clock.now();
        let all = self.0.all();
        let used = all.iter().filter(|live| live.settings.enabled);
        used.map(|live| (live.settings.name.clone(), live.look(now).state == RelayState::Resting)).collect()
    }

    /// The relay's name for a record where it is not known which one it was: the only one's, or none.
    pub fn only_name(&self) -> String {
        match &*self.0.all() {
            [only] => only.relay.to_string(),
            _ => String::new(),
        }
    }

    /// Reads the settings again if that was not done for some seconds, and says in the database what
    /// this engine sees.
    ///
    /// # Errors
    /// Database errors; what was known stays.
    pub async fn refresh(&self) -> DbResult<()> {
        let now = self.0.clock.now();
        let fresh = {
            let refreshed = self.0.refreshed.lock().unwrap_or_else(PoisonError::into_inner);
            refreshed.is_some_and(|at| at <= now && now - at < REFRESH)
        };
        if fresh {
            return Ok(());
        }
        self.reload().await?;
        self.report().await
    }

    /// Reads the settings again.
    ///
    /// # Errors
    /// Database errors; what was known stays.
    pub async fn reload(&self) -> DbResult<()> {
        let stored = relays::all(&self.0.db).await?;
        let pauses = relays::pauses(&self.0.db).await?;
        for gone in self.0.replace(stored, &pauses) {
            gone.allowance.rest().await?;
        }
        *self.0.refreshed.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.0.clock.now());
        self.0.changed.notify_waiters();
        Ok(())
    }

    /// A relay for one letter of the service itself, sent on a connection of its own, and the
    /// permission for it; none while there is no relay or all limits are used up.
    pub async fn for_one(&self) -> Option<(Relay, Grant)> {
        let now = self.0.clock.now();
        let all = self.0.all();
        let well = |live: &&Arc<Live>| matches!(live.ask(now), Answer::Free | Answer::Wait);
        // One that rests is tried if no other is well: whoever waits for the letter learns what is wrong.
        let others = |live: &&Arc<Live>| !well(live) && live.settings.enabled;
        for live in all.iter().filter(well).chain(all.iter().filter(others)) {
            if let Ok(grant) = live.allowance.take().await {
                return Some((live.relay.clone(), grant));
            }
        }
        None
    }

    /// Gives back what a pass of the engine took beyond its need.
    pub async fn rest(&self) {
        for live in self.0.all().iter() {
            if let Err(error) = live.allowance.rest().await {
                tracing::error!(relay = live.settings.name, %error, "what a relay was given cannot be recorded yet");
            }
        }
    }
}

impl Inner {
    /// The relays, the first one first.
    pub fn all(&self) -> Arc<[Arc<Live>]> {
        self.relays.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for a place; none if no relay can be used now.
    pub async fn place(self: &Arc<Self>, stop: &CancellationToken) -> Option<Slot> {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // From here on no change is missed.
            changed.as_mut().enable();
            match self.choose(self.clock.now()) {
                Choice::Take(slot) => return Some(slot),
                Choice::Closed => return None,
                Choice::Wait => tokio::select! {
                    () = changed => {}
                    () = stop.cancelled() => return None,
                },
            }
        }
    }

    /// A place, if one is free.
    pub fn free_place(self: &Arc<Self>) -> Option<Slot> {
        match self.choose(self.clock.now()) {
            Choice::Take(slot) => Some(slot),
            Choice::Wait | Choice::Closed => None,
        }
    }

    fn choose(self: &Arc<Self>, now: DateTime<Utc>) -> Choice {
        let mut probing = false;
        let mut half_open = Vec::new();
        for live in self.all().iter() {
            match live.ask(now) {
                Answer::Free => {
                    if let Some(slot) = self.take(live, now) {
                        self.probe(half_open, now);
                        return Choice::Take(slot);
                    }
                    return Choice::Wait;
                }
                Answer::Wait => {
                    self.probe(half_open, now);
                    return Choice::Wait;
                }
                Answer::Probe => half_open.push(live.clone()),
                Answer::Probing => probing = true,
                Answer::Closed(_) => {}
            }
        }
        match half_open.iter().find_map(|live| self.take(live, now)) {
            Some(slot) => Choice::Take(slot),
            None if probing || !half_open.is_empty() => Choice::Wait,
            None => Choice::Closed,
        }
    }

    fn take(self: &Arc<Self>, live: &Arc<Live>, now: DateTime<Utc>) -> Option<Slot> {
        let probing = live.take(now)?;
        Some(Slot { live: live.clone(), probing, pool: self.clone() })
    }

    /// Sees whether relays can be reached again, beside the letters, which go by another meanwhile.
    fn probe(self: &Arc<Self>, relays: Vec<Arc<Live>>, now: DateTime<Utc>) {
        for mut slot in relays.iter().filter_map(|live| self.take(live, now)) {
            self.runtime.spawn(async move {
                if let Ok((connection, _)) = slot.connect().await {
                    connection.quit().await;
                }
            });
        }
    }

    /// Whether a relay that goes before this one would take a connection; those that could not be
    /// reached are looked at again on the way.
    pub fn is_better(self: &Arc<Self>, than: &Arc<Live>, now: DateTime<Utc>) -> bool {
        for live in self.all().iter().take_while(|live| !Arc::ptr_eq(live, than)) {
            match live.ask(now) {
                Answer::Free => return true,
                Answer::Probe => self.probe(vec![live.clone()], now),
                _ => {}
            }
        }
        false
    }

    /// Notes in the database that a relay refused user and password, for all processes and restarts.
    async fn keep_pause(&self, live: &Live, trouble: Trouble) {
        let (db, id, name) = (self.db.clone(), live.settings.id, live.settings.name.clone());
        let pause = Pause { fingerprint: live.fingerprint.clone(), trouble };
        let kept = self.runtime.spawn(async move {
            let mut tx = db.begin().await?;
            relays::pause(&mut tx, id, &pause).await?;
            // Nobody's act but the service's own.
            let entry = Entry {
                actor_id: None,
                actor: "",
                act: Act::RelayPaused,
                target_id: Some(id),
                target: &name,
                reason: pause.trouble.fault.stage_word(),
                before: "",
                after: "",
                address: "",
            };
            audit::append(&mut tx, &entry, pause.trouble.at).await?;
            tx.commit().await
        });
        let trouble = match kept.await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        tracing::error!(relay = live.settings.name, trouble, "a relay's pause cannot be recorded");
    }

    /// Puts the relays in place of those there were. One whose settings are the same keeps its state.
    /// Returns those that are gone.
    fn replace(&self, stored: Vec<Stored>, pauses: &HashMap<i64, Pause>) -> Vec<Arc<Live>> {
        let mut wanted: Vec<(RelaySettings, Relay, Option<Fault>)> = Vec::new();
        self.catching.store(matches!(self.source, Source::Catcher(_)) && stored.is_empty(), Ordering::Relaxed);
        match &self.source {
            Source::Settings(relay) => wanted.push((settings_of(relay), relay.clone(), None)),
            Source::Catcher(relay) if stored.is_empty() => wanted.push((settings_of(relay), relay.clone(), None)),
            Source::Catcher(_) | Source::Nothing => {}
        }
        wanted.extend(stored.into_iter().filter_map(|stored| self.relay_of(stored)));
        let before = self.all();
        let mut kept = Vec::with_capacity(wanted.len());
        for (settings, relay, fault) in wanted {
            let fingerprint = self.fingerprint(&settings, &relay);
            let same = |live: &&Arc<Live>| live.settings == settings && live.fingerprint == fingerprint;
            let live = before.iter().find(same).cloned().unwrap_or_else(|| {
                let allowance = Allowance::new(
                    self.db.clone(),
                    self.clock.clone(),
                    settings.id,
                    relay.limits,
                    self.runtime.clone(),
                );
                Arc::new(Live::new(settings, relay, fingerprint, Arc::new(allowance)))
            });
            let pause = pauses.get(&live.settings.id).filter(|pause| pause.fingerprint == live.fingerprint);
            let sealed = fault.map(|fault| Trouble { at: self.clock.now(), fault });
            live.set_paused(sealed.or_else(|| pause.map(|pause| pause.trouble.clone())));
            kept.push(live);
        }
        let gone: Vec<_> =
            before.iter().filter(|live| !kept.iter().any(|other| Arc::ptr_eq(other, live))).cloned().collect();
        gone.iter().for_each(|live| live.retire());
        *self.relays.write().unwrap_or_else(PoisonError::into_inner) = kept.into();
        gone
    }

    /// A stored relay ready for use; with a fault if its password cannot be read.
    fn relay_of(&self, stored: Stored) -> Option<(RelaySettings, Relay, Option<Fault>)> {
        let Stored { settings, sealed } = stored;
        let (mut credentials, mut fault) = (None, None);
        if !settings.user.is_empty() {
            match self.sealer.open(&sealed, &relays::context(&settings)) {
                Some(password) => credentials = Some(Credentials { user: settings.user.clone(), password }),
                None => fault = Some(Fault { stage: Stage::Auth, cause: Cause::Sealed, detail: String::new() }),
            }
        }
        let connections = usize::try_from(settings.connections).unwrap_or(1);
        match Relay::new(&settings.host, settings.port, settings.tls, credentials, connections) {
            Ok(relay) => {
                let relay = relay.with_limits(settings.limits).with_hello(self.hello.as_deref());
                Some((settings, relay, fault))
            }
            Err(error) => {
                tracing::error!(relay = settings.name, %error, "a stored relay cannot be used");
                None
            }
        }
    }

    fn fingerprint(&self, settings: &RelaySettings, relay: &Relay) -> String {
        let (user, password) = relay
            .credentials
            .as_ref()
            .map_or(("", ""), |credentials| (credentials.user.as_str(), credentials.password.expose_secret()));
        self.sealer.fingerprint(&[&relay.to_string(), settings.tls.as_str(), user, password])
    }
}

/// The settings of a relay that stands in no table.
fn settings_of(relay: &Relay) -> RelaySettings {
    RelaySettings {
        id: FROM_SETTINGS,
        name: relay.to_string(),
        host: relay.host.clone(),
        port: relay.port,
        tls: relay.tls,
        user: relay.credentials.as_ref().map_or_else(String::new, |credentials| credentials.user.clone()),
        has_password: relay.credentials.is_some(),
        connections: i64::try_from(relay.connections).unwrap_or(i64::MAX),
        limits: Limits { ..relay.limits },
        priority: i64::MIN,
        enabled: true,
    }
}
