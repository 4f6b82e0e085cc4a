//! The engine against a real database of either kind and the built-in mail server with its faults.

use super::relays::{Pool, PoolConfig, Source};
use super::watch::Watch;
use super::{Engine, EngineConfig};
use crate::domain::delivery::{Attempt, AttemptStatus, DeliveryRow, DeliveryState, Stage};
use crate::domain::design::{BuiltIn, Choice};
use crate::domain::email::EmailAddress;
use crate::domain::mailing::{MailingStatus, Run, RunState};
use crate::domain::report::Tally;
use crate::forms::mailings::MailingForm;
use crate::server::clock::{Clock, ManualClock};
use crate::server::db::messages::Content;
use crate::server::db::records::arm;
use crate::server::db::{Db, attempts, claims, deliveries, mailings, messages, on_tx, processes, runs, testing};
use crate::server::mail::delivery_token::DeliveryTokens;
use crate::server::mail::relay::Relay;
use crate::server::mail::timeouts::Timeouts;
use crate::server::services::testing::actor;
use crate::server::services::{Actor, mailings as service, reports};
use crate::server::sink::{CaughtLetter, Scenario, Sink, SinkConfig};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

mod in_order;
mod leaving;
mod limits;
mod protect;
mod records;
mod returning;
mod unusable;

struct World {
    db: Db,
    clock: Arc<ManualClock>,
    engine: Engine,
    actor: Actor,
    message: i64,
    sink: Sink,
    caught: mpsc::Receiver<CaughtLetter>,
}

pub(super) fn noon() -> DateTime<Utc> {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

/// Addresses of so many clients, in order.
fn emails(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("c{n:02}@example.org")).collect()
}

impl World {
    /// A service with one user, one message, clients, and a mail server that misbehaves as told.
    async fn new(db: Db, emails: &[&str], faults: &str) -> Self {
        let clock = ManualClock::new(noon());
        let (sender, caught) = mpsc::channel(10_000);
        let config = SinkConfig { scenario: Scenario::parse(faults).unwrap(), ..SinkConfig::default() };
        let sink = Sink::start(config, clock.clone(), Some(sender)).await.unwrap();
        let engine = engine(&db, &clock, &sink.addr().to_string());
        let actor = actor(&db, "anna@example.org").await;
        let message = testing::message(&db, actor.id, "For {{ full_name }}", "Hello {{ email }}").await;
        for (n, email) in emails.iter().enumerate() {
            testing::client(&db, actor.id, email, &format!("Client {n}"), "").await;
        }
        Self { db, clock, engine, actor, message, sink, caught }
    }

    /// The same with so many clients, at the addresses of [`emails`].
    async fn of(db: Db, clients: usize, faults: &str) -> Self {
        let emails = emails(clients);
        Self::new(db, &emails.iter().map(String::as_str).collect::<Vec<_>>(), faults).await
    }

    async fn mailing(&self, start: &str, end: &str, period: &str, policy: &str) -> i64 {
        let form = MailingForm {
            message: self.message,
            clients: "all".into(),
            start: start.into(),
            end: end.into(),
            zone: "UTC".into(),
            period: period.into(),
            policy: policy.into(),
            ..MailingForm::default()
        };
        service::create(&self.db, &self.actor, &form, self.clock.now()).await.unwrap()
    }

    async fn runs(&self, mailing: i64) -> Vec<Run> {
        runs::of_mailing(&self.db, mailing, 100).await.unwrap()
    }

    async fn status(&self, mailing: i64) -> MailingStatus {
        mailings::by_id(&self.db, mailing).await.unwrap().unwrap().status
    }

    /// Deliveries of a run with their attempts, by address.
    async fn record(&self, run: i64) -> BTreeMap<String, (DeliveryRow, Vec<Attempt>)> {
        let mut record = BTreeMap::new();
        for row in deliveries::list(&self.db, run, None, "", 0, 10_000).await.unwrap() {
            let attempts = attempts::of_delivery(&self.db, row.id).await.unwrap();
            record.insert(row.email.clone(), (row, attempts));
        }
        record
    }

