//! `vestnik health`: whether the service on this machine is ready, for what watches over it.

use super::{Failure, Outcome};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long the answer may take; the service itself gives its database three seconds.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest answer that is read, in bytes.
const ANSWER_MAX: u64 = 64 * 1024;

/// Asks for `/readyz` where the service listens.
pub async fn run(listens: SocketAddr) -> Outcome {
    let addr = SocketAddr::new(reachable(listens.ip()), listens.port());
    let (status, body) = match tokio::time::timeout(PATIENCE, ask(addr)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Err(Failure::Failed(format!("VESTNIK_ADDR: {addr}: {error}"))),
        Err(_) => return Err(Failure::Failed(format!("VESTNIK_ADDR: {addr}: no answer in time"))),
    };
    if status == Some(200) { Ok(()) } else { Err(Failure::Failed(body.trim_end().replace('\n', "; "))) }
}

/// Who listens on all addresses is reached by the machine's own.
fn reachable(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}

async fn ask(addr: SocketAddr) -> std::io::Result<(Option<u16>, String)> {
    let mut stream = TcpStream::connect(addr).await?;
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(ANSWER_MAX).read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map_or("no answer of ours", |(_, body)| body);
    Ok((status, body.to_owned()))
}
