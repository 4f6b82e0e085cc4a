//! Accounts against a real database of either kind.

use super::*;
use crate::domain::email::EmailAddress;
use crate::domain::lang::Lang;
use crate::domain::user::Role;
use crate::forms::accounts::{AccountForm, AddressForm, LogInForm, RegisterForm, ResetForm};
use crate::server::db::{Db, on_db, on_tx, testing, users};
use crate::server::services::Error;
use crate::server::services::letters::Origin;
use chrono::{DateTime, TimeDelta, Utc};
use mail_parser::MessageParser;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

pub(super) const PASSWORD: &str = "correct horse battery";

/// Another address each time: what is throttled here is throttled by account.
pub(super) fn fresh_peer() -> IpAddr {
    static NEXT: AtomicU32 = AtomicU32::new(0x0a00_0000);
    Ipv4Addr::from(NEXT.fetch_add(1, Ordering::Relaxed)).into()
}

pub(super) fn noon() -> DateTime<Utc> {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

pub(super) fn origin() -> Origin<'static> {
    static FROM: LazyLock<EmailAddress> = LazyLock::new(|| EmailAddress::parse("service@vestnik.example").unwrap());
    Origin { from: &FROM, site: "https://vestnik.example" }
}

pub(super) fn form(email: &str) -> RegisterForm {
    RegisterForm {
        name: "Анна Ким".to_owned(),
        email: email.to_owned(),
        password: PASSWORD.to_owned(),
        zone: "Europe/Moscow".to_owned(),
        setup: String::new(),
    }
}

pub(super) async fn sign_up(db: &Db, email: &str, now: DateTime<Utc>) -> Result<()> {
    let form = AddressForm { email: email.to_owned() };
    match super::sign_up(db, &form, Lang::En, fresh_peer(), now).await? {
        Some(asked) => asked.settle(db, origin()).await,
        None => Ok(()),
    }
}

/// Follows the link of a confirmation letter, with the name and the password of everybody here.
pub(super) async fn confirm(db: &Db, token: &str, now: DateTime<Utc>) -> Result<i64> {
    let RegisterForm { name, password, zone, .. } = form("nobody@example.org");
    let form = AccountForm { token: token.to_owned(), name, password, zone };
    super::confirm(db, &form, fresh_peer(), now).await.map(|user| user.id)
}

pub(super) async fn enter(db: &Db, email: &str, password: &str) -> Result<users::User> {
    let form = LogInForm { email: email.to_owned(), password: password.to_owned(), next: String::new() };
    log_in(db, &form, fresh_peer(), noon()).await
}

/// Letters that wait, oldest first, and are taken out: recipient and text.
pub(super) async fn post(db: &Db) -> Vec<(String, String)> {
    let rows: Vec<(String, Vec<u8>)> =
        on_db!(db, pool => sqlx::query_as("SELECT recipient, raw FROM outgoing ORDER BY id").fetch_all(pool).await)
            .unwrap();
    let mut tx = db.begin().await.unwrap();
    on_tx!(&mut tx, conn => sqlx::query("DELETE FROM outgoing").execute(conn).await.map(drop)).unwrap();
    tx.commit().await.unwrap();
    rows.into_iter()
        .map(|(recipient, raw)| {
            let letter = MessageParser::default().parse(&raw).unwrap();
            (recipient, letter.body_text(0).unwrap().into_owned())
        })
        .collect()
}

/// The token in the only letter that waits.
pub(super) async fn token(db: &Db) -> String {
    let letters = post(db).await;
    assert_eq!(letters.len(), 1, "{letters:?}");
    token_in(&letters[0].1)
}

pub(super) fn token_in(text: &str) -> String {
    let rest = text.split_once("token=").expect("a link").1;
    rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect()
}

pub(super) fn key(error: Error) -> String {
    match error {
        Error::Conflict(key) => key.to_owned(),
        Error::Invalid(errors) => errors.0[0].key.clone(),
        other => panic!("{other}"),
    }
}