    /// Letters that arrived, by address.
    fn arrived(&mut self) -> BTreeMap<String, usize> {
        let mut arrived = BTreeMap::new();
        while let Ok(letter) = self.caught.try_recv() {
            for recipient in letter.recipients {
                *arrived.entry(recipient).or_default() += 1;
            }
        }
        arrived
    }

    /// The counters of a run equal its rows.
    async fn counters_are_true(&self, run: &Run) {
        use DeliveryState as D;
        let mut of = HashMap::<D, i64>::new();
        for row in deliveries::list(&self.db, run.id, None, "", 0, 10_000).await.unwrap() {
            *of.entry(row.state).or_default() += 1;
        }
        let sum = |states: &[D]| states.iter().map(|state| of.get(state).copied().unwrap_or_default()).sum::<i64>();
        assert_eq!(run.counts.waiting, sum(&[D::Pending, D::Claimed, D::Armed]));
        for (state, counted) in [
            (D::Deferred, run.counts.deferred),
            (D::Sent, run.counts.sent),
            (D::Failed, run.counts.failed),
            (D::Unknown, run.counts.unknown),
            (D::NotSent, run.counts.not_sent),
        ] {
            assert_eq!(counted, sum(&[state]), "{state:?}");
        }
        // Each list has what its count says.
        for state in D::ALL {
            let rows = deliveries::list(&self.db, run.id, Some(state), "", 0, 10_000).await.unwrap();
            assert!(rows.iter().all(|row| row.state == state), "{state:?}");
            assert_eq!(rows.len() as i64, sum(&[state]), "{state:?}");
            assert_eq!(deliveries::count(&self.db, run.id, Some(state), "").await.unwrap(), sum(&[state]), "{state:?}");
        }
    }
}

fn timeouts() -> Timeouts {
    Timeouts::parse("connect=2s,greeting=2s,ehlo=2s,mail=2s,rcpt=2s,data=2s,body=2s,dot=2s").unwrap()
}

fn secret() -> SecretString {
    "a secret of the tests, long enough".to_owned().into()
}

fn pool(db: &Db, clock: &Arc<ManualClock>, relay: &str) -> Pool {
    let source = Source::Settings(Relay::parse(&format!("smtp://{relay}?tls=none&connections=3")).unwrap());
    Pool::new(db.clone(), clock.clone(), PoolConfig { source, timeouts: timeouts(), hello: None, secret: secret() })
}

fn config() -> EngineConfig {
    EngineConfig {
        timeouts: timeouts(),
        from: EmailAddress::parse("service@vestnik.example").unwrap(),
        secret: secret(),
        retry: vec![Duration::from_secs(300), Duration::from_secs(900)],
        dkim: None,
        returns: None,
        tokens: DeliveryTokens::new(b"a secret of the tests", []),
        site: "https://mail.example.org".to_owned(),
        data_dir: None,
    }
}

pub(super) fn engine(db: &Db, clock: &Arc<ManualClock>, relay: &str) -> Engine {
    Engine::new(db.clone(), clock.clone(), config(), pool(db, clock, relay), CancellationToken::new())
}

const FOUR: [&str; 4] = ["a@example.org", "b@example.org", "c@example.org", "d@example.org"];
const TOMORROW: &str = "2026-11-24T12:00:00Z";

async fn sends_at_once_and_finishes(db: Db) {
    let mut world = World::new(db, &FOUR, "").await;
    let id = world.mailing("now", TOMORROW, "once", "resend").await;
    world.engine.pass(None).await.unwrap();
    let run = world.runs(id).await.remove(0);
    assert_eq!((run.state, run.counts.sent, run.counts.total()), (RunState::Done, 4, 4));
    assert_eq!(world.status(id).await, MailingStatus::Finished);
    assert_eq!(world.arrived().into_values().collect::<Vec<_>>(), [1, 1, 1, 1]);
    let (_, attempts) = &world.record(run.id).await["a@example.org"];
    assert_eq!((attempts.len(), attempts[0].code, attempts[0].stage), (1, Some(250), Stage::Dot));
    world.engine.pass(None).await.unwrap();
    assert_eq!(world.arrived().len(), 0, "a second pass sends nothing");
}

