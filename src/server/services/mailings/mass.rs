//! Refusing mass mail whose readers could not leave. The engine holds a run to it; this says so before.

use super::super::{Actor, Error, Result};
use super::{audience_count, plan::audience};
use crate::api::error::FieldErrors;
use crate::domain::audience::Audience;
use crate::domain::mass_mail::{FEW, MassMail};
use crate::forms::mailings::MailingForm;
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

/// Refuses a mailing to so many that each of them must be able to leave, where they could not.
///
/// # Errors
/// [`Error::Invalid`] at the field of the clients.
pub async fn allow(db: &Db, actor: &Actor, form: &MailingForm, mass: MassMail) -> Result<()> {
    // What is wrong with the choice itself is said where the rest of the form is judged.
    let Some(audience) = audience(form).filter(|_| mass == MassMail::NeedsAddress) else { return Ok(()) };
    if matches!(&audience, Audience::Search { text } if text.is_empty()) {
        return Ok(());
    }
    if !mass.refuses(audience_count(db, actor.id, &audience).await?) {
        return Ok(());
    }
    let mut errors = FieldErrors::default();
    errors.push_with("clients", "error.mailing.no_public_address", &[("limit", &FEW.to_string())]);
    Err(Error::Invalid(errors))
}
