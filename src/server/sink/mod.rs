//! The built-in SMTP server: it catches letters, writes them down and, on request, misbehaves. It knows
//! neither the database nor the web. docs/sink.md shows how it is used.

mod faults;
mod ledger;
mod letter;
mod scenario;
mod session;
#[cfg(test)]
mod tests;

pub use letter::CaughtLetter;
pub use scenario::{LoadError, Scenario, ScenarioError};

use super::clock::SharedClock;
use faults::Faults;
use ledger::Ledger;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use vestnik_smtp_server::tls::{self, CertificateError};

/// How long a peer may say nothing (RFC 5321, section 4.5.3.2.7: at least five minutes).
const IDLE: Duration = Duration::from_secs(300);
/// Open connections; further ones wait in the system's queue.
const CONNECTIONS: usize = 1000;

/// How the server is to run.
#[derive(Clone, Debug)]
pub struct SinkConfig {
    /// Port 0 takes any free port; [`Sink::addr`] tells which.
    pub listen: SocketAddr,
    pub scenario: Scenario,
    /// File for one JSON line for each accepted letter and recipient; lines are appended.
    pub ledger: Option<PathBuf>,
    /// The only user and password that AUTH accepts, and MAIL then asks for. `None`: whatever is given
    /// is accepted, and nothing is asked for.
    pub credentials: Option<(String, String)>,
    /// Whether STARTTLS is offered, with a self-signed certificate.
    pub starttls: bool,
    /// Largest letter, in bytes.
    pub max_size: usize,
}

impl Default for SinkConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            scenario: Scenario::default(),
            ledger: None,
            credentials: None,
            starttls: true,
            max_size: 32 * 1024 * 1024,
        }
    }
}

/// Why the server could not start.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("the ledger {path} cannot be opened: {source}")]
    Ledger { path: String, source: io::Error },
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error(transparent)]
    Scenario(#[from] LoadError),
    #[error("the signals that stop the server cannot be awaited: {0}")]
    Signal(io::Error),
}

/// What all sessions share.
struct Shared {
    faults: Faults,
    ledger: Option<Ledger>,
    store: Option<mpsc::Sender<CaughtLetter>>,
    credentials: Option<(String, String)>,
    /// With the certificate as PEM.
    tls: Option<(TlsAcceptor, String)>,
    max_size: usize,
    clock: SharedClock,
    idle: Duration,
    accepted: AtomicU64,
    connections: AtomicU64,
}

/// A running server. Dropping it stops the server as well, without waiting.
pub struct Sink {
    addr: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
    tasks: TaskTracker,
    writer: Option<JoinHandle<()>>,
}

impl Sink {
    /// Starts the server. Each letter is sent to `store`, if there is one, before its sender hears that
    /// it was accepted; a full channel makes senders wait.
    ///
    /// # Errors
    /// The address is taken, the ledger cannot be opened, or no certificate can be made.
    pub async fn start(
        config: SinkConfig,
        clock: SharedClock,
        store: Option<mpsc::Sender<CaughtLetter>>,
    ) -> Result<Self, SinkError> {
        let listen = |source| SinkError::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
        let addr = listener.local_addr().map_err(listen)?;
        let (shared, writer) = Shared::new(&config, clock, store, IDLE)?;
        let (shared, stop, tasks) = (Arc::new(shared), CancellationToken::new(), TaskTracker::new());
        tasks.spawn(accept(listener, shared.clone(), stop.clone(), tasks.clone()));
        tasks.close();
        Ok(Self { addr, shared, stop, tasks, writer })
    }

    /// The address on which the server listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Letters accepted so far, each counted once whatever the number of its recipients.
    pub fn accepted(&self) -> u64 {
        self.shared.accepted.load(Ordering::Relaxed)
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// The certificate shown after STARTTLS, as PEM, for clients that are to trust it.
    pub fn certificate(&self) -> Option<&str> {
        self.shared.tls.as_ref().map(|(_, pem)| pem.as_str())
    }

    /// Closes all connections, and returns when the ledger is written and closed.
    pub async fn stop(mut self) {
        self.stop.cancel();
        self.tasks.wait().await;
        if let Some(writer) = self.writer.take() {
            // The writer ends when the last way to it is gone.
            drop(self);
            // It does not panic, and there is nobody left to tell.
            let _ = tokio::task::spawn_blocking(move || writer.join()).await;
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Shared {
    fn new(
        config: &SinkConfig,
        clock: SharedClock,
        store: Option<mpsc::Sender<CaughtLetter>>,
        idle: Duration,
    ) -> Result<(Self, Option<JoinHandle<()>>), SinkError> {
        let (ledger, writer) = match &config.ledger {
            Some(path) => {
                let failed = |source| SinkError::Ledger { path: path.display().to_string(), source };
                let (ledger, writer) = Ledger::open(path).map_err(failed)?;
                (Some(ledger), Some(writer))
            }
            None => (None, None),
        };
        let shared = Self {
            faults: Faults::new(config.scenario.clone()),
            ledger,
            store,
            credentials: config.credentials.clone(),
            tls: config.starttls.then(certificate).transpose()?,
            max_size: config.max_size,
            clock,
            idle,
            accepted: AtomicU64::new(0),
            connections: AtomicU64::new(0),
        };
        Ok((shared, writer))
    }
}

/// For this machine, where the server stands.
fn certificate() -> Result<(TlsAcceptor, String), CertificateError> {
    tls::self_signed(&["localhost", "127.0.0.1", "::1"].map(String::from))
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken, tasks: TaskTracker) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let next = async || {
        // The semaphore is never closed.
        let permit = room.clone().acquire_owned().await.ok();
        (permit, listener.accept().await)
    };
    while let Some((permit, accepted)) = stop.run_until_cancelled(next()).await {
        let Ok((stream, _)) = accepted else {
            // Most likely too many open files: trying again at once would only burn time.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let number = shared.connections.fetch_add(1, Ordering::Relaxed) + 1;
        let (shared, stop) = (shared.clone(), stop.clone());
        tasks.spawn(async move {
            stop.run_until_cancelled(connection(&shared, stream, number)).await;
            drop(permit);
        });
    }
}

async fn connection(shared: &Shared, stream: TcpStream, number: u64) {
    // Without it each reply could wait for a delayed acknowledgement; if it fails, that is only slower.
    let _ = stream.set_nodelay(true);
    session::serve(shared, stream, number).await;
}
