//! Registration.

use super::confirm::ask_to_confirm;
use super::{account_key, find, notice};
use crate::domain::audit::{Act as Noted, COMMAND_LINE};
use crate::domain::email::EmailAddress;
use crate::domain::lang::Lang;
use crate::domain::settings::Registration;
use crate::domain::user::Role;
use crate::forms::accounts::RegisterForm;
use crate::server::db::audit::Entry;
use crate::server::db::tokens::{self as links, TokenKind};
use crate::server::db::users::{self, NewUser, User};
use crate::server::db::{self, Db, DbResult, Tx};
use crate::server::schedule::parse_zone;
use crate::server::services::letters::{Origin, Subject};
use crate::server::services::throttle::{self, Act, Key};
use crate::server::services::{Error, Result, checked, passwords, settings, tokens};
use chrono::{DateTime, TimeDelta, Utc};
use std::net::IpAddr;

/// How long the one-time link of the first start works; a new start prints a new one.
const SETUP_FOR: TimeDelta = TimeDelta::hours(24);

/// What registration came to.
#[derive(Debug)]
pub enum Registered {
    /// The administrator of the first start, confirmed at once.
    Admin(Box<User>),
    /// Somebody asks for an account. Whether there is one already shows nowhere; neither does that an address
    /// has been asked for too often, for which there is nothing to do.
    Asked(Option<Box<Asked>>),
}

/// A registration that has been checked.
pub struct Asked {
    account: Account,
    lang: Lang,
    peer: IpAddr,
    now: DateTime<Utc>,
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asked").field("email", &self.account.email).finish_non_exhaustive()
    }
}

/// A checked form, ready to become a user.
pub struct Account {
    email: EmailAddress,
    key: String,
    name: String,
    hash: String,
    zone: &'static str,
}

impl Account {
    /// Checks a form and hashes its password.
    ///
    /// # Errors
    /// [`Error::Invalid`] by field.
    pub(in crate::server::services) async fn of(form: &RegisterForm) -> Result<Self> {
        checked(form)?;
        let email = EmailAddress::parse(&form.email).map_err(|error| Error::field("email", error.key()))?;
        passwords::acceptable("password", &form.password, email.as_str())?;
        let hash = passwords::hash(&form.password).await?;
        let zone = parse_zone(&form.zone).map_or("UTC", |zone| zone.name());
        Ok(Self { key: account_key(&email), email, name: form.name.trim().to_owned(), hash, zone })
    }

    /// Stores the user, with a line in the audit log, and returns its id. `address` is where the request
    /// came from; none is the command line.
    pub(in crate::server::services) async fn insert(
        &self,
        tx: &mut Tx,
        (role, lang, confirmed): (Role, Lang, bool),
        address: Option<IpAddr>,
        now: DateTime<Utc>,
    ) -> DbResult<i64> {
        let email = self.email.as_str();
        let new = NewUser {
            email,
            email_key: &self.key,
            name: &self.name,
            password_hash: &self.hash,
            role,
            zone: self.zone,
            lang,
            confirmed_at: confirmed.then_some(now),
            now,
        };
        let id = users::insert(tx, &new).await?;
        let peer = address.map(|peer| peer.to_string()).unwrap_or_default();
        let (actor_id, actor) = match address {
            Some(_) => (Some(id), email),
            None => (None, COMMAND_LINE),
        };
        let entry = Entry {
            actor_id,
            actor,
            act: Noted::AccountRegistered,
            target_id: Some(id),
            target: email,
            reason: "",
            before: "",
            after: role.as_str(),
            address: &peer,
        };
        db::audit::append(tx, &entry, now).await?;
        Ok(id)
    }
}

/// Makes the one-time link's token while there is no administrator; strangers who have registered meanwhile do not count.
///
/// # Errors
/// Database errors.
pub async fn offer_setup(db: &Db, now: DateTime<Utc>) -> Result<Option<String>> {
    let mut tx = db.begin().await?;
    if users::any_admin(&mut tx).await? {
        return Ok(None);
    }
    let (token, hash) = tokens::link();
    links::replace(&mut tx, TokenKind::Setup, None, (&hash, ""), now + SETUP_FOR, now).await?;
    tx.commit().await?;
    Ok(Some(token))
}