async fn faults_of_one_leave_the_others_alone(db: Db) {
    let emails = ["bad@example.org", "grey@example.org", "cut@example.org", "good1@example.org", "good2@example.org"];
    let faults = "bad@* rcpt reply 550 5.1.1 No such user\n\
                  grey@* rcpt reply 451 4.7.1 Greylisted times=1\n\
                  cut@* rcpt drop times=1";
    let mut world = World::new(db, &emails, faults).await;
    let id = world.mailing("now", TOMORROW, "once", "resend").await;
    world.engine.pass(None).await.unwrap();
    let run = world.runs(id).await.remove(0);
    assert_eq!((run.counts.sent, run.counts.failed, run.counts.deferred), (2, 1, 2));
    world.counters_are_true(&run).await;
    world.engine.pass(None).await.unwrap();
    assert_eq!(world.runs(id).await[0].counts.deferred, 2, "not before the retry time");
    world.clock.advance(TimeDelta::minutes(6));
    world.engine.pass(None).await.unwrap();
    let run = world.runs(id).await.remove(0);
    assert_eq!((run.state, run.counts.sent, run.counts.failed), (RunState::Done, 4, 1));
    world.counters_are_true(&run).await;
    let record = world.record(run.id).await;
    let (bad, attempts) = &record["bad@example.org"];
    assert_eq!((bad.state, attempts.len()), (DeliveryState::Failed, 1));
    assert_eq!((attempts[0].code, attempts[0].enhanced.as_deref()), (Some(550), Some("5.1.1")));
    assert!(attempts[0].reply.contains("No such user"), "{}", attempts[0].reply);
    let (_, grey) = &record["grey@example.org"];
    assert_eq!(grey.iter().map(|a| (a.number, a.code)).collect::<Vec<_>>(), [(1, Some(451)), (2, Some(250))]);
    let (_, cut) = &record["cut@example.org"];
    assert_eq!(cut.iter().map(|a| a.status).collect::<Vec<_>>(), [AttemptStatus::Deferred, AttemptStatus::Sent]);
    let report = reports::report(&world.db, &world.actor, "", "", world.clock.now()).await.unwrap();
    let attempts = report.total.attempts();
    let Tally { sent, deferred, failed, unknown, .. } = report.total;
    assert_eq!((attempts, sent, deferred, failed, unknown), (7, 4, 2, 1, 0));
    assert_eq!((report.days.len(), report.mailings.len(), report.mailings[0].0), (1, 1, id));
    let replies: Vec<_> = report.replies.iter().map(|reply| (reply.code, reply.count)).collect();
    assert!(replies[0] == (Some(250), 4) && replies.len() == 4, "{:?}", report.replies);
    let arrived = world.arrived();
    assert_eq!(arrived.get("bad@example.org"), None);
    assert!(arrived.len() == 4 && arrived.values().all(|n| *n == 1), "{arrived:?}");
}

async fn a_letter_without_an_answer_follows_the_policy(db: Db) {
    let mut world = World::new(db, &FOUR, "b@* dot drop-after times=1").await;
    let hold = world.mailing("now", TOMORROW, "once", "hold").await;
    world.engine.pass(None).await.unwrap();
    world.clock.advance(TimeDelta::hours(2));
    world.engine.pass(None).await.unwrap();
    let run = world.runs(hold).await.remove(0);
    assert_eq!((run.state, run.counts.sent, run.counts.unknown), (RunState::Done, 3, 1));
    assert_eq!(world.arrived()["b@example.org"], 1, "never twice");
    let resend = world.mailing("now", TOMORROW, "once", "resend").await;
    world.engine.pass(None).await.unwrap();
    assert_eq!(world.runs(resend).await[0].counts.sent, 4);
}

