//! What keeps one bad address, one bad message or one deadly letter from doing more harm.

use super::super::deliver::REFUSED_IN_A_ROW;
use super::*;
use crate::domain::mailing::PauseReason;
use crate::domain::mass_mail::FEW;
use crate::domain::suppression::Source;
use crate::forms::decisions::DecisionForm;
use crate::forms::suppressions::LiftForm;
use crate::server::db::suppressions;
use crate::server::services::clients as people;
use crate::server::services::clients::Listing;
use crate::server::services::suppressions as ledger;

impl World {
    async fn only(&self, mailing: i64) -> Run {
        self.runs(mailing).await.remove(0)
    }

    async fn state_of(&self, run: i64, email: &str) -> (DeliveryState, String, usize) {
        let (row, attempts) = self.record(run).await.remove(email).unwrap();
        (row.state, row.reason, attempts.len())
    }
}

async fn an_address_that_does_not_exist_is_left_out(db: Db) {
    use DeliveryState::{Failed, NotSent, Sent};
    let faults = "bad@* rcpt reply 550 5.1.1 No such user\nrules@* rcpt reply 550 5.7.1 Not from you";
    let emails = ["bad@example.org", "rules@example.org", "good@example.org"];
    let mut world = World::new(db, &emails, faults).await;
    let first = world.mailing("now", TOMORROW, "once", "resend").await;
    world.engine.pass(None).await.unwrap();
    assert_eq!(world.only(first).await.counts.failed, 2);
    let second = world.mailing("now", TOMORROW, "once", "resend").await;
    world.engine.pass(None).await.unwrap();
    let run = world.only(second).await;
    assert_eq!((run.state, run.counts.total()), (RunState::Done, 3));
    assert_eq!(world.state_of(run.id, "bad@example.org").await, (NotSent, "suppressed_hard_bounce".to_owned(), 0));
    assert_eq!(world.state_of(run.id, "rules@example.org").await.0, Failed, "rules change; addresses do not");
    world.counters_are_true(&run).await;
    // Its owner sees why, and decides.
    let clients = people::list(&world.db, &world.actor, &Listing::new("bad@", "", "")).await.unwrap();
    let bad = clients.rows[0].id;
    let found = ledger::of_client(&world.db, &world.actor, bad, noon()).await.unwrap().remove(0);
    assert!(found.since == noon() && found.evidence.contains("No such user"), "{found:?}");
    assert!(suppressions::get(&world.db, world.actor.id + 1, found.id).await.unwrap().is_none());
    let lift = LiftForm { id: found.id, reason: "The mailbox is back".into(), client: bad };
    ledger::lift(&world.db, &world.actor, Source::Owner, &lift, noon()).await.unwrap();
    assert!(ledger::of_client(&world.db, &world.actor, bad, noon()).await.unwrap().is_empty());
    let third = world.mailing("now", TOMORROW, "once", "resend").await;
    world.engine.pass(None).await.unwrap();
    let run = world.only(third).await;
    assert_eq!(world.state_of(run.id, "bad@example.org").await.2, 1, "it is tried again");
    assert_eq!(world.state_of(run.id, "good@example.org").await.0, Sent);
    assert_eq!(world.arrived().values().sum::<usize>(), 3);
}

async fn other_open_runs_leave_a_bad_address_out_too(db: Db) {
    let faults = "bad@* rcpt reply 451 4.7.1 Later times=1\nbad@* rcpt reply 550 5.1.1 No such user";
    let world = World::new(db, &["bad@example.org", "good@example.org"], faults).await;
    let first = world.mailing("now", TOMORROW, "once", "resend").await;
    world.engine.pass(Some(first)).await.unwrap();
    assert_eq!(world.only(first).await.counts.deferred, 1);
    let second = world.mailing("now", TOMORROW, "once", "resend").await;
    world.engine.pass(Some(second)).await.unwrap();
    assert_eq!(world.only(second).await.counts.failed, 1);
    let run = world.only(first).await;
    assert_eq!((run.state, run.counts.not_sent, run.counts.sent), (RunState::Done, 1, 1));
    assert_eq!(world.status(first).await, MailingStatus::Finished);
    world.counters_are_true(&run).await;
}

