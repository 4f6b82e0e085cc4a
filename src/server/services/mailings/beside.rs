//! What a review shows beside the mailing itself: who it comes from, and how long it takes.

use super::super::{Actor, Error, Result};
use super::mine;
use super::plan::window;
use crate::domain::email::EmailAddress;
use crate::domain::forecast::{Capacity, Daily, last_leaves};
use crate::domain::mailing::ReviewBeside;
use crate::domain::relay::{RelayState, RelaysReport};
use crate::forms::mailings::MailingForm;
use crate::server::db::{Db, limits, settings};
use chrono::{DateTime, Utc};

/// What a review shows beside a form that is right, of which so many `letters` would leave.
///
/// # Errors
/// [`Error::Invalid`] by field for a form that is not; [`Error::NotFound`].
pub async fn beside(
    db: &Db,
    actor: &Actor,
    form: &MailingForm,
    letters: i64,
    (from, relays): (&EmailAddress, RelaysReport),
    now: DateTime<Utc>,
) -> Result<ReviewBeside> {
    let old = if form.id == 0 { None } else { Some(mine(db, actor, form.id).await?) };
    let window = window(form, old.as_ref(), now).map_err(|(field, key)| Error::field(field, key))?;
    let sender = settings::sender(db, from).await?;
    let start = window.next_at.unwrap_or(now).max(now);
    let mut stuck = false;
    let last_at = if relays.catching {
        None
    } else {
        // What waits already goes before.
        let letters = if start <= now { letters.saturating_add(relays.queue) } else { letters };
        let usable = relays.relays.into_iter().filter(|relay| {
            relay.settings.enabled && !matches!(relay.live.state, RelayState::Paused | RelayState::Off)
        });
        let capacity: Vec<Capacity> =
            usable.map(|relay| Capacity { limits: relay.settings.limits, uses: relay.live.limits }).collect();
        stuck = capacity.is_empty();
        let daily = limits::daily(db, actor.id, now).await?.map(|(limit, used)| Daily { limit, used });
        last_leaves(letters, (start, now), &capacity, daily)
    };
    Ok(ReviewBeside {
        sender_name: actor.name.clone(),
        sender_email: sender.email.as_str().to_owned(),
        reply_to: actor.email.clone(),
        last_at,
        late: last_at.is_some_and(|at| at >= window.schedule.end),
        stuck,
    })
}

#[cfg(test)]
#[path = "beside_tests.rs"]
mod tests;
