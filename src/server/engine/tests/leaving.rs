//! Those who leave while a run is under way.

use super::*;
use crate::domain::suppression::{NO_TOPIC, Reason, Source};
use crate::server::db::suppressions::{self, Added, NewEntry};
use crate::server::db::{addressees, on_tx};

impl World {
    fn entry<'a>(&self, email: &'a EmailAddress, delivery: Option<i64>) -> NewEntry<'a> {
        NewEntry {
            owner: self.actor.id,
            email,
            topic: NO_TOPIC,
            reason: Reason::Unsubscribed,
            source: Source::OneClick,
            since: self.clock.now(),
            until: None,
            evidence: "",
            actor: "",
            delivery,
        }
    }

    async fn leave(&self, email: &str, delivery: Option<i64>) -> Added {
        let email = EmailAddress::parse(email).unwrap();
        let mut tx = self.db.begin().await.unwrap();
        let added = suppressions::add(&mut tx, &self.entry(&email, delivery)).await.unwrap();
        tx.commit().await.unwrap();
        added
    }

    async fn sql(&self, sql: &'static str) {
        let mut tx = self.db.begin().await.unwrap();
        on_tx!(&mut tx, conn => sqlx::query(sql).execute(conn).await.map(drop)).unwrap();
        tx.commit().await.unwrap();
    }

    async fn reason_of(&self, run: i64, email: &str) -> (DeliveryState, String) {
        let (row, _) = self.record(run).await.remove(email).unwrap();
        (row.state, row.reason)
    }
}

const LEFT: &str = "suppressed_unsubscribed";

async fn what_is_in_hand_of_those_who_leave_is_not_sent(db: Db) {
    let mut world = World::of(db, 30, "*@* dot delay 1800ms").await;
    let id = world.mailing("now", TOMORROW, "once", "resend").await;
    let leave = async {
        while world.engine.recorder.commits() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        let emails: Vec<EmailAddress> = emails(30).iter().map(|email| EmailAddress::parse(email).unwrap()).collect();
        let mut tx = world.db.begin().await.unwrap();
        for email in &emails {
            assert_eq!(suppressions::add(&mut tx, &world.entry(email, None)).await.unwrap(), Added::New);
        }
        tx.commit().await.unwrap();
        // An arm is good for 0.1 s.
        tokio::time::sleep(Duration::from_millis(150)).await;
        usize::try_from(world.sink.accepted()).unwrap()
    };
    let (passed, before) = tokio::join!(world.engine.pass(None), leave);
    passed.unwrap();
    // What each of the three connections was sending; all others were claimed, some of them armed ahead. A busy machine may
    // have sent some before they had all left.
    let arrived = world.arrived().len();
    assert!((1..30).contains(&arrived) && arrived - before <= 3, "{arrived} of 30, {before} before");
    let run = world.runs(id).await.remove(0);
    world.counters_are_true(&run).await;
    assert_eq!((run.state, run.counts.not_sent), (RunState::Done, 30 - arrived as i64));
    let not_sent = deliveries::list(&world.db, run.id, Some(DeliveryState::NotSent), "", 0, 100).await.unwrap();
    assert!(not_sent.iter().all(|row| row.reason == LEFT), "{not_sent:?}");
    assert_eq!(world.status(id).await, MailingStatus::Finished);
}

async fn a_claim_asks_for_who_left_while_the_run_was_being_opened(db: Db) {
    let mut world = World::new(db, &FOUR, "").await;
    let id = world.mailing("now", TOMORROW, "once", "resend").await;
    world.engine.open_due(None).await.unwrap();
    let run = world.runs(id).await.remove(0).id;
    // The entry was stored and the run opened, and neither saw the other.
    world.leave("b@example.org", None).await;
    world.sql("UPDATE deliveries SET state = 'pending', reason = '' WHERE email = 'b@example.org'").await;
    world.sql("UPDATE runs SET waiting = waiting + 1, not_sent = not_sent - 1").await;
    world.engine.pass(None).await.unwrap();
    assert_eq!(world.arrived().into_keys().collect::<Vec<_>>(), ["a@example.org", "c@example.org", "d@example.org"]);
    assert_eq!(world.reason_of(run, "b@example.org").await, (DeliveryState::NotSent, LEFT.to_owned()));
    let run = world.runs(id).await.remove(0);
    world.counters_are_true(&run).await;
    assert_eq!(run.state, RunState::Done);
}

