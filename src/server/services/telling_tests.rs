use super::*;
use crate::domain::email::EmailAddress;
use crate::domain::mailing::PauseReason;
use crate::domain::user::Role;
use crate::server::db::{mailings, on_db, outgoing, testing};
use crate::server::services::testing::{actor, change, sent_mailing};

fn now() -> DateTime<Utc> {
    "2026-11-23T07:00:00Z".parse().unwrap()
}

async fn tell_at(db: &Db, now: DateTime<Utc>) {
    let from = EmailAddress::parse("service@vestnik.example").unwrap();
    tell(db, Origin { from: &from, site: "https://vestnik.example" }, now).await.unwrap();
}

/// Whom letters wait for.
async fn told(db: &Db) -> Vec<String> {
    let mut all: Vec<String> = on_db!(db, pool => {
        sqlx::query_scalar("SELECT recipient FROM outgoing ORDER BY id").fetch_all(pool).await
    })
    .unwrap();
    all.sort();
    all
}

/// A mailing of the owner's whose run is over.
async fn over(db: &Db, owner: &Actor) {
    sent_mailing(db, owner, 3).await;
    change(
        db,
        "UPDATE runs SET state = 'done', waiting = 0, sent = 2, failed = 1, finished_at = '2026-11-23T06:59:00+00:00'",
    )
    .await;
}

async fn a_run_that_is_over_is_told_once_by_however_many(db: Db) {
    let owner = actor(&db, "a@example.org").await;
    over(&db, &owner).await;
    let (one, two) = (tell_at(&db, now()), tell_at(&db, now()));
    tokio::join!(one, two);
    tell_at(&db, now()).await;
    assert_eq!(told(&db).await, ["a@example.org"]);
    // Opened again for a decision, it is over twice; that is no news.
    change(&db, "UPDATE runs SET state = 'open'").await;
    change(&db, "UPDATE runs SET state = 'done'").await;
    tell_at(&db, now()).await;
    assert_eq!(told(&db).await.len(), 1);
}

async fn old_news_is_not_told(db: Db) {
    let owner = actor(&db, "a@example.org").await;
    over(&db, &owner).await;
    tell_at(&db, now() + NEWS_FOR).await;
    tell_at(&db, now()).await;
    assert!(told(&db).await.is_empty());
}

async fn who_does_not_want_a_kind_is_not_told(db: Db) {
    let owner = actor(&db, "a@example.org").await;
    let all = [(Notice::RunEnded, true), (Notice::Paused, true), (Notice::Limit, true)];
    assert_eq!(notices(&db, &owner).await.unwrap(), all);
    save(&db, &owner, &NoticesForm { paused: true, ..NoticesForm::default() }).await.unwrap();
    let some = [(Notice::RunEnded, false), (Notice::Paused, true), (Notice::Limit, false)];
    assert_eq!(notices(&db, &owner).await.unwrap(), some);
    over(&db, &owner).await;
    tell_at(&db, now()).await;
    assert!(told(&db).await.is_empty());
    // Wanted again, what is past stays past.
    save(&db, &owner, &NoticesForm { run_ended: true, ..NoticesForm::default() }).await.unwrap();
    tell_at(&db, now()).await;
    assert!(told(&db).await.is_empty());
}

/// Whoever was not asked has not said no.
/// That it is so they were told when it was done.
async fn who_is_blocked_is_not_told_that_a_run_is_over(db: Db) {
    let owner = actor(&db, "a@example.org").await;
    over(&db, &owner).await;
    change(&db, "UPDATE users SET blocked_at = '2026-11-23T06:58:00+00:00'").await;
    tell_at(&db, now()).await;
    change(&db, "UPDATE users SET blocked_at = NULL").await;
    tell_at(&db, now()).await;
    assert!(told(&db).await.is_empty());
}

async fn who_becomes_an_administrator_is_told_of_mail_servers(db: Db) {
    let user = actor(&db, "a@example.org").await;
    save(&db, &user, &NoticesForm::default()).await.unwrap();
    change(&db, "UPDATE users SET role = 'admin'").await;
    let admin = Actor { role: Role::Admin, ..user };
    let all = notices(&db, &admin).await.unwrap();
    assert!(all.iter().all(|(notice, wanted)| *wanted == (*notice == Notice::Relay)), "{all:?}");
}

async fn a_notice_that_cannot_be_written_keeps_nobody_waiting(db: Db) {
    let (first, second) = (actor(&db, "a@example.org").await, actor(&db, "b@example.org").await);
    for owner in [&first, &second] {
        sent_mailing(&db, owner, 1).await;
    }
    change(&db, "UPDATE runs SET state = 'done', waiting = 0, sent = 1, finished_at = '2026-11-23T06:59:00+00:00'")
        .await;
    // No letter can be made to such an address.
    change(&db, "UPDATE users SET email = 'nobody' WHERE email = 'a@example.org'").await;
    tell_at(&db, now()).await;
    assert_eq!(told(&db).await, ["b@example.org"]);
}

