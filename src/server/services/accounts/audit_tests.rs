//! What of accounts stands in the audit log.

use super::tests::{PASSWORD, confirm, enter, form, fresh_peer, noon, origin, sign_up, token};
use super::*;
use crate::domain::audit::{Act, AuditLine};
use crate::domain::lang::Lang;
use crate::domain::user::{Permission, Role};
use crate::forms::accounts::{AddressForm, LogInForm, NewPasswordForm, ProfileForm, ResetForm};
use crate::server::db::{on_tx, testing};
use crate::server::services::audit::{Verdict, list, verify};

async fn lines(db: &Db, act: &str) -> Vec<AuditLine> {
    let mut lines = list(db, "", act, "").await.unwrap().rows;
    lines.reverse();
    lines
}

async fn acts(db: &Db) -> Vec<Act> {
    lines(db, "").await.into_iter().map(|line| line.act).collect()
}

async fn an_account_is_followed_from_its_beginning(db: Db) {
    sign_up(&db, "anna@example.org", noon()).await.unwrap();
    let id = confirm(&db, &token(&db).await, noon()).await.unwrap();
    enter(&db, "anna@example.org", PASSWORD).await.unwrap();
    let anna = Actor::prove(&users::by_id(&db, id).await.unwrap().unwrap(), Permission::Own).unwrap();
    let anna = Actor { address: "192.0.2.7".to_owned(), ..anna };
    let profile = ProfileForm { name: "Anna".into(), lang: "en".into(), theme: "dark".into(), zone: "UTC".into() };
    save_profile(&db, &anna, &profile, noon()).await.unwrap();
    save_profile(&db, &anna, &profile, noon()).await.unwrap();
    let other = "another long phrase";
    let change = NewPasswordForm { old_password: PASSWORD.into(), new_password: other.into() };
    change_password(&db, origin(), &anna, &change, noon()).await.unwrap();
    end_sessions(&db, &anna, None, noon()).await.unwrap();
    super::tests::post(&db).await;
    send_reset(&db, origin(), &AddressForm { email: "anna@example.org".into() }, noon()).await.unwrap();
    let reset_form = ResetForm { token: token(&db).await, password: "a third long phrase".into() };
    reset(&db, origin(), &reset_form, fresh_peer(), noon()).await.unwrap();
    assert_eq!(
        acts(&db).await,
        [
            Act::AccountRegistered,
            Act::AccountConfirmed,
            Act::LoggedIn,
            Act::NameChanged,
            Act::PasswordChanged,
            Act::LoggedOutEverywhere,
            Act::PasswordReset,
        ]
    );
    let named = lines(&db, "name_changed").await.remove(0);
    assert_eq!((named.before.as_str(), named.after.as_str()), ("Анна Ким", "Anna"));
    assert_eq!((named.actor_id, named.address.as_str()), (Some(id), "192.0.2.7"));
    let everything = format!("{:?}", lines(&db, "").await);
    assert!(![PASSWORD, other, "a third"].iter().any(|secret| everything.contains(secret)));
    assert!(matches!(verify(&db, None).await.unwrap(), Verdict::Whole { lines: 7, .. }));
}

async fn refused_log_ins_leave_few_lines_and_no_address(db: Db) {
    add(&db, &form("anna@example.org"), Role::User, Lang::En, noon()).await.unwrap();
    let (here, there) = (fresh_peer(), fresh_peer());
    let guess = async |email: &str, peer| {
        let form = LogInForm { email: email.into(), password: "not the password".into(), next: String::new() };
        assert!(log_in(&db, &form, peer, noon()).await.is_err());
    };
    for _ in 0..50 {
        guess("anna@example.org", here).await;
        // As it happens when somebody types into the wrong field.
        guess("my.secret.word@example.org", there).await;
    }
    let refused = lines(&db, "log_in_refused").await;
    let about_anna = refused.iter().filter(|line| line.target == "anna@example.org").count();
    assert_eq!((about_anna, refused.len()), (6, 12), "throttling lets six tries through");
    assert_eq!(refused[0].reason, "password");
    let slowed = lines(&db, "log_in_throttled").await;
    assert_eq!(slowed.len(), 2, "once for each, however many come after");
    assert!(refused.iter().chain(&slowed).all(|line| line.actor.is_empty() && !line.address.is_empty()));
    assert!(!format!("{:?}", lines(&db, "").await).contains("secret"));
}

async fn who_may_not_come_in_is_noted_too(db: Db) {
    // As a manager may find an account of before: with a password, and waiting.
    let id = add(&db, &form("anna@example.org"), Role::User, Lang::En, noon()).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    let waits = "UPDATE users SET confirmed_at = NULL WHERE id = $1";
    on_tx!(&mut tx, conn => sqlx::query(waits).bind(id).execute(conn).await.map(drop)).unwrap();
    tx.commit().await.unwrap();
    assert!(enter(&db, "anna@example.org", PASSWORD).await.is_err());
    let peer = fresh_peer();
    let form = LogInForm { email: "anna@example.org".into(), password: PASSWORD.into(), next: String::new() };
    assert!(log_in(&db, &form, peer, noon()).await.is_err());
    let refused = lines(&db, "log_in_refused").await;
    assert_eq!((refused.len(), refused[1].reason.as_str()), (2, "unconfirmed"));
    assert_eq!(refused[1].address, peer.to_string());
}

testing::on_both!(
    an_account_is_followed_from_its_beginning,
    refused_log_ins_leave_few_lines_and_no_address,
    who_may_not_come_in_is_noted_too,
);
