//! Takes what comes back, as the listener of `VESTNIK_RECEIVE` and as `vestnik receive` do.

use super::clock::SharedClock;
use super::db::Db;
use super::mail::return_path::ReturnPath;
use super::metrics;
use super::services::returns::{self, Came};
use crate::domain::suppression::Source;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use vestnik_smtp_server::{Mailroom, NotNow, Received, Receiver, ReceiverConfig, tls};

/// Keeps letters to addresses under the return domain.
struct Room {
    db: Db,
    paths: ReturnPath,
    clock: SharedClock,
}

impl Mailroom for Room {
    fn accepts(&self, address: &str) -> bool {
        let known = self.paths.read(address).is_some();
        if !known {
            metrics::recipient_refused();
        }
        known
    }

    fn take(&self, letter: Received) -> Pin<Box<dyn Future<Output = Result<(), NotNow>> + Send + '_>> {
        Box::pin(async move {
            let to: Vec<_> = letter.recipients.iter().filter_map(|address| self.paths.read(address)).collect();
            let came = Came { raw: &letter.raw, to: &to, source: Source::Report };
            match returns::take(&self.db, self.paths.tokens(), &came, self.clock.now()).await {
                Ok(taken) => {
                    tracing::debug!(peer = %letter.peer, ?taken, "a letter came back");
                    Ok(())
                }
                Err(error) => {
                    tracing::error!(%error, "what came back could not be kept; its sender tries again");
                    Err(NotNow)
                }
            }
        })
    }
}

/// Starts the listener.
///
/// # Errors
/// Says which address cannot be listened on, or that no certificate can be made.
pub async fn start(
    listen: SocketAddr,
    host: &str,
    paths: ReturnPath,
    db: Db,
    clock: SharedClock,
) -> Result<Receiver, String> {
    let (acceptor, _) = tls::self_signed(&[host.to_owned()]).map_err(|error| format!("VESTNIK_RECEIVE: {error}"))?;
    let config = ReceiverConfig::new(listen, host.to_owned(), Some(acceptor));
    let room = Arc::new(Room { db, paths, clock });
    Receiver::start(config, room).await.map_err(|error| format!("VESTNIK_RECEIVE: {error}"))
}