async fn a_pause_of_the_service_is_told_each_time(db: Db) {
    let owner = actor(&db, "a@example.org").await;
    sent_mailing(&db, &owner, 1).await;
    let id: i64 = on_db!(&db, pool => sqlx::query_scalar("SELECT id FROM mailings").fetch_one(pool).await).unwrap();
    for n in 1..=2 {
        let mut tx = db.begin().await.unwrap();
        mailings::pause_any(&mut tx, id, PauseReason::Complaints, "", now()).await.unwrap();
        tx.commit().await.unwrap();
        tell_at(&db, now()).await;
        tell_at(&db, now()).await;
        assert_eq!(told(&db).await.len(), n);
        let mut tx = db.begin().await.unwrap();
        mailings::set_paused(&mut tx, owner.id, id, None).await.unwrap();
        tx.commit().await.unwrap();
    }
    // Its owner knows that they paused it.
    let mut tx = db.begin().await.unwrap();
    mailings::set_paused(&mut tx, owner.id, id, Some(now())).await.unwrap();
    tx.commit().await.unwrap();
    tell_at(&db, now()).await;
    assert_eq!(told(&db).await.len(), 2);
    for reason in PauseReason::ALL {
        let key = format!("mailings.paused_{}", reason.as_str());
        assert_ne!(locales::text(Lang::En, &key), key);
    }
}

async fn a_limit_is_told_once_a_day_while_letters_wait(db: Db) {
    let owner = actor(&db, "a@example.org").await;
    change(&db, "UPDATE users SET letters_max = 2").await;
    change(&db, &format!("INSERT INTO letter_days (owner_id, day, n) VALUES ({}, '2026-11-23', 2)", owner.id)).await;
    tell_at(&db, now()).await;
    assert!(told(&db).await.is_empty(), "nothing waits");
    sent_mailing(&db, &owner, 3).await;
    tell_at(&db, now()).await;
    tell_at(&db, now()).await;
    assert_eq!(told(&db).await.len(), 1);
    change(&db, &format!("INSERT INTO letter_days (owner_id, day, n) VALUES ({}, '2026-11-24', 2)", owner.id)).await;
    tell_at(&db, now() + TimeDelta::days(1)).await;
    assert_eq!(told(&db).await.len(), 2);
}

async fn trouble_of_mail_servers_is_for_administrators(db: Db) {
    let owner = actor(&db, "a@example.org").await;
    for (email, role) in [("chief@example.org", Role::Admin), ("m@example.org", Role::Manager)] {
        testing::user(&db, email, role).await;
    }
    let fault = r#"{"stage":"auth","cause":"reply","detail":"535 no"}"#;
    change(
        &db,
        &format!("INSERT INTO relay_pauses (relay_id, fingerprint, fault, at) VALUES (0, 'x', '{fault}', '2026-11-23T06:00:00+00:00')"),
    )
    .await;
    tell_at(&db, now()).await;
    tell_at(&db, now()).await;
    assert_eq!(told(&db).await, ["chief@example.org"]);
    // Letters of 1 January have been waiting for long.
    sent_mailing(&db, &owner, 1).await;
    change(&db, "UPDATE deliveries SET state = 'deferred', loose = TRUE").await;
    tell_at(&db, now()).await;
    tell_at(&db, now()).await;
    assert_eq!(told(&db).await.len(), 2);
    // They left, and are late again another time.
    change(&db, "UPDATE deliveries SET state = 'sent', loose = FALSE").await;
    tell_at(&db, now()).await;
    change(&db, "UPDATE deliveries SET state = 'deferred', loose = TRUE").await;
    tell_at(&db, now()).await;
    assert_eq!(told(&db).await.len(), 3);
}

/// Killed with it in hand, nobody knows whether it left: it is not sent again, and neither is it told again.
async fn a_telling_that_may_have_left_is_not_sent_again(db: Db) {
    let owner = actor(&db, "a@example.org").await;
    over(&db, &owner).await;
    tell_at(&db, now()).await;
    let mut tx = db.begin().await.unwrap();
    let lease = now() + TimeDelta::minutes(5);
    let claimed = outgoing::claim(&mut tx, "a process that dies", lease, now(), 8).await.unwrap();
    assert!(claimed[0].once);
    tx.commit().await.unwrap();
    // Killed before its dot, it has not left, and another takes it.
    let later = now() + TimeDelta::minutes(6);
    let mut tx = db.begin().await.unwrap();
    assert_eq!(outgoing::remove_expired(&mut tx, later).await.unwrap(), 0);
    let again = outgoing::claim(&mut tx, "another one", later + TimeDelta::minutes(5), later, 8).await.unwrap();
    assert_eq!(again.len(), 1);
    assert!(!outgoing::arm(&mut tx, again[0].id, "a process that dies").await.unwrap());
    assert!(outgoing::arm(&mut tx, again[0].id, "another one").await.unwrap());
    tx.commit().await.unwrap();
    let later = later + TimeDelta::minutes(6);
    let mut tx = db.begin().await.unwrap();
    assert_eq!(outgoing::remove_expired(&mut tx, later).await.unwrap(), 1);
    assert!(outgoing::claim(&mut tx, "a third one", later, later, 8).await.unwrap().is_empty());
    tx.commit().await.unwrap();
    tell_at(&db, later).await;
    assert!(told(&db).await.is_empty());
}

testing::on_both!(
    who_becomes_an_administrator_is_told_of_mail_servers,
    a_notice_that_cannot_be_written_keeps_nobody_waiting,
    a_run_that_is_over_is_told_once_by_however_many,
    old_news_is_not_told,
    who_does_not_want_a_kind_is_not_told,
    who_is_blocked_is_not_told_that_a_run_is_over,
    a_pause_of_the_service_is_told_each_time,
    a_limit_is_told_once_a_day_while_letters_wait,
    trouble_of_mail_servers_is_for_administrators,
    a_telling_that_may_have_left_is_not_sent_again,
);