async fn a_user_registers_and_confirms(db: &Db) {
    sign_up(db, "Anna@EXAMPLE.org", noon()).await.unwrap();
    // No password is right before there is one.
    for password in [PASSWORD, "not the password"] {
        assert_eq!(key(enter(db, "Anna@example.org", password).await.unwrap_err()), "error.login.mismatch");
    }
    assert_eq!(key(enter(db, "nobody@example.org", PASSWORD).await.unwrap_err()), "error.login.mismatch");
    let letters = post(db).await;
    assert_eq!((letters.len(), letters[0].0.as_str()), (1, "Anna@example.org"));
    let link = token_in(&letters[0].1);
    assert_eq!(key(confirm(db, "x", noon()).await.unwrap_err()), "error.link.unknown");
    assert_eq!(key(confirm(db, &link, noon() + TimeDelta::hours(48)).await.unwrap_err()), "error.link.expired");
    let weak = AccountForm { token: link.clone(), name: "Anna".into(), password: "short".into(), zone: String::new() };
    let weak = super::confirm(db, &weak, fresh_peer(), noon()).await;
    assert_eq!(key(weak.unwrap_err()), "error.password.short", "and the link goes on working");
    let id = confirm(db, &link, noon() + TimeDelta::hours(47)).await.unwrap();
    assert_eq!(key(confirm(db, &link, noon()).await.unwrap_err()), "error.link.used");
    let user = enter(db, "Anna@example.org", PASSWORD).await.unwrap();
    assert_eq!((user.id, user.role, user.zone.as_str()), (id, Role::User, "Europe/Moscow"));
    assert_eq!(user.name, "Анна Ким");
}

async fn a_second_registration_tells_only_the_owner(db: &Db) {
    // Not confirmed yet: a new link, and the old one stops working.
    sign_up(db, "boris@example.org", noon()).await.unwrap();
    let first = token(db).await;
    sign_up(db, "boris@example.org", noon()).await.unwrap();
    let second = token(db).await;
    assert_eq!(key(confirm(db, &first, noon()).await.unwrap_err()), "error.link.unknown");
    confirm(db, &second, noon()).await.unwrap();
    // Confirmed: the answer is the same, and the letter tells the owner.
    sign_up(db, "boris@example.org", noon()).await.unwrap();
    let letters = post(db).await;
    assert!(letters[0].1.contains("/login") && !letters[0].1.contains("token="), "{}", letters[0].1);
    enter(db, "boris@example.org", PASSWORD).await.expect("the password is still the owner's");
}

/// An account as it was made before its password was chosen at the confirmation.
async fn claimed(db: &Db, email: &str) {
    let mallory = RegisterForm { name: "Mallory https://evil.example".into(), ..form(email) };
    let id = add(db, &mallory, Role::User, Lang::En, noon()).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    let sql = "UPDATE users SET confirmed_at = NULL WHERE id = $1";
    on_tx!(&mut tx, conn => sqlx::query(sql).bind(id).execute(conn).await.map(drop)).unwrap();
    tx.commit().await.unwrap();
}

async fn nobody_claims_an_account_beforehand(db: &Db) {
    const OWN: &str = "a phrase of the owner";
    let own = |token: String| AccountForm { token, name: "Dora".into(), password: OWN.into(), zone: "UTC".into() };
    // Before the owner, after them, and by what lies in a database of before.
    for (email, way) in [("d1@example.org", "before"), ("d2@example.org", "after"), ("d3@example.org", "stored")] {
        match way {
            "stored" => claimed(db, email).await,
            _ => sign_up(db, &email.to_uppercase(), noon()).await.unwrap(),
        }
        sign_up(db, email, noon()).await.unwrap();
        if way == "after" {
            sign_up(db, &email.to_uppercase(), noon()).await.unwrap();
        }
        let letters = post(db).await;
        assert!(letters.iter().all(|(_, text)| !text.contains("Mallory") && !text.contains("evil")), "{letters:?}");
        let link = token_in(&letters.last().unwrap().1);
        let user = super::confirm(db, &own(link), fresh_peer(), noon()).await.unwrap();
        assert_eq!((user.name.as_str(), user.zone.as_str()), ("Dora", "UTC"), "{way}");
        assert_eq!(key(enter(db, email, PASSWORD).await.unwrap_err()), "error.login.mismatch", "{way}");
        assert_eq!(enter(db, email, OWN).await.unwrap().id, user.id, "{way}");
    }
    // Nor by a letter for a new password, which confirms too.
    claimed(db, "d4@example.org").await;
    send_reset(db, origin(), &AddressForm { email: "d4@example.org".into() }, noon()).await.unwrap();
    let letters = post(db).await;
    assert!(letters.iter().all(|(_, text)| !text.contains("Mallory")), "{letters:?}");
    let reset_form = ResetForm { token: token_in(&letters[0].1), password: OWN.into() };
    reset(db, origin(), &reset_form, fresh_peer(), noon()).await.unwrap();
    assert!(enter(db, "d4@example.org", PASSWORD).await.is_err());
    post(db).await;
}

