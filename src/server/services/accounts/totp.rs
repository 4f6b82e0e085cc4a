//! The second factor: codes that change every half minute (RFC 6238), and recovery codes.

use super::log_in::{enter, note_refusal};
use super::revoke::{Change, tell_owner};
use super::{notice, prove_password, still};
use crate::domain::account::{SecondFactor, TotpSetup};
use crate::domain::audit::{Act as Noted, Refusal};
use crate::forms::accounts::{CodeForm, PasswordForm};
use crate::server::db::audit::Entry;
use crate::server::db::recovery_codes;
use crate::server::db::users::{self, Totp, User};
use crate::server::db::{self, Db, Tx};
use crate::server::seal::Sealer;
use crate::server::services::devices::Visitor;
use crate::server::services::letters::{Origin, Subject};
use crate::server::services::throttle::{self, Act};
use crate::server::services::{Actor, Error, Result, audit, checked, tokens};
use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use qrcodegen::{QrCode, QrCodeEcc};
use secrecy::ExposeSecret;
use sha2::Sha256;
use std::fmt::Write;
use totp_rs::{Builder, Secret};

/// Recovery codes that are given out at a time.
const RECOVERY: u8 = 10;
/// Steps before and after the present one whose codes are taken too: clocks differ (RFC 6238, 5.2).
const SKEW: u16 = 1;

/// A secret that is being set up, and the seed of its recovery codes: they can so be shown until the first
/// code proves that all is well, and only their hashes are kept afterwards.
struct Draft {
    secret: Secret,
    seed: Secret,
}

impl Draft {
    fn new() -> Self {
        let secret = || Secret::new(Box::new(rand::random::<[u8; 20]>()));
        Self { secret: secret(), seed: secret() }
    }

    fn write(&self) -> String {
        format!("{} {}", self.secret.to_base32(), self.seed.to_base32())
    }

    fn read(text: &str) -> Result<Self> {
        let (secret, seed) =
            text.split_once(' ').ok_or_else(|| Error::Internal("no second factor is being set up".into()))?;
        Ok(Self { secret: decode(secret)?, seed: decode(seed)? })
    }

    /// The recovery codes, as they are written down: four times four letters and digits, 80 bits.
    fn codes(&self) -> Result<Vec<String>> {
        (0..RECOVERY)
            .map(|n| {
                let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(self.seed.as_bytes())
                    .map_err(|error| Error::Internal(error.to_string()))?;
                mac.update(&[n]);
                let bytes: Box<[u8]> = mac.finalize().into_bytes()[..10].into();
                let text = Secret::new(bytes).to_base32().to_lowercase();
                Ok([&text[..4], &text[4..8], &text[8..12], &text[12..16]].join("-"))
            })
            .collect()
    }
}

fn decode(text: &str) -> Result<Secret> {
    Secret::try_from_base32(text).map_err(|error| Error::Internal(error.to_string()))
}

/// What a secret is sealed for: another user's row is no place for it.
fn context(user: i64) -> String {
    format!("totp\n{user}")
}

/// What was stored, in the clear. None if it was sealed with another secret of the service.
fn unseal(sealer: &Sealer, user: i64, stored: &str) -> Option<String> {
    if !is_sealed(stored) {
        // By an older version, of which a process may still run beside this one.
        return Some(stored.to_owned());
    }
    let text = sealer.open(stored, &context(user)).map(|text| text.expose_secret().to_owned());
    if text.is_none() {
        tracing::error!(user, "a second factor was sealed with another VESTNIK_SECRET: only recovery codes let in");
    }
    text
}

/// Base32 has no dot.
fn is_sealed(stored: &str) -> bool {
    stored.contains('.')
}

/// Seals the secrets that an older version stored as they are; returns how many.
///
/// # Errors
/// Database errors.
pub async fn seal_second_factors(db: &Db, sealer: &Sealer) -> Result<u64> {
    let mut sealed = 0;
    for (user, stored) in users::totp_secrets(db).await? {
        if is_sealed(&stored) {
            continue;
        }
        let mut tx = db.begin().await?;
        if users::replace_totp(&mut tx, user, &stored, &sealer.seal(&stored, &context(user))).await? {
            sealed += 1;
        }
        tx.commit().await?;
    }
    Ok(sealed)
}