async fn an_unreachable_server_costs_nobody_a_try(db: Db) {
    let world = World::new(db, &FOUR, "").await;
    let id = world.mailing("now", TOMORROW, "once", "resend").await;
    // Nobody listens on the discard port.
    let cut_off = engine(&world.db, &world.clock, "127.0.0.1:9");
    cut_off.pass(None).await.unwrap();
    let summary = cut_off.summary();
    assert!(summary.relay_trouble.is_some() && summary.put_back > 0, "{summary:?}");
    let run = world.runs(id).await.remove(0);
    assert_eq!((run.state, run.counts.waiting), (RunState::Open, 4));
    assert!(world.record(run.id).await.values().all(|(row, attempts)| row.attempts == 0 && attempts.is_empty()));
    world.clock.advance(TimeDelta::minutes(2));
    world.engine.pass(None).await.unwrap();
    assert_eq!(world.runs(id).await[0].counts.sent, 4);
}

async fn starts_by_itself_then_daily_until_the_end(db: Db) {
    let mut world = World::new(db, &FOUR, "").await;
    let id = world.mailing("2026-11-23T13:00", "2026-11-25T13:00", "daily", "resend").await;
    world.engine.pass(None).await.unwrap();
    assert_eq!((world.runs(id).await.len(), world.status(id).await), (0, MailingStatus::Created));
    for (at, count, status) in [
        ("2026-11-23T13:00:00Z", 1, MailingStatus::Running),
        ("2026-11-23T14:00:00Z", 1, MailingStatus::Running),
        ("2026-11-24T13:00:01Z", 2, MailingStatus::Finished),
        ("2026-11-25T13:00:01Z", 2, MailingStatus::Finished),
    ] {
        world.clock.set(at.parse().unwrap());
        world.engine.pass(None).await.unwrap();
        assert_eq!((world.runs(id).await.len(), world.status(id).await), (count, status), "{at}");
    }
    assert!(world.arrived().values().all(|n| *n == 2));
}

async fn a_missed_run_is_caught_up_within_its_grace_only(db: Db) {
    let world = World::new(db, &FOUR, "").await;
    let id = world.mailing("2026-11-23T13:00", "2026-12-25T13:00", "daily", "resend").await;
    world.clock.set("2026-11-23T20:00:00Z".parse().unwrap());
    world.engine.pass(None).await.unwrap();
    let missed = world.runs(id).await.remove(0);
    assert_eq!((missed.state, missed.reason.as_str()), (RunState::Skipped, "missed"));
    world.clock.set("2026-11-26T14:00:00Z".parse().unwrap());
    world.engine.pass(None).await.unwrap();
    let runs = world.runs(id).await;
    assert_eq!(runs.len(), 2, "three were due, the newest alone is sent");
    assert_eq!((runs[0].occurrence, runs[0].counts.sent), ("2026-11-26T13:00:00Z".parse().unwrap(), 4));
}

async fn a_run_that_still_sends_makes_the_next_one_wait_for_its_turn(db: Db) {
    let world = World::new(db, &FOUR, "*@* rcpt reply 451 4.7.1 Later").await;
    let id = world.mailing("2026-11-23T13:00", "2026-12-25T13:00", "daily", "resend").await;
    for at in ["2026-11-23T13:00:00Z", "2026-11-24T13:00:00Z"] {
        world.clock.set(at.parse().unwrap());
        world.engine.pass(None).await.unwrap();
    }
    let runs = world.runs(id).await;
    assert_eq!((runs[0].state, runs[0].reason.as_str()), (RunState::Skipped, "overlap"));
    assert_eq!(runs[1].state, RunState::Open);
}

async fn the_end_of_the_window_ends_the_run(db: Db) {
    let mut world = World::new(db, &FOUR, "a@* rcpt reply 451 4.7.1 Later").await;
    let id = world.mailing("now", "2026-11-23T12:03:00Z", "once", "resend").await;
    world.engine.pass(None).await.unwrap();
    world.clock.advance(TimeDelta::minutes(10));
    world.engine.pass(None).await.unwrap();
    let run = world.runs(id).await.remove(0);
    assert_eq!((run.state, run.counts.sent, run.counts.not_sent), (RunState::Done, 3, 1));
    assert_eq!(world.record(run.id).await["a@example.org"].0.reason, "ended");
    assert_eq!(world.status(id).await, MailingStatus::Finished);
    assert_eq!(world.arrived().len(), 3);
    world.counters_are_true(&run).await;
}

