//! Relays: what administrators add, change and try out. The passwords are sealed here and opened
//! only to be sent.

use super::{Actor, Error, Result, checked, still_as_opened};
use crate::api::error::FieldErrors;
use crate::domain::audit::{Act, COMMAND_LINE};
use crate::domain::relay::{FROM_SETTINGS, Fault, RelaySettings, RelayTest};
use crate::forms::relays::RelayForm;
use crate::server::db::audit::Entry;
use crate::server::db::relays::{self, Stored};
use crate::server::db::{self, Db, DbResult};
use crate::server::mail::relay::{Credentials, Relay, RelayUrlError};
use crate::server::mail::smtp::{Connection, Dialogue};
use crate::server::mail::timeouts::Timeouts;
use crate::server::seal::Sealer;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use std::time::Duration;

/// How long somebody who waits for an answer is left waiting, at each stage and altogether.
const STAGE: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(25);

/// What trying a relay takes.
#[derive(Clone, Copy, Debug)]
pub struct Means<'a> {
    /// Opens and seals stored passwords.
    pub sealer: &'a Sealer,
    /// Our name in EHLO, where there is one.
    pub hello: Option<&'a str>,
}

/// Somebody who may change relays: an administrator, or whoever has the command line.
#[derive(Clone, Copy, Debug)]
pub struct Keeper<'a>(Option<&'a Actor>);

impl<'a> Keeper<'a> {
    /// The actor was proven to have `Permission::Settings`.
    pub fn actor(actor: &'a Actor) -> Self {
        Self(Some(actor))
    }

    /// Whoever can run the program on its data can do anything.
    pub const fn command_line() -> Self {
        Self(None)
    }

    /// An entry in the audit log about a relay.
    fn entry(self, act: Act, id: i64, name: &'a str) -> Entry<'a> {
        Entry {
            actor_id: self.0.map(|actor| actor.id),
            actor: self.0.map_or(COMMAND_LINE, |actor| &actor.email),
            act,
            target_id: Some(id),
            target: name,
            reason: "",
            before: "",
            after: "",
            address: self.0.map_or("", |actor| &actor.address),
        }
    }
}

/// Settings as the audit log has them: all but the password.
fn told(settings: &RelaySettings) -> String {
    let RelaySettings { host, port, tls, user, connections, limits, priority, enabled, .. } = settings;
    let limit = |limit: Option<i64>| limit.map_or_else(|| "-".to_owned(), |n| n.to_string());
    format!(
        "{host}:{port}, tls {}, user {user:?}, {connections} connections, limits {}/{}/{}, priority {priority}, {}",
        tls.as_str(),
        limit(limits.second),
        limit(limits.hour),
        limit(limits.day),
        if *enabled { "on" } else { "off" }
    )
}

/// The stored relays, the first one first.
///
/// # Errors
/// Database errors.
pub async fn list(db: &Db, _: Keeper<'_>) -> Result<Vec<RelaySettings>> {
    Ok(relays::all(db).await?.into_iter().map(|stored| stored.settings).collect())
}

/// One stored relay.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(db: &Db, _: Keeper<'_>, id: i64) -> Result<RelaySettings> {
    Ok(relays::get(db, id).await?.ok_or(Error::NotFound)?.settings)
}

