//! One letter over a connection of its own: for test letters and the service's own.

use super::classify::OutcomeKind;
use super::relay::Relay;
use super::smtp::{Connection, Parcel};
use super::timeouts::Timeouts;
use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What became of it; the text is the server's reply or what we saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandedOver {
    Taken,
    /// For good.
    Refused(String),
    /// It was not taken, and may be tried again.
    NotNow(String),
    /// Nobody knows: no answer came after the final dot, or not in time. To try it again may make a second copy, with the
    /// same Message-ID.
    InDoubt(String),
}

/// Hands one letter to the mail server, within `patience` whatever a single stage may take. `before_dot` is as in
/// [`Connection::send`]: until it has begun, nothing has left.
pub async fn hand_over<F, E>(
    relay: &Relay,
    timeouts: &Timeouts,
    letter: Parcel<'_>,
    patience: Duration,
    before_dot: F,
) -> HandedOver
where
    F: AsyncFnOnce() -> Result<(), E>,
    E: Display,
{
    let may_have_left = AtomicBool::new(false);
    let sent = async {
        let mut connection = match Connection::open(relay, timeouts).await {
            Ok(connection) => connection,
            Err(error) => return HandedOver::NotNow(error.to_string()),
        };
        let before_dot = async || {
            may_have_left.store(true, Ordering::Relaxed);
            before_dot().await
        };
        let outcome = connection.send(letter, None, before_dot).await;
        connection.quit().await;
        let words = outcome.reply.map_or(outcome.note, |reply| format!("{} {}", reply.code, reply.text));
        match outcome.kind {
            OutcomeKind::Sent => HandedOver::Taken,
            OutcomeKind::Refused => HandedOver::Refused(words),
            OutcomeKind::InDoubt => HandedOver::InDoubt(words),
            _ => HandedOver::NotNow(words),
        }
    };
    let late = |_| {
        let words = format!("no answer within {} s", patience.as_secs());
        if may_have_left.load(Ordering::Relaxed) { HandedOver::InDoubt(words) } else { HandedOver::NotNow(words) }
    };
    tokio::time::timeout(patience, sent).await.unwrap_or_else(late)
}
