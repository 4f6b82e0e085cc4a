//! What was begun before a rescue, and what two do at once.

use super::super::tests::{PASSWORD, enter, form, fresh_peer, key, noon, origin, post, token_in};
use super::super::totp::tests::shown;
use super::super::{
    add, ask_new_email, begin_totp, change_password, check_link, confirm_totp, delete_account, reset, revoke_change,
    second_factor, send_reset, take_new_email,
};
use super::*;
use crate::domain::account::SecondFactor;
use crate::domain::lang::Lang;
use crate::domain::user::{Permission, Role};
use crate::forms::accounts::{AddressForm, CodeForm, NewEmailForm, NewPasswordForm, PasswordForm, ResetForm};
use crate::forms::oversight::{RoleForm, StopForm};
use crate::forms::settings::InviteForm;
use crate::server::clock::ManualClock;
use crate::server::db::sessions::{EPOCH, Sessions, USER};
use crate::server::db::testing::on_both;
use crate::server::db::tokens::TokenKind;
use crate::server::db::{on_db, testing};
use crate::server::seal::Sealer;
use crate::server::services::{Actor, invitations, oversight};
use std::collections::HashMap;
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};

const NEW: &str = "another long phrase";

fn sealer() -> Sealer {
    Sealer::new(&"0123456789abcdef0123456789abcdef".to_owned().into())
}
/// How often two who act at once are tried; a soak takes ten times as many.
const ROUNDS: usize = 20;

async fn actor(db: &Db, email: &str, role: Role) -> Actor {
    let id = add(db, &form(email), role, Lang::En, noon()).await.unwrap();
    prove(db, id).await
}

async fn prove(db: &Db, id: i64) -> Actor {
    Actor::prove(&users::by_id(db, id).await.unwrap().unwrap(), Permission::Own).unwrap()
}

async fn ask(db: &Db, actor: &Actor, email: &str) -> Result<()> {
    let form = NewEmailForm { email: email.to_owned(), password: PASSWORD.to_owned() };
    ask_new_email(db, origin(), actor, &form, noon()).await
}

/// The link in the newest letter to somebody; all letters are taken out.
async fn link_to(db: &Db, recipient: &str) -> String {
    let letters = post(db).await;
    let letter = letters.iter().rfind(|(to, _)| to == recipient);
    token_in(&letter.unwrap_or_else(|| panic!("no letter to {recipient}: {letters:?}")).1)
}

async fn change(db: &Db, actor: &Actor, old: &str, new: &str) -> Result<users::User> {
    let form = NewPasswordForm { old_password: old.to_owned(), new_password: new.to_owned() };
    change_password(db, origin(), actor, &form, noon()).await
}

async fn reset_by_letter(db: &Db, email: &str) -> Result<users::User> {
    send_reset(db, origin(), &AddressForm { email: email.to_owned() }, noon()).await?;
    let form = ResetForm { token: link_to(db, email).await, password: NEW.to_owned() };
    reset(db, origin(), &form, fresh_peer(), noon()).await
}

fn to_role(id: i64, role: &str) -> RoleForm {
    RoleForm { id, role: role.to_owned() }
}

fn stop(id: i64) -> StopForm {
    StopForm { id, reason: "why".to_owned() }
}

/// Stores a session as a log-in does that has checked this user.
async fn session(db: &Db, user: &users::User) -> (Sessions, Id) {
    let sessions = Sessions::new(db.clone(), ManualClock::new(noon()));
    let expiry_date = time::OffsetDateTime::from_unix_timestamp(noon().timestamp() + 3600).unwrap();
    let data = HashMap::from([(USER.to_owned(), user.id.into()), (EPOCH.to_owned(), user.epoch.into())]);
    let mut record = Record { id: Id::default(), data, expiry_date };
    sessions.create(&mut record).await.unwrap();
    (sessions, record.id)
}

