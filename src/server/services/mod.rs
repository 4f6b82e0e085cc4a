//! Use cases. Each takes the [`Actor`] whose permission was proven, or is public by its nature, and
//! owns its transaction. Another user's row is [`Error::NotFound`]: ownership stands in the SQL.

pub mod accounts;
pub mod audit;
pub mod calendar;
pub mod checks;
pub mod chosen;
pub mod clients;
pub mod csv;
pub mod designs;
pub mod devices;
pub mod doctor;
pub mod figures;
pub mod https;
pub mod images;
pub mod import;
pub mod invitations;
pub mod leaving;
pub mod letters;
pub mod mailings;
pub mod messages;
pub mod once;
pub mod outbox;
pub mod oversight;
pub mod overview;
pub mod paging;
pub mod passwords;
pub mod posts;
pub mod relays;
mod rendering;
pub mod reports;
pub mod returns;
pub mod settings;
pub mod suppressions;
pub mod telling;
pub mod test_letter;
#[cfg(test)]
pub mod testing;
pub mod throttle;
pub mod tokens;
pub mod topics;

use crate::api::error::{AppError, CHANGED, FieldErrors};
use crate::domain::user::{Permission, Role};
use crate::server::db::{DbError, Tx};
use std::net::{IpAddr, Ipv4Addr};

/// Somebody who is logged in, confirmed and not blocked. Only [`Actor::prove`] makes one for a
/// request, so a service that asks for it cannot be called without the check.
#[derive(Clone, Debug)]
pub struct Actor {
    pub id: i64,
    pub role: Role,
    pub email: String,
    pub name: String,
    pub zone: String,
    pub lang: crate::domain::lang::Lang,
    /// The network address that the request came from; empty on the command line.
    pub address: String,
    /// The account's epoch when the permission was proven.
    pub epoch: i64,
}

impl Actor {
    /// Makes an actor of a stored user.
    ///
    /// # Errors
    /// [`Error::Forbidden`] if the user is blocked, has not confirmed the address, or the role lacks
    /// the permission.
    pub fn prove(user: &crate::server::db::users::User, permission: Permission) -> Result<Self> {
        if user.blocked_at.is_some() || user.confirmed_at.is_none() || !user.role.may(permission) {
            return Err(Error::Forbidden);
        }
        Ok(Self {
            id: user.id,
            role: user.role,
            email: user.email.clone(),
            name: user.name.clone(),
            zone: user.zone.clone(),
            lang: user.lang,
            address: String::new(),
            epoch: user.epoch,
        })
    }

    /// Asks once more, inside the transaction of an act on others: whoever has been demoted, blocked or shut out since the
    /// request began acts no more. Neither the actor nor `other` changes until the transaction ends, so that of two who
    /// demote each other one is too late.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] if the actor is not who they were.
    pub async fn hold(&self, tx: &mut Tx, other: i64) -> Result<()> {
        accounts::still(tx, (self.id, self.epoch), other).await
    }

    /// The network address that the request came from, as far as it has one.
    pub fn peer(&self) -> IpAddr {
        self.address.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    }

    /// Asks for a further permission: for acts on what is not the actor's own.
    ///
    /// # Errors
    /// [`Error::Forbidden`] if the role lacks it.
    pub fn needs(&self, permission: Permission) -> Result<()> {
        if self.role.may(permission) { Ok(()) } else { Err(Error::Forbidden) }
    }
}

/// Why a use case did not happen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the input is not valid")]
    Invalid(FieldErrors),
    #[error("nobody is logged in")]
    Unauthenticated,
    #[error("not permitted")]
    Forbidden,
    #[error("not found")]
    NotFound,
    /// Too many tries: it is to be tried later.
    #[error("too many tries")]
    RateLimited,
    /// The state of things forbids it; the text is a locale key.
    #[error("conflict: {0}")]
    Conflict(&'static str),
    #[error("database: {0}")]
    Db(#[from] DbError),
    /// What is needed is away for a while.
    #[error("away: {0}")]
    Away(String),
    /// Whoever asked has gone, and nobody reads the answer.
    #[error("nobody waits for the answer")]
    Abandoned,
    #[error("{0}")]
    Internal(String),
}

pub type Result<T> = std::result::Result<T, Error>;

/// Refuses a form that was opened on another state of what it changes: `stored` is its version now, which the refusal names,
/// so that whoever saves again does so knowingly.
///
/// # Errors
/// [`Error::Invalid`] for the form as a whole.
pub fn still_as_opened(opened: &str, stored: &str) -> Result<()> {
    if opened.is_empty() || opened == stored {
        return Ok(());
    }
    let mut errors = FieldErrors::default();
    errors.push_with("", CHANGED, &[("version", stored)]);
    Err(errors.into())
}

impl Error {
    /// A single wrong field.
    pub fn field(field: &str, key: &str) -> Self {
        Self::Invalid(FieldErrors::one(field, key))
    }
}

impl From<FieldErrors> for Error {
    fn from(errors: FieldErrors) -> Self {
        Self::Invalid(errors)
    }
}

impl From<Error> for AppError {
    /// What is a fault of ours is logged under a reference, and only the reference goes out.
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(errors) => Self::Validation(errors),
            Error::Unauthenticated => Self::Unauthenticated,
            Error::Forbidden => Self::Forbidden,
            Error::NotFound => Self::NotFound,
            Error::RateLimited => Self::RateLimited,
            Error::Conflict(key) => Self::Conflict(key.to_owned()),
            Error::Away(why) => {
                tracing::warn!(%why, "a request could not be served");
                Self::Unavailable
            }
            Error::Abandoned => Self::Unavailable,
            Error::Db(error) if error.is_away() => Error::Away(error.to_string()).into(),
            Error::Db(error) if error.is_unstorable() => Self::Validation(FieldErrors::one("", "error.control")),
            Error::Db(_) | Error::Internal(_) => {
                let reference = tokens::reference();
                tracing::error!(%reference, %error, "a request failed");
                Self::Internal { reference }
            }
        }
    }
}

/// Refuses a form that its own rules refuse.
pub fn checked(form: &impl crate::forms::Check) -> Result<()> {
    let errors = form.check();
    if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
}