async fn two_clicks_on_one_link_confirm_once(db: &Db) {
    sign_up(db, "clara@example.org", noon()).await.unwrap();
    let link = token(db).await;
    let results = futures::future::join_all((0..8).map(|_| confirm(db, &link, noon()))).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
}

async fn refused_forms_leave_nothing(db: &Db) {
    for (wrong, field, expected) in [
        (RegisterForm { name: " ".to_owned(), ..form("d@example.org") }, "name", "error.required"),
        (RegisterForm { name: "a\r\nBcc: x".to_owned(), ..form("d@example.org") }, "name", "error.control"),
        (form("d@@example.org"), "email", "error.email.at"),
        (
            RegisterForm { password: "too short".to_owned(), ..form("d@example.org") },
            "password",
            "error.password.short",
        ),
        (RegisterForm { password: "x".repeat(257), ..form("d@example.org") }, "password", "error.too_long"),
    ] {
        let Error::Invalid(errors) = set_up(db, &wrong, Lang::En, fresh_peer(), noon()).await.unwrap_err() else {
            panic!("{wrong:?}")
        };
        assert_eq!(errors.get(field).map(|error| error.key.as_str()), Some(expected));
        let added = add(db, &wrong, Role::User, Lang::En, noon()).await;
        assert!(matches!(added, Err(Error::Invalid(_))));
        if field == "email" {
            assert_eq!(key(sign_up(db, &wrong.email, noon()).await.unwrap_err()), expected);
        }
    }
    assert!(post(db).await.is_empty());
    assert!(users::by_email(db, "d@example.org").await.unwrap().is_none());
    let error = add(db, &form("boris@example.org"), Role::User, Lang::En, noon()).await.unwrap_err();
    assert_eq!(key(error), "error.email.taken");
}

async fn the_set_up_link_makes_one_administrator(db: &Db) {
    let old = offer_setup(db, noon()).await.unwrap().expect("there is nobody yet");
    // A stranger who is quicker does not shut the administrator out, by an address that is theirs neither.
    add(db, &form("stranger@example.org"), Role::User, Lang::En, noon()).await.unwrap();
    let link = offer_setup(db, noon()).await.unwrap().expect("there is no administrator yet");
    let admin = async |setup: &str, email: &str, now| {
        set_up(db, &RegisterForm { setup: setup.to_owned(), ..form(email) }, Lang::Ru, fresh_peer(), now).await
    };
    assert_eq!(key(admin("x", "a@example.org", noon()).await.unwrap_err()), "error.setup.used");
    assert_eq!(key(admin(&old, "a@example.org", noon()).await.unwrap_err()), "error.setup.used");
    let late = noon() + TimeDelta::hours(24);
    assert_eq!(key(admin(&link, "a@example.org", late).await.unwrap_err()), "error.setup.used");
    assert_eq!(key(admin(&link, "stranger@example.org", noon()).await.unwrap_err()), "error.email.taken");
    let (one, two) = tokio::join!(admin(&link, "a@example.org", noon()), admin(&link, "b@example.org", noon()));
    assert!(one.is_ok() != two.is_ok(), "exactly one wins");
    let user = one.or(two).unwrap();
    assert_eq!((user.role, user.confirmed_at, user.lang), (Role::Admin, Some(noon()), Lang::Ru));
    assert_eq!(offer_setup(db, noon()).await.unwrap(), None);
    assert!(post(db).await.is_empty());
}

async fn all(db: Db) {
    the_set_up_link_makes_one_administrator(&db).await;
    a_user_registers_and_confirms(&db).await;
    a_second_registration_tells_only_the_owner(&db).await;
    two_clicks_on_one_link_confirm_once(&db).await;
    nobody_claims_an_account_beforehand(&db).await;
    refused_forms_leave_nothing(&db).await;
}

testing::on_both!(all);