/// What an intruder has begun who knows the password and is an administrator.
async fn all_that_waits_ends_with_the_password_role_or_block(db: Db) {
    let keeper = actor(&db, "keeper@example.org", Role::Admin).await;
    for (n, way) in ["change", "reset", "role", "block"].into_iter().enumerate() {
        let email = format!("anna{n}@example.org");
        // Administrators are not blocked.
        let role = if way == "block" { Role::User } else { Role::Admin };
        let anna = actor(&db, &email, role).await;
        let (elsewhere, invited) = (format!("elsewhere{n}@example.org"), format!("invited{n}@example.org"));
        ask(&db, &anna, &elsewhere).await.unwrap();
        let moves = link_to(&db, &elsewhere).await;
        send_reset(&db, origin(), &AddressForm { email: email.clone() }, noon()).await.unwrap();
        let resets = link_to(&db, &email).await;
        let mut invites = None;
        if role == Role::Admin {
            let invite = InviteForm { email: invited.clone(), role: "admin".to_owned() };
            invitations::invite(&db, origin(), &anna, &invite, noon()).await.unwrap();
            let link = link_to(&db, &invited).await;
            invitations::look(&db, &link, noon()).await.unwrap();
            invites = Some(link);
        }
        begin_totp(&db, &sealer(), &anna, &PasswordForm { password: PASSWORD.to_owned() }, noon()).await.unwrap();
        let before = users::by_id(&db, anna.id).await.unwrap().unwrap();
        match way {
            "change" => drop(change(&db, &anna, PASSWORD, NEW).await.unwrap()),
            "reset" => drop(reset_by_letter(&db, &email).await.unwrap()),
            "role" => oversight::give_role(&db, &keeper, &to_role(anna.id, "manager"), noon()).await.unwrap(),
            _ => {
                oversight::block(&db, origin(), &keeper, &stop(anna.id), noon()).await.unwrap();
                oversight::unblock(&db, &keeper, anna.id, noon()).await.unwrap();
            }
        }
        for (kind, link) in [(TokenKind::Email, &moves), (TokenKind::Reset, &resets)] {
            let refused = key(check_link(&db, kind, link, noon()).await.unwrap_err());
            assert!(refused == "error.link.unknown" || refused == "error.link.used", "{way}: {kind:?} {refused}");
        }
        let moved = take_new_email(&db, origin(), &moves, fresh_peer(), noon()).await;
        assert_eq!(key(moved.unwrap_err()), "error.link.unknown", "{way}");
        if let Some(link) = invites {
            let refused = key(invitations::look(&db, &link, noon()).await.unwrap_err());
            assert_eq!(refused, "error.invitation.unknown", "{way}");
        }
        let now = prove(&db, anna.id).await;
        assert_eq!(
            second_factor(&db, &sealer(), &now).await.unwrap(),
            SecondFactor::Off,
            "{way}: a secret that the intruder knows"
        );
        // What was checked under the old one is worth nothing: a log-in, a request, half a log-in.
        assert!(matches!(admit(&db, &before).await, Err(Error::Unauthenticated)), "{way}");
        let (sessions, id) = session(&db, &before).await;
        assert!(sessions.load(&id).await.unwrap().is_none(), "{way}: a session that is stored too late");
        let mut tx = db.begin().await.unwrap();
        assert!(matches!(anna.hold(&mut tx, anna.id).await, Err(Error::Unauthenticated)), "{way}");
        now.hold(&mut tx, keeper.id).await.unwrap();
    }
}

async fn who_is_blocked_stays_in_and_is_told(db: Db) {
    let keeper = actor(&db, "keeper@example.org", Role::Admin).await;
    let anna = actor(&db, "anna@example.org", Role::User).await;
    let user = users::by_id(&db, anna.id).await.unwrap().unwrap();
    let (sessions, id) = session(&db, &user).await;
    let record = sessions.load(&id).await.unwrap().unwrap();
    oversight::block(&db, origin(), &keeper, &stop(anna.id), noon()).await.unwrap();
    assert!(sessions.load(&id).await.unwrap().is_some());
    // A request that ends late neither ends the session nor takes it back to the epoch before.
    sessions.save(&record).await.unwrap();
    assert!(sessions.load(&id).await.unwrap().is_some());
    oversight::unblock(&db, &keeper, anna.id, noon()).await.unwrap();
    assert!(sessions.load(&id).await.unwrap().is_some());
}