async fn a_run_of_bad_addresses_alone_is_over_at_once(db: Db) {
    let world = World::new(db, &["bad@example.org"], "bad@* rcpt reply 550 5.1.1 No such user").await;
    world.mailing("now", TOMORROW, "once", "resend").await;
    world.engine.pass(None).await.unwrap();
    let second = world.mailing("now", TOMORROW, "once", "resend").await;
    world.engine.pass(None).await.unwrap();
    let run = world.only(second).await;
    assert_eq!((run.state, run.counts.not_sent, run.counts.total()), (RunState::Done, 1, 1));
    assert_eq!(world.status(second).await, MailingStatus::Finished);
}

fn many(prefix: &str, count: u32) -> Vec<String> {
    (0..count).map(|n| format!("{prefix}{n}@example.org")).collect()
}

async fn many_refused_letters_in_a_row_pause_the_mailing(db: Db) {
    let emails = many("c", REFUSED_IN_A_ROW + 150);
    let emails: Vec<&str> = emails.iter().map(String::as_str).collect();
    let world = World::new(db, &emails, "*@* dot reply 554 5.7.1 Looks like spam").await;
    let id = world.mailing("now", TOMORROW, "once", "resend").await;
    world.engine.pass(None).await.unwrap();
    let mailing = mailings::by_id(&world.db, id).await.unwrap().unwrap();
    assert!(mailing.paused_at.is_some());
    assert_eq!(mailing.paused_reason, PauseReason::LettersRefused.as_str());
    assert!(mailing.paused_reply.contains("Looks like spam"), "{}", mailing.paused_reply);
    assert_eq!(world.engine.summary().paused, 1);
    let run = world.only(id).await;
    // Those under way on other connections may come on top.
    assert!((50..150).contains(&run.counts.failed) && run.counts.waiting > 50, "{:?}", run.counts);
    world.counters_are_true(&run).await;
    service::resume(&world.db, &world.actor, id).await.unwrap();
    let mailing = mailings::by_id(&world.db, id).await.unwrap().unwrap();
    assert_eq!((mailing.paused_at, mailing.paused_reason.as_str()), (None, ""));
}

/// However many are put off, nobody has to end a pause: the mail server rests for a while, and in the end all is sent.
async fn rests_and_pauses_nothing(db: Db, fault: &str, word: &str) {
    let emails = many("c", 60);
    let mut world = World::new(db, &emails.iter().map(String::as_str).collect::<Vec<_>>(), fault).await;
    let id = world.mailing("now", "2026-12-20T12:00:00Z", "once", "resend").await;
    world.engine.pass(Some(id)).await.unwrap();
    let run = world.only(id).await;
    // The others keep their place.
    assert!((10..30).contains(&run.counts.deferred) && run.counts.waiting > 30, "{:?}", run.counts);
    let trouble = world.engine.summary().relay_trouble.unwrap();
    assert!(trouble.contains(word), "{trouble}");
    for _ in 0..40 {
        world.clock.advance(TimeDelta::minutes(2));
        world.engine.pass(Some(id)).await.unwrap();
    }
    let mailing = mailings::by_id(&world.db, id).await.unwrap().unwrap();
    assert_eq!((mailing.paused_at, world.only(id).await.counts.sent), (None, 60));
    assert_eq!((world.engine.summary().paused, world.engine.summary().relay_trouble), (0, None));
    assert!(world.arrived().values().all(|letters| *letters == 1));
}

async fn many_letters_put_off_at_the_dot_pause_nothing(db: Db) {
    rests_and_pauses_nothing(db, "*@* dot reply 451 4.7.1 Try again later times=1", "Try again later").await;
}

async fn many_recipients_put_off_pause_nothing(db: Db) {
    rests_and_pauses_nothing(db, "*@* rcpt reply 450 4.7.1 Rate limit exceeded times=1", "Rate limit").await;
}

async fn many_letters_put_off_before_their_text_pause_nothing(db: Db) {
    rests_and_pauses_nothing(db, "*@* data reply 451 4.3.2 Too much mail times=1", "Too much mail").await;
}

/// Each is told for themselves: all are asked in one pass.
async fn recipients_who_are_put_off_slow_nothing_down(db: Db) {
    let emails = many("c", 60);
    let emails: Vec<&str> = emails.iter().map(String::as_str).collect();
    let world = World::new(db, &emails, "*@* rcpt reply 450 4.7.1 Greylisted times=1").await;
    let id = world.mailing("now", TOMORROW, "once", "resend").await;
    world.engine.pass(Some(id)).await.unwrap();
    assert_eq!(world.only(id).await.counts.deferred, 60);
    assert_eq!(world.engine.summary().relay_trouble, None);
}