/// Stores a relay, new while its id is 0, and returns its id. One that is on must work: it is tried.
///
/// # Errors
/// [`Error::Invalid`] names the wrong field, or the stage at which the relay failed; as [`still_as_opened`].
pub async fn save(db: &Db, keeper: Keeper<'_>, means: Means<'_>, form: &RelayForm, now: DateTime<Utc>) -> Result<i64> {
    checked(form)?;
    let sealer = means.sealer;
    let (mut settings, password) = typed(db, sealer, form).await?;
    let relay = relay(&settings, password.clone(), means.hello)?;
    if settings.enabled
        && let Some(fault) = try_out(&relay).await.fault
    {
        return Err(not_working(&fault));
    }
    settings.host.clone_from(&relay.host);
    let sealed = password.map_or_else(String::new, |password| {
        use secrecy::ExposeSecret;
        sealer.seal(password.expose_secret(), &relays::context(&settings))
    });
    let before = relays::get(db, settings.id).await?.map(|stored| stored.settings);
    if let Some(before) = &before {
        still_as_opened(&form.version, &before.version())?;
    }
    let before = before.as_ref().map(told);
    let stored = Stored { settings, sealed };
    let saved: DbResult<Option<i64>> = async {
        let mut tx = db.begin().await?;
        let id = relays::save(&mut tx, &stored, now).await?;
        if let Some(id) = id {
            // What was refused may be right now; one connection will find out.
            relays::resume(&mut tx, id).await?;
            let act = if before.is_some() { Act::RelayChanged } else { Act::RelayAdded };
            let (before, after) = (before.as_deref().unwrap_or_default(), told(&stored.settings));
            let entry = keeper.entry(act, id, &stored.settings.name);
            db::audit::append(&mut tx, &Entry { before, after: &after, ..entry }, now).await?;
        }
        tx.commit().await?;
        Ok(id)
    }
    .await;
    match saved {
        Ok(id) => id.ok_or(Error::NotFound),
        Err(error) if error.is_duplicate() => Err(Error::field("name", "error.relay.taken")),
        Err(error) => Err(error.into()),
    }
}

async fn name(db: &Db, id: i64) -> Result<String> {
    Ok(relays::get(db, id).await?.ok_or(Error::NotFound)?.settings.name)
}

/// Switches a relay on or off.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn set_enabled(db: &Db, keeper: Keeper<'_>, id: i64, enabled: bool, now: DateTime<Utc>) -> Result<()> {
    let name = name(db, id).await?;
    let mut tx = db.begin().await?;
    if !relays::set_enabled(&mut tx, id, enabled, now).await? {
        return Err(Error::NotFound);
    }
    let act = if enabled { Act::RelayResumed } else { Act::RelayPaused };
    db::audit::append(&mut tx, &keeper.entry(act, id, &name), now).await?;
    Ok(tx.commit().await?)
}

/// Ends the pause of a relay that refused user and password, also of the one in the settings.
///
/// # Errors
/// Database errors.
pub async fn resume(db: &Db, keeper: Keeper<'_>, id: i64, now: DateTime<Utc>) -> Result<()> {
    let name = if id == FROM_SETTINGS { "VESTNIK_SMTP_URL".to_owned() } else { name(db, id).await? };
    let mut tx = db.begin().await?;
    relays::resume(&mut tx, id).await?;
    db::audit::append(&mut tx, &keeper.entry(Act::RelayResumed, id, &name), now).await?;
    Ok(tx.commit().await?)
}

/// Removes a relay. What it has sent stays on record.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn remove(db: &Db, keeper: Keeper<'_>, id: i64, now: DateTime<Utc>) -> Result<()> {
    let before = relays::get(db, id).await?.ok_or(Error::NotFound)?.settings;
    let mut tx = db.begin().await?;
    if !relays::delete(&mut tx, id).await? {
        return Err(Error::NotFound);
    }
    let entry = keeper.entry(Act::RelayRemoved, id, &before.name);
    db::audit::append(&mut tx, &Entry { before: &told(&before), ..entry }, now).await?;
    Ok(tx.commit().await?)
}

/// Tries a relay as the form has it, and tells what was said, without secrets.
///
/// # Errors
/// [`Error::Invalid`] for a form that cannot be tried.
pub async fn test(db: &Db, _: Keeper<'_>, means: Means<'_>, form: &RelayForm) -> Result<RelayTest> {
    checked(form)?;
    let (settings, password) = typed(db, means.sealer, form).await?;
    Ok(try_out(&relay(&settings, password, means.hello)?).await)
}