async fn a_run_of_nobody_but_those_who_left_meanwhile_is_over(db: Db) {
    let world = World::new(db, &["a@example.org"], "").await;
    let id = world.mailing("now", TOMORROW, "once", "resend").await;
    world.engine.open_due(None).await.unwrap();
    world.leave("a@example.org", None).await;
    world.sql("UPDATE deliveries SET state = 'pending', reason = ''").await;
    world.sql("UPDATE runs SET waiting = 1, not_sent = 0, state = 'open', finished_at = NULL").await;
    world.engine.pass(None).await.unwrap();
    let run = world.runs(id).await.remove(0);
    assert_eq!((run.state, run.counts.not_sent), (RunState::Done, 1));
    assert_eq!(world.status(id).await, MailingStatus::Finished);
}

async fn who_leaves_by_a_letter_leaves_with_the_address_it_went_to(db: Db) {
    let mut world = World::new(db, &FOUR, "*@* rcpt reply 451 4.7.1 Later times=1").await;
    let id = world.mailing("now", TOMORROW, "once", "resend").await;
    world.engine.pass(None).await.unwrap();
    let run = world.runs(id).await.remove(0).id;
    let record = world.record(run).await;
    let delivery = record["a@example.org"].0.id;
    // Its client has another address by now, and one whose client is gone leaves by a letter of before.
    world.sql("UPDATE clients SET email = 'new@example.org', email_key = 'new@example.org', address_key = 'new@example.org' WHERE email = 'a@example.org'").await;
    world.sql("DELETE FROM clients WHERE email = 'b@example.org'").await;
    let whose = addressees::of(&world.db, delivery).await.unwrap().unwrap();
    assert_eq!((whose.email.as_str(), whose.owner, whose.run), ("a@example.org", world.actor.id, Some(run)));
    world.leave("a@example.org", Some(delivery)).await;
    world.leave("B@example.org", Some(record["b@example.org"].0.id)).await;
    for email in ["a@example.org", "b@example.org"] {
        assert_eq!(world.reason_of(run, email).await, (DeliveryState::NotSent, LEFT.to_owned()), "{email}");
    }
    world.clock.advance(TimeDelta::hours(1));
    world.engine.pass(None).await.unwrap();
    assert_eq!(world.arrived().into_keys().collect::<Vec<_>>(), ["c@example.org", "d@example.org"]);
    world.counters_are_true(&world.runs(id).await[0]).await;
}

async fn a_letter_names_its_recipient_after_its_mailing_is_deleted(db: Db) {
    let world = World::new(db, &["a@example.org", "b@example.org"], "b@* rcpt reply 451 4.7.1 Later").await;
    let id = world.mailing("now", TOMORROW, "once", "resend").await;
    let other = world.mailing("2026-11-23T18:00", TOMORROW, "once", "resend").await;
    world.engine.pass(None).await.unwrap();
    let run = world.runs(id).await.remove(0).id;
    let of = world.record(run).await["a@example.org"].0.id;
    let before = addressees::of(&world.db, of).await.unwrap().unwrap();
    let now = world.clock.now();
    for mailing in [id, other] {
        service::delete(&world.db, &world.actor, mailing, now).await.unwrap();
    }
    world.sql("DELETE FROM clients").await;
    let after = addressees::of(&world.db, of).await.unwrap().unwrap();
    assert_eq!(after, addressees::Addressee { run: None, ..before });
    assert_eq!(world.leave(after.email.as_str(), Some(of)).await, Added::New);
    // Years later it may be forgotten; nobody is an addressee whose account is gone.
    let forget = async |before| {
        let mut tx = world.db.begin().await.unwrap();
        let gone = addressees::forget_old(&mut tx, before, 10).await.unwrap();
        tx.commit().await.unwrap();
        gone
    };
    assert_eq!(forget(now).await, 0);
    world.sql("UPDATE users SET deleted_at = created_at").await;
    assert_eq!(addressees::of(&world.db, of).await.unwrap(), None);
    assert_eq!(forget(now + TimeDelta::seconds(1)).await, 2);
}

testing::on_both!(
    what_is_in_hand_of_those_who_leave_is_not_sent,
    a_claim_asks_for_who_left_while_the_run_was_being_opened,
    a_run_of_nobody_but_those_who_left_meanwhile_is_over,
    who_leaves_by_a_letter_leaves_with_the_address_it_went_to,
    a_letter_names_its_recipient_after_its_mailing_is_deleted,
);
