//! The service's settings, and limits of single users: what administrators decide.

use super::{Actor, Error, Result, audit, checked, still_as_opened};
use crate::domain::audit::Act;
use crate::domain::email::EmailAddress;
use crate::domain::settings::{Registration, Setting, SettingsPage, UserLimits};
use crate::domain::user::Permission;
use crate::forms::settings::{LimitsForm, SettingsForm};
use crate::server::db::audit::Entry;
use crate::server::db::{self, Db, limits, settings};
use chrono::{DateTime, Utc};

/// Who may make an account now.
///
/// # Errors
/// Database errors.
pub async fn registration(db: &Db) -> Result<Registration> {
    Ok(settings::get(db).await?.registration)
}

/// The settings, and the address that stands in for a sender who is not chosen.
///
/// # Errors
/// [`Error::Forbidden`] for whom it is not.
pub async fn page(db: &Db, actor: &Actor, started_with: &EmailAddress) -> Result<SettingsPage> {
    actor.needs(Permission::Settings)?;
    let settings = settings::get(db).await?;
    Ok(SettingsPage { settings, started_with: started_with.as_str().to_owned() })
}

/// Stores the settings; each that changes has its line in the audit log. The caller wakes the engine, and tells
/// of the change where pages are kept (`posts::changes`).
///
/// # Errors
/// [`Error::Invalid`] by field; as [`still_as_opened`].
pub async fn save(db: &Db, actor: &Actor, form: &SettingsForm, now: DateTime<Utc>) -> Result<()> {
    actor.needs(Permission::Settings)?;
    checked(form)?;
    let wanted = form.settings();
    let mut tx = db.begin().await?;
    actor.hold(&mut tx, actor.id).await?;
    let stored = settings::get_in(&mut tx).await?;
    still_as_opened(&form.version, &stored.version())?;
    for setting in Setting::ALL {
        let (before, after) = (stored.text(setting), wanted.text(setting));
        if before == after {
            continue;
        }
        settings::set(&mut tx, setting, &after).await?;
        let entry = audit::entry(actor, Act::SettingsChanged, None, setting.as_str());
        db::audit::append(&mut tx, &Entry { before: &before, after: &after, ..entry }, now).await?;
    }
    // Home page and blog say who may register.
    db::posts::changes::count(&mut tx).await?;
    Ok(tx.commit().await?)
}

/// Gives a user limits of their own. The caller wakes the engine.
///
/// # Errors
/// [`Error::Invalid`] by field; [`Error::NotFound`].
pub async fn set_limits(db: &Db, actor: &Actor, form: &LimitsForm, now: DateTime<Utc>) -> Result<()> {
    actor.needs(Permission::Settings)?;
    checked(form)?;
    let wanted = form.limits();
    let mut tx = db.begin().await?;
    actor.hold(&mut tx, form.id).await?;
    let subject = db::oversight::lock_user(&mut tx, form.id).await?.ok_or(Error::NotFound)?;
    if subject.limits == wanted {
        return Ok(());
    }
    limits::set(&mut tx, form.id, wanted).await?;
    let (before, after) = (told(subject.limits), told(wanted));
    let entry = audit::entry(actor, Act::LimitsChanged, Some(form.id), &subject.email);
    db::audit::append(&mut tx, &Entry { before: &before, after: &after, ..entry }, now).await?;
    Ok(tx.commit().await?)
}

/// Limits as the audit log has them.
fn told(limits: UserLimits) -> String {
    let named = [("clients", limits.clients), ("letters", limits.letters)];
    let parts: Vec<String> = named.iter().filter_map(|(name, n)| n.map(|n| format!("{name} {n}"))).collect();
    parts.join(", ")
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
