//! The service's own letters against a real database of either kind and the built-in mail server.

use super::tests::{engine, noon};
use crate::domain::email::EmailAddress;
use crate::domain::lang::Lang;
use crate::server::clock::ManualClock;
use crate::server::db::outgoing::{self, NewOutgoing};
use crate::server::db::{Db, testing};
use crate::server::services::letters::{Origin, Own, Subject, enqueue};
use crate::server::sink::{CaughtLetter, Scenario, Sink, SinkConfig};
use chrono::TimeDelta;
use std::sync::Arc;
use tokio::sync::mpsc::{self, Receiver};

async fn world(faults: &str) -> (Arc<ManualClock>, Sink, Receiver<CaughtLetter>) {
    let clock = ManualClock::new(noon());
    let (sender, caught) = mpsc::channel(1000);
    let config = SinkConfig { scenario: Scenario::parse(faults).unwrap(), ..SinkConfig::default() };
    (clock.clone(), Sink::start(config, clock, Some(sender)).await.unwrap(), caught)
}

async fn write(db: &Db, email: &str) {
    let from = EmailAddress::parse("service@vestnik.example").unwrap();
    let origin = Origin { from: &from, site: "https://vestnik.example" };
    let own = Own {
        subject: Subject::Confirm,
        name: "Анна *Ким*",
        email,
        lang: Lang::Ru,
        args: &[("link", "https://vestnik.example/confirm?token=x")],
        expires_at: noon() + TimeDelta::hours(1),
    };
    let mut tx = db.begin().await.unwrap();
    enqueue(&mut tx, origin, &own, noon()).await.unwrap();
    tx.commit().await.unwrap();
}

fn arrived(caught: &mut Receiver<CaughtLetter>) -> Vec<String> {
    let mut all = Vec::new();
    while let Ok(letter) = caught.try_recv() {
        all.extend(letter.recipients);
    }
    all.sort();
    all
}

async fn tries_again_and_outlives_a_restart(db: Db) {
    let (clock, sink, mut caught) =
        world("grey@* rcpt reply 451 4.7.1 Later times=2\nbad@* rcpt reply 550 5.1.1 No").await;
    let addr = sink.addr().to_string();
    for email in ["grey@example.org", "bad@example.org", "good@example.org"] {
        write(&db, email).await;
    }
    engine(&db, &clock, &addr).own_letters().await.unwrap();
    assert_eq!(arrived(&mut caught), ["good@example.org"]);
    // Another process takes up what the first one left.
    let again = engine(&db, &clock, &addr);
    again.own_letters().await.unwrap();
    assert!(arrived(&mut caught).is_empty(), "not before the wait is over");
    clock.advance(TimeDelta::seconds(6));
    again.own_letters().await.unwrap();
    clock.advance(TimeDelta::seconds(6));
    again.own_letters().await.unwrap();
    assert!(arrived(&mut caught).is_empty(), "the second wait is longer");
    clock.advance(TimeDelta::seconds(25));
    again.own_letters().await.unwrap();
    assert_eq!(arrived(&mut caught), ["grey@example.org"]);
    assert_eq!(outgoing::next_due(&db).await.unwrap(), None, "nothing is kept of what was taken or refused");
}

/// One that tells something is not sent again where it may have left, and is where it has not.
async fn what_must_not_arrive_twice_is_tried_until_it_may_have_left(db: Db) {
    let (clock, sink, mut caught) =
        world("early@* rcpt drop times=1\nlater@* dot reply 451 Later times=1\nlate@* dot drop times=1").await;
    let from = EmailAddress::parse("service@vestnik.example").unwrap();
    let origin = Origin { from: &from, site: "https://vestnik.example" };
    let mut tx = db.begin().await.unwrap();
    for email in ["early@example.org", "later@example.org", "late@example.org"] {
        let own = Own {
            subject: Subject::RunEnded,
            name: "Anna",
            email,
            lang: Lang::En,
            args: &[("title", "News"), ("outcome", "1 of 1 sent"), ("link", "https://vestnik.example/mailings/1")],
            expires_at: noon() + TimeDelta::hours(1),
        };
        enqueue(&mut tx, origin, &own, noon()).await.unwrap();
    }
    tx.commit().await.unwrap();
    let engine = engine(&db, &clock, &sink.addr().to_string());
    engine.own_letters().await.unwrap();
    assert!(arrived(&mut caught).is_empty());
    clock.advance(TimeDelta::seconds(6));
    engine.own_letters().await.unwrap();
    assert_eq!(arrived(&mut caught), ["early@example.org", "later@example.org"]);
    assert_eq!(outgoing::next_due(&db).await.unwrap(), None);
}

async fn two_processes_send_each_letter_once(db: Db) {
    let (clock, sink, mut caught) = world("").await;
    let addr = sink.addr().to_string();
    let emails: Vec<String> = (0..60).map(|n| format!("c{n:02}@example.org")).collect();
    for email in &emails {
        write(&db, email).await;
    }
    let (one, two) = (engine(&db, &clock, &addr), engine(&db, &clock, &addr));
    let (one, two) = tokio::join!(one.own_letters(), two.own_letters());
    one.and(two).unwrap();
    assert_eq!(arrived(&mut caught), emails);
}

async fn the_queue_is_bounded_and_forgets_what_is_late(db: Db) {
    let (clock, sink, mut caught) = world("connection connect drop").await;
    let new = NewOutgoing {
        recipient: "a@example.org".into(),
        raw: b"x".to_vec(),
        smtputf8: false,
        expires_at: noon() + TimeDelta::minutes(1),
        once: false,
    };
    let mut tx = db.begin().await.unwrap();
    let mut taken = Vec::new();
    for _ in 0..3 {
        taken.push(outgoing::insert(&mut tx, &new, 2, noon()).await.unwrap());
    }
    tx.commit().await.unwrap();
    assert_eq!(taken, [true, true, false]);
    let engine = engine(&db, &clock, &sink.addr().to_string());
    engine.own_letters().await.unwrap();
    assert!(outgoing::next_due(&db).await.unwrap().is_some());
    clock.advance(TimeDelta::minutes(2));
    engine.own_letters().await.unwrap();
    assert_eq!(outgoing::next_due(&db).await.unwrap(), None);
    assert!(arrived(&mut caught).is_empty());
}

testing::on_both!(
    tries_again_and_outlives_a_restart,
    two_processes_send_each_letter_once,
    what_must_not_arrive_twice_is_tried_until_it_may_have_left,
    the_queue_is_bounded_and_forgets_what_is_late,
);
