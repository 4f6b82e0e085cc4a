//! `vestnik serve`.

use super::{Failure, Outcome, files, service};
use crate::server::clock::SharedClock;
use crate::server::config::Config;
use crate::server::db::Db;
use crate::server::engine::relays::Source;
use crate::server::engine::{Wake, serve};
use crate::server::log;
use crate::server::mail::relay::Relay;
use crate::server::memory;
use crate::server::receive;
use crate::server::seal::Sealer;
use crate::server::services::doctor::checkups::Checkups;
use crate::server::services::leaving::Desk;
use crate::server::services::{accounts, audit, import, outbox, returns};
use crate::server::sink::{CaughtLetter, Sink, SinkConfig};
use crate::server::supervisor::Supervisor;
use crate::server::web::hooks::sns::Sns;
use crate::server::web::listen::{self, Limits};
use crate::server::web::live::Live;
use crate::server::web::pace::Pace;
use crate::server::web::quota::Quota;
use crate::server::web::site::Site;
use crate::server::web::state::{AppState, Blog, TAKEAWAYS, UPLOADS};
use crate::server::web::{self, assets};
use futures::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use vestnik_smtp_server::Receiver;

/// How long open requests may go on after the signal to stop, at most.
const GRACE: Duration = Duration::from_secs(10);
/// Caught letters on their way into the database.
const CAUGHT: usize = 500;

/// Serves pages and sends mailings until it is told to stop.
pub async fn run(config: Config, clock: SharedClock) -> Outcome {
    let assets = assets::load(&Site::new(&config), config.dev_reload.is_some()).map_err(Failure::Failed)?;
    let stop = CancellationToken::new();
    service::stop_on_signal(&stop)?;
    let Some(db) = service::open_when_there(&config, &stop).await? else { return Ok(()) };
    let sealed = accounts::seal_second_factors(&db, &Sealer::new(&config.secret)).await;
    match sealed.map_err(|error| Failure::Failed(error.to_string()))? {
        0 => {}
        n => tracing::warn!("the secrets of {n} second factors were stored as they are; they are sealed now"),
    }
    let lock = service::lock(&config)?;
    let swept = import::sweep(&db, &config.uploads(), lock.is_some(), clock.now()).await;
    if let Err(error) = swept {
        tracing::error!(%error, "uploads could not be swept");
    }
    let listener = TcpListener::bind(config.addr)
        .await
        .map_err(|error| Failure::Failed(format!("VESTNIK_ADDR: {}: {error}", config.addr)))?;
    // Without a relay in the settings the catcher always runs: the last one on the page may be removed.
    let (source, catcher) = match &config.relay {
        Some(relay) => (Source::Settings(relay.clone()), None),
        None => {
            let (sender, receiver) = mpsc::channel(CAUGHT);
            let sink = Sink::start(SinkConfig::default(), clock.clone(), Some(sender)).await?;
            let relay = Relay::parse(&format!("smtp://{}?tls=none", sink.addr()))?;
            (Source::Catcher(relay), Some((sink, receiver)))
        }
    };
    let receiver = receiver(&config, &db, &clock).await?;
    let relays = service::relays(&db, &config, &clock, source).await?;
    let engine = service::engine(&db, &config, &relays, &clock, stop.clone());
    engine.enter(lock.is_some()).await?;
    let (wake, supervisor) = (engine.wake(), engine.supervisor());
    service::hear_others(&supervisor, &wake, &db, &config);
    tidy(&supervisor, &db, &config, &clock, &stop);
    let catcher =
        catcher.map(|(sink, caught)| (sink, tokio::spawn(keep_caught(db.clone(), caught, supervisor.clone()))));
    let letters = Wake::default();
    let post = service::own_letters(&engine, &letters);
    let engine = tokio::spawn(serve(engine, config.running.grace));
    if let Some(token) =
        accounts::offer_setup(&db, clock.now()).await.map_err(|error| Failure::Failed(error.to_string()))?
    {
        log::say(&format!("Create the administrator here (works once): {}/setup?token={token}", config.public_url));
    }
    log::say(&format!("Vestnik listens on http://{}", listener.local_addr()?));
    let grace = config.running.grace.min(GRACE);
    let limits = Limits::within(files::allowed(), config.trusted_proxies.clone());
    let config = Arc::new(config);
    let uploads = Quota::new(UPLOADS);
    let blog = Blog::new(clock.clone());
    blog.keep(&db, &stop, &supervisor);
    let views = blog.views.clone();
    let (leaving, keeper) = Desk::open(db.clone(), &config.data_dir)
        .map_err(|error| Failure::Failed(format!("{}: {error}", config.data_dir.display())))?;
    let closing = CancellationToken::new();
    let keeper = tokio::spawn(keeper.keep(closing.clone()));
    let state = AppState {
        leaving,
        db: db.clone(),
        clock,
        config,
        relays,
        wake,
        letters,
        blog,
        uploads,
        takeaways: Quota::new(TAKEAWAYS),
        pace: Pace::default(),
        live: Live::default(),
        checkups: Checkups::default(),
        sns: Sns::default(),
        supervisor: supervisor.clone(),
        stop: stop.clone(),
    };
    let server = listen::serve(listener, web::service(state, assets), limits, stop.clone());
    let mut server = tokio::spawn(server);
    tokio::select! {
        biased;
        () = stop.cancelled() => {}
        _ = &mut server => supervisor.give_up("the web server ended unexpectedly; the log tells why".to_owned()),
    }
    if !server.is_finished() && tokio::time::timeout(grace, server).await.is_err() {
        tracing::warn!("some requests did not end in time");
    }
    // The last requests are answered: what they saw is counted.
    if let Err(error) = views.flush(&db).await {
        tracing::error!(%error, "the last views could not be added");
    }
    if let Err(error) = engine.await {
        tracing::error!(%error, "the engine ended badly");
    }
    closing.cancel();
    if tokio::time::timeout(grace, keeper).await.is_err() {
        tracing::warn!("those who left last are carried over at the next start");
    }
    service::ended("sending the service's own letters", post).await;
    if let Some(receiver) = receiver {
        receiver.stop().await;
    }
    if let Some((sink, stored)) = catcher {
        sink.stop().await;
        // What has been caught is on its way into the database still.
        if let Err(error) = stored.await {
            tracing::error!(%error, "caught letters could not all be stored");
        }
    }
    service::close(&db).await;
    service::given_up(&supervisor)
}

