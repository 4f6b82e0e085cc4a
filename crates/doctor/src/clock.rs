//! The clock: letters from the future are taken for spam, and signatures and codes depend on it. One question to a time
//! server (SNTP, RFC 4330 section 5).

use crate::{Check, Dns, Finding, Level};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// Who is asked unless another is named.
pub const NTP_SERVER: &str = "pool.ntp.org";
/// How long its answer is waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// Further off than this, in milliseconds, is worth a warning; and than this, letters are dated wrongly.
const OFF: i64 = 5_000;
const FAR_OFF: i64 = 300_000;
/// Seconds between 1900, where the protocol begins, and 1970.
const EPOCH: i64 = 2_208_988_800;

/// Whom to ask.
#[derive(Clone, Debug)]
pub struct TimeServer {
    pub host: String,
    pub port: u16,
}

impl Default for TimeServer {
    fn default() -> Self {
        Self { host: NTP_SERVER.to_owned(), port: 123 }
    }
}

pub async fn check(dns: &Dns, server: &TimeServer, now: impl Fn() -> i64) -> Finding {
    let off = match timeout(PATIENCE, offset(dns, server, now)).await {
        Ok(Ok(off)) => off,
        Ok(Err(cause)) => return unanswered(&server.host, &cause),
        Err(_) => return unanswered(&server.host, "no answer within 3 s"),
    };
    let level = match off.abs() {
        FAR_OFF.. => Level::Bad,
        OFF.. => Level::Warning,
        _ => Level::Good,
    };
    let key = if level == Level::Good { "good" } else { "off" };
    Finding::new(Check::Clock, level, key)
        .with("seconds", format!("{:.1}", off as f64 / 1000.0))
        .with("server", &server.host)
}

/// Where no time server can be reached, nothing is known of the clock.
fn unanswered(server: &str, cause: &str) -> Finding {
    Finding::new(Check::Clock, Level::Note, "unanswered").with("server", server).with("cause", cause)
}

/// How far our clock is ahead, in milliseconds.
async fn offset(dns: &Dns, server: &TimeServer, now: impl Fn() -> i64) -> Result<i64, String> {
    let address = dns.addresses(&server.host).await.map_err(|error| error.to_string())?;
    let address = address.first().ok_or("it has no address")?;
    let bind = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let failed = |error: std::io::Error| error.to_string();
    let socket = UdpSocket::bind(bind).await.map_err(failed)?;
    socket.connect((*address, server.port)).await.map_err(failed)?;
    let mut question = [0; 48];
    question[0] = 0b00_100_011; // version 4, client
    let asked = now();
    // Only an answer to this question has it in it.
    question[40..48].copy_from_slice(&asked.to_be_bytes());
    socket.send(&question).await.map_err(failed)?;
    let mut answer = [0; 128];
    let length = socket.recv(&mut answer).await.map_err(failed)?;
    let answered = now();
    if length < 48 || answer[0] & 7 != 4 || answer[24..32] != question[40..48] || answer[1] == 0 {
        return Err("it does not know the time".to_owned());
    }
    let received = instant(&answer[32..40]);
    let sent = instant(&answer[40..48]);
    // RFC 4330 section 5: the way there and back is taken to last the same.
    Ok(((asked - received) + (answered - sent)) / 2)
}

/// Milliseconds since 1970 of a time in the protocol's form; its seconds begin anew in 2036 (RFC 4330 section 3).
fn instant(bytes: &[u8]) -> i64 {
    let number = |bytes: &[u8]| bytes.iter().fold(0_i64, |number, byte| number << 8 | i64::from(*byte));
    let seconds = number(&bytes[..4]);
    let era = if seconds < 0x8000_0000 { 1 << 32 } else { 0 };
    (seconds + era - EPOCH) * 1000 + ((number(&bytes[4..8]) * 1000) >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_and_after_2036() {
        assert_eq!(instant(&[0x83, 0xaa, 0x7e, 0x80, 0x80, 0, 0, 0]), 500);
        assert_eq!(instant(&[0; 8]), 2_085_978_496_000);
    }
}
