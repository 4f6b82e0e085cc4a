use super::super::tests::{PASSWORD, form, fresh_peer, key, noon, origin, post};
use super::super::*;
use super::*;
use crate::domain::lang::Lang;
use crate::domain::user::{Permission, Role};
use crate::server::db::testing;
use chrono::TimeDelta;

fn password(text: &str) -> PasswordForm {
    PasswordForm { password: text.to_owned() }
}

fn code(text: &str) -> CodeForm {
    CodeForm { code: text.to_owned() }
}

fn sealer() -> Sealer {
    Sealer::new(&"0123456789abcdef0123456789abcdef".to_owned().into())
}

/// What an app shows.
pub fn shown(secret: &str, now: DateTime<Utc>) -> String {
    let totp = Builder::new().with_secret(decode(secret).unwrap()).build().unwrap();
    totp.generate(u64::try_from(now.timestamp()).unwrap()).to_string()
}

async fn actor(db: &Db, email: &str) -> Actor {
    let id = add(db, &form(email), Role::User, Lang::En, noon()).await.unwrap();
    Actor::prove(&users::by_id(db, id).await.unwrap().unwrap(), Permission::Own).unwrap()
}

#[test]
fn codes_are_those_of_the_rfc() {
    // RFC 6238, appendix B, cut to six digits.
    let secret = Secret::new(Box::from(*b"12345678901234567890")).to_base32();
    for (at, expected) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
        assert_eq!(shown(&secret, DateTime::from_timestamp(at, 0).unwrap()), expected);
    }
}

async fn is_set_up_and_asked_for(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    assert_eq!(second_factor(&db, &sealer(), &anna).await.unwrap(), SecondFactor::Off);
    assert_eq!(
        key(begin_totp(&db, &sealer(), &anna, &password("not the password"), noon()).await.unwrap_err()),
        "error.password.wrong"
    );
    assert_eq!(
        key(confirm_totp(&db, &sealer(), origin(), &anna, &code("123456"), noon()).await.unwrap_err()),
        "error.totp.off"
    );
    begin_totp(&db, &sealer(), &anna, &password(PASSWORD), noon()).await.unwrap();
    let SecondFactor::Draft(setup) = second_factor(&db, &sealer(), &anna).await.unwrap() else { panic!("no draft") };
    assert!(
        setup.uri.contains(&setup.secret) && setup.uri.contains("anna%40example%2Eorg") && setup.size > 29,
        "{setup:?}"
    );
    assert_eq!(setup.recovery.iter().collect::<std::collections::HashSet<_>>().len(), 10);
    assert!(!users::by_id(&db, anna.id).await.unwrap().unwrap().totp, "a draft is not asked for");
    assert_eq!(
        key(confirm_totp(&db, &sealer(), origin(), &anna, &code("000000"), noon()).await.unwrap_err()),
        "error.code"
    );
    let first = shown(&setup.secret, noon());
    confirm_totp(&db, &sealer(), origin(), &anna, &code(&format!(" {} {} ", &first[..3], &first[3..])), noon())
        .await
        .unwrap();
    assert!(users::by_id(&db, anna.id).await.unwrap().unwrap().totp);
    assert_eq!(second_factor(&db, &sealer(), &anna).await.unwrap(), SecondFactor::On { since: noon(), recovery: 10 });
    assert_eq!(key(begin_totp(&db, &sealer(), &anna, &password(PASSWORD), noon()).await.unwrap_err()), "error.totp.on");
    assert_eq!(post(&db).await.len(), 1, "the owner is told");

    let check = async |text: &str, now| {
        check_code(&db, &sealer(), origin(), (anna.id, anna.epoch), &code(text), fresh_peer(), now).await
    };
    assert_eq!(key(check(&first, noon()).await.unwrap_err()), "error.code", "the first code is used");
    let later = noon() + TimeDelta::seconds(30);
    let second = shown(&setup.secret, later);
    assert_eq!(check(&second, later).await.unwrap().id, anna.id);
    assert_eq!(key(check(&second, later).await.unwrap_err()), "error.code", "no code is taken twice");
    let old = later + TimeDelta::minutes(5);
    assert_eq!(key(check(&shown(&setup.secret, old - TimeDelta::minutes(1)), old).await.unwrap_err()), "error.code");
    assert!(check(&shown(&setup.secret, old + TimeDelta::seconds(30)), old).await.is_ok(), "a clock that is ahead");

    // Recovery codes, as people type them; eight at once use one up once.
    let typed = setup.recovery[0].to_uppercase().replace('-', " ");
    let tries = (0..4).map(|_| {
        let (db, typed) = (db.clone(), typed.clone());
        tokio::spawn(async move {
            check_code(&db, &sealer(), origin(), (anna.id, anna.epoch), &code(&typed), fresh_peer(), old).await.is_ok()
        })
    });
    let mut won = 0;
    for one in tries.collect::<Vec<_>>() {
        won += i32::from(one.await.unwrap());
    }
    assert_eq!(won, 1);
    assert_eq!(second_factor(&db, &sealer(), &anna).await.unwrap(), SecondFactor::On { since: noon(), recovery: 9 });
    assert_eq!(post(&db).await.len(), 1, "the owner is told");
}

