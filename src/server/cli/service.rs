//! What several commands share: the database, the signals, the engine.

use super::{Failure, Outcome, signals};
use crate::server::clock::SharedClock;
use crate::server::config::Config;
use crate::server::db::{Db, DbError, sqlite_file};
use crate::server::engine::relays::{Pool, PoolConfig, Source};
use crate::server::engine::{Engine, EngineConfig, EngineLock, LockError, Wake, ring_others, serve_letters};
use crate::server::log;
use crate::server::private;
use crate::server::services::{accounts, suppressions};
use crate::server::supervisor::Supervisor;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long the last steps may take, each.
const FAREWELL: Duration = Duration::from_secs(5);
/// Between two looks for a database that is away.
const LOOK: Duration = Duration::from_secs(1);

/// Opens the database and brings it, and what SQL cannot, to this version's shape.
pub async fn open(config: &Config) -> Result<Db, Failure> {
    check_name(config)?;
    private::mend(&config.data_dir, sqlite_file(&config.database_url).as_deref());
    let db = Db::open(&config.database_url).await.map_err(|error| unusable(&error))?;
    shape(&db).await?;
    Ok(db)
}

/// One file must not be opened by two names.
fn check_name(config: &Config) -> Result<(), LockError> {
    sqlite_file(&config.database_url).map_or(Ok(()), |file| EngineLock::check_name(&file))
}

async fn shape(db: &Db) -> Result<(), Failure> {
    db.migrate().await.map_err(|error| unusable(&error))?;
    accounts::fold_accounts(db).await.map_err(|error| Failure::Failed(error.to_string()))?;
    suppressions::fold_addresses(db).await.map_err(|error| Failure::Failed(error.to_string()))
}

fn unusable(error: &DbError) -> Failure {
    Failure::Failed(format!("VESTNIK_DATABASE_URL: {error}"))
}

/// The same, for what starts together with its database: while that is away it is waited for, with a line in the log
/// every second. None if the service was told to stop.
pub async fn open_when_there(config: &Config, stop: &CancellationToken) -> Result<Option<Db>, Failure> {
    tokio::select! {
        // Rolls back what a migration has done so far.
        () = stop.cancelled() => Ok(None),
        db = wait_and_open(config) => db.map(Some),
    }
}

async fn wait_and_open(config: &Config) -> Result<Db, Failure> {
    check_name(config)?;
    private::mend(&config.data_dir, sqlite_file(&config.database_url).as_deref());
    let end = Instant::now() + config.running.database_wait;
    let mut every_second = tokio::time::interval(LOOK);
    every_second.tick().await;
    let mut why = "no answer yet".to_owned();
    loop {
        let open = Db::open(&config.database_url);
        tokio::pin!(open);
        let error = loop {
            tokio::select! {
                opened = &mut open => match opened {
                    Ok(db) => {
                        shape(&db).await?;
                        return Ok(db);
                    }
                    Err(error) => break error,
                },
                _ = every_second.tick() => tracing::warn!("waiting for the database: {why}"),
            }
        };
        // A file does not come by itself.
        let may_come = matches!(error, DbError::Connect { .. }) && error.is_away();
        if !may_come || Instant::now() >= end {
            return Err(unusable(&error));
        }
        why = error.to_string();
        every_second.tick().await;
        tracing::warn!("waiting for the database: {why}");
    }
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
        returns: config.return_path(),
        tokens: config.tokens.clone(),
        site: config.public_url.clone(),
        data_dir: Some(config.data_dir.clone()),
    };
    Engine::new(db.clone(), clock.clone(), engine, relays.clone(), stop).with_takeover(config.running.takeover)
}

/// The mail servers of the settings and of the database.
pub async fn relays(db: &Db, config: &Config, clock: &SharedClock, source: Source) -> Result<Pool, Failure> {
    let pool = PoolConfig {
        source,
        timeouts: config.timeouts.clone(),
        hello: config.hello.clone(),
        secret: config.secret.clone(),
    };
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
