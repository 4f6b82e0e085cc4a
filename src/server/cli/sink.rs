//! `vestnik sink`: the built-in mail server on its own.

use crate::server::clock::SharedClock;
use crate::server::sink::{Scenario, Sink, SinkConfig, SinkError};
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::signal::unix::{SignalKind, signal};

/// Flags of `vestnik sink`.
#[derive(Clone, Debug, Args)]
pub struct SinkArgs {
    /// Address and port to listen on; port 0 takes any free one
    #[arg(long, default_value = "127.0.0.1:2525")]
    pub listen: SocketAddr,
    /// Scenario file with the faults to inject (docs/sink.md)
    #[arg(long, value_name = "FILE")]
    pub faults: Option<PathBuf>,
    /// File to which a JSON line is added for each accepted letter and recipient
    #[arg(long, value_name = "FILE")]
    pub ledger: Option<PathBuf>,
}

/// Catches letters until Ctrl-C or SIGTERM. The address goes to standard error, so that a caller who
/// asked for port 0 learns it.
///
/// # Errors
/// The scenario is wrong, or the server cannot start.
pub async fn run(args: SinkArgs, clock: SharedClock) -> Result<(), SinkError> {
    let scenario = args.faults.as_deref().map(Scenario::load).transpose()?.unwrap_or_default();
    // Before the address is announced: from then on a signal must not kill the process.
    let mut interrupt = signal(SignalKind::interrupt()).map_err(SinkError::Signal)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(SinkError::Signal)?;
    let config = SinkConfig { listen: args.listen, scenario, ledger: args.ledger, ..SinkConfig::default() };
    let sink = Sink::start(config, clock, None).await?;
    eprintln!("vestnik sink: listening on {}", sink.addr());
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    let (letters, connections) = (sink.accepted(), sink.connections());
    sink.stop().await;
    eprintln!("vestnik sink: {letters} letters on {connections} connections");
    Ok(())
}