async fn codes_cannot_be_guessed_and_the_factor_ends_with_the_password(db: Db) {
    let boris = actor(&db, "boris@example.org").await;
    begin_totp(&db, &sealer(), &boris, &password(PASSWORD), noon()).await.unwrap();
    let SecondFactor::Draft(setup) = second_factor(&db, &sealer(), &boris).await.unwrap() else { panic!("no draft") };
    confirm_totp(&db, &sealer(), origin(), &boris, &code(&shown(&setup.secret, noon())), noon()).await.unwrap();
    let later = noon() + TimeDelta::minutes(1);
    let good = shown(&setup.secret, later);
    let wrong = if good == "000000" { "000001" } else { "000000" };
    let check = async |text: &str, peer| {
        check_code(&db, &sealer(), origin(), (boris.id, boris.epoch), &code(text), peer, later).await
    };
    let (attacker, mut limited) = (fresh_peer(), 0);
    for _ in 0..10 {
        limited += i32::from(matches!(check(wrong, attacker).await, Err(Error::RateLimited)));
        // A right password in between gives no further tries.
        super::super::tests::enter(&db, "boris@example.org", PASSWORD).await.unwrap();
    }
    assert_eq!(limited, 4);
    assert!(matches!(check(&good, attacker).await, Err(Error::RateLimited)));
    check(&good, fresh_peer()).await.expect("the owner gets in from elsewhere");
    let mut limited = 0;
    for _ in 0..220 {
        limited += i32::from(matches!(check(wrong, fresh_peer()).await, Err(Error::RateLimited)));
    }
    assert!((20..40).contains(&limited), "all networks together are slowed down too: {limited}");
    post(&db).await;
    assert_eq!(
        key(end_totp(&db, origin(), &boris, &password("not the password"), later).await.unwrap_err()),
        "error.password.wrong"
    );
    end_totp(&db, origin(), &boris, &password(PASSWORD), later).await.unwrap();
    assert_eq!(second_factor(&db, &sealer(), &boris).await.unwrap(), SecondFactor::Off);
    assert_eq!(post(&db).await.len(), 1);
    let again = later + TimeDelta::hours(1);
    let old =
        check_code(&db, &sealer(), origin(), (boris.id, boris.epoch), &code(&setup.recovery[1]), fresh_peer(), again)
            .await;
    assert!(matches!(old, Err(Error::Unauthenticated)), "recovery codes end with it");
}

async fn secrets_are_sealed_and_those_of_older_versions_too(db: Db) {
    let clara = actor(&db, "clara@example.org").await;
    begin_totp(&db, &sealer(), &clara, &password(PASSWORD), noon()).await.unwrap();
    let stored = async || users::totp(&db, clara.id).await.unwrap().unwrap().secret.unwrap();
    let SecondFactor::Draft(setup) = second_factor(&db, &sealer(), &clara).await.unwrap() else { panic!("no draft") };
    assert!(!stored().await.contains(&setup.secret), "a draft is sealed");
    confirm_totp(&db, &sealer(), origin(), &clara, &code(&shown(&setup.secret, noon())), noon()).await.unwrap();
    assert!(!stored().await.contains(&setup.secret), "a secret is sealed");
    // As an older version left it.
    let mut tx = db.begin().await.unwrap();
    assert!(users::replace_totp(&mut tx, clara.id, &stored().await, &setup.secret).await.unwrap());
    tx.commit().await.unwrap();
    let enter = async |sealer: &Sealer, text: &str, at| {
        check_code(&db, sealer, origin(), (clara.id, clara.epoch), &code(text), fresh_peer(), at).await
    };
    let at = noon() + TimeDelta::minutes(1);
    enter(&sealer(), &shown(&setup.secret, at), at).await.unwrap();
    assert_eq!(seal_second_factors(&db, &sealer()).await.unwrap(), 1);
    assert!(!stored().await.contains(&setup.secret));
    assert_eq!(seal_second_factors(&db, &sealer()).await.unwrap(), 0, "once is enough");
    let at = noon() + TimeDelta::minutes(2);
    enter(&sealer(), &shown(&setup.secret, at), at).await.unwrap();
    // Another user's row is no place for it.
    let dora = actor(&db, "dora@example.org").await;
    begin_totp(&db, &sealer(), &dora, &password(PASSWORD), noon()).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    let drafted = users::totp(&db, dora.id).await.unwrap().unwrap().secret.unwrap();
    assert!(users::replace_totp(&mut tx, dora.id, &drafted, &stored().await).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(second_factor(&db, &sealer(), &dora).await.unwrap(), SecondFactor::Off);
    // With another secret of the service the app's codes are of no use, recovery codes are.
    let other = Sealer::new(&"another secret, long enough to be one".to_owned().into());
    let at = noon() + TimeDelta::minutes(3);
    assert_eq!(key(enter(&other, &shown(&setup.secret, at), at).await.unwrap_err()), "error.code");
    enter(&other, &setup.recovery[0], at).await.unwrap();
}

testing::on_both!(
    is_set_up_and_asked_for,
    codes_cannot_be_guessed_and_the_factor_ends_with_the_password,
    secrets_are_sealed_and_those_of_older_versions_too
);
