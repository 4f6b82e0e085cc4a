//! What follows a registration: the letter, the page that comes next.

use super::request;
use super::state::AppState;
use crate::domain::lang::Lang;
use crate::locales::{text, text_with};
use crate::server::mail::compose::{Letter, Mailbox, system_letter};
use crate::server::mail::markdown;
use crate::server::mail::smtp::Connection;
use crate::server::services::accounts::Registered;
use crate::server::services::{Error, Result, tokens};
use std::time::Duration;

/// Waits between tries to hand over a letter of the service itself.
const WAITS: [Duration; 4] =
    [Duration::from_secs(5), Duration::from_secs(30), Duration::from_secs(120), Duration::from_secs(600)];

/// Sends the letter that belongs to a registration and the browser to its next page.
///
/// # Errors
/// If the session cannot be stored or the letter not be made.
pub async fn after(state: &AppState, registered: Registered, lang: Lang) -> Result<()> {
    let site = &state.config.public_url;
    match registered {
        Registered::Admin { id } => {
            request::remember(id).await?;
            request::go("/mailings");
            return Ok(());
        }
        Registered::Unconfirmed { email, name, token } => {
            let link = format!("{site}/confirm?token={token}");
            send(state, lang, ["letters.confirm.subject", "letters.confirm.body"], &email, &name, &link)?;
        }
        Registered::Taken { email, name } => {
            let link = format!("{site}/login");
            send(state, lang, ["letters.taken.subject", "letters.taken.body"], &email, &name, &link)?;
        }
    }
    request::go("/signup/sent");
    Ok(())
}

fn send(state: &AppState, lang: Lang, [subject, body]: [&str; 2], email: &str, name: &str, link: &str) -> Result<()> {
    let subject = text(lang, subject);
    let safe = markdown::escape(name);
    let body = text_with(lang, body, &[("name", &safe), ("link", &link), ("site", &state.config.public_url)]);
    let from = Mailbox { name: "Vestnik", address: state.from().as_str() };
    let domain = state.from().domain();
    let id = format!("{}@{domain}", tokens::link().1.replace(['-', '_'], "x"));
    let letter = system_letter(from, Mailbox { name, address: email }, &subject, &body, lang, state.now(), &id)
        .map_err(|error| Error::Internal(error.to_string()))?;
    tokio::spawn(hand_over(state.clone(), letter));
    Ok(())
}

/// Tries until the mail server has taken or refused the letter, for a quarter of an hour: whoever
/// waits longer signs up again and gets a new link.
async fn hand_over(state: AppState, letter: Letter) {
    for wait in WAITS.into_iter().map(Some).chain([None]) {
        let trouble = match Connection::open(&state.relay, state.timeouts()).await {
            Err(error) => error.to_string(),
            Ok(mut connection) => {
                let ready = async || Ok::<(), String>(());
                let outcome = connection
                    .send(state.from().as_str(), &letter.recipient, &letter.bytes, letter.needs_smtputf8, ready)
                    .await;
                connection.quit().await;
                match outcome.kind {
                    crate::server::mail::classify::OutcomeKind::Sent => return,
                    _ => outcome.reply.map_or(outcome.note, |reply| reply.text),
                }
            }
        };
        tracing::warn!(trouble, "a letter of the service was not taken");
        match wait {
            Some(wait) => tokio::time::sleep(wait).await,
            None => tracing::error!(trouble, "a letter of the service was given up"),
        }
    }
}