async fn the_old_address_stops_a_change_and_takes_it_back(db: Db) {
    let anna = actor(&db, "anna@example.org", Role::User).await;
    let address = async || users::by_id(&db, anna.id).await.unwrap().unwrap().email;
    let revoke = async |link: &str| revoke_change(&db, link, fresh_peer(), noon()).await;
    // While it waits.
    ask(&db, &anna, "evil@example.org").await.unwrap();
    let letters = post(&db).await;
    let to = |to: &str| letters.iter().find(|(recipient, _)| recipient == to).unwrap().1.clone();
    assert!(to("anna@example.org").contains("evil@example.org"), "{letters:?}");
    assert!(!to("evil@example.org").contains("Анна"), "no visitor's text in a letter to others: {letters:?}");
    let (mine, evil) = (token_in(&to("anna@example.org")), token_in(&to("evil@example.org")));
    assert_eq!(key(revoke(&evil).await.unwrap_err()), "error.link.unknown", "each link does its own");
    revoke(&mine).await.unwrap();
    assert_eq!(key(revoke(&mine).await.unwrap_err()), "error.link.used");
    let late = take_new_email(&db, origin(), &evil, fresh_peer(), noon()).await;
    assert_eq!(key(late.unwrap_err()), "error.link.unknown");
    assert_eq!(address().await, "anna@example.org");
    assert!(matches!(ask(&db, &anna, "x@example.org").await, Ok(())), "the password is the intruder's still");
    post(&db).await;
    // After it was made, moved on, and the password changed: the first address wins, and later ones have no way back.
    ask(&db, &anna, "evil@example.org").await.unwrap();
    let letters = post(&db).await;
    let to = |to: &str| token_in(&letters.iter().find(|(recipient, _)| recipient == to).unwrap().1);
    let (mine, evil) = (to("anna@example.org"), to("evil@example.org"));
    take_new_email(&db, origin(), &evil, fresh_peer(), noon()).await.unwrap();
    let told = link_to(&db, "anna@example.org").await;
    ask(&db, &anna, "worse@example.org").await.unwrap();
    let letters = post(&db).await;
    let to = |to: &str| token_in(&letters.iter().find(|(recipient, _)| recipient == to).unwrap().1);
    let (back, worse) = (to("evil@example.org"), to("worse@example.org"));
    take_new_email(&db, origin(), &worse, fresh_peer(), noon()).await.unwrap();
    change(&db, &anna, PASSWORD, NEW).await.unwrap();
    check_link(&db, TokenKind::Revoke, &told, noon()).await.unwrap();
    let (sessions, id) = session(&db, &users::by_id(&db, anna.id).await.unwrap().unwrap()).await;
    revoke(&mine).await.unwrap();
    assert_eq!(address().await, "anna@example.org");
    assert!(sessions.load(&id).await.unwrap().is_none(), "everybody is logged out");
    for later in [&back, &told] {
        assert_eq!(key(revoke(later).await.unwrap_err()), "error.link.unknown");
    }
    post(&db).await;
    reset_by_letter(&db, "anna@example.org").await.unwrap();
    enter(&db, "anna@example.org", NEW).await.unwrap();
}

