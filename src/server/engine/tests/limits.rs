//! Letters a day: counted exactly, whichever engine has them, and what is over waits for the next day.

use super::*;
use crate::domain::settings::UserLimits;
use crate::server::db::limits;

async fn limit(world: &World, letters: i64) {
    let mut tx = world.db.begin().await.unwrap();
    let own = UserLimits { clients: None, letters: Some(letters) };
    assert!(limits::set(&mut tx, world.actor.id, own).await.unwrap());
    tx.commit().await.unwrap();
}

async fn the_rest_waits_for_the_next_day(db: Db) {
    let mut world = World::new(db, &FOUR, "").await;
    limit(&world, 3).await;
    let id = world.mailing("now", "2026-11-30T12:00:00Z", "once", "resend").await;
    for _ in 0..3 {
        world.engine.pass(None).await.unwrap();
    }
    assert_eq!(world.arrived().len(), 3);
    let run = world.runs(id).await.remove(0);
    assert_eq!((run.state, run.counts.waiting), (RunState::Open, 1));
    let held = service::live(&world.db, &world.actor, id, world.clock.now()).await.unwrap().held.unwrap();
    assert_eq!((held.limit, held.until.to_rfc3339().as_str()), (3, "2026-11-24T00:00:00+00:00"));
    let left = crate::server::db::progress::is_left(&world.db, None, world.clock.now()).await.unwrap();
    assert!(!left, "who waits for the sending does not wait for another day");
    world.clock.set(held.until - TimeDelta::seconds(1));
    world.engine.pass(None).await.unwrap();
    assert!(world.arrived().is_empty());
    world.clock.set(held.until);
    world.engine.pass(None).await.unwrap();
    assert_eq!(world.arrived().len(), 1);
    assert_eq!(world.runs(id).await[0].state, RunState::Done);
    assert_eq!(service::live(&world.db, &world.actor, id, world.clock.now()).await.unwrap().held, None);
}

async fn a_letter_that_was_refused_does_not_count(db: Db) {
    let mut world = World::new(db, &FOUR, "a@* rcpt reply 550 5.1.1 No such user").await;
    limit(&world, 2).await;
    world.mailing("now", "2026-11-30T12:00:00Z", "once", "resend").await;
    for _ in 0..4 {
        world.engine.pass(None).await.unwrap();
    }
    assert_eq!(world.arrived().into_keys().collect::<Vec<_>>(), ["b@example.org", "c@example.org"]);
}

async fn engines_that_send_at_once_share_the_day(db: Db) {
    let mut world = World::of(db, 60, "rate=30% rcpt reply 451 4.7.1 Later").await;
    limit(&world, 25).await;
    for _ in 0..3 {
        world.mailing("now", "2026-11-30T12:00:00Z", "once", "resend").await;
    }
    let other = engine(&world.db, &world.clock, &world.sink.addr().to_string());
    for _ in 0..20 {
        let (one, two) = tokio::join!(world.engine.pass(None), other.pass(None));
        one.unwrap();
        two.unwrap();
        world.clock.advance(TimeDelta::minutes(6));
    }
    assert_eq!(world.arrived().values().sum::<usize>(), 25);
    assert_eq!(limits::letters_on(&world.db, world.actor.id, noon()).await.unwrap(), 25);
}

testing::on_both!(
    the_rest_waits_for_the_next_day,
    a_letter_that_was_refused_does_not_count,
    engines_that_send_at_once_share_the_day,
);
