//! `vestnik work` and `vestnik send`.

use super::{Failure, Outcome, handoff, service};
use crate::server::clock::SharedClock;
use crate::server::config::Config;
use crate::server::db::{mailings, sqlite_file};
use crate::server::engine::{LockError, Summary, Wake, serve, serve_letters};
use tokio_util::sync::CancellationToken;

/// The engine alone, until it is told to stop.
pub async fn work(config: Config, clock: SharedClock) -> Outcome {
    let db = service::open(&config).await?;
    let relays = service::some_relays(&db, &config, &clock).await?;
    let lock = service::lock(&config)?;
    let stop = CancellationToken::new();
    service::stop_on_signal(&stop)?;
    let engine = service::engine(&db, &config, &relays, &clock, stop);
    engine.enter(lock.is_some()).await?;
    tokio::spawn(engine.wake().join(db.clone(), sqlite_file(&config.database_url)));
    let letters = tokio::spawn(serve_letters(engine.clone(), Wake::default()));
    serve(engine, config.running.grace).await;
    service::ended("sending the service's own letters", letters).await;
    service::close(&db).await;
    Ok(())
}

/// One pass of the engine; on an SQLite file that another process sends from, of that one's engine.
pub async fn send(config: Config, clock: SharedClock, mailing: Option<i64>, json: bool) -> Outcome {
    let db = service::open(&config).await?;
    if let Some(id) = mailing
        && mailings::by_id(&db, id).await?.is_none()
    {
        return Err(Failure::Failed(format!("there is no mailing {id}")));
    }
    let stop = CancellationToken::new();
    service::stop_on_signal(&stop)?;
    let start = handoff::Start::note(&db, mailing).await?;
    let summary = loop {
        match service::lock(&config) {
            Ok(lock) => {
                let relays = service::some_relays(&db, &config, &clock).await?;
                let engine = service::engine(&db, &config, &relays, &clock, stop.clone());
                engine.enter(lock.is_some()).await?;
                engine.within(config.running.grace, engine.pass(mailing)).await.transpose()?;
                break engine.summary();
            }
            Err(LockError::Held(_)) => {
                service::ring(&db, &config).await;
                // None: the other process has gone meanwhile, and the lock may be free.
                if let Some(summary) = start.wait(&db, &clock, &stop).await? {
                    break summary;
                }
            }
            Err(error) => return Err(error.into()),
        }
    };
    print(&summary, json)?;
    service::close(&db).await;
    match summary.relay_trouble {
        Some(trouble) => Err(Failure::Partly(format!("the mail server cannot be used: {trouble}"))),
        None => Ok(()),
    }
}

fn print(summary: &Summary, json: bool) -> Outcome {
    if json {
        println!("{}", serde_json::to_string(summary)?);
    } else {
        println!(
            "runs opened: {}, sent: {}, to be tried again: {}, failed: {}, unknown: {}, put back: {}",
            summary.opened, summary.sent, summary.deferred, summary.failed, summary.unknown, summary.put_back
        );
    }
    Ok(())
}
