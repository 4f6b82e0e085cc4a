//! `vestnik work` and `vestnik send`.

use super::{Failure, Outcome, service};
use crate::server::clock::SharedClock;
use crate::server::config::Config;
use crate::server::db::{Db, mailings};
use crate::server::engine::{Wake, serve, serve_letters};
use tokio_util::sync::CancellationToken;

/// The engine alone, until it is told to stop.
pub async fn work(config: Config, clock: SharedClock) -> Outcome {
    let relay = service::relay(&config)?;
    let db = service::open(&config).await?;
    let lock = service::lock(&db, &config)?;
    let stop = CancellationToken::new();
    service::stop_on_signal(&stop)?;
    let engine = service::engine(&db, &config, &relay, &clock, stop);
    tokio::join!(serve_letters(engine.clone(), Wake::default()), serve(engine, Wake::default(), lock.is_some()));
    db.close().await;
    Ok(())
}

/// One pass of the engine.
pub async fn send(config: Config, clock: SharedClock, mailing: Option<i64>, json: bool) -> Outcome {
    let relay = service::relay(&config)?;
    let db = service::open(&config).await?;
    if let Some(id) = mailing
        && mailings::by_id(&db, id).await?.is_none()
    {
        return Err(Failure::Failed(format!("there is no mailing {id}")));
    }
    let lock = service::lock(&db, &config)?;
    let stop = CancellationToken::new();
    service::stop_on_signal(&stop)?;
    let engine = service::engine(&db, &config, &relay, &clock, stop);
    engine.recover(matches!(db, Db::Sqlite { .. }) && lock.is_some()).await?;
    engine.pass(mailing).await?;
    let summary = engine.summary();
    if json {
        println!("{}", serde_json::to_string(&summary)?);
    } else {
        println!(
            "runs opened: {}, sent: {}, to be tried again: {}, failed: {}, unknown: {}, put back: {}",
            summary.opened, summary.sent, summary.deferred, summary.failed, summary.unknown, summary.put_back
        );
    }
    db.close().await;
    match summary.relay_trouble {
        Some(trouble) => Err(Failure::Partly(format!("the mail server cannot be used: {trouble}"))),
        None => Ok(()),
    }
}
