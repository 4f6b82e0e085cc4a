//! A server that takes letters for its owner's addresses.

use crate::peers::Peers;
use crate::session;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A letter that has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub peer: IpAddr,
    /// Empty for a bounce.
    pub sender: String,
    /// One at least; the mailroom accepts each.
    pub recipients: Vec<String>,
    /// Header and body, CRLF line ends, without the dots of transparency.
    pub raw: Vec<u8>,
}

/// A letter could not be kept; its sender is to try again later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotNow;

/// Whoever the letters are for.
pub trait Mailroom: Send + Sync + 'static {
    /// Whether letters to an address are taken. Asked for each RCPT, so it must cost little.
    fn accepts(&self, address: &str) -> bool;

    /// Keeps a letter. Only when this has ended well does the sender hear that it was taken.
    fn take(&self, letter: Received) -> Pin<Box<dyn Future<Output = Result<(), NotNow>> + Send + '_>>;
}

/// How the server is to run.
#[derive(Clone)]
pub struct ReceiverConfig {
    /// Port 0 takes any free port; [`Receiver::addr`] tells which.
    pub listen: SocketAddr,
    /// Its name in the greeting.
    pub host: String,
    /// For STARTTLS.
    pub tls: Option<TlsAcceptor>,
    /// Largest letter, in bytes.
    pub max_size: usize,
    /// Open connections; further ones wait in the system's queue.
    pub connections: usize,
    /// Those of one network address; further ones are told to come later.
    pub connections_each: usize,
    /// Letters that are being read at a time, over all connections: what bounds memory.
    pub letters: usize,
    /// Of one network address.
    pub letters_each: usize,
    /// How long a peer may say nothing.
    pub idle: Duration,
    /// How long a letter may take from its first to its last byte: those who are read at once are few.
    pub letter: Duration,
    /// How long a session may last. RFC 5321 knows no such limit; a peer that has more to say comes again.
    pub session: Duration,
}

impl ReceiverConfig {
    /// With limits for bounces: they are small, and come from few servers.
    #[must_use]
    pub fn new(listen: SocketAddr, host: String, tls: Option<TlsAcceptor>) -> Self {
        Self {
            listen,
            host,
            tls,
            max_size: 512 * 1024,
            connections: 400,
            connections_each: 50,
            letters: 64,
            letters_each: 16,
            idle: Duration::from_secs(60),
            letter: Duration::from_secs(120),
            session: Duration::from_secs(600),
        }
    }
}

/// Why the server could not start.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct ReceiverError {
    pub address: SocketAddr,
    pub source: io::Error,
}

/// What all sessions share.
pub(crate) struct Shared {
    pub config: ReceiverConfig,
    pub mailroom: Arc<dyn Mailroom>,
    pub reading: Semaphore,
    /// Who reads how many of them.
    pub readers: Peers,
    refused: AtomicU64,
}

impl Shared {
    /// Counts a recipient that was turned away.
    pub fn count_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }
}

/// A running server. Dropping it stops the server as well, without waiting.
pub struct Receiver {
    addr: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Receiver {
    /// Starts the server.
    ///
    /// # Errors
    /// If the address is taken or may not be listened on.
    pub async fn start(config: ReceiverConfig, mailroom: Arc<dyn Mailroom>) -> Result<Self, ReceiverError> {
        let failed = |source| ReceiverError { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        let reading = Semaphore::new(config.letters);
        let shared =
            Arc::new(Shared { config, mailroom, reading, readers: Peers::default(), refused: AtomicU64::new(0) });
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(accept(listener, shared.clone(), stop.clone(), tasks.clone()));
        tasks.close();
        Ok(Self { addr, shared, stop, tasks })
    }

    /// The address on which the server listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Recipients turned away so far.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.shared.refused.load(Ordering::Relaxed)
    }

    /// Closes all connections; a letter that is not taken yet comes again.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken, tasks: TaskTracker) {
    let room = Arc::new(Semaphore::new(shared.config.connections));
    let peers = Peers::default();
    let next = async || {
        // The semaphore is never closed.
        let permit = room.clone().acquire_owned().await.ok();
        (permit, listener.accept().await)
    };
    while let Some((permit, accepted)) = stop.run_until_cancelled(next()).await {
        let Ok((stream, peer)) = accepted else {
            // Most likely too many open files: trying again at once would only burn time.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let place = peers.enter(peer.ip(), shared.config.connections_each);
        let (shared, stop) = (shared.clone(), stop.clone());
        tasks.spawn(async move {
            let served = connection(&shared, stream, peer.ip(), place.is_some());
            stop.run_until_cancelled(tokio::time::timeout(shared.config.session, served)).await;
            drop((permit, place));
        });
    }
}

async fn connection(shared: &Shared, stream: TcpStream, peer: IpAddr, welcome: bool) {
    // Without it each reply could wait for a delayed acknowledgement; if it fails, that is only slower.
    let _ = stream.set_nodelay(true);
    session::serve(shared, stream, peer, welcome).await;
}