/// What a code looks like to us: no spaces or dashes, small letters.
fn folded(code: &str) -> String {
    code.chars().filter(|c| c.is_ascii_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect()
}

/// The time step whose code this is.
fn step(secret: Secret, code: &str, now: DateTime<Utc>) -> Result<Option<i64>> {
    let totp = Builder::new().with_secret(secret).with_skew(SKEW).build();
    let totp = totp.map_err(|error| Error::Internal(error.to_string()))?;
    let step = totp.check(code, u64::try_from(now.timestamp()).unwrap_or(0));
    Ok(step.and_then(|step| i64::try_from(step).ok()))
}

/// How the actor's second factor stands.
///
/// # Errors
/// Database errors.
pub async fn second_factor(db: &Db, sealer: &Sealer, actor: &Actor) -> Result<SecondFactor> {
    let Totp { secret, since, .. } = users::totp(db, actor.id).await?.ok_or(Error::NotFound)?;
    Ok(match (secret, since) {
        (None, _) => SecondFactor::Off,
        (Some(_), Some(since)) => SecondFactor::On { since, recovery: recovery_codes::count(db, actor.id).await? },
        (Some(draft), None) => {
            // One that cannot be read any more is begun anew.
            let Some(draft) = unseal(sealer, actor.id, &draft) else { return Ok(SecondFactor::Off) };
            let draft = Draft::read(&draft)?;
            let secret = draft.secret.to_base32();
            let account = utf8_percent_encode(&actor.email, NON_ALPHANUMERIC);
            let uri = format!("otpauth://totp/Vestnik:{account}?secret={secret}&issuer=Vestnik");
            let (size, path) = qr(&uri)?;
            SecondFactor::Draft(TotpSetup { secret, uri, size, path, recovery: draft.codes()? })
        }
    })
}

/// A QR code as the path of an SVG whose unit is one module, with the margin that readers need.
fn qr(text: &str) -> Result<(i32, String)> {
    const MARGIN: i32 = 4;
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).map_err(|error| Error::Internal(error.to_string()))?;
    let mut path = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            // Writing to a String cannot fail.
            let _ = write!(path, "M{} {}h1v1h-1z", x + MARGIN, y + MARGIN);
        }
    }
    Ok((code.size() + 2 * MARGIN, path))
}

/// Begins to set up a second factor. It is asked for only when [`confirm_totp`] has seen a first code.
///
/// # Errors
/// [`Error::Invalid`] for a wrong password; [`Error::Conflict`] if there is one already.
pub async fn begin_totp(
    db: &Db,
    sealer: &Sealer,
    actor: &Actor,
    form: &PasswordForm,
    now: DateTime<Utc>,
) -> Result<()> {
    checked(form)?;
    let user = prove_password(db, actor, "password", &form.password, now).await?;
    let mut tx = db.begin().await?;
    still(&mut tx, (user.id, user.epoch), user.id).await?;
    let draft = sealer.seal(&Draft::new().write(), &context(actor.id));
    if !users::draft_totp(&mut tx, actor.id, &draft).await? {
        return Err(Error::Conflict("error.totp.on"));
    }
    Ok(tx.commit().await?)
}

/// Takes the first code: from now on one is asked for at each log-in.
///
/// # Errors
/// [`Error::Invalid`] for a wrong code; [`Error::Conflict`] if none is being set up.
pub async fn confirm_totp(
    db: &Db,
    sealer: &Sealer,
    origin: Origin<'_>,
    actor: &Actor,
    form: &CodeForm,
    now: DateTime<Utc>,
) -> Result<()> {
    checked(form)?;
    let user = users::by_id(db, actor.id).await?.ok_or(Error::NotFound)?;
    let totp = users::totp(db, actor.id).await?.filter(|totp| totp.since.is_none());
    let text = totp.and_then(|totp| totp.secret).ok_or(Error::Conflict("error.totp.off"))?;
    let keys = throttle::tries(Act::Code, &user.email_key, actor.peer(), None);
    throttle::take(db, &keys, now).await?;
    let draft = unseal(sealer, actor.id, &text).ok_or(Error::Conflict("error.totp.off"))?;
    let draft = Draft::read(&draft)?;
    let (secret, codes) = (draft.secret.to_base32(), draft.codes()?);
    let step = step(draft.secret, &folded(&form.code), now)?.ok_or_else(|| Error::field("code", "error.code"))?;
    let secret = sealer.seal(&secret, &context(actor.id));
    let mut tx = db.begin().await?;
    actor.hold(&mut tx, actor.id).await?;
    if !users::confirm_totp(&mut tx, actor.id, (&text, &secret), step, now).await? {
        return Err(Error::Conflict("error.totp.off"));
    }
    recovery_codes::forget(&mut tx, actor.id).await?;
    for code in codes {
        recovery_codes::insert(&mut tx, actor.id, &tokens::hash(&folded(&code))).await?;
    }
    throttle::succeeded(&mut tx, &keys).await?;
    db::audit::append(&mut tx, &audit::own(&user, Noted::TotpOn, &actor.address), now).await?;
    tell_owner(&mut tx, origin, &user, Change::Factor, Subject::TotpOn, now).await?;
    Ok(tx.commit().await?)
}

