//! What several commands share: the database, the signals, the engine.

use super::{Failure, Outcome, signals};
use crate::server::clock::SharedClock;
use crate::server::config::Config;
use crate::server::db::{Db, sqlite_file};
use crate::server::engine::relays::{Pool, PoolConfig, Source};
use crate::server::engine::{Engine, EngineConfig, EngineLock, LockError, Wake, ring_others, serve_letters};
use crate::server::log;
use crate::server::services::accounts;
use crate::server::supervisor::Supervisor;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long the last steps may take, each.
const FAREWELL: Duration = Duration::from_secs(5);

/// Opens the database and brings it, and what SQL cannot, to this version's shape.
pub async fn open(config: &Config) -> Result<Db, Failure> {
    if let Some(file) = sqlite_file(&config.database_url) {
        EngineLock::check_name(&file)?;
    }
    let db = Db::open(&config.database_url).await?;
    db.migrate().await?;
    accounts::fold_accounts(&db).await.map_err(|error| Failure::Failed(error.to_string()))?;
    Ok(db)
}

/// The lock that keeps a second engine off an SQLite file; PostgreSQL needs none.
pub fn lock(config: &Config) -> Result<Option<EngineLock>, LockError> {
    sqlite_file(&config.database_url).map(|file| EngineLock::take(&file)).transpose()
}

/// Tells the engine of another process that there is something new to do.
pub async fn ring(db: &Db, config: &Config) {
    ring_others(db, sqlite_file(&config.database_url).as_deref()).await;
}

/// Has the engine hear when another process has something new to do.
pub fn hear_others(supervisor: &Supervisor, wake: &Wake, db: &Db, config: &Config) {
    let (wake, db, file) = (wake.clone(), db.clone(), sqlite_file(&config.database_url));
    supervisor.spawn("wake-ups from other processes", move || wake.clone().join(db.clone(), file.clone()));
}

/// Has the service's own letters sent, and the accounts tidied.
pub fn own_letters(engine: &Engine, wake: &Wake) -> JoinHandle<()> {
    let (engine, wake) = (engine.clone(), wake.clone());
    engine.supervisor().spawn("own letters", move || serve_letters(engine.clone(), wake.clone()))
}

/// Waits for a task that was told to end, but not for long: the grace is over.
pub async fn ended(what: &str, task: JoinHandle<()>) {
    match tokio::time::timeout(FAREWELL, task).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "{what} ended badly"),
        Err(_) => tracing::warn!("{what} is cut short"),
    }
}

/// Whether the process ends because it had to.
pub fn given_up(supervisor: &Supervisor) -> Outcome {
    supervisor.given_up().map_or(Ok(()), |why| Err(Failure::GaveUp(why)))
}

/// Closes the database; one that does not answer is not waited for.
pub async fn close(db: &Db) {
    if tokio::time::timeout(FAREWELL, db.close()).await.is_err() {
        tracing::warn!("the database could not be closed in time");
    }
}

/// An engine for these settings.
pub fn engine(db: &Db, config: &Config, relays: &Pool, clock: &SharedClock, stop: CancellationToken) -> Engine {
    let engine = EngineConfig {
        timeouts: config.timeouts.clone(),
        from: config.from.clone(),
        secret: config.secret.clone(),
        retry: config.retry.clone(),
        dkim: config.dkim.clone(),
        data_dir: Some(config.data_dir.clone()),
    };
    Engine::new(db.clone(), clock.clone(), engine, relays.clone(), stop).with_takeover(config.running.takeover)
}

/// The mail servers of the settings and of the database.
pub async fn relays(db: &Db, config: &Config, clock: &SharedClock, source: Source) -> Result<Pool, Failure> {
    let pool = PoolConfig { source, timeouts: config.timeouts.clone(), secret: config.secret.clone() };
    let pool = Pool::new(db.clone(), clock.clone(), pool);
    pool.reload().await?;
    Ok(pool)
}

/// The same where there must be one.
pub async fn some_relays(db: &Db, config: &Config, clock: &SharedClock) -> Result<Pool, Failure> {
    let source = config.relay.clone().map_or(Source::Nothing, Source::Settings);
    let pool = relays(db, config, clock, source).await?;
    if pool.is_empty() {
        return Err(Failure::Failed(
            "there is no mail server: set VESTNIK_SMTP_URL or add one with `vestnik relay add`; the built-in mail \
             catcher belongs to `vestnik serve`"
                .to_owned(),
        ));
    }
    Ok(pool)
}

/// Cancels the token at the first SIGTERM, Ctrl-C or end of the terminal; the second ends the process at once.
pub fn stop_on_signal(stop: &CancellationToken) -> Result<(), Failure> {
    let stop = stop.clone();
    let mut signals = signals::Signals::listen()?;
    tokio::spawn(async move {
        loop {
            let code = 128 + signals.next().await;
            if stop.is_cancelled() {
                tracing::warn!("ended by a second signal");
                log::flush();
                std::process::exit(code);
            }
            tracing::info!("stopping: letters under way are waited for; a second signal ends at once");
            stop.cancel();
        }
    });
    Ok(())
}