/// Tries a stored relay.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] if its password cannot be read.
pub async fn test_stored(db: &Db, _: Keeper<'_>, means: Means<'_>, id: i64) -> Result<RelayTest> {
    let Stored { settings, sealed } = relays::get(db, id).await?.ok_or(Error::NotFound)?;
    let password = match settings.user.is_empty() {
        true => None,
        false => {
            let password = means.sealer.open(&sealed, &relays::context(&settings));
            Some(password.ok_or(Error::Conflict("error.relay.sealed"))?)
        }
    };
    Ok(try_out(&relay(&settings, password, means.hello)?).await)
}

/// Tries a relay that stands in no table.
pub async fn test_given(_: Keeper<'_>, relay: &Relay) -> RelayTest {
    try_out(relay).await
}

/// The settings of a form with their password: the typed one, or the stored one if host and user are
/// the same. With others it must be typed again, or anybody who may change relays could have it sent
/// to a server of theirs.
async fn typed(db: &Db, sealer: &Sealer, form: &RelayForm) -> Result<(RelaySettings, Option<SecretString>)> {
    let settings = form.settings();
    if settings.user.is_empty() {
        return Ok((settings, None));
    }
    if !form.password.is_empty() {
        return Ok((settings, Some(form.password.clone().into())));
    }
    if form.id == 0 {
        return Err(Error::field("password", "error.required"));
    }
    let before = relays::get(db, form.id).await?.ok_or(Error::NotFound)?;
    let context = relays::context(&before.settings);
    // The stored host is written as DNS knows it.
    let host = Relay::new(&settings.host, settings.port, settings.tls, None, 1).map(|relay| relay.host);
    if host.as_ref() != Ok(&before.settings.host) || settings.user != before.settings.user {
        return Err(Error::field("password", "error.relay.password_again"));
    }
    let password = sealer.open(&before.sealed, &context);
    let password = password.ok_or_else(|| Error::field("password", "error.relay.sealed"))?;
    Ok((settings, Some(password)))
}

fn relay(settings: &RelaySettings, password: Option<SecretString>, hello: Option<&str>) -> Result<Relay> {
    let credentials = password.map(|password| Credentials { user: settings.user.clone(), password });
    let connections = usize::try_from(settings.connections).unwrap_or(1);
    let relay = Relay::new(&settings.host, settings.port, settings.tls, credentials, connections);
    relay.map(|relay| relay.with_hello(hello)).map_err(|error| match error {
        RelayUrlError::Credentials => Error::field("password", "error.control"),
        _ => Error::field("host", "error.relay.host"),
    })
}

/// Opens a session and says goodbye.
async fn try_out(relay: &Relay) -> RelayTest {
    let timeouts = Timeouts { connect: STAGE, greeting: STAGE, ehlo: STAGE, ..Timeouts::default() };
    try_within(relay, &timeouts, PATIENCE).await
}

async fn try_within(relay: &Relay, timeouts: &Timeouts, patience: Duration) -> RelayTest {
    let mut dialogue = Dialogue::aloud();
    let tried = async {
        match Connection::open_aloud(relay, timeouts, &mut dialogue).await {
            Ok(connection) => {
                connection.quit().await;
                None
            }
            Err(error) => Some(error.fault()),
        }
    };
    let fault = match tokio::time::timeout(patience, tried).await {
        Ok(fault) => fault,
        Err(_) => Some(Fault {
            stage: crate::domain::delivery::Stage::Connect,
            cause: crate::domain::relay::Cause::Timeout,
            detail: format!("{} s", patience.as_secs()),
        }),
    };
    RelayTest { address: relay.to_string(), dialogue: dialogue.into_lines(), fault }
}

/// The error of a form whose relay does not work: the stage, and what is wrong, in words that the
/// page says in its reader's language.
fn not_working(fault: &Fault) -> Error {
    let mut errors = FieldErrors::default();
    let field = match fault.stage_word() {
        "AUTH" => "password",
        "TLS" => "tls",
        _ => "host",
    };
    errors.push_with(field, &fault.key(), &[("stage", fault.stage_word()), ("detail", &fault.detail)]);
    errors.into()
}

#[cfg(test)]
#[path = "relays_tests.rs"]
mod tests;