async fn a_second_factor_of_an_intruder_is_switched_off(db: Db) {
    for (n, moved) in [false, true].into_iter().enumerate() {
        let email = format!("anna{n}@example.org");
        let anna = actor(&db, &email, Role::User).await;
        let mut link = None;
        if moved {
            // The letter about the factor goes to the intruder, that about the address to the owner.
            let evil = format!("evil{n}@example.org");
            ask(&db, &anna, &evil).await.unwrap();
            let letters = post(&db).await;
            let to = |to: &str| token_in(&letters.iter().find(|(recipient, _)| recipient == to).unwrap().1);
            link = Some(to(&email));
            take_new_email(&db, origin(), &to(&evil), fresh_peer(), noon()).await.unwrap();
        }
        let intruder = prove(&db, anna.id).await;
        begin_totp(&db, &sealer(), &intruder, &PasswordForm { password: PASSWORD.to_owned() }, noon()).await.unwrap();
        let SecondFactor::Draft(setup) = second_factor(&db, &sealer(), &intruder).await.unwrap() else {
            panic!("no draft")
        };
        let code = CodeForm { code: shown(&setup.secret, noon()) };
        post(&db).await;
        confirm_totp(&db, &sealer(), origin(), &intruder, &code, noon()).await.unwrap();
        let link = match link {
            Some(link) => link,
            None => link_to(&db, &email).await,
        };
        if !moved {
            reset_by_letter(&db, &email).await.unwrap();
        }
        assert!(users::by_id(&db, anna.id).await.unwrap().unwrap().totp, "a new password alone does not help");
        revoke_change(&db, &link, fresh_peer(), noon()).await.unwrap();
        let user = users::by_id(&db, anna.id).await.unwrap().unwrap();
        assert!(!user.totp && user.email == email);
    }
    // One of before stays: who reads the mailbox alone does not switch it off.
    let boris = actor(&db, "boris@example.org", Role::User).await;
    begin_totp(&db, &sealer(), &boris, &PasswordForm { password: PASSWORD.to_owned() }, noon()).await.unwrap();
    let SecondFactor::Draft(setup) = second_factor(&db, &sealer(), &boris).await.unwrap() else { panic!("no draft") };
    let code = CodeForm { code: shown(&setup.secret, noon()) };
    confirm_totp(&db, &sealer(), origin(), &boris, &code, noon()).await.unwrap();
    post(&db).await;
    let later = noon() + chrono::TimeDelta::minutes(1);
    let new = NewEmailForm { email: "b2@example.org".to_owned(), password: PASSWORD.to_owned() };
    ask_new_email(&db, origin(), &boris, &new, later).await.unwrap();
    let link = link_to(&db, "boris@example.org").await;
    revoke_change(&db, &link, fresh_peer(), later).await.unwrap();
    assert!(users::by_id(&db, boris.id).await.unwrap().unwrap().totp);
}

async fn what_a_password_has_proven_ends_with_it(db: Db) {
    // Whoever has given the old password in time, and is late with what they want.
    let anna = actor(&db, "anna@example.org", Role::User).await;
    let before = users::by_id(&db, anna.id).await.unwrap().unwrap();
    for round in 0..ROUNDS {
        let (old, new) = (format!("the old phrase {round}"), format!("the new phrase {round}"));
        let hash = crate::server::services::passwords::hash(&old).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        users::set_password(&mut tx, anna.id, &hash).await.unwrap();
        tx.commit().await.unwrap();
        let (one, two) = (prove(&db, anna.id).await, prove(&db, anna.id).await);
        let intruder = {
            let (db, old, evil) = (db.clone(), old.clone(), format!("the evil phrase {round}"));
            tokio::spawn(async move { change(&db, &one, &old, &evil).await.is_ok() })
        };
        let owner = {
            let (db, new) = (db.clone(), new.clone());
            tokio::spawn(async move { change(&db, &two, &old, &new).await.is_ok() })
        };
        let (intruder, owner) = (intruder.await.unwrap(), owner.await.unwrap());
        assert!(intruder != owner, "round {round}: one of the two is too late");
        let expected = if owner { new } else { format!("the evil phrase {round}") };
        let hash = users::by_id(&db, anna.id).await.unwrap().unwrap().password_hash;
        assert!(crate::server::services::passwords::verify(&expected, Some(&hash)).await.unwrap(), "round {round}");
    }
    assert!(before.epoch + i64::try_from(ROUNDS).unwrap() == prove(&db, anna.id).await.epoch);
}

async fn two_administrators(db: &Db, round: usize) -> (Actor, Actor) {
    // Those of earlier rounds do not count.
    let mut tx = db.begin().await.unwrap();
    let sql = "UPDATE users SET role = 'user' WHERE role = 'admin'";
    crate::server::db::on_tx!(&mut tx, conn => sqlx::query(sql).execute(conn).await.map(drop)).unwrap();
    tx.commit().await.unwrap();
    let admin = async |name: &str| {
        let user = testing::user(db, &format!("{name}{round}@example.org"), Role::Admin).await;
        Actor::prove(&user, Permission::Settings).unwrap()
    };
    (admin("one").await, admin("two").await)
}

async fn administrators(db: &Db) -> i64 {
    let sql = "SELECT COUNT(*) FROM users WHERE role = 'admin' AND blocked_at IS NULL AND confirmed_at IS NOT NULL";
    on_db!(db, pool => sqlx::query_scalar(sql).fetch_one(pool).await).unwrap()
}

