//! 'Send me a test': one letter to the writer's own address, now.

use super::leaving::NO_DELIVERY;
use super::throttle::{self, Act, Key};
use super::{Actor, Error, Result, messages, rendering};
use crate::api::error::FieldErrors;
use crate::domain::email::EmailAddress;
use crate::domain::suppression::NO_TOPIC;
use crate::forms::messages::MessageForm;
use crate::locales;
use crate::server::db::{self, Db, limits};
use crate::server::mail::compose::{ComposeError, Composer, Mailbox, RunParts, Which};
use crate::server::mail::delivery_token::DeliveryTokens;
use crate::server::mail::dkim::Signer;
use crate::server::mail::hand_over::{HandedOver, hand_over};
use crate::server::mail::leaving::LeavingParts;
use crate::server::mail::relay::Relay;
use crate::server::mail::return_path::ReturnPath;
use crate::server::mail::template::Recipient;
use crate::server::mail::timeouts::Timeouts;
use chrono::{DateTime, Utc};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

/// The run that no run has: test letters belong to none.
const NO_RUN: i64 = 0;
/// How long somebody who waits for an answer is left waiting, whatever a stage may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a letter leaves, and in whose name.
#[derive(Clone, Debug)]
pub struct Post<'a> {
    pub timeouts: &'a Timeouts,
    /// The service's own address, unless the settings name another.
    pub from: &'a EmailAddress,
    /// Key for Message-IDs.
    pub secret: &'a [u8],
    /// Signs letters, where there is a key.
    pub dkim: Option<&'a Arc<Signer>>,
    /// Of the link to leave, which leads to `site`.
    pub tokens: &'a DeliveryTokens,
    /// Without a trailing slash.
    pub site: &'a str,
    /// Addresses to write to instead.
    pub returns: Option<ReturnPath>,
}

/// Sends what is being written to the actor, filled in with the name and comment of a client or with
/// the actor's own name, and returns the address that it went to. The letter counts as one of the actor's day, and
/// test letters have a limit of their own besides, so that nobody uses up what all share. `relay` is asked for a mail
/// server, and for permission to use it, when nothing else is in the way.
///
/// # Errors
/// [`Error::Invalid`] for a message that cannot be used, and with the mail server's reply if it did not
/// take the letter; [`Error::NotFound`] if the actor has no such client; [`Error::Conflict`] if the day's letters are
/// used up, and after many test letters; those of `relay`.
pub async fn send<Permit>(
    db: &Db,
    post: Post<'_>,
    actor: &Actor,
    form: &MessageForm,
    client: Option<i64>,
    now: DateTime<Utc>,
    relay: impl AsyncFnOnce() -> Result<(Relay, Permit)>,
) -> Result<String> {
    messages::usable(form).await?;
    let client = match client {
        Some(id) => Some(db::clients::get(db, actor.id, id).await?.ok_or(Error::NotFound)?),
        None => None,
    };
    let look = messages::look(db, actor, &form.design).await?;
    let sender = db::settings::sender(db, post.from).await?;
    let (of, form) = (actor.clone(), form.clone());
    let (secret, dkim) = (post.secret.to_vec(), post.dkim.cloned());
    let (tokens, site, returns) = (post.tokens.clone(), post.site.to_owned(), post.returns.clone());
    let (envelope, letter) = rendering::apart(move || {
        let composer = Composer::new(&RunParts {
            from: Mailbox { name: &of.name, address: sender.email.as_str() },
            reply_to: &of.email,
            subject: form.subject.trim(),
            preheader: form.preheader.trim(),
            body: &form.body,
            look: look.as_ref(),
            lang: of.lang,
            run_id: NO_RUN,
            secret: &secret,
            dkim: dkim.as_ref(),
            leaving: LeavingParts {
                tokens: &tokens,
                site: &site,
                returns: returns.as_ref(),
                words: &locales::text(of.lang, "leaving.link"),
                owner: of.id,
                mailing: 0,
                topic: NO_TOPIC,
            },
        })?;
        let recipient = Recipient {
            email: &of.email,
            full_name: client.as_ref().map_or(&of.name, |client| &client.full_name),
            comment: client.as_ref().map_or("", |client| &client.comment),
        };
        let letter = composer.compose(&recipient, Which { client: rand::random(), delivery: NO_DELIVERY }, now)?;
        Ok((composer.sender().to_owned(), letter))
    })
    .await?
    .map_err(refused)?;
    count(db, actor, now).await?;
    let handed = match relay().await {
        Ok((relay, _permit)) => {
            hand_over(&relay, post.timeouts, letter.parcel(&envelope), PATIENCE, async || Ok::<(), Infallible>(()))
                .await
        }
        Err(error) => {
            uncount(db, actor, now).await?;
            return Err(error);
        }
    };
    match handed {
        HandedOver::Taken => {
            let mut tx = db.begin().await?;
            db::overview::set_tested(&mut tx, actor.id, now).await?;
            tx.commit().await?;
            Ok(actor.email.clone())
        }
        HandedOver::InDoubt(words) => Err(not_sent(&words)),
        HandedOver::Refused(words) | HandedOver::NotNow(words) => {
            uncount(db, actor, now).await?;
            Err(not_sent(&words))
        }
    }
}

/// Counts a letter before it leaves: several at once cannot slip through.
async fn count(db: &Db, actor: &Actor, now: DateTime<Utc>) -> Result<()> {
    let mut tx = db.begin().await?;
    let often = |error| if matches!(error, Error::RateLimited) { Error::Conflict("error.test_often") } else { error };
    throttle::take_in(&mut tx, &[Key::account(Act::TestLetter, &actor.email)], now).await.map_err(often)?;
    if !limits::take_letter(&mut tx, actor.id, now).await? {
        return Err(Error::Conflict("error.test_limit"));
    }
    Ok(tx.commit().await?)
}

/// Gives a letter that certainly did not leave back to its writer's day; it stays a test letter that was tried.
async fn uncount(db: &Db, actor: &Actor, now: DateTime<Utc>) -> Result<()> {
    let mut tx = db.begin().await?;
    limits::give_letter_back(&mut tx, actor.id, now).await?;
    Ok(tx.commit().await?)
}

fn refused(error: ComposeError) -> Error {
    match error {
        ComposeError::Template(error) => messages::refused(error),
        ComposeError::Address { .. } | ComposeError::Build(_) => not_sent(&error.to_string()),
    }
}

fn not_sent(reply: &str) -> Error {
    let mut errors = FieldErrors::default();
    errors.push_with("", "error.test_send", &[("reply", reply)]);
    errors.into()
}

#[cfg(test)]
#[path = "test_letter_tests.rs"]
mod tests;
