//! Which addresses are one account's: people do not look at the case of what they type, and a domain has two forms.

use crate::domain::email::EmailAddress;
use crate::server::db::address::address_key;
use crate::server::db::users::{self, User};
use crate::server::db::{Db, facts, invitations};
use crate::server::services::Result;

/// The fact that the accounts of before have their keys of today.
const FOLDED: &str = "accounts_folded";

/// What makes two addresses one account's: all of it without case, the domain as A-labels (RFC 5890). RFC 5321 2.4 lets a
/// host tell cases of a local part apart, but none that people use does, and an account must not be there twice for it.
pub fn account_key(email: &EmailAddress) -> String {
    address_key(email)
}

/// Whose account an address is. Two accounts of before that differ by case alone both go on: the newer one by its
/// exact spelling.
///
/// # Errors
/// Database errors.
pub async fn find(db: &Db, email: &EmailAddress) -> Result<Option<User>> {
    let (exact, folded) = (email.key(), account_key(email));
    if exact != folded
        && let Some(user) = users::by_email(db, &exact).await?
    {
        return Ok(Some(user));
    }
    Ok(users::by_email(db, &folded).await?)
}

/// Gives accounts and invitations that were made before the keys of today, once; the older of two that are the same now
/// comes first.
///
/// # Errors
/// Database errors.
pub async fn fold_accounts(db: &Db) -> Result<()> {
    if facts::get(db, FOLDED).await?.is_some() {
        return Ok(());
    }
    let mut tx = db.begin().await?;
    for (id, email, key) in users::addresses(&mut tx).await? {
        // What is no address is that of an account which is going.
        let Ok(email) = EmailAddress::parse(&email) else { continue };
        let folded = account_key(&email);
        if folded != key && !users::set_key(&mut tx, id, &folded).await? {
            tracing::warn!(user = id, "another account has this address in another case; both go on");
        }
    }
    for (id, email, key) in invitations::addresses(&mut tx).await? {
        let Ok(email) = EmailAddress::parse(&email) else { continue };
        let folded = account_key(&email);
        if folded != key {
            invitations::set_key(&mut tx, id, &folded).await?;
        }
    }
    tx.commit().await?;
    facts::keep(db, FOLDED, "1").await?;
    Ok(())
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