/// Takes what comes back over SMTP, where that is wanted.
async fn receiver(config: &Config, db: &Db, clock: &SharedClock) -> Result<Option<Receiver>, Failure> {
    let Some(paths) = config.return_path() else { return Ok(None) };
    let domain = config.return_domain.as_deref().unwrap_or_default();
    let Some(listen) = config.receive else {
        tracing::info!("bounces return to {domain}; have its mail server pass them to `vestnik receive`");
        return Ok(None);
    };
    let host = config.hello.as_deref().unwrap_or(domain);
    let receiver = receive::start(listen, host, paths, db.clone(), clock.clone()).await.map_err(Failure::Failed)?;
    log::say(&format!("Vestnik takes what comes back to {domain} on {}", receiver.addr()));
    Ok(Some(receiver))
}

/// Stores what the catcher has caught, until it is gone. What a panic interrupts is lost: it was delivered to nobody.
async fn keep_caught(db: Db, mut caught: mpsc::Receiver<CaughtLetter>, supervisor: Supervisor) {
    while AssertUnwindSafe(outbox::store(&db, &mut caught)).catch_unwind().await.is_err()
        && supervisor.ended("caught letters").await
    {}
}

/// Has done what is to be done again and again.
fn tidy(supervisor: &Supervisor, db: &Db, config: &Config, clock: &SharedClock, stop: &CancellationToken) {
    let with = || (db.clone(), stop.clone());
    let (sealed, over) = with();
    supervisor.spawn("audit log", move || audit::keep_sealing(sealed.clone(), over.clone()));
    let (emptied, over) = with();
    supervisor.spawn("deleted accounts", move || accounts::keep_emptying(emptied.clone(), over.clone()));
    let ((read, over), time) = (with(), clock.clone());
    let forget = move || returns::keep_forgetting(read.clone(), time.clone(), over.clone());
    supervisor.spawn("old reports", forget);
    let ((swept, over), folder, clock) = (with(), config.uploads(), clock.clone());
    let sweep = move || import::keep_sweeping(swept.clone(), folder.clone(), clock.clone(), over.clone());
    supervisor.spawn("old uploads", sweep);
    let over = stop.clone();
    supervisor.spawn("memory", move || memory::keep_low(over.clone()));
}
