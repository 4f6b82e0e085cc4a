//! Table `settings`: what an administrator has chosen. What is not there is as usual.

use super::{Db, DbResult, Tx, on_db, on_tx, word};
use crate::domain::email::EmailAddress;
use crate::domain::settings::{Registration, SENDER_NAME, Setting, Settings, UserLimits};
use std::collections::HashMap;

const ALL: &str = "SELECT key, value FROM settings";

/// Who letters come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// Of the service's own letters.
    pub name: String,
    pub email: EmailAddress,
}

fn read(rows: Vec<(String, String)>) -> DbResult<Settings> {
    let mut rows: HashMap<String, String> = rows.into_iter().collect();
    let mut text = |setting: Setting| rows.remove(setting.as_str()).unwrap_or_default();
    let number = |setting: Setting, text: &str| match text {
        "" => Ok(None),
        text => word(setting.as_str(), text, |text| text.parse().ok()).map(Some),
    };
    let registration = match text(Setting::Registration).as_str() {
        "" => Registration::default(),
        text => word(Setting::Registration.as_str(), text, Registration::parse)?,
    };
    let limits = UserLimits {
        clients: number(Setting::ClientsMax, &text(Setting::ClientsMax))?,
        letters: number(Setting::LettersMax, &text(Setting::LettersMax))?,
    };
    Ok(Settings {
        sender_name: text(Setting::SenderName),
        sender_email: text(Setting::SenderEmail),
        registration,
        limits,
    })
}

fn sender_of(settings: Settings, started_with: &EmailAddress) -> DbResult<Sender> {
    let name = if settings.sender_name.is_empty() { SENDER_NAME.to_owned() } else { settings.sender_name };
    let email = match settings.sender_email.as_str() {
        "" => started_with.clone(),
        text => word(Setting::SenderEmail.as_str(), text, |text| EmailAddress::parse(text).ok())?,
    };
    Ok(Sender { name, email })
}

/// The settings as they are now.
pub async fn get(db: &Db) -> DbResult<Settings> {
    read(on_db!(db, pool => sqlx::query_as(ALL).fetch_all(pool).await)?)
}

/// The same in a transaction.
pub async fn get_in(tx: &mut Tx) -> DbResult<Settings> {
    read(on_tx!(tx, conn => sqlx::query_as(ALL).fetch_all(conn).await)?)
}

/// Who letters come from now; `started_with` is the address that the service was started with.
pub async fn sender(db: &Db, started_with: &EmailAddress) -> DbResult<Sender> {
    sender_of(get(db).await?, started_with)
}

/// The same in a transaction.
pub async fn sender_in(tx: &mut Tx, started_with: &EmailAddress) -> DbResult<Sender> {
    sender_of(get_in(tx).await?, started_with)
}

/// Stores a setting; an empty text makes it as usual again.
pub async fn set(tx: &mut Tx, setting: Setting, text: &str) -> DbResult<()> {
    const STORE: &str = "INSERT INTO settings (key, value) VALUES ($1, $2)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    const FORGET: &str = "DELETE FROM settings WHERE key = $1 AND $2 = ''";
    let sql = if text.is_empty() { FORGET } else { STORE };
    on_tx!(tx, conn => sqlx::query(sql).bind(setting.as_str()).bind(text).execute(conn).await.map(drop))?;
    Ok(())
}
