//! Mailings: made, changed, stopped, looked at; one file for each of these.

mod beside;
mod change;
mod deliveries;
mod doubt;
mod list;
mod mass;
mod missed;
mod pick;
mod plan;
mod show;
mod stop;

pub use beside::beside;
pub use change::{create, draft, review, save, update};
pub use deliveries::{deliveries, delivery, run_of};
pub use doubt::decide;
pub(super) use list::rows;
pub use list::{Listing, list, look};
pub use mass::mass_mail;
pub use missed::{missed, send_to_missed};
pub use pick::{begin as begin_picking, change as change_picks, choices};
pub use show::{detail, live};
pub use stop::{delete, delete_chosen, pause, pause_chosen, resume, resume_chosen};

use super::{Actor, Error, Result};
use crate::domain::audience::{Audience, AudienceSize};
use crate::domain::user::Permission;
use crate::server::db::mailings::Mailing;
use crate::server::db::{self, Db};
use chrono::{DateTime, Utc};

/// Clients whom a mailing about a topic would be for now, and how many of them get nothing.
///
/// # Errors
/// Database errors.
pub async fn audience_size(
    db: &Db,
    (owner, topic): (i64, i64),
    audience: &Audience,
    now: DateTime<Utc>,
) -> Result<AudienceSize> {
    Ok(db::runs::audience_size(db, (owner, topic), audience, now).await?)
}

async fn mine(db: &Db, actor: &Actor, id: i64) -> Result<Mailing> {
    db::mailings::get(db, actor.id, id).await?.ok_or(Error::NotFound)
}

/// A mailing that the actor may look at: their own, or anybody's for whom it is to oversee.
async fn visible(db: &Db, actor: &Actor, id: i64) -> Result<Mailing> {
    if actor.role.may(Permission::Oversee) {
        return db::mailings::by_id(db, id).await?.ok_or(Error::NotFound);
    }
    mine(db, actor, id).await
}

/// The names of all zones that a mailing can have.
pub fn zones() -> Vec<String> {
    chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name().to_owned()).collect()
}

#[cfg(test)]
mod outcome_tests;
#[cfg(test)]
mod tests;