/// Ends the second factor, or its setting up.
///
/// # Errors
/// [`Error::Invalid`] for a wrong password.
pub async fn end_totp(
    db: &Db,
    origin: Origin<'_>,
    actor: &Actor,
    form: &PasswordForm,
    now: DateTime<Utc>,
) -> Result<()> {
    checked(form)?;
    let user = prove_password(db, actor, "password", &form.password, now).await?;
    let mut tx = db.begin().await?;
    still(&mut tx, (user.id, user.epoch), user.id).await?;
    users::end_totp(&mut tx, actor.id).await?;
    recovery_codes::forget(&mut tx, actor.id).await?;
    if user.totp {
        db::audit::append(&mut tx, &audit::own(&user, Noted::TotpOff, &actor.address), now).await?;
        notice(&mut tx, origin, &user, Subject::TotpOff, &[], now).await?;
    }
    Ok(tx.commit().await?)
}

/// Checks the code that is asked for after the password: of the app, or a recovery code. Each is taken once. The
/// password was right for a user in an epoch.
///
/// # Errors
/// [`Error::Invalid`] for a code that is wrong or has been used, and for somebody who may not come in;
/// [`Error::RateLimited`] after several; [`Error::Unauthenticated`] if the password is another one by now.
pub async fn check_code(
    db: &Db,
    sealer: &Sealer,
    origin: Origin<'_>,
    (user, epoch): (i64, i64),
    form: &CodeForm,
    visitor: impl Into<Visitor>,
    now: DateTime<Utc>,
) -> Result<User> {
    let visitor: Visitor = visitor.into();
    checked(form)?;
    let user = users::by_id(db, user).await?.filter(|user| user.epoch == epoch).ok_or(Error::Unauthenticated)?;
    let address = visitor.peer.to_string();
    enter(db, &user, &address, now).await?;
    let keys = throttle::tries(Act::Code, &user.email_key, visitor.peer, visitor.known_to(&user));
    throttle::take(db, &keys, now).await?;
    let totp = users::totp(db, user.id).await?.filter(|totp| totp.since.is_some());
    let secret = totp.and_then(|totp| totp.secret).ok_or(Error::Unauthenticated)?;
    let code = folded(&form.code);
    let step = match unseal(sealer, user.id, &secret) {
        Some(secret) => step(decode(&secret)?, &code, now)?,
        None => None,
    };
    let mut tx = db.begin().await?;
    still(&mut tx, (user.id, epoch), user.id).await?;
    let (taken, by) = match step {
        Some(step) => (users::use_totp_step(&mut tx, user.id, step).await?, "totp"),
        None => (use_recovery_code(&mut tx, origin, &user, &code, now).await?, "recovery code"),
    };
    if !taken {
        drop(tx);
        note_refusal(db, Some(&user), Refusal::Code, &address, now).await?;
        return Err(Error::field("code", "error.code"));
    }
    throttle::succeeded(&mut tx, &keys).await?;
    let entry = Entry { after: by, ..audit::own(&user, Noted::LoggedIn, &address) };
    db::audit::append(&mut tx, &entry, now).await?;
    tx.commit().await?;
    Ok(user)
}

async fn use_recovery_code(
    tx: &mut Tx,
    origin: Origin<'_>,
    user: &User,
    code: &str,
    now: DateTime<Utc>,
) -> Result<bool> {
    if !recovery_codes::use_up(tx, user.id, &tokens::hash(code)).await? {
        return Ok(false);
    }
    notice(tx, origin, user, Subject::RecoveryUsed, &[], now).await?;
    Ok(true)
}

#[cfg(test)]
#[path = "totp_tests.rs"]
pub mod tests;
