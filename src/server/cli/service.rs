//! What several commands share: the log, the database, the signals, the engine.

use super::Failure;
use crate::server::clock::SharedClock;
use crate::server::config::Config;
use crate::server::db::Db;
use crate::server::engine::{Engine, EngineConfig, EngineLock};
use crate::server::mail::relay::Relay;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// Starts the log, on standard error.
pub fn start_log(filter: &str) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(filter).map_err(|error| Failure::Failed(format!("VESTNIK_LOG: {error}")))?;
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    Ok(())
}

/// Opens the database and brings it to this version's shape.
pub async fn open(config: &Config) -> Result<Db, Failure> {
    let db = Db::open(&config.database_url).await?;
    db.migrate().await?;
    Ok(db)
}

/// The lock that keeps a second engine off an SQLite file; PostgreSQL needs none.
pub fn lock(db: &Db, config: &Config) -> Result<Option<EngineLock>, Failure> {
    match db {
        Db::Sqlite { .. } => Ok(Some(EngineLock::take(&config.data_dir)?)),
        Db::Postgres(_) => Ok(None),
    }
}

/// An engine for these settings.
pub fn engine(db: &Db, config: &Config, relay: &Arc<Relay>, clock: &SharedClock, stop: CancellationToken) -> Engine {
    let engine = EngineConfig {
        relay: relay.clone(),
        timeouts: config.timeouts.clone(),
        from: config.from.clone(),
        secret: config.secret.clone(),
        retry: config.retry.clone(),
    };
    Engine::new(db.clone(), clock.clone(), engine, stop)
}

/// The configured mail server.
pub fn relay(config: &Config) -> Result<Arc<Relay>, Failure> {
    let missing = "VESTNIK_SMTP_URL: needed here; the built-in mail catcher belongs to `vestnik serve`";
    config.relay.clone().map(Arc::new).ok_or_else(|| Failure::Failed(missing.to_owned()))
}

/// Cancels the token at the first SIGTERM or Ctrl-C.
pub fn stop_on_signal(stop: &CancellationToken) -> Result<(), Failure> {
    let stop = stop.clone();
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        stop.cancel();
    });
    Ok(())
}
