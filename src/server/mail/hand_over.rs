//! One letter over a connection of its own: for test letters and the service's own.

use super::classify::OutcomeKind;
use super::relay::Relay;
use super::smtp::{Connection, Parcel};
use super::timeouts::Timeouts;
use std::convert::Infallible;
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

/// Hands one letter to the mail server, within `patience` whatever a single stage may take.
pub async fn hand_over(relay: &Relay, timeouts: &Timeouts, letter: Parcel<'_>, patience: Duration) -> HandedOver {
    let sent = async {
        let mut connection = match Connection::open(relay, timeouts).await {
            Ok(connection) => connection,
            Err(error) => return HandedOver::NotNow(error.to_string()),
        };
        let before_dot = async || Ok::<(), Infallible>(());
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
    let late = |_| HandedOver::InDoubt(format!("no answer within {} s", patience.as_secs()));
    tokio::time::timeout(patience, sent).await.unwrap_or_else(late)
}