/// Registers somebody: with a valid set-up token the first administrator; otherwise what was asked for is
/// checked, and left to [`Asked::settle`].
///
/// # Errors
/// [`Error::Invalid`] for a form that its rules refuse; [`Error::Conflict`] for a set-up link that is
/// unknown, used or too old, and while not everybody may register; [`Error::RateLimited`] for too many from
/// one peer.
pub async fn register(
    db: &Db,
    form: &RegisterForm,
    lang: Lang,
    peer: IpAddr,
    now: DateTime<Utc>,
) -> Result<Registered> {
    checked(form)?;
    if form.setup.is_empty() {
        match settings::registration(db).await? {
            Registration::Open => {}
            Registration::Invitation => return Err(Error::Conflict("error.registration.invitation")),
            Registration::Closed => return Err(Error::Conflict("error.registration.closed")),
        }
    }
    throttle::take(db, &[Key::peer(Act::LetterFrom, peer)], now).await?;
    let account = Account::of(form).await?;
    if !form.setup.is_empty() {
        return register_admin(db, &account, &form.setup, lang, peer, now).await;
    }
    // Whoever signs up an address again and again sees the same, and its owner is left in peace.
    match throttle::take(db, &[Key::account(Act::Letter, &account.key)], now).await {
        Ok(()) => Ok(Registered::Asked(Some(Box::new(Asked { account, lang, peer, now })))),
        Err(Error::RateLimited) => Ok(Registered::Asked(None)),
        Err(error) => Err(error),
    }
}

impl Asked {
    /// Makes the account and writes the letter that confirms it; to whoever has the address already goes a
    /// letter that says so. Call it apart from the answer, which would take longer otherwise for a new one.
    ///
    /// # Errors
    /// Database errors.
    pub async fn settle(self, db: &Db, origin: Origin<'_>) -> Result<()> {
        let Self { account, lang, peer, now } = self;
        if find(db, &account.email).await?.is_none() {
            let mut tx = db.begin().await?;
            match account.insert(&mut tx, (Role::User, lang, false), Some(peer), now).await {
                Ok(id) => {
                    ask_to_confirm(&mut tx, origin, (id, account.email.as_str()), lang, now).await?;
                    return Ok(tx.commit().await?);
                }
                // Somebody has just been quicker.
                Err(error) if error.is_duplicate() => drop(tx),
                Err(error) => return Err(error.into()),
            }
        }
        let Some(user) = find(db, &account.email).await? else { return Ok(()) };
        let mut tx = db.begin().await?;
        if user.confirmed_at.is_none() {
            ask_to_confirm(&mut tx, origin, (user.id, &user.email), user.lang, now).await?;
        } else {
            let link = format!("{}/login", origin.site);
            notice(&mut tx, origin, &user, Subject::Taken, &[("link", &link)], now).await?;
        }
        Ok(tx.commit().await?)
    }
}

async fn register_admin(
    db: &Db,
    account: &Account,
    setup: &str,
    lang: Lang,
    peer: IpAddr,
    now: DateTime<Utc>,
) -> Result<Registered> {
    let found = links::find(db, TokenKind::Setup, &tokens::hash(setup)).await?;
    let token = found.filter(|token| token.used_at.is_none() && token.expires_at > now);
    let token = token.ok_or(Error::Conflict("error.setup.used"))?;
    let mut tx = db.begin().await?;
    if users::any_admin(&mut tx).await? || !links::use_up(&mut tx, token.id, now).await? {
        return Err(Error::Conflict("error.setup.used"));
    }
    let id = match account.insert(&mut tx, (Role::Admin, lang, true), Some(peer), now).await {
        Err(error) if error.is_duplicate() => return Err(Error::field("email", "error.email.taken")),
        other => other?,
    };
    tx.commit().await?;
    let user = users::by_id(db, id).await?.ok_or(Error::NotFound)?;
    Ok(Registered::Admin(Box::new(user)))
}

/// Makes a confirmed user of any role: for the command line.
///
/// # Errors
/// [`Error::Invalid`] for what the form's rules refuse and for an address that is taken.
pub async fn add(db: &Db, form: &RegisterForm, role: Role, lang: Lang, now: DateTime<Utc>) -> Result<i64> {
    let account = Account::of(form).await?;
    let mut tx = db.begin().await?;
    let id = match account.insert(&mut tx, (role, lang, true), None, now).await {
        Err(error) if error.is_duplicate() => return Err(Error::field("email", "error.email.taken")),
        other => other?,
    };
    tx.commit().await?;
    Ok(id)
}