async fn a_run_that_was_disabled_to_its_end_says_so(db: Db) {
    let mut world = World::new(db, &FOUR, "").await;
    let id = world.mailing("now", "2026-11-23T12:03:00Z", "once", "resend").await;
    world.engine.open_due(None).await.unwrap();
    let mut tx = world.db.begin().await.unwrap();
    let sql = "UPDATE mailings SET disabled_at = $2 WHERE id = $1";
    on_tx!(&mut tx, conn => sqlx::query(sql).bind(id).bind(noon()).execute(conn).await.map(drop)).unwrap();
    tx.commit().await.unwrap();
    world.clock.advance(TimeDelta::minutes(10));
    world.engine.pass(None).await.unwrap();
    let run = world.runs(id).await.remove(0);
    assert_eq!((run.state, run.counts.not_sent, world.arrived().len()), (RunState::Done, 4, 0));
    assert!(world.record(run.id).await.values().all(|(row, _)| row.reason == "disabled"));
}

async fn nothing_leaves_a_paused_mailing(db: Db) {
    let mut world = World::new(db, &FOUR, "").await;
    let id = world.mailing("now", TOMORROW, "once", "resend").await;
    service::pause(&world.db, &world.actor, id, world.clock.now()).await.unwrap();
    world.engine.pass(None).await.unwrap();
    assert_eq!((world.arrived().len(), world.runs(id).await.len()), (0, 0));
    service::resume(&world.db, &world.actor, id).await.unwrap();
    world.engine.pass(None).await.unwrap();
    assert_eq!(world.arrived().len(), 4);
}

async fn what_was_armed_ahead_stays_where_the_mailing_is_paused_meanwhile(db: Db) {
    let mut world = World::of(db, 30, "*@* dot delay 500ms").await;
    let id = world.mailing("now", TOMORROW, "once", "resend").await;
    let pause = async {
        while world.engine.recorder.commits() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        service::pause(&world.db, &world.actor, id, world.clock.now()).await.unwrap();
    };
    let (passed, ()) = tokio::join!(world.engine.pass(None), pause);
    passed.unwrap();
    // What each of the three connections was sending, and not what it had armed for afterwards.
    assert!((1..=3).contains(&world.arrived().len()));
    let run = world.runs(id).await.remove(0);
    world.counters_are_true(&run).await;
    assert_eq!(run.counts.waiting, 30 - run.counts.sent);
}

async fn a_letter_that_may_not_leave_is_not_the_mail_servers_fault(db: Db) {
    let mut world = World::new(db, &FOUR, "").await;
    let id = world.mailing("now", TOMORROW, "once", "resend").await;
    world.engine.open_due(None).await.unwrap();
    let run = runs::open_runs(&world.db, Some(id)).await.unwrap().remove(0);
    service::pause(&world.db, &world.actor, id, world.clock.now()).await.unwrap();
    // As a feeder does that looked at the mailing just before it was paused.
    let now = world.clock.now();
    let mut tx = world.db.begin().await.unwrap();
    let claimed = claims::claim(&mut tx, run.id, "lease", now + TimeDelta::hours(1), now, 1).await.unwrap();
    tx.commit().await.unwrap();
    world.engine.deliver_one(&run, claimed.into_iter().next().unwrap(), "lease").await;
    assert_eq!((world.arrived().len(), world.engine.summary().relay_trouble), (0, None));
    assert_eq!(world.runs(id).await[0].counts.waiting, 4);
}

async fn a_refused_sender_pauses_the_mailing(db: Db) {
    let mut world =
        World::new(db, &FOUR, "connection=1 mail reply 550 5.7.1 Not you\nrate=100% mail reply 550 5.7.1 Not you")
            .await;
    let id = world.mailing("now", TOMORROW, "once", "resend").await;
    world.engine.pass(None).await.unwrap();
    let mailing = mailings::by_id(&world.db, id).await.unwrap().unwrap();
    assert!(mailing.paused_at.is_some());
    assert_eq!((world.arrived().len(), world.runs(id).await[0].counts.failed), (0, 0), "nobody is given up");
}

