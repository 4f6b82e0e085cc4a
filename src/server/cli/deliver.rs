//! `vestnik work` and `vestnik send`.

use super::output::out;
use super::{Failure, Outcome, handoff, service};
use crate::server::clock::SharedClock;
use crate::server::config::Config;
use crate::server::db::mailings;
use crate::server::engine::{LockError, Summary, Wake, serve};
use std::io::Write;
use tokio_util::sync::CancellationToken;

/// The engine alone, until it is told to stop.
pub async fn work(config: Config, clock: SharedClock) -> Outcome {
    let stop = CancellationToken::new();
    service::stop_on_signal(&stop)?;
    let Some(db) = service::open_when_there(&config, &stop).await? else { return Ok(()) };
    let relays = service::some_relays(&db, &config, &clock).await?;
    let lock = service::lock(&config)?;
    let engine = service::engine(&db, &config, &relays, &clock, stop);
    engine.enter(lock.is_some()).await?;
    let supervisor = engine.supervisor();
    service::hear_others(&supervisor, &engine.wake(), &db, &config);
    let letters = service::own_letters(&engine, &Wake::default());
    serve(engine, config.running.grace).await;
    service::ended("sending the service's own letters", letters).await;
    service::close(&db).await;
    service::given_up(&supervisor)
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
                service::given_up(&engine.supervisor())?;
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
    let mut not_done = Vec::new();
    if summary.paused > 0 {
        not_done.push(format!(
            "mailings that were paused because the mail server refuses their sender or their letters: {}; \
             `vestnik mailing show` tells more",
            summary.paused
        ));
    }
    if let Some(trouble) = summary.relay_trouble {
        not_done.push(format!("the mail server cannot be used: {trouble}"));
    }
    if not_done.is_empty() { Ok(()) } else { Err(Failure::Partly(not_done.join("\n"))) }
}

fn print(summary: &Summary, json: bool) -> Outcome {
    if json {
        writeln!(out(), "{}", serde_json::to_string(summary)?)?;
    } else {
        writeln!(
            out(),
            "runs opened: {}, sent: {}, to be tried again: {}, failed: {}, unknown: {}, put back: {}, paused: {}",
            summary.opened,
            summary.sent,
            summary.deferred,
            summary.failed,
            summary.unknown,
            summary.put_back,
            summary.paused
        )?;
    }
    Ok(())
}