async fn many_senders_put_off_pause_nothing(db: Db) {
    rests_and_pauses_nothing(db, "connection mail reply 454 4.7.0 Throttling times=25", "Throttling").await;
}

async fn letters_that_are_taken_in_between_break_the_row(db: Db) {
    // Enough of both kinds, and mixed: in whatever order they are claimed, the row never gets long.
    let emails: Vec<String> = [many("a", 40), many("ok", 40), many("b", 40)].concat();
    let mixed = (0..40).flat_map(|n| [n, n + 40, n + 80]).map(|n| emails[n].as_str());
    let world = World::new(db, &mixed.collect::<Vec<_>>(), "a*@* dot reply 554 No\nb*@* dot reply 451 Later").await;
    let id = world.mailing("now", TOMORROW, "once", "resend").await;
    world.engine.pass(None).await.unwrap();
    let run = world.only(id).await;
    assert_eq!((run.counts.failed, run.counts.sent, run.counts.deferred), (40, 40, 40));
    assert!(mailings::by_id(&world.db, id).await.unwrap().unwrap().paused_at.is_none());
}

/// A process that dies with deliveries claimed, the first of them in hand and handed over or not.
async fn dies(world: &World, run: i64, nth: usize, armed: bool) {
    let (now, lease) = (world.clock.now(), format!("deaddeaddeaddea{nth}-1"));
    let mut tx = world.db.begin().await.unwrap();
    let claimed = claims::claim(&mut tx, run, &lease, now + TimeDelta::hours(1), now, 10).await.unwrap();
    assert!(!claimed.is_empty());
    let deadly = claimed.iter().find(|claimed| claimed.email == FOUR[0]).unwrap();
    if deadly.crashes > 0 {
        processes::in_hand(&mut tx, deadly.id, &lease).await.unwrap();
    }
    tx.commit().await.unwrap();
    if armed {
        let mut tx = world.db.begin().await.unwrap();
        let sql = "UPDATE deliveries SET state = 'armed', lease = $2 WHERE id = $1";
        on_tx!(&mut tx, conn => sqlx::query(sql).bind(deadly.id).bind(&lease).execute(conn).await.map(drop)).unwrap();
        tx.commit().await.unwrap();
    }
    world.engine.recover().await.unwrap();
}

async fn given_up_after(db: Db, deaths: usize, armed: bool, end: (DeliveryState, &str)) {
    let mut world = World::new(db, &FOUR, "").await;
    let id = world.mailing("now", TOMORROW, "once", "resend").await;
    world.engine.open_due(Some(id)).await.unwrap();
    let run = world.only(id).await.id;
    for nth in 0..deaths {
        assert!(!world.state_of(run, FOUR[0]).await.0.is_final(), "death {nth}");
        dies(&world, run, nth, armed).await;
    }
    let (state, reason, _) = world.state_of(run, FOUR[0]).await;
    assert_eq!((state, reason.as_str()), end);
    world.engine.pass(Some(id)).await.unwrap();
    let run = world.only(id).await;
    assert_eq!((run.state, run.counts.sent, run.counts.failed + run.counts.unknown), (RunState::Done, 3, 1));
    world.counters_are_true(&run).await;
    assert_eq!(world.arrived().len(), 3);
}

async fn a_delivery_that_kills_is_given_up_and_the_others_are_not(db: Db) {
    // Claimed, in hand with others, and three times alone.
    given_up_after(db, 5, false, (DeliveryState::Failed, "quarantined")).await;
}

async fn one_that_kills_when_it_is_handed_over_is_sent_twice_more_and_then_unknown(db: Db) {
    given_up_after(db, 3, true, (DeliveryState::Unknown, "")).await;
}

