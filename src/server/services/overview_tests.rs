use super::*;
use crate::domain::user::Role;
use crate::forms::mailings::{MailingForm, NOW};
use crate::server::db::testing;
use crate::server::services::testing::{actor, change, mailing_form, sent_mailing};
use crate::server::services::{Error, mailings as service};

fn now() -> DateTime<Utc> {
    "2026-11-23T07:00:00Z".parse().unwrap()
}

fn from() -> EmailAddress {
    EmailAddress::parse("vestnik@localhost.localdomain").unwrap()
}

async fn look(db: &Db, actor: &Actor, all: bool) -> Overview {
    let from = from();
    overview(db, actor, all, Service { catching: true, from: &from, relays: None }, now()).await.unwrap()
}

async fn manager(db: &Db) -> Actor {
    Actor::prove(&testing::user(db, "m@example.org", Role::Manager).await, Permission::Oversee).unwrap()
}

/// A mailing of all the owner's clients; `start` is a wall time or now.
async fn mailing(db: &Db, owner: &Actor, title: &str, start: &str, period: &str) -> i64 {
    let form = MailingForm {
        title: title.to_owned(),
        start: start.to_owned(),
        end: "2027-11-30T00:00".to_owned(),
        period: period.to_owned(),
        ..mailing_form(db, owner, "Subject", "Body").await
    };
    service::create(db, owner, &form, now()).await.unwrap()
}

