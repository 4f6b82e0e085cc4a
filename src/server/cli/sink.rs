//! `vestnik sink`: the built-in mail server on its own.

use super::signals::Signals;
use crate::server::clock::SharedClock;
use crate::server::log;
use crate::server::sink::{Scenario, Sink, SinkConfig, SinkError};
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;

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

/// Catches letters until a signal ends it. The address goes to standard error, so that a caller who
/// asked for port 0 learns it.
///
/// # Errors
/// The scenario is wrong, or the server cannot start.
pub async fn run(args: SinkArgs, clock: SharedClock) -> Result<(), SinkError> {
    let scenario = args.faults.as_deref().map(Scenario::load).transpose()?.unwrap_or_default();
    // Before the address is announced: from then on a signal must not kill the process.
    let mut signals = Signals::listen().map_err(SinkError::Signal)?;
    let config = SinkConfig { listen: args.listen, scenario, ledger: args.ledger, ..SinkConfig::default() };
    let sink = Sink::start(config, clock, None).await?;
    log::say(&format!("vestnik sink: listening on {}", sink.addr()));
    signals.next().await;
    let (letters, connections) = (sink.accepted(), sink.connections());
    sink.stop().await;
    log::say(&format!("vestnik sink: {letters} letters on {connections} connections"));
    Ok(())
}
