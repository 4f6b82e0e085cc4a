//! A mail server on a real socket that follows a script, for tests.

use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// One step of a script.
#[derive(Clone, Debug)]
pub enum Step {
    /// Reads a line, which must begin so.
    Expect(&'static str),
    /// Reads to the final dot, which must come; what stood before it is kept.
    Body,
    /// Writes these bytes.
    Say(Vec<u8>),
    /// Writes one byte at a time, this far apart, until the other side goes.
    Drip(&'static str, Duration),
    /// Does a TLS handshake.
    Tls,
    /// Says nothing more until the other side goes.
    Silence,
    /// Reads nothing more.
    Deaf,
    /// Says the same for ever, or until the other side goes.
    Endless(&'static str),
    /// Reads lines until the other side goes: nothing may come.
    Nothing,
}

/// A step that writes one reply line.
pub fn say(line: &str) -> Step {
    Step::Say(format!("{line}\r\n").into_bytes())
}

trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

pub struct Script {
    pub port: u16,
    pub certificate: CertificateDer<'static>,
    task: JoinHandle<Vec<Vec<u8>>>,
}

impl Script {
    /// Serves one connection, then listens no more.
    pub async fn start(steps: Vec<Step>) -> Self {
        let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = key.cert.der().clone();
        let private = PrivateKeyDer::try_from(key.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], private)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            play(Box::new(stream), acceptor, steps).await
        });
        Self { port, certificate, task }
    }

    /// Waits for the script's end; fails if a step did. Gives the bodies it read.
    pub async fn end(self) -> Vec<Vec<u8>> {
        tokio::time::timeout(Duration::from_secs(20), self.task).await.expect("the script hangs").unwrap()
    }
}

async fn line(io: &mut Box<dyn Io>) -> Vec<u8> {
    let mut line = Vec::new();
    while !line.ends_with(b"\n") {
        match io.read_u8().await {
            Ok(b) => line.push(b),
            Err(_) => break,
        }
    }
    line
}

async fn play(mut io: Box<dyn Io>, acceptor: TlsAcceptor, steps: Vec<Step>) -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    for step in steps {
        match step {
            Step::Expect(start) => {
                let line = line(&mut io).await;
                let line = String::from_utf8_lossy(&line);
                assert!(line.starts_with(start), "wanted {start}, got {line:?}");
            }
            Step::Body => {
                let mut body = Vec::new();
                loop {
                    let line = line(&mut io).await;
                    assert!(!line.is_empty(), "closed within the body");
                    if line == b".\r\n" {
                        break;
                    }
                    body.extend_from_slice(&line);
                }
                bodies.push(body);
            }
            Step::Say(bytes) => io.write_all(&bytes).await.unwrap(),
            Step::Drip(text, pause) => {
                for b in text.bytes() {
                    if io.write_all(&[b]).await.is_err() {
                        break;
                    }
                    tokio::time::sleep(pause).await;
                }
            }
            Step::Tls => match acceptor.accept(io).await {
                Ok(stream) => io = Box::new(stream),
                Err(_) => return bodies,
            },
            Step::Silence => while !line(&mut io).await.is_empty() {},
            Step::Deaf => std::future::pending().await,
            Step::Endless(text) => while io.write_all(text.as_bytes()).await.is_ok() {},
            Step::Nothing => {
                let line = line(&mut io).await;
                assert!(line.is_empty(), "nothing was to come, but {:?} did", String::from_utf8_lossy(&line));
            }
        }
        // TLS writes are only out after this.
        let _ = io.flush().await;
    }
    bodies
}