/// However the answer gets lost, and whatever else comes in between.
async fn nobody_gets_more_than_two_copies_of_a_letter_whose_fate_is_unknown(db: Db) {
    use DeliveryState::{Deferred, Sent, Unknown};
    const FAULTS: &str = "lost@* dot drop-after
        odd@* dot garbage
        mixed@* dot drop-after times=1
        mixed@* rcpt reply 451 Later times=3
        mixed@* dot drop-after times=2
        once@* dot drop-after times=2";
    let emails = ["lost@example.org", "odd@example.org", "mixed@example.org", "once@example.org"];
    let mut world = World::new(db, &emails, FAULTS).await;
    let id = world.mailing("now", "2026-12-20T12:00:00Z", "once", "resend").await;
    for _ in 0..10 {
        world.engine.pass(None).await.unwrap();
        world.clock.advance(TimeDelta::hours(5));
    }
    let run = world.only(id).await;
    let mut arrived = world.arrived();
    // What is answered with garbage has not arrived here, which nobody can know.
    for (email, state, attempts, letters) in [
        (emails[0], Unknown, 3, Some(3)),
        (emails[1], Unknown, 3, None),
        (emails[2], Unknown, 6, Some(3)),
        (emails[3], Sent, 3, Some(3)),
    ] {
        let (now, _, tried) = world.state_of(run.id, email).await;
        assert_eq!((now, tried, arrived.remove(email)), (state, attempts, letters), "{email}");
    }
    assert_eq!((run.state, run.counts.unknown), (RunState::Done, 3));
    // Somebody has one sent once more: that is one copy, and not three.
    let (lost, _) = world.record(run.id).await.remove(emails[0]).unwrap();
    let form = DecisionForm { mailing: id, delivery: lost.id, verdict: "resend".into(), ..DecisionForm::default() };
    service::decide(&world.db, &world.actor, &form, world.clock.now()).await.unwrap();
    assert_eq!(world.state_of(run.id, emails[0]).await.0, Deferred);
    for _ in 0..3 {
        world.engine.pass(None).await.unwrap();
        world.clock.advance(TimeDelta::hours(5));
    }
    assert_eq!((world.state_of(run.id, emails[0]).await.0, world.arrived().remove(emails[0])), (Unknown, Some(1)));
    world.counters_are_true(&world.only(id).await).await;
}

/// One that goes alone loses its place at the mail server while the places of all others wait for it to be done.
async fn one_that_goes_alone_waits_for_nobody_who_waits_for_it(db: Db) {
    let world = World::new(db, &FOUR, "connection=1 greeting silence").await;
    let id = world.mailing("now", TOMORROW, "once", "resend").await;
    world.engine.open_due(Some(id)).await.unwrap();
    let mut tx = world.db.begin().await.unwrap();
    let sql = "UPDATE deliveries SET crashes = $1";
    on_tx!(&mut tx, conn => sqlx::query(sql).bind(processes::ALONE_FROM).execute(conn).await.map(drop)).unwrap();
    tx.commit().await.unwrap();
    let passed = tokio::time::timeout(Duration::from_secs(30), world.engine.pass(Some(id))).await;
    passed.expect("they wait for each other").unwrap();
    assert_eq!(world.only(id).await.counts.sent, 4);
}

/// All faults that need no patience, mixed at random: every delivery comes to a final state with a reason,
/// and the mail server's word agrees with the record.
async fn faults_mixed_at_random_leave_nobody_without_an_end(db: Db) {
    const FAULTS: &str = "seed 7
        bad*@* rcpt reply 550 5.1.1 No such user
        rate=4% rcpt reply 451 4.7.1 Greylisted
        rate=3% rcpt reply 552 5.2.2 Too many
        rate=2% rcpt reply 550 5.7.1 Rules
        rate=2% data reply 451 Busy
        rate=2% body drop
        rate=2% rcpt garbage
        rate=1% mail endless
        rate=2% dot reply 452 4.3.1 Full
        rate=2% dot reply 299 Taken
        rate=2% dot drop-after
        rate=1% dot drop
        rate=1% dot garbage
        every=100 mail reply 421 4.3.2 Enough
        connection close-after 20";
    let emails = [many("c", 280), many("bad", 20)].concat();
    let mut emails: Vec<&str> = emails.iter().map(String::as_str).collect();
    emails.push("почта@example.org");
    let mut world = World::new(db, &emails, FAULTS).await;
    let id = world.mailing("now", "2026-12-20T12:00:00Z", "once", "resend").await;
    for _ in 0..400 {
        world.engine.pass(None).await.unwrap();
        if world.status(id).await == MailingStatus::Finished {
            break;
        }
        world.clock.advance(TimeDelta::minutes(2));
    }
    let run = world.only(id).await;
    assert_eq!((run.state, run.counts.total(), run.counts.finals()), (RunState::Done, 301, 301));
    world.counters_are_true(&run).await;
    let arrived = world.arrived();
    for (email, (row, attempts)) in world.record(run.id).await {
        let letters = arrived.get(&email).copied().unwrap_or_default();
        let doubts = attempts.iter().filter(|attempt| attempt.status == AttemptStatus::Unknown).count();
        let last = attempts.last().expect("a final state without an attempt");
        assert!(last.code.is_some() || !last.reply.is_empty(), "{email}: no reason");
        match row.state {
            DeliveryState::Sent => assert!((1..=1 + doubts).contains(&letters), "{email}: {letters} of {attempts:?}"),
            DeliveryState::Failed => assert!(letters <= doubts, "{email} got {letters}: {attempts:?}"),
            DeliveryState::Unknown => assert!(doubts == 3 && letters <= 3, "{email} got {letters}: {attempts:?}"),
            other => panic!("{email} ended as {other:?}"),
        }
    }
}

