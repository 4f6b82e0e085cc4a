//! A new password by letter, and how often one may try.

use super::tests::{PASSWORD, confirm, enter, form, fresh_peer, key, noon, origin, post, sign_up, token, token_in};
use super::*;
use crate::domain::lang::Lang;
use crate::domain::user::{Permission, Role};
use crate::forms::accounts::{AddressForm, LogInForm, ResetForm};
use crate::server::clock::ManualClock;
use crate::server::db::sessions::{Sessions, USER, stored_id};
use crate::server::db::testing;
use crate::server::seal::Sealer;
use crate::server::services::devices::{self, Visitor};
use std::collections::HashMap;
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};

const NEW: &str = "another long phrase";

fn address(email: &str) -> AddressForm {
    AddressForm { email: email.to_owned() }
}

fn with(token: &str, password: &str) -> ResetForm {
    ResetForm { token: token.to_owned(), password: password.to_owned() }
}

async fn user(db: &Db, email: &str) -> i64 {
    add(db, &form(email), Role::User, Lang::En, noon()).await.unwrap()
}

/// A browser that is logged in; returns the store and the cookie's word.
async fn browser(db: &Db, user: i64) -> (Sessions, Id) {
    let sessions = Sessions::new(db.clone(), ManualClock::new(noon()));
    let expiry_date = time::OffsetDateTime::from_unix_timestamp((noon() + TimeDelta::days(30)).timestamp()).unwrap();
    let mut record = Record { id: Id::default(), data: HashMap::from([(USER.to_owned(), user.into())]), expiry_date };
    sessions.create(&mut record).await.unwrap();
    (sessions, record.id)
}

async fn a_letter_leads_to_a_new_password(db: Db) {
    let id = user(&db, "anna@example.org").await;
    let (sessions, cookie) = browser(&db, id).await;
    let mut record = sessions.load(&cookie).await.unwrap().expect("logged in");
    send_reset(&db, origin(), &address("nobody@example.org"), noon()).await.unwrap();
    assert!(post(&db).await.is_empty(), "nobody has the address");
    send_reset(&db, origin(), &address("Anna@EXAMPLE.org".to_lowercase().as_str()), noon()).await.unwrap();
    let old = token(&db).await;
    send_reset(&db, origin(), &address("anna@example.org"), noon()).await.unwrap();
    let link = token(&db).await;
    assert_eq!(key(check_link(&db, TokenKind::Reset, &old, noon()).await.unwrap_err()), "error.link.unknown");
    check_link(&db, TokenKind::Reset, &link, noon()).await.unwrap();
    assert_eq!(key(check_link(&db, TokenKind::Confirm, &link, noon()).await.unwrap_err()), "error.link.unknown");
    let late = noon() + TimeDelta::hours(1);
    assert_eq!(
        key(reset(&db, origin(), &with(&link, NEW), fresh_peer(), late).await.unwrap_err()),
        "error.link.expired"
    );
    for (bad, expected) in [("short", "error.password.short"), ("1234567890", "error.password.common")] {
        assert_eq!(key(reset(&db, origin(), &with(&link, bad), fresh_peer(), noon()).await.unwrap_err()), expected);
    }
    // Eight clicks at once: one counts.
    let clicks = (0..8).map(|_| {
        let (db, form) = (db.clone(), with(&link, NEW));
        tokio::spawn(async move { reset(&db, origin(), &form, fresh_peer(), noon()).await })
    });
    let mut won = 0;
    for click in clicks.collect::<Vec<_>>() {
        match click.await.unwrap() {
            Ok(user) => won += i32::from(user.id == id),
            Err(error) => assert_eq!(key(error), "error.link.used"),
        }
    }
    assert_eq!(won, 1);
    assert_eq!(key(check_link(&db, TokenKind::Reset, &link, noon()).await.unwrap_err()), "error.link.used");
    assert_eq!(post(&db).await.len(), 1, "the owner is told");
    assert_eq!(key(enter(&db, "anna@example.org", PASSWORD).await.unwrap_err()), "error.login.mismatch");
    enter(&db, "anna@example.org", NEW).await.unwrap();
    // The old session is over, and a request of it that ends late does not bring it back.
    assert!(sessions.load(&cookie).await.unwrap().is_none());
    record.data.insert("late".to_owned(), true.into());
    sessions.save(&record).await.unwrap();
    assert!(sessions.load(&cookie).await.unwrap().is_none());
}

