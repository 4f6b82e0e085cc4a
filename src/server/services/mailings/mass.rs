//! Refusing mass mail whose readers could not leave. The engine holds a run to it; the form says so before.

use super::super::Result;
use crate::api::error::FieldErrors;
use crate::domain::mass_mail::{FEW, MassMail};
use crate::server::db::{Db, relays};

/// Whether mass mail may leave a service at this public address: without a mail server in the settings (`given`) or in the
/// database everything is caught.
///
/// # Errors
/// Database errors.
pub async fn mass_mail(db: &Db, site: &str, given: bool) -> Result<MassMail> {
    let catching = !given && relays::all(db).await?.is_empty();
    Ok(MassMail::of(site, catching))
}

/// Notes at the field of the clients that so many letters may not leave.
pub(super) fn judge(errors: &mut FieldErrors, mass: MassMail, letters: i64) {
    if mass.refuses(letters) && errors.get("clients").is_none() {
        errors.push_with("clients", "error.mailing.no_public_address", &[("limit", &FEW.to_string())]);
    }
}
