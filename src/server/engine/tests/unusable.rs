//! Messages that lie in the database from before limits were held, or from another hand: they harm nobody but their run.

use super::*;

/// Both kinds that once ended the process or stopped it for minutes.
async fn an_unusable_message_fails_its_run_alone(db: Db) {
    let operators = format!("Hello\n{{{{ {}email }}}}", "not ".repeat(50_000));
    let quotes = format!("Hello\n\n{}", ">".repeat(50_000));
    let mut world = World::of(db, 2, "").await;
    let good = world.mailing("now", TOMORROW, "once", "resend").await;
    let mut bad = Vec::new();
    for (body, words) in [
        (operators, "Body: Line 2: this expression has too many operators"),
        (quotes, "Body: Line 3: too deeply nested"),
    ] {
        world.message = testing::message(&world.db, world.actor.id, "Hi", &body).await;
        bad.push((world.mailing("now", TOMORROW, "once", "resend").await, words));
    }
    world.engine.pass(None).await.unwrap();
    assert_eq!(world.runs(good).await[0].counts.sent, 2);
    for (id, words) in bad {
        let run = world.runs(id).await.remove(0);
        assert_eq!((run.state, run.counts.failed, run.counts.total()), (RunState::Done, 2, 2));
        for (_, attempts) in world.record(run.id).await.values() {
            assert!(attempts[0].reply.starts_with(words), "{}", attempts[0].reply);
        }
    }
    assert_eq!(world.arrived().len(), 2);
}

testing::on_both!(an_unusable_message_fails_its_run_alone);