async fn mass_mail_waits_for_a_page_to_leave_by(db: Db) {
    let few = usize::try_from(FEW).unwrap();
    let mut world = World::of(db, few + 1, "").await;
    let relays = pool(&world.db, &world.clock, &world.sink.addr().to_string());
    let engine = |site: &str| {
        let config = EngineConfig { site: site.to_owned(), ..config() };
        Engine::new(world.db.clone(), world.clock.clone(), config, relays.clone(), CancellationToken::new())
    };
    let (nowhere, somewhere) = (engine("http://127.0.0.1:3000"), engine("https://mail.example.org"));
    let id = world.mailing("now", TOMORROW, "once", "resend").await;
    nowhere.pass(None).await.unwrap();
    let paused = || async { mailings::by_id(&world.db, id).await.unwrap().unwrap() };
    assert_eq!(paused().await.paused_reason, PauseReason::NoPublicAddress.as_str());
    // Resuming it changes nothing before there is one.
    service::resume(&world.db, &world.actor, id).await.unwrap();
    nowhere.pass(None).await.unwrap();
    assert!(paused().await.paused_at.is_some() && world.sink.accepted() == 0);
    service::resume(&world.db, &world.actor, id).await.unwrap();
    somewhere.pass(None).await.unwrap();
    assert_eq!((world.arrived().len(), world.runs(id).await[0].counts.sent), (few + 1, FEW + 1));
}

async fn a_few_letters_need_no_page(db: Db) {
    let mut world = World::of(db, usize::try_from(FEW).unwrap(), "").await;
    let config = EngineConfig { site: "http://127.0.0.1:3000".to_owned(), ..config() };
    let relays = pool(&world.db, &world.clock, &world.sink.addr().to_string());
    world.engine = Engine::new(world.db.clone(), world.clock.clone(), config, relays, CancellationToken::new());
    let id = world.mailing("now", TOMORROW, "once", "resend").await;
    world.engine.pass(None).await.unwrap();
    assert_eq!(world.runs(id).await[0].counts.sent, FEW);
}

testing::on_both!(
    an_address_that_does_not_exist_is_left_out,
    other_open_runs_leave_a_bad_address_out_too,
    mass_mail_waits_for_a_page_to_leave_by,
    a_few_letters_need_no_page,
    a_run_of_bad_addresses_alone_is_over_at_once,
    many_refused_letters_in_a_row_pause_the_mailing,
    many_letters_put_off_at_the_dot_pause_nothing,
    many_letters_put_off_before_their_text_pause_nothing,
    many_recipients_put_off_pause_nothing,
    recipients_who_are_put_off_slow_nothing_down,
    many_senders_put_off_pause_nothing,
    letters_that_are_taken_in_between_break_the_row,
    a_delivery_that_kills_is_given_up_and_the_others_are_not,
    one_that_kills_when_it_is_handed_over_is_sent_twice_more_and_then_unknown,
    nobody_gets_more_than_two_copies_of_a_letter_whose_fate_is_unknown,
    one_that_goes_alone_waits_for_nobody_who_waits_for_it,
    faults_mixed_at_random_leave_nobody_without_an_end,
);
