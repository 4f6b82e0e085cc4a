//! Leaving without a letter at hand: links are sent to the address, so that only whoever reads its mail can leave.

use crate::domain::email::EmailAddress;
use crate::domain::lang::Lang;
use crate::server::db::address::address_key;
use crate::server::db::{Db, addressees};
use crate::server::mail::delivery_token::DeliveryTokens;
use crate::server::mail::leaving::PAGE;
use crate::server::mail::markdown;
use crate::server::services::letters::{Origin, Own, Subject, enqueue};
use crate::server::services::throttle::{self, Act, Key};
use crate::server::services::{Error, Result};
use chrono::{DateTime, TimeDelta, Utc};
use std::net::IpAddr;

/// Senders that a letter names.
const SENDERS: i64 = 50;
/// How long the letter is tried; its links work for years.
const TRIED_FOR: TimeDelta = TimeDelta::days(1);

/// Whether somebody may ask for links to an address; counts it.
///
/// # Errors
/// [`Error::Invalid`] for what is no address, [`Error::RateLimited`] after many from one network.
pub async fn may_ask(db: &Db, email: &str, peer: IpAddr, now: DateTime<Utc>) -> Result<EmailAddress> {
    let email = EmailAddress::parse(email).map_err(|error| Error::field("email", error.key()))?;
    throttle::take(db, &[Key::peer(Act::LetterFrom, peer)], now).await?;
    Ok(email)
}

/// Sends links to leave by to an address, one for each user whose mailings have written to it; nothing if none have. Call it
/// apart from the answer, which would tell by its time whether any have.
///
/// # Errors
/// [`Error::RateLimited`] after several letters to the address; database errors.
pub async fn send_links(
    db: &Db,
    origin: Origin<'_>,
    tokens: &DeliveryTokens,
    (email, lang): (&EmailAddress, Lang),
    now: DateTime<Utc>,
) -> Result<()> {
    throttle::take(db, &[Key::account(Act::LeavingLetter, &address_key(email))], now).await?;
    let (mut links, mut to) = (String::new(), None);
    for delivery in addressees::newest(db, email, SENDERS).await? {
        let Some(whose) = addressees::of(db, delivery).await? else { continue };
        let link = format!("{}{PAGE}{}", origin.site, tokens.token(delivery));
        links += &format!("- {}: <{link}>\n", markdown::escape(&whose.sender));
        to = Some(whose.email);
    }
    // As letters went to it: what was typed may only look like it.
    let Some(to) = to else { return Ok(()) };
    let args = &[("links", links.as_str())];
    let (email, expires_at) = (to.as_str(), now + TRIED_FOR);
    let own = Own { subject: Subject::Leaving, name: "", email, lang, args, expires_at };
    let mut tx = db.begin().await?;
    enqueue(&mut tx, origin, &own, now).await?;
    Ok(tx.commit().await?)
}
