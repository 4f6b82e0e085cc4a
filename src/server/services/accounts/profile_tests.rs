//! What people change of their own accounts.

use super::tests::{PASSWORD, enter, form, fresh_peer, key, noon, origin, post, token, token_in};
use super::*;
use crate::domain::lang::Lang;
use crate::domain::user::{Permission, Role, Theme};
use crate::forms::accounts::{AddressForm, NewEmailForm, NewPasswordForm, ProfileForm};
use crate::server::db::testing;

async fn actor(db: &Db, email: &str) -> Actor {
    let id = match add(db, &form(email), Role::User, Lang::En, noon()).await {
        Ok(id) => id,
        Err(_) => users::by_email(db, email).await.unwrap().unwrap().id,
    };
    Actor::prove(&users::by_id(db, id).await.unwrap().unwrap(), Permission::Own).unwrap()
}

fn new_email(email: &str, password: &str) -> NewEmailForm {
    NewEmailForm { email: email.to_owned(), password: password.to_owned() }
}

async fn name_language_theme_and_zone(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    let good =
        ProfileForm { name: " Анна ".into(), lang: "ru".into(), theme: "dark".into(), zone: "Asia/Tokyo".into() };
    assert_eq!(save_profile(&db, &anna, &good, noon()).await.unwrap(), (Lang::Ru, Theme::Dark));
    let stored = profile(&db, &anna).await.unwrap();
    assert_eq!(
        (stored.name.as_str(), stored.lang, stored.theme, stored.zone.as_str()),
        ("Анна", Lang::Ru, Theme::Dark, "Asia/Tokyo")
    );
    for (bad, expected) in [
        (ProfileForm { name: " ".into(), ..good.clone() }, "error.required"),
        (ProfileForm { name: "a\nb".into(), ..good.clone() }, "error.control"),
        (ProfileForm { lang: "de".into(), ..good.clone() }, "error.choice"),
        (ProfileForm { theme: "pink".into(), ..good.clone() }, "error.choice"),
        (ProfileForm { zone: "Mars/Base".into(), ..good.clone() }, "error.zone"),
    ] {
        assert_eq!(key(save_profile(&db, &anna, &bad, noon()).await.unwrap_err()), expected);
    }
    assert_eq!(profile(&db, &anna).await.unwrap(), stored);
}

async fn a_new_address_is_confirmed_and_the_old_one_told(db: Db) {
    let (anna, _) = (actor(&db, "anna@example.org").await, actor(&db, "boris@example.org").await);
    let ask = async |email: &str, password: &str| {
        ask_new_email(&db, origin(), &anna, &new_email(email, password), noon()).await
    };
    assert_eq!(key(ask("new@example.org", "not the password").await.unwrap_err()), "error.password.wrong");
    assert_eq!(key(ask("anna@example.org", PASSWORD).await.unwrap_err()), "error.email.same");
    assert!(post(&db).await.is_empty());
    // Taken: the same answer, and its owner learns of it.
    ask("boris@example.org", PASSWORD).await.unwrap();
    let letters = post(&db).await;
    assert!(
        letters.len() == 1 && letters[0].0 == "boris@example.org" && !letters[0].1.contains("token="),
        "{letters:?}"
    );
    ask("new@example.org", PASSWORD).await.unwrap();
    let letters = post(&db).await;
    assert_eq!(letters[0].0, "new@example.org");
    let link = token_in(&letters[0].1);
    enter(&db, "anna@example.org", PASSWORD).await.expect("nothing changes before the click");
    // A link to reset the password that has gone to the old address dies with it.
    send_reset(&db, origin(), &AddressForm { email: "anna@example.org".into() }, noon()).await.unwrap();
    let stale = token(&db).await;
    assert_eq!(
        key(take_new_email(&db, origin(), &link, fresh_peer(), noon() + TimeDelta::hours(48)).await.unwrap_err()),
        "error.link.expired"
    );
    take_new_email(&db, origin(), &link, fresh_peer(), noon()).await.unwrap();
    assert_eq!(key(take_new_email(&db, origin(), &link, fresh_peer(), noon()).await.unwrap_err()), "error.link.used");
    assert_eq!(key(check_link(&db, TokenKind::Reset, &stale, noon()).await.unwrap_err()), "error.link.unknown");
    let letters = post(&db).await;
    assert!(letters[0].0 == "anna@example.org" && letters[0].1.contains("new@example.org"), "{letters:?}");
    enter(&db, "new@example.org", PASSWORD).await.unwrap();
    assert_eq!(key(enter(&db, "anna@example.org", PASSWORD).await.unwrap_err()), "error.login.mismatch");
    // Somebody else is quicker.
    ask("late@example.org", PASSWORD).await.unwrap();
    let link = token_in(&post(&db).await[0].1);
    actor(&db, "late@example.org").await;
    assert_eq!(key(take_new_email(&db, origin(), &link, fresh_peer(), noon()).await.unwrap_err()), "error.email.taken");
}

async fn a_new_password_asks_for_the_old_one(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    let change = async |old: &str, new: &str| {
        let form = NewPasswordForm { old_password: old.to_owned(), new_password: new.to_owned() };
        change_password(&db, origin(), &anna, &form, noon()).await
    };
    assert_eq!(key(change("not the password", "another long phrase").await.unwrap_err()), "error.password.wrong");
    assert_eq!(key(change(PASSWORD, "short").await.unwrap_err()), "error.password.short");
    assert_eq!(key(change(PASSWORD, "password123").await.unwrap_err()), "error.password.common");
    change(PASSWORD, "another long phrase").await.unwrap();
    assert_eq!(post(&db).await.len(), 1);
    enter(&db, "anna@example.org", "another long phrase").await.unwrap();
    let mut limited = false;
    for _ in 0..10 {
        limited |= matches!(change("not the password", "another long phrase").await, Err(Error::RateLimited));
    }
    assert!(limited, "a stolen session cannot try passwords for ever");
}

testing::on_both!(
    name_language_theme_and_zone,
    a_new_address_is_confirmed_and_the_old_one_told,
    a_new_password_asks_for_the_old_one,
);