/// Two administrators demote each other, and one demotes while the other invites or blocks.
async fn who_demotes_each_other(db: &Db, rounds: usize) {
    for round in 0..rounds {
        let (one, two) = two_administrators(db, round).await;
        let demote = |by: &Actor, whom: &Actor| {
            let (db, by, form) = (db.clone(), by.clone(), to_role(whom.id, "user"));
            tokio::spawn(async move { oversight::give_role(&db, &by, &form, noon()).await })
        };
        let (first, second) = (demote(&one, &two), demote(&two, &one));
        let (first, second) = (first.await.unwrap(), second.await.unwrap());
        assert!(first.is_ok() != second.is_ok(), "round {round}: {first:?} {second:?}");
        assert!([first, second].iter().all(|done| matches!(done, Ok(()) | Err(Error::Unauthenticated))));
        assert_eq!(administrators(db).await, 1, "round {round}");
    }
}

async fn one_administrator_remains(db: Db) {
    who_demotes_each_other(&db, ROUNDS).await;
    // One goes while the other demotes them, and while the other goes too.
    for round in 0..ROUNDS {
        let (one, two) = two_administrators(&db, ROUNDS + round).await;
        let hash = crate::server::services::passwords::hash(PASSWORD).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        for id in [one.id, two.id] {
            users::set_password(&mut tx, id, &hash).await.unwrap();
        }
        tx.commit().await.unwrap();
        let go = |who: &Actor| {
            let (db, who, form) = (db.clone(), who.clone(), PasswordForm { password: PASSWORD.to_owned() });
            tokio::spawn(async move { delete_account(&db, origin(), &who, &form, noon()).await })
        };
        let other = if round % 2 == 0 {
            go(&two)
        } else {
            let (db, by, form) = (db.clone(), two.clone(), to_role(one.id, "user"));
            tokio::spawn(async move { oversight::give_role(&db, &by, &form, noon()).await })
        };
        let (first, second) = (go(&one).await.unwrap(), other.await.unwrap());
        assert!(administrators(&db).await >= 1, "round {round}: {first:?} {second:?}");
    }
}

async fn who_is_demoted_invites_and_blocks_nobody(db: Db) {
    for round in 0..ROUNDS {
        let (one, two) = two_administrators(&db, round).await;
        let user = testing::user(&db, &format!("user{round}@example.org"), Role::User).await;
        let (email, mut tasks) = (format!("guest{round}@example.org"), tokio::task::JoinSet::new());
        let demote = to_role(two.id, "user");
        let invite = InviteForm { email: email.clone(), role: "admin".to_owned() };
        let (a, b, c) = (db.clone(), db.clone(), db.clone());
        let (guest, judge) = (two.clone(), two.clone());
        tasks.spawn(async move { oversight::give_role(&a, &one, &demote, noon()).await });
        tasks.spawn(async move { invitations::invite(&b, origin(), &guest, &invite, noon()).await });
        tasks.spawn(async move { oversight::block(&c, origin(), &judge, &stop(user.id), noon()).await });
        for done in tasks.join_all().await {
            assert!(matches!(done, Ok(()) | Err(Error::Unauthenticated)), "round {round}: {done:?}");
        }
        let links: Vec<_> = post(&db).await.into_iter().filter(|(to, _)| *to == email).collect();
        for (_, text) in links {
            let refused = invitations::look(&db, &token_in(&text), noon()).await;
            assert_eq!(key(refused.unwrap_err()), "error.invitation.unknown", "round {round}");
        }
        let late = InviteForm { email, role: "admin".to_owned() };
        let late = invitations::invite(&db, origin(), &two, &late, noon()).await;
        assert!(matches!(late, Err(Error::Unauthenticated)), "round {round}: {late:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "soak: 200 rounds"]
async fn soak_sqlite_one_administrator_remains() {
    let (db, _folder) = testing::sqlite().await;
    who_demotes_each_other(&db, 10 * ROUNDS).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "soak: 200 rounds"]
async fn soak_postgres_one_administrator_remains() {
    who_demotes_each_other(&testing::postgres().await, 10 * ROUNDS).await;
}

on_both!(
    all_that_waits_ends_with_the_password_role_or_block,
    who_is_blocked_stays_in_and_is_told,
    the_old_address_stops_a_change_and_takes_it_back,
    a_second_factor_of_an_intruder_is_switched_off,
    what_a_password_has_proven_ends_with_it,
    one_administrator_remains,
    who_is_demoted_invites_and_blocks_nobody,
);