async fn the_first_steps_are_ticked_one_by_one(db: Db) {
    let owner = actor(&db, "a@example.org").await;
    let done = |overview: &Overview| -> Vec<(Step, bool)> { overview.steps.clone() };
    let (clients, message, test, start) = (Step::Clients, Step::Message, Step::Test, Step::Mailing);
    let none = vec![(clients, false), (message, false), (test, false), (start, false)];
    assert_eq!(done(&look(&db, &owner, false).await), none);
    testing::client(&db, owner.id, "one@example.org", "One", "").await;
    let id = testing::message(&db, owner.id, "Subject", "Body").await;
    let seen = look(&db, &owner, false).await;
    assert_eq!(done(&seen), [(clients, true), (message, true), (test, false), (start, false)]);
    assert_eq!(seen.message, Some(id));
    mailing(&db, &owner, "First", "2026-12-01T00:00", "once").await;
    assert_eq!(done(&look(&db, &owner, false).await), [(clients, true), (message, true), (test, false), (start, true)]);
    let mut tx = db.begin().await.unwrap();
    overview::set_tested(&mut tx, owner.id, now()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(done(&look(&db, &owner, false).await), []);
    // Who has sent a mailing needs no test letter any more.
    let other = actor(&db, "b@example.org").await;
    sent_mailing(&db, &other, 2).await;
    assert!(done(&look(&db, &other, false).await).contains(&(test, false)), "nothing has left yet");
    change(&db, "UPDATE runs SET sent = 2, waiting = 0").await;
    assert_eq!(done(&look(&db, &other, false).await), []);
}

async fn an_administrator_has_two_steps_more(db: Db) {
    let user = testing::user(&db, "a@example.org", Role::Admin).await;
    let admin = Actor::prove(&user, Permission::Settings).unwrap();
    let steps = look(&db, &admin, false).await.steps;
    assert_eq!(steps[..2], [(Step::Relay, false), (Step::Sender, false)]);
    let real = EmailAddress::parse("news@example.org").unwrap();
    let service = Service { catching: false, from: &real, relays: None };
    let steps = overview(&db, &admin, false, service, now()).await.unwrap().steps;
    assert_eq!(steps[..2], [(Step::Relay, true), (Step::Sender, true)]);
}

async fn each_sees_their_own_and_managers_all(db: Db) {
    let (owner, other) = (actor(&db, "a@example.org").await, actor(&db, "b@example.org").await);
    let manager = manager(&db).await;
    for of in [&owner, &other] {
        testing::client(&db, of.id, &format!("client-of-{}", of.email), "One", "").await;
        mailing(&db, of, "Ahead", "2026-12-01T00:00", "once").await;
    }
    sent_mailing(&db, &owner, 2).await;
    let titles = |overview: &Overview| -> Vec<String> {
        overview.next.iter().map(|coming| format!("{} {}", coming.mailing.title, coming.mailing.owner)).collect()
    };
    assert_eq!(titles(&look(&db, &other, false).await), ["Ahead "]);
    assert!(look(&db, &other, false).await.running.is_empty());
    assert_eq!(look(&db, &owner, false).await.running.len(), 1);
    let all = look(&db, &manager, true).await;
    assert!(all.oversees && all.steps.is_empty());
    assert_eq!(all.running[0].mailing.owner, "a@example.org");
    assert!(titles(&all).contains(&"Ahead b@example.org".to_owned()), "{:?}", titles(&all));
    assert_eq!(running(&db, &manager, true).await.unwrap().len(), 1);
    for refused in [running(&db, &owner, true).await.map(drop), {
        let from = from();
        let service = Service { catching: true, from: &from, relays: None };
        overview(&db, &owner, true, service, now()).await.map(drop)
    }] {
        assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
    }
}

async fn what_comes_is_in_order_over_all_mailings(db: Db) {
    let owner = actor(&db, "a@example.org").await;
    testing::client(&db, owner.id, "one@example.org", "One", "").await;
    mailing(&db, &owner, "Weekly", "2026-11-24T09:00", "weekly").await;
    mailing(&db, &owner, "Daily", "2026-11-24T08:00", "daily").await;
    let paused = mailing(&db, &owner, "Paused", "2026-11-24T07:00", "daily").await;
    service::pause(&db, &owner, paused, now()).await.unwrap();
    let seen = look(&db, &owner, false).await;
    let next: Vec<String> = seen.next.iter().map(|c| format!("{} {}", c.mailing.title, c.at.format("%d"))).collect();
    assert_eq!(next, ["Daily 24", "Weekly 24", "Daily 25", "Daily 26", "Daily 27", "Daily 28"]);
    assert!(matches!(&seen.attention[..], [Attention::Paused { mailing, .. }] if mailing.title == "Paused"));
}

async fn what_needs_somebody_is_named(db: Db) {
    let (owner, manager) = (actor(&db, "a@example.org").await, manager(&db).await);
    sent_mailing(&db, &owner, 3).await;
    testing::client(&db, owner.id, "more@example.org", "More", "").await;
    let disabled = mailing(&db, &owner, "Disabled", "2026-12-01T00:00", "once").await;
    change(&db, "UPDATE runs SET state = 'done', waiting = 0, sent = 1, unknown = 2").await;
    change(
        &db,
        &format!("UPDATE mailings SET disabled_at = created_at, disabled_reason = 'Spam' WHERE id = {disabled}"),
    )
    .await;
    change(&db, "UPDATE users SET letters_max = 5").await;
    change(&db, &format!("INSERT INTO letter_days (owner_id, day, n) VALUES ({}, '2026-11-23', 5)", owner.id)).await;
    for (actor, all) in [(&owner, false), (&manager, true)] {
        let seen = look(&db, actor, all).await;
        let [Attention::Limit { owner: whose, held }, Attention::Disabled { reason, .. }, Attention::Unknown { n, .. }] =
            &seen.attention[..]
        else {
            panic!("{:?}", seen.attention)
        };
        assert_eq!((whose.as_str(), held.limit), (if all { "a@example.org" } else { "" }, 5));
        assert_eq!((reason.as_str(), *n), ("Spam", 2));
        assert_eq!(seen.last.len(), 1);
        assert_eq!(seen.days.len(), usize::try_from(DAYS).unwrap());
        assert_eq!(seen.days.last().unwrap(), &("2026-11-23".parse().unwrap(), 5));
        assert_eq!(seen.days[0].1, 0);
    }
    let other = actor(&db, "b@example.org").await;
    assert_eq!(look(&db, &other, false).await.attention, []);
}

/// One run of each mailing, its newest, and none of another's.
async fn the_last_results_are_one_for_each_mailing(db: Db) {
    let owner = actor(&db, "a@example.org").await;
    testing::client(&db, owner.id, "one@example.org", "One", "").await;
    let first = mailing(&db, &owner, "First", NOW, "daily").await;
    let second = mailing(&db, &owner, "Second", NOW, "daily").await;
    let mut tx = db.begin().await.unwrap();
    let mut newest = Vec::new();
    for (mailing, day) in [(first, 1), (second, 1), (first, 2), (second, 2)] {
        let at = now() + TimeDelta::days(day);
        newest.push(testing::open_run(&mut tx, mailing, owner.id, at).await);
    }
    tx.commit().await.unwrap();
    change(&db, "UPDATE runs SET state = 'done', waiting = 0, sent = 1").await;
    for (actor, all) in [(&owner, false), (&manager(&db).await, true)] {
        let last = look(&db, actor, all).await.last;
        let seen: Vec<i64> = last.iter().map(|of| of.run.id).collect();
        assert_eq!(seen, [newest[3], newest[2]], "{all}");
    }
}

testing::on_both!(
    the_first_steps_are_ticked_one_by_one,
    an_administrator_has_two_steps_more,
    each_sees_their_own_and_managers_all,
    what_comes_is_in_order_over_all_mailings,
    what_needs_somebody_is_named,
    the_last_results_are_one_for_each_mailing,
);
