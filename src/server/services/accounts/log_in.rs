//! Log-in.

use crate::domain::email::EmailAddress;
use crate::forms::accounts::LogInForm;
use crate::server::db::Db;
use crate::server::db::users::{self, User};
use crate::server::services::{Error, Result, checked, passwords};

/// Checks an address and a password.
///
/// # Errors
/// [`Error::Invalid`] on the form as a whole when they do not match (the same for an unknown
/// address), when the address waits for confirmation, or when the user is blocked; the last two only
/// to somebody who knows the password.
pub async fn log_in(db: &Db, form: &LogInForm) -> Result<User> {
    checked(form)?;
    let email = EmailAddress::parse(&form.email).map_err(|error| Error::field("email", error.key()))?;
    let user = users::by_email(db, &email.key()).await?;
    let hash = user.as_ref().map(|user| user.password_hash.as_str());
    let same = passwords::verify(&form.password, hash).await?;
    let user = user.filter(|_| same).ok_or_else(|| Error::field("", "error.login.mismatch"))?;
    if user.confirmed_at.is_none() {
        return Err(Error::field("", "error.login.unconfirmed"));
    }
    if user.blocked_at.is_some() {
        return Err(Error::field("", "error.login.blocked"));
    }
    Ok(user)
}
