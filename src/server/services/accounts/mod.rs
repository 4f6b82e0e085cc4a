//! Accounts: registration, links in letters, log-in, and what people change of their own.

mod address;
#[cfg(test)]
mod audit_tests;
mod confirm;
mod erase;
mod links;
mod log_in;
mod own_data;
mod pending;
mod profile;
#[cfg(test)]
mod profile_tests;
mod register;
mod reset;
#[cfg(test)]
mod reset_tests;
mod revoke;
mod sessions;
#[cfg(test)]
mod tests;
mod totp;

pub use crate::server::db::tokens::TokenKind;
pub use address::{account_key, find, fold_accounts};
pub use confirm::{confirm, may_ask, send_confirmation};
pub use erase::{delete_account, keep_emptying, own_counts};
pub use links::check_link;
pub use log_in::{log_in, may_enter};
pub use own_data::own_data;
pub use pending::{admit, end_all, end_all_but_sessions, still};
pub use profile::{ask_new_email, change_password, profile, save_profile, take_new_email};
pub use register::{Account, Asked, add, offer_setup, set_up, sign_up};
pub use reset::{reset, send_reset};
pub use revoke::revoke_change;
pub use sessions::{end_session, end_sessions, own_sessions};
pub use totp::{begin_totp, check_code, confirm_totp, end_totp, seal_second_factors, second_factor};

use super::letters::{Origin, Own, Subject, enqueue};
use super::throttle::{self, Act};
use super::{Actor, Error, Result, passwords};
use crate::server::db::users::{self, User};
use crate::server::db::{
    Db, Tx, addressees, invitations, limits, sessions as stored_sessions, submissions, throttles, tokens,
};
use chrono::{DateTime, TimeDelta, Utc};

/// How long it is of use to tell somebody what has happened to their account.
const NOTICE_FOR: TimeDelta = TimeDelta::days(5);
/// How long used and expired links are kept, so that they can be told from unknown ones.
const LINKS_FOR: TimeDelta = TimeDelta::days(30);

/// How long a form that was sent is known, should it come again.
const FORMS_FOR: TimeDelta = TimeDelta::days(1);
/// How long it is kept how many letters left on a day: as long as the overview shows, and a day more.
const DAYS_FOR: TimeDelta = TimeDelta::days(crate::domain::overview::DAYS + 1);
/// How long somebody can leave by a letter whose mailing is deleted.
const LETTERS_FOR: TimeDelta = TimeDelta::days(5 * 365);
/// Of them in one transaction: a mailing may have had millions.
const FORGOTTEN_AT_ONCE: i64 = 10_000;

/// Writes to a user what has happened.
async fn notice(
    tx: &mut Tx,
    origin: Origin<'_>,
    user: &User,
    subject: Subject,
    args: &[(&str, &str)],
    now: DateTime<Utc>,
) -> Result<()> {
    let User { name, email, lang, .. } = user;
    let own = Own { subject, name, email, lang: *lang, args, expires_at: now + NOTICE_FOR };
    enqueue(tx, origin, &own, now).await
}

/// Asks for the password again, before what only the owner may do. It may change while it is being checked: the
/// transaction of what follows asks [`still`].
async fn prove_password(db: &Db, actor: &Actor, field: &str, password: &str, now: DateTime<Utc>) -> Result<User> {
    let user = users::by_id(db, actor.id).await?.ok_or(Error::NotFound)?;
    let keys = throttle::tries(Act::Prove, &user.email_key, actor.peer(), None);
    throttle::take(db, &keys, now).await?;
    if !passwords::verify(password, Some(&user.password_hash)).await? {
        return Err(Error::field(field, "error.password.wrong"));
    }
    let mut tx = db.begin().await?;
    throttle::succeeded(&mut tx, &keys).await?;
    tx.commit().await?;
    Ok(user)
}

/// Forgets what is over: sessions, links, invitations, tries, days. For every hour or so.
///
/// # Errors
/// Database errors.
pub async fn tidy(db: &Db, now: DateTime<Utc>) -> Result<()> {
    let mut tx = db.begin().await?;
    stored_sessions::forget_expired(&mut tx, now).await?;
    tokens::forget_old(&mut tx, now - LINKS_FOR).await?;
    throttles::forget_old(&mut tx, now - throttle::REMEMBER).await?;
    invitations::forget_old(&mut tx, now - LINKS_FOR).await?;
    submissions::forget_old(&mut tx, now - FORMS_FOR).await?;
    addressees::forget_old(&mut tx, now - LETTERS_FOR, FORGOTTEN_AT_ONCE).await?;
    limits::forget_days(&mut tx, (now - DAYS_FOR).date_naive()).await?;
    Ok(tx.commit().await?)
}