async fn a_reset_confirms_the_address_and_a_blocked_user_gets_none(db: Db) {
    sign_up(&db, "boris@example.org", noon()).await.unwrap();
    post(&db).await;
    send_reset(&db, origin(), &address("boris@example.org"), noon()).await.unwrap();
    let link = token(&db).await;
    let user = reset(&db, origin(), &with(&link, NEW), fresh_peer(), noon()).await.unwrap();
    may_enter(&user).unwrap();
    enter(&db, "boris@example.org", NEW).await.unwrap();
    post(&db).await;
    let mut tx = db.begin().await.unwrap();
    crate::server::db::on_tx!(&mut tx, conn => sqlx::query("UPDATE users SET blocked_at = $1").bind(noon()).execute(conn).await.map(drop)).unwrap();
    tx.commit().await.unwrap();
    send_reset(&db, origin(), &address("boris@example.org"), noon()).await.unwrap();
    assert!(post(&db).await.is_empty());
    assert_eq!(key(enter(&db, "boris@example.org", NEW).await.unwrap_err()), "error.login.blocked");
}

async fn confirmation_letters_come_again(db: Db) {
    sign_up(&db, "clara@example.org", noon()).await.unwrap();
    let first = token(&db).await;
    send_confirmation(&db, origin(), &address("clara@example.org"), noon()).await.unwrap();
    let second = token(&db).await;
    assert_ne!(first, second);
    confirm(&db, &second, noon()).await.unwrap();
    send_confirmation(&db, origin(), &address("clara@example.org"), noon()).await.unwrap();
    send_confirmation(&db, origin(), &address("nobody@example.org"), noon()).await.unwrap();
    assert!(post(&db).await.is_empty(), "nothing waits for confirmation any more");
    let more = send_confirmation(&db, origin(), &address("clara@example.org"), noon()).await;
    let more =
        if more.is_ok() { send_confirmation(&db, origin(), &address("clara@example.org"), noon()).await } else { more };
    assert!(matches!(more, Err(Error::RateLimited)), "an address is left in peace after some letters");
}

async fn guessing_is_throttled_and_the_owner_still_gets_in(db: Db) {
    let id = user(&db, "dora@example.org").await;
    let guess = async |email: &str, from: Visitor| {
        let form = LogInForm { email: email.into(), password: "a wrong guess".into(), next: String::new() };
        log_in(&db, &form, from, noon()).await
    };
    let right = async |from: Visitor| {
        let form = LogInForm { email: "dora@example.org".into(), password: PASSWORD.into(), next: String::new() };
        log_in(&db, &form, from, noon()).await
    };
    // The browser that the owner was in before.
    let sealer = Sealer::new(&"0123456789abcdef0123456789abcdef".to_owned().into());
    let cookie = devices::cookie(&sealer, &users::by_id(&db, id).await.unwrap().unwrap(), "");
    let known = |peer| Visitor::new(peer, sealer.clone(), cookie.clone());
    // From one network, whose case of the address makes no difference.
    let attacker = fresh_peer();
    let mut refused = 0;
    for n in 0..20 {
        let email = if n % 2 == 0 { "dora@example.org" } else { "DORA@example.org" };
        refused += i32::from(matches!(guess(email, attacker.into()).await, Err(Error::RateLimited)));
    }
    assert_eq!(refused, 14, "five tries are free, the sixth begins the waits");
    assert!(matches!(right(attacker.into()).await, Err(Error::RateLimited)));
    right(fresh_peer().into()).await.expect("the owner gets in from anywhere else");
    // From very many.
    let mut refused = 0;
    for _ in 0..300 {
        refused += i32::from(matches!(guess("dora@example.org", fresh_peer().into()).await, Err(Error::RateLimited)));
    }
    assert!((90..110).contains(&refused), "all together are slowed down too: {refused}");
    assert!(matches!(right(fresh_peer().into()).await, Err(Error::RateLimited)), "a browser that nobody knows waits");
    for peer in [fresh_peer(), attacker] {
        right(known(peer)).await.expect("one that the account was in does not, wherever it is");
    }
    // A browser that is known guesses no more than any other, and proves nothing for another account.
    let mut refused = 0;
    for _ in 0..20 {
        refused += i32::from(matches!(guess("dora@example.org", known(fresh_peer())).await, Err(Error::RateLimited)));
    }
    assert_eq!(refused, 14);
    user(&db, "emma@example.org").await;
    let mut refused = 0;
    for _ in 0..20 {
        refused += i32::from(matches!(guess("emma@example.org", known(attacker)).await, Err(Error::RateLimited)));
    }
    assert_eq!(refused, 14);
    // A letter lets the owner in, whoever guesses and however many.
    send_reset(&db, origin(), &address("dora@example.org"), noon()).await.unwrap();
    let link = token(&db).await;
    assert_eq!(reset(&db, origin(), &with(&link, NEW), fresh_peer(), noon()).await.unwrap().id, id);
    enter(&db, "dora@example.org", NEW).await.expect("the reset ends the throttling");
    let mut limited = 0;
    for _ in 0..7 {
        limited += i32::from(matches!(right(known(fresh_peer())).await, Err(Error::RateLimited)));
    }
    assert_eq!(limited, 0, "with the new password the browser is known no more: each comes from elsewhere");
    // One peer and many accounts; an account that nobody has counts the same.
    let peer = fresh_peer();
    let mut refused = 0;
    for n in 0..40 {
        let tried = guess(&format!("u{n}@example.org"), peer.into()).await;
        refused += i32::from(matches!(tried, Err(Error::RateLimited)));
    }
    assert_eq!(refused, 9);
}

