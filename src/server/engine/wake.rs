//! What the engine's loop and everybody else know of each other: a bell to wake it, within this
//! process and beyond, a pulse to feel, and the process's name.

use crate::server::db::Db;
use crate::server::db::processes::NAME;
use chrono::{DateTime, Utc};
use sqlx::postgres::PgListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::UnixDatagram;
use tokio::sync::Notify;

/// The channel of PostgreSQL's NOTIFY.
const CHANNEL: &str = "vestnik_wake";
/// Before another try to listen.
const AFTER_ERROR: Duration = Duration::from_secs(2);

/// A bell that anybody may ring; a ring while nobody listens is kept. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Wake(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    process: String,
    inside: Notify,
    outside: Notify,
    pulse: Mutex<Pulse>,
}

/// How the engine is.
#[derive(Clone, Debug, Default)]
pub struct Pulse {
    /// Its loop runs.
    pub running: bool,
    /// When it last wrote to the database that it lives.
    pub beat: Option<DateTime<Utc>>,
    /// Why it could not, the last time.
    pub trouble: Option<String>,
    /// What is wrong with the mail server.
    pub relay_trouble: Option<String>,
}

impl Default for Wake {
    fn default() -> Self {
        Self(Arc::new(Inner {
            process: format!("{:0NAME$x}", rand::random::<u64>()),
            inside: Notify::new(),
            outside: Notify::new(),
            pulse: Mutex::default(),
        }))
    }
}

impl Wake {
    /// The name of this process in the database.
    pub fn process(&self) -> &str {
        &self.0.process
    }

    /// There is something new to do, for whichever process comes first.
    pub fn ring(&self) {
        self.0.inside.notify_one();
        self.0.outside.notify_one();
    }

    /// Waits for the next ring.
    pub async fn heard(&self) {
        self.0.inside.notified().await;
    }

    pub fn pulse(&self) -> Pulse {
        self.0.pulse.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn feel(&self, change: impl FnOnce(&mut Pulse)) {
        change(&mut self.0.pulse.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Rings when another process does: over PostgreSQL itself, or at the socket beside an SQLite file.
    /// Where neither works, the engine's own looks at the database are what is left. Never returns.
    pub async fn join(self, db: Db, file: Option<PathBuf>) {
        match (db, file) {
            (Db::Postgres(pool), _) => loop {
                if let Err(error) = self.listen(&pool).await {
                    tracing::debug!(%error, "no wake-ups from other processes; trying again");
                }
                tokio::time::sleep(AFTER_ERROR).await;
            },
            (Db::Sqlite { .. }, Some(file)) => {
                if let Err(error) = self.answer(&socket(&file)).await {
                    tracing::debug!(%error, "no wake-ups from other processes");
                }
                std::future::pending().await
            }
            (Db::Sqlite { .. }, None) => std::future::pending().await,
        }
    }

    async fn listen(&self, pool: &sqlx::PgPool) -> Result<(), sqlx::Error> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(CHANNEL).await?;
        // Something may have been said while nobody listened.
        self.0.inside.notify_one();
        loop {
            tokio::select! {
                heard = listener.recv() => {
                    heard?;
                    self.0.inside.notify_one();
                }
                () = self.0.outside.notified() => notify(pool).await?,
            }
        }
    }

    async fn answer(&self, socket: &Path) -> std::io::Result<()> {
        // Left behind by a process that was killed: who holds the lock may replace it.
        let _ = std::fs::remove_file(socket);
        let bell = UnixDatagram::bind(socket)?;
        let mut byte = [0_u8; 1];
        loop {
            bell.recv(&mut byte).await?;
            self.0.inside.notify_one();
        }
    }
}

fn socket(file: &Path) -> PathBuf {
    super::lock::beside(file, "bell")
}

async fn notify(pool: &sqlx::PgPool) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_notify($1, '')").bind(CHANNEL).execute(pool).await.map(drop)
}

/// Rings for a process that has no engine, such as a command. That nobody hears it is no error: an
/// engine that starts looks by itself.
pub async fn ring_others(db: &Db, file: Option<&Path>) {
    match (db, file) {
        (Db::Postgres(pool), _) => {
            if let Err(error) = notify(pool).await {
                tracing::debug!(%error, "no other process could be woken");
            }
        }
        (Db::Sqlite { .. }, Some(file)) => {
            if let Ok(sender) = UnixDatagram::unbound() {
                let _ = sender.send_to(&[1], socket(file)).await;
            }
        }
        (Db::Sqlite { .. }, None) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::db::testing;

    async fn rings_through(db: Db, file: Option<PathBuf>) {
        let wake = Wake::default();
        let joined = tokio::spawn(wake.clone().join(db.clone(), file.clone()));
        // The other side may not be there yet: a ring that nobody hears is lost.
        let heard = async {
            loop {
                ring_others(&db, file.as_deref()).await;
                if tokio::time::timeout(Duration::from_millis(50), wake.heard()).await.is_ok() {
                    break;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), heard).await.expect("the bell is heard");
        joined.abort();
    }

    #[tokio::test]
    async fn sqlite_rings_through() {
        let (db, folder) = testing::sqlite().await;
        rings_through(db, Some(folder.path().join("test.db"))).await;
    }

    #[tokio::test]
    async fn postgres_rings_from_engine_to_engine() {
        let db = testing::postgres().await;
        rings_through(db.clone(), None).await;
        let (one, other) = (Wake::default(), Wake::default());
        let joined = [one.clone(), other.clone()].map(|wake| tokio::spawn(wake.join(db.clone(), None)));
        // Each is rung once when it begins to listen.
        one.heard().await;
        other.heard().await;
        one.ring();
        other.heard().await;
        for task in joined {
            task.abort();
        }
    }
}
