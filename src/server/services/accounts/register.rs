//! Registration. A visitor gives an address and nothing else: name and password are those of whoever follows the link in
//! the letter, so that nobody makes an account ready for somebody else.

use super::confirm::ask_to_confirm;
use super::{account_key, find, notice};
use crate::domain::audit::{Act as Noted, COMMAND_LINE};
use crate::domain::email::EmailAddress;
use crate::domain::lang::Lang;
use crate::domain::settings::Registration;
use crate::domain::user::Role;
use crate::forms::accounts::{AddressForm, RegisterForm};
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

/// Somebody asks for an account with an address. Whether there is one already shows nowhere.
#[derive(Debug)]
pub struct Asked {
    email: EmailAddress,
    lang: Lang,
    peer: IpAddr,
    now: DateTime<Utc>,
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

    /// Stores a user whose address is known to be theirs, with a line in the audit log, and returns its id. `address`
    /// is where the request came from; none is the command line.
    pub(in crate::server::services) async fn insert(
        &self,
        tx: &mut Tx,
        (role, lang): (Role, Lang),
        address: Option<IpAddr>,
        now: DateTime<Utc>,
    ) -> DbResult<i64> {
        let new = NewUser {
            email: self.email.as_str(),
            email_key: &self.key,
            name: &self.name,
            password_hash: &self.hash,
            role,
            zone: self.zone,
            lang,
            confirmed_at: Some(now),
            now,
        };
        insert(tx, &new, address).await
    }

    /// Makes of an account that waited for its confirmation the one that was asked for by whoever confirms it.
    pub(super) async fn complete(&self, tx: &mut Tx, user: &User) -> DbResult<()> {
        let (name, zone) = (self.name.clone(), self.zone.to_owned());
        users::set_profile(tx, &User { name, zone, ..user.clone() }).await?;
        users::set_password(tx, user.id, &self.hash).await
    }
}

async fn insert(tx: &mut Tx, new: &NewUser<'_>, address: Option<IpAddr>) -> DbResult<i64> {
    let id = users::insert(tx, new).await?;
    let peer = address.map(|peer| peer.to_string()).unwrap_or_default();
    let (actor_id, actor) = match address {
        Some(_) => (Some(id), new.email),
        None => (None, COMMAND_LINE),
    };
    let entry = Entry {
        actor_id,
        actor,
        act: Noted::AccountRegistered,
        target_id: Some(id),
        target: new.email,
        reason: "",
        before: "",
        after: new.role.as_str(),
        address: &peer,
    };
    db::audit::append(tx, &entry, new.now).await?;
    Ok(id)
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

/// Makes the first administrator, with the token of the set-up link.
///
/// # Errors
/// [`Error::Invalid`] for a form that its rules refuse; [`Error::Conflict`] for a link that is unknown, used or too
/// old; [`Error::RateLimited`] for too many from one peer.
pub async fn set_up(db: &Db, form: &RegisterForm, lang: Lang, peer: IpAddr, now: DateTime<Utc>) -> Result<User> {
    checked(form)?;
    throttle::take(db, &[Key::peer(Act::LetterFrom, peer)], now).await?;
    let found = links::find(db, TokenKind::Setup, &tokens::hash(&form.setup)).await?;
    let token = found.filter(|token| token.used_at.is_none() && token.expires_at > now);
    let token = token.ok_or(Error::Conflict("error.setup.used"))?;
    let account = Account::of(form).await?;
    let mut tx = db.begin().await?;
    if users::any_admin(&mut tx).await? || !links::use_up(&mut tx, token.id, now).await? {
        return Err(Error::Conflict("error.setup.used"));
    }
    let id = match account.insert(&mut tx, (Role::Admin, lang), Some(peer), now).await {
        Err(error) if error.is_duplicate() => return Err(Error::field("email", "error.email.taken")),
        other => other?,
    };
    tx.commit().await?;
    users::by_id(db, id).await?.ok_or(Error::NotFound)
}

/// Somebody asks for an account: what they ask is checked, and left to [`Asked::settle`]. None for an address that was
/// asked for too often, which shows nowhere either.
///
/// # Errors
/// [`Error::Invalid`] for what is no address; [`Error::Conflict`] while not everybody may register;
/// [`Error::RateLimited`] for too many from one peer.
pub async fn sign_up(
    db: &Db,
    form: &AddressForm,
    lang: Lang,
    peer: IpAddr,
    now: DateTime<Utc>,
) -> Result<Option<Asked>> {
    checked(form)?;
    let email = EmailAddress::parse(&form.email).map_err(|error| Error::field("email", error.key()))?;
    match settings::registration(db).await? {
        Registration::Open => {}
        Registration::Invitation => return Err(Error::Conflict("error.registration.invitation")),
        Registration::Closed => return Err(Error::Conflict("error.registration.closed")),
    }
    throttle::take(db, &[Key::peer(Act::LetterFrom, peer)], now).await?;
    // Whoever signs up an address again and again sees the same, and its owner is left in peace.
    match throttle::take(db, &[Key::account(Act::Letter, &account_key(&email))], now).await {
        Ok(()) => Ok(Some(Asked { email, lang, peer, now })),
        Err(Error::RateLimited) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Asked {
    /// Makes an account that waits, and writes the letter that confirms it; to whoever has the address already goes a
    /// letter that says so. Call it apart from the answer, which would take longer otherwise for a new one.
    ///
    /// # Errors
    /// Database errors.
    pub async fn settle(self, db: &Db, origin: Origin<'_>) -> Result<()> {
        let Self { email, lang, peer, now } = self;
        let key = account_key(&email);
        if find(db, &email).await?.is_none() {
            let new = NewUser {
                email: email.as_str(),
                email_key: &key,
                name: "",
                // No password is right before the letter was followed.
                password_hash: "",
                role: Role::User,
                zone: "UTC",
                lang,
                confirmed_at: None,
                now,
            };
            let mut tx = db.begin().await?;
            match insert(&mut tx, &new, Some(peer)).await {
                Ok(id) => {
                    ask_to_confirm(&mut tx, origin, (id, email.as_str()), lang, now).await?;
                    return Ok(tx.commit().await?);
                }
                // Somebody has just been quicker.
                Err(error) if error.is_duplicate() => drop(tx),
                Err(error) => return Err(error.into()),
            }
        }
        let Some(user) = find(db, &email).await? else { return Ok(()) };
        let mut tx = db.begin().await?;
        if user.confirmed_at.is_none() {
            // As it is written now: nobody has shown yet that the other spelling is theirs.
            users::set_email(&mut tx, &user, email.as_str(), &user.email_key).await?;
            ask_to_confirm(&mut tx, origin, (user.id, email.as_str()), lang, now).await?;
        } else {
            let link = format!("{}/login", origin.site);
            notice(&mut tx, origin, &user, Subject::Taken, &[("link", &link)], now).await?;
        }
        Ok(tx.commit().await?)
    }
}

/// Makes a confirmed user of any role: for the command line.
///
/// # Errors
/// [`Error::Invalid`] for what the form's rules refuse and for an address that is taken.
pub async fn add(db: &Db, form: &RegisterForm, role: Role, lang: Lang, now: DateTime<Utc>) -> Result<i64> {
    let account = Account::of(form).await?;
    let mut tx = db.begin().await?;
    let id = match account.insert(&mut tx, (role, lang), None, now).await {
        Err(error) if error.is_duplicate() => return Err(Error::field("email", "error.email.taken")),
        other => other?,
    };
    tx.commit().await?;
    Ok(id)
}