async fn asking_for_letters_keeps_nobody_out(db: Db) {
    user(&db, "dora@example.org").await;
    // Somebody asks again and again, as often as they may, for a day.
    let (mut now, mut sent) = (noon(), 0);
    for _ in 0..24 * 60 {
        sent += i32::from(send_reset(&db, origin(), &address("dora@example.org"), now).await.is_ok());
        now += TimeDelta::minutes(1);
    }
    assert!((20..40).contains(&sent), "{sent} letters in a day");
    // The newest link still works, or a new one can be asked for.
    let link = token_in(&post(&db).await.last().unwrap().1);
    let asked = send_reset(&db, origin(), &address("dora@example.org"), now).await;
    assert!(asked.is_ok() || reset(&db, origin(), &with(&link, NEW), fresh_peer(), now).await.is_ok());
}

async fn outdated_hashes_are_renewed_at_log_in(db: Db) {
    use argon2::password_hash::PasswordHasher;
    let id = user(&db, "emil@example.org").await;
    let weak =
        argon2::Argon2::new(Default::default(), Default::default(), argon2::Params::new(64, 1, 1, None).unwrap());
    let weak = weak.hash_password(PASSWORD.as_bytes()).unwrap().to_string();
    let mut tx = db.begin().await.unwrap();
    users::set_password(&mut tx, id, &weak).await.unwrap();
    tx.commit().await.unwrap();
    enter(&db, "emil@example.org", PASSWORD).await.unwrap();
    let hash = users::by_id(&db, id).await.unwrap().unwrap().password_hash;
    assert!(hash != weak && !passwords::is_outdated(&hash), "{hash}");
    enter(&db, "emil@example.org", PASSWORD).await.unwrap();
    assert_eq!(users::by_id(&db, id).await.unwrap().unwrap().password_hash, hash, "only once");
}

async fn own_sessions_are_listed_and_ended(db: Db) {
    let (anna, boris) = (user(&db, "anna@example.org").await, user(&db, "boris@example.org").await);
    let actor = async |id| Actor::prove(&users::by_id(&db, id).await.unwrap().unwrap(), Permission::Own).unwrap();
    let (anna_actor, boris_actor) = (actor(anna).await, actor(boris).await);
    let (sessions, one) = browser(&db, anna).await;
    let (_, two) = browser(&db, anna).await;
    let (_, three) = browser(&db, anna).await;
    let (_, other) = browser(&db, boris).await;
    let current = stored_id(&one);
    let rows = own_sessions(&db, &anna_actor, Some(&current), noon()).await.unwrap();
    assert_eq!((rows.len(), rows[0].id.as_str(), rows[0].current, rows[1].current), (3, current.as_str(), true, false));
    assert!(rows.iter().all(|row| row.id != one.to_string()), "what is shown opens nothing");
    assert!(matches!(end_session(&db, &boris_actor, &current).await, Err(Error::NotFound)));
    end_session(&db, &anna_actor, &stored_id(&two)).await.unwrap();
    assert!(sessions.load(&two).await.unwrap().is_none());
    end_sessions(&db, &anna_actor, Some(&current), noon()).await.unwrap();
    assert!(sessions.load(&three).await.unwrap().is_none() && sessions.load(&one).await.unwrap().is_some());
    end_sessions(&db, &anna_actor, None, noon()).await.unwrap();
    assert!(sessions.load(&one).await.unwrap().is_none() && sessions.load(&other).await.unwrap().is_some());
    // Nobody keeps more than fifty.
    for _ in 0..60 {
        browser(&db, anna).await;
        let mut tx = db.begin().await.unwrap();
        stored_sessions::make_room(&mut tx, anna).await.unwrap();
        tx.commit().await.unwrap();
    }
    assert_eq!(own_sessions(&db, &anna_actor, None, noon()).await.unwrap().len(), 49);
    tidy(&db, noon() + TimeDelta::days(40)).await.unwrap();
    assert!(own_sessions(&db, &boris_actor, None, noon()).await.unwrap().is_empty());
}

testing::on_both!(
    a_letter_leads_to_a_new_password,
    a_reset_confirms_the_address_and_a_blocked_user_gets_none,
    confirmation_letters_come_again,
    guessing_is_throttled_and_the_owner_still_gets_in,
    asking_for_letters_keeps_nobody_out,
    outdated_hashes_are_renewed_at_log_in,
    own_sessions_are_listed_and_ended,
);