async fn what_a_dead_engine_left_is_taken_over(db: Db) {
    let mut world = World::new(db, &FOUR, "").await;
    let id = world.mailing("now", TOMORROW, "once", "hold").await;
    world.engine.open_due(None).await.unwrap();
    let run = world.runs(id).await[0].id;
    // As an engine does that dies: two claimed, one of them handed over without an answer.
    let now = world.clock.now();
    let lease = "deaddeaddeaddead-1";
    let mut tx = world.db.begin().await.unwrap();
    processes::beat(&mut tx, "deaddeaddeaddead", "", now).await.unwrap();
    let claimed = claims::claim(&mut tx, run, lease, now + TimeDelta::hours(1), now, 2).await.unwrap();
    assert_eq!(arm(&mut tx, lease, &[claimed[0].id]).await.unwrap(), 1);
    assert_eq!(arm(&mut tx, "another", &[claimed[1].id]).await.unwrap(), 0, "fenced by the lease");
    tx.commit().await.unwrap();
    let mut watch = Watch::default();
    for seconds in [0, 10, 20] {
        world.clock.set(now + TimeDelta::seconds(seconds));
        world.engine.beat(&mut watch).await.unwrap();
    }
    world.engine.pass(None).await.unwrap();
    assert_eq!(world.arrived().len(), 2, "it may still live");
    world.clock.set(now + TimeDelta::seconds(30));
    world.engine.beat(&mut watch).await.unwrap();
    world.engine.pass(None).await.unwrap();
    let run = world.runs(id).await.remove(0);
    assert_eq!((run.state, run.counts.sent, run.counts.unknown), (RunState::Done, 3, 1));
    assert!(!world.arrived().contains_key(&claimed[0].email), "what is in doubt is held");
    world.counters_are_true(&run).await;
}

async fn a_run_keeps_the_message_it_began_with(db: Db) {
    let mut world = World::new(db, &FOUR, "a@* rcpt reply 451 4.7.1 Later times=1").await;
    world.mailing("now", TOMORROW, "once", "resend").await;
    world.engine.pass(None).await.unwrap();
    world.arrived();
    let mut tx = world.db.begin().await.unwrap();
    let text = || "Changed".to_owned();
    let design = Choice::BuiltIn(BuiltIn::Night);
    let changed = Content { subject: text(), preheader: text(), body: text(), design };
    messages::update(&mut tx, world.actor.id, world.message, &changed, noon()).await.unwrap();
    tx.commit().await.unwrap();
    world.clock.advance(TimeDelta::minutes(10));
    world.engine.pass(None).await.unwrap();
    let letter = world.caught.try_recv().unwrap();
    let text = String::from_utf8_lossy(&letter.raw).into_owned();
    assert!(text.contains("Subject: For Client 0") && !text.contains("Changed"), "{text}");
    assert!(!text.contains("v-paper"), "nor has it a design since: {text}");
    assert_eq!(world.sink.accepted(), 4);
}

testing::on_both!(
    sends_at_once_and_finishes,
    faults_of_one_leave_the_others_alone,
    a_letter_without_an_answer_follows_the_policy,
    an_unreachable_server_costs_nobody_a_try,
    starts_by_itself_then_daily_until_the_end,
    a_missed_run_is_caught_up_within_its_grace_only,
    a_run_that_still_sends_makes_the_next_one_wait_for_its_turn,
    the_end_of_the_window_ends_the_run,
    a_run_that_was_disabled_to_its_end_says_so,
    nothing_leaves_a_paused_mailing,
    what_was_armed_ahead_stays_where_the_mailing_is_paused_meanwhile,
    a_letter_that_may_not_leave_is_not_the_mail_servers_fault,
    a_refused_sender_pauses_the_mailing,
    what_a_dead_engine_left_is_taken_over,
    a_run_keeps_the_message_it_began_with,
);
