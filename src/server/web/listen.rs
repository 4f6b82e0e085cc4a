//! Connections: how many there may be at a time, and how long a request may take to arrive. `axum::serve` has
//! neither limit: who sends one byte a minute would hold a connection for ever.

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use ipnet::IpNet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::{Service, ServiceExt};
use tower_http::timeout::TimeoutBody;
use vestnik_smtp_server::peers::Peers;

/// How long to wait when a connection cannot be accepted: too many files are open, and some will be closed.
const PAUSE: Duration = Duration::from_secs(1);

/// Connections at a time, where as many files may be open.
const CONNECTIONS: usize = 8_000;
/// Files that something else is to be able to open: the database, uploads, connections to mail servers.
const OTHER_FILES: u64 = 300;
/// The part of all connections that one address may have.
const PART: usize = 4;

/// What one process takes.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How long the head of a request may take, the wait for it on an idle connection included.
    pub head: Duration,
    /// How long a body may stand still while it arrives.
    pub body: Duration,
    /// Connections at a time; further ones wait until one is closed.
    pub connections: usize,
    /// Those of one address (IPv6: of one /64), so that others get in; further ones are closed at once. This machine,
    /// and `proxies`, through whom many come, may have as many as there are.
    pub of_one: usize,
    pub proxies: Vec<IpNet>,
}

impl Limits {
    /// For a process that may open so many files.
    pub fn within(files: u64, proxies: Vec<IpNet>) -> Self {
        let most = usize::try_from(files.saturating_sub(OTHER_FILES)).unwrap_or(CONNECTIONS);
        let connections = most.clamp(PART, CONNECTIONS);
        let of_one = connections / PART;
        Self { head: Duration::from_secs(30), body: Duration::from_secs(30), connections, of_one, proxies }
    }
}

/// Serves until it is told to stop, and then until all requests are answered.
pub async fn serve<S>(listener: TcpListener, service: S, limits: Limits, stop: CancellationToken)
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.head);
    let room = Arc::new(Semaphore::new(limits.connections));
    let open = GracefulShutdown::new();
    let peers = Peers::default();
    loop {
        let next = async {
            // Never closed.
            let place = Arc::clone(&room).acquire_owned().await.ok();
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            next = next => next,
            () = stop.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let address = peer.ip().to_canonical();
        let most = match address.is_loopback() || limits.proxies.iter().any(|proxy| proxy.contains(&address)) {
            true => usize::MAX,
            false => limits.of_one,
        };
        let Some(counted) = peers.enter(address, most) else {
            tracing::debug!(%address, "one connection too many of an address is closed");
            continue;
        };
        // An answer must not wait for the acknowledgement of the one before.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
        let service = service.clone();
        let answer = hyper::service::service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(|body| Body::new(TimeoutBody::new(limits.body, body)));
            request.extensions_mut().insert(ConnectInfo(peer));
            service.clone().oneshot(request)
        });
        let connection = http.serve_connection(TokioIo::new(stream), answer);
        let connection = open.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke");
            }
            drop((place, counted));
        });
    }
    drop(listener);
    open.shutdown().await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::routing::get;
    use std::net::SocketAddr;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    /// Longer than a test takes.
    const LONG: Limits = Limits {
        head: Duration::from_secs(60),
        body: Duration::from_secs(60),
        connections: 10,
        of_one: 10,
        proxies: Vec::new(),
    };

    /// Ends when the other side has closed.
    async fn is_closed(stream: &mut TcpStream) {
        assert_eq!(stream.read(&mut [0]).await.unwrap_or_default(), 0);
    }

    async fn start(limits: Limits) -> (SocketAddr, CancellationToken) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (addr, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let service = Router::new().route("/", get(|| async { "hello" }).post(|body: String| async { body }));
        tokio::spawn(serve(listener, service, limits, stop.clone()));
        (addr, stop)
    }

    async fn ask(stream: &mut TcpStream) -> String {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn a_head_that_never_ends_is_hung_up_on() {
        let (addr, _stop) = start(Limits { head: Duration::from_millis(200), ..LONG }).await;
        let mut slow = TcpStream::connect(addr).await.unwrap();
        slow.write_all(b"GET / HTTP/1.1\r\nHost: ").await.unwrap();
        let mut answer = Vec::new();
        // Comes back at all: the other side closes.
        slow.read_to_end(&mut answer).await.unwrap();
        assert!(!answer.starts_with(b"HTTP/1.1 200"), "{answer:?}");
    }

    #[tokio::test]
    async fn a_body_that_stands_still_is_not_waited_for() {
        let (addr, _stop) = start(Limits { body: Duration::from_millis(200), ..LONG }).await;
        let mut slow = TcpStream::connect(addr).await.unwrap();
        slow.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 9\r\n\r\nhalf")
            .await
            .unwrap();
        let mut answer = String::new();
        slow.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    }

    #[tokio::test]
    async fn who_comes_when_all_places_are_taken_waits_for_one() {
        let (addr, stop) = start(Limits { connections: 1, ..LONG }).await;
        let first = TcpStream::connect(addr).await.unwrap();
        let mut second = TcpStream::connect(addr).await.unwrap();
        let mut answer = tokio::spawn(async move { ask(&mut second).await });
        // The first one says nothing and keeps its place.
        let early = tokio::time::timeout(Duration::from_millis(300), &mut answer).await;
        assert!(early.is_err(), "answered without a place: {early:?}");
        drop(first);
        assert!(answer.await.unwrap().ends_with("hello"));
        stop.cancel();
    }

    #[test]
    fn there_are_as_many_places_as_files() {
        let of = |files| {
            let limits = Limits::within(files, Vec::new());
            (limits.connections, limits.of_one)
        };
        assert_eq!([of(1 << 20), of(1024), of(20)], [(8_000, 2_000), (724, 181), (4, 1)]);
    }

    #[tokio::test]
    async fn a_proxy_may_have_all_places_and_idle_connections_are_closed() {
        let (addr, _stop) = start(Limits { of_one: 1, head: Duration::from_millis(200), ..LONG }).await;
        let mut idle = Vec::new();
        for _ in 0..9 {
            idle.push(TcpStream::connect(addr).await.unwrap());
        }
        assert!(ask(&mut TcpStream::connect(addr).await.unwrap()).await.ends_with("hello"));
        for stream in &mut idle {
            is_closed(stream).await;
        }
    }
}
