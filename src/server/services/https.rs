//! One question to an https address: for checks and certificates, where a whole client would be too much. HTTP/1.0, so that
//! the answer comes in one piece and ends with the connection (RFC 9112 6.3).

use crate::server::mail::tls::Trust;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::ServerName;
use url::Url;

/// How long a question and its answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why there is no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Trouble {
    #[error("its certificate is not valid: {0}")]
    Certificate(String),
    #[error("{0}")]
    Other(String),
}

/// The status and the body of a GET, of which no more than `most` bytes, its header included, are read.
///
/// # Errors
/// Tells a certificate that is not valid from all else; also after ten seconds.
pub async fn get(url: &Url, trust: &Trust, most: u64) -> Result<(u16, Vec<u8>), Trouble> {
    match tokio::time::timeout(PATIENCE, ask(url, trust, most)).await {
        Ok(answer) => answer,
        Err(_) => Err(Trouble::Other(format!("no answer in {} s", PATIENCE.as_secs()))),
    }
}

async fn ask(url: &Url, trust: &Trust, most: u64) -> Result<(u16, Vec<u8>), Trouble> {
    let other = |error: &dyn std::fmt::Display| Trouble::Other(error.to_string());
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = url.port_or_known_default().unwrap_or(443);
    let name = ServerName::try_from(host.to_owned()).map_err(|error| other(&error))?;
    let connector = trust.connector().map_err(|error| other(&error))?;
    let stream = TcpStream::connect((host, port)).await.map_err(|error| other(&error))?;
    let mut stream = connector.connect(name, stream).await.map_err(|error| Trouble::Certificate(error.to_string()))?;
    let query = url.query().map_or_else(String::new, |query| format!("?{query}"));
    let request = format!("GET {}{query} HTTP/1.0\r\nHost: {}\r\n\r\n", url.path(), url.authority());
    stream.write_all(request.as_bytes()).await.map_err(|error| other(&error))?;
    let mut answer = Vec::new();
    let read = stream.take(most).read_to_end(&mut answer).await;
    // Some hang up without a word at the end of an answer.
    if let Err(error) = read
        && answer.is_empty()
    {
        return Err(other(&error));
    }
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let head = String::from_utf8_lossy(&answer[..end.unwrap_or(answer.len())]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| Trouble::Other("it does not speak HTTP".to_owned()))?;
    Ok((status, answer.split_off(end.map_or(answer.len(), |end| end + 4))))
}
