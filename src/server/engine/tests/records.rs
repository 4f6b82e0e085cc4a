//! Crashes between two records, and what is carried over after them.

use super::super::feed::Job;
use super::super::recorder::testing::{append, carry, keep, left, noted, take_up};
use super::super::recorder::{Entry, Frame, Record, Ticket};
use super::*;
use crate::server::db::claims::Claimed;
use crate::server::db::{journals, testing};
use crate::server::engine::service;

const LEASE: &str = "of the dead engine";

/// A world with a mailing to four clients, and its run, which has opened.
async fn begun(db: Db) -> (World, i64, i64) {
    let world = World::new(db, &FOUR, "").await;
    let (id, run) = open(&world).await;
    (world, id, run)
}

/// Another mailing, and its run, which has opened.
async fn open(world: &World) -> (i64, i64) {
    let id = world.mailing("now", TOMORROW, "once", "hold").await;
    world.engine.open_due(None).await.unwrap();
    (id, world.runs(id).await[0].id)
}

/// Claims a run's deliveries as an engine does that is about to die.
async fn claim(world: &World, run: i64) -> Vec<Claimed> {
    let now = world.clock.now();
    let mut tx = world.db.begin().await.unwrap();
    let claimed = claims::claim(&mut tx, run, LEASE, now + TimeDelta::hours(1), now, 100).await.unwrap();
    tx.commit().await.unwrap();
    claimed
}

fn entry(claimed: &Claimed, record: Record) -> Entry {
    let ticket = Ticket { id: claimed.id, run: claimed.run_id, lease: LEASE.into(), was_deferred: false };
    Entry { ticket, record }
}

fn sent(claimed: &Claimed) -> Entry {
    let attempt = Attempt {
        number: 1,
        at: noon(),
        ms: 7,
        stage: Stage::Dot,
        status: AttemptStatus::Sent,
        relay: "relay:25".into(),
        code: Some(250),
        enhanced: None,
        reply: "taken".into(),
    };
    entry(claimed, Record::Settle { attempt, state: DeliveryState::Sent, reason: "".into(), due_at: noon() })
}

/// What one connection records: each arm stands behind the outcome of the letter before.
fn of_one_connection(claimed: &[Claimed]) -> Vec<Frame> {
    let mut frames = Vec::new();
    for n in 0..=claimed.len() {
        let before = n.checked_sub(1).map(|n| sent(&claimed[n]));
        let arm = claimed.get(n).map(|claimed| entry(claimed, Record::Arm));
        frames.push(Frame { seq: n as i64 + 1, entries: before.into_iter().chain(arm).collect() });
    }
    frames
}

async fn wherever_it_stops_one_letter_is_in_doubt_at_most(db: Db) {
    let mut world = World::new(db, &FOUR, "").await;
    for stop in 0..=5 {
        let (id, run) = open(&world).await;
        let claimed = claim(&world, run).await;
        append(&world.db, &format!("dead{stop}"), &of_one_connection(&claimed)[..stop]).await;
        world.engine.enter(true).await.unwrap();
        world.engine.pass(None).await.unwrap();
        let run = world.runs(id).await.remove(0);
        // The first frame arms the first letter, the last one settles the last.
        let (settled, in_doubt) = (stop.saturating_sub(1), usize::from((1..=4).contains(&stop)));
        assert_eq!(run.state, RunState::Done, "stopped after {stop}");
        assert_eq!((run.counts.sent, run.counts.unknown), (4 - in_doubt as i64, in_doubt as i64), "after {stop}");
        let arrived = world.arrived();
        for (n, claimed) in claimed.iter().enumerate() {
            let copies = arrived.get(&claimed.email).copied().unwrap_or(0);
            assert_eq!(copies, usize::from(n >= settled + in_doubt), "{n} after {stop}");
        }
        world.counters_are_true(&run).await;
        // A second start finds nothing left to carry over.
        world.engine.enter(true).await.unwrap();
        let record = world.record(run.id).await;
        assert!(record.values().all(|(row, attempts)| row.attempts == 1 && attempts.len() == 1), "after {stop}");
    }
}

/// A connection on SQLite arms each letter while the one before is under way, and notes what became of that.
#[tokio::test]
async fn what_a_connection_noted_is_not_in_doubt() {
    enum Step {
        Frame(Vec<Entry>),
        Note(Entry),
    }
    let (db, folder) = testing::sqlite().await;
    let mut world = World::new(db, &FOUR, "").await;
    for stop in 0..=9 {
        let (id, run) = open(&world).await;
        let claimed = claim(&world, run).await;
        let arm = |n: usize| entry(&claimed[n], Record::Arm);
        let mut steps = vec![Step::Frame(vec![arm(0)]), Step::Frame(vec![arm(1)])];
        for (n, done) in claimed.iter().enumerate().take(3) {
            steps.push(Step::Note(sent(done)));
            let next = (n + 2 < 4).then(|| arm(n + 2));
            steps.push(Step::Frame([sent(done)].into_iter().chain(next).collect()));
        }
        steps.push(Step::Frame(vec![sent(&claimed[3])]));
        let (mut frames, mut notes) = (Vec::new(), Vec::new());
        for step in steps.into_iter().take(stop) {
            match step {
                Step::Frame(entries) => frames.push(Frame { seq: frames.len() as i64 + 1, entries }),
                Step::Note(note) => notes.push(note),
            }
        }
        let armed = frames.iter().flat_map(|frame| &frame.entries).filter(|entry| entry.is_arm()).count();
        let settled = frames.iter().flat_map(|frame| &frame.entries).filter(|entry| !entry.is_arm()).count();
        let known = settled.max(notes.len());
        let dead = format!("noted{stop}");
        append(&world.db, &dead, &frames).await;
        keep(&world.db, folder.path(), &dead, &notes);
        world.engine.enter(true).await.unwrap();
        world.engine.pass(None).await.unwrap();
        let run = world.runs(id).await.remove(0);
        assert_eq!(run.state, RunState::Done, "stopped after {stop}");
        assert_eq!(run.counts.unknown, (armed - known) as i64, "after {stop}");
        let arrived = world.arrived();
        for (n, claimed) in claimed.iter().enumerate() {
            let copies = arrived.get(&claimed.email).copied().unwrap_or(0);
            assert_eq!(copies, usize::from(n >= armed), "{n} after {stop}");
        }
        world.counters_are_true(&run).await;
        // Nothing of it is left, and a second start counts nothing twice.
        let left = left(&world.db);
        assert_eq!(left.iter().filter(|id| id.starts_with("noted")).count(), 0, "{left:?}");
        world.engine.enter(true).await.unwrap();
        let record = world.record(run.id).await;
        assert!(record.values().all(|(row, attempts)| row.attempts == 1 && attempts.len() == 1), "after {stop}");
    }
}

/// Without the notes a kill would put more letters of a connection in doubt than the one that it hands over.
#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_was_armed_ahead_leaves_a_note_of_the_one_before() {
    let (db, _folder) = testing::sqlite().await;
    let mut world = World::of(db, 30, "*@* dot delay 200ms").await;
    for policy in ["hold", "resend"] {
        let id = world.mailing("now", TOMORROW, "once", policy).await;
        let engine = world.engine.clone();
        world.arrived();
        let pass = tokio::spawn(async move { engine.pass(None).await.unwrap() });
        let mut arrived = 0;
        while arrived < 12 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            arrived += world.arrived().len();
        }
        let noted = noted(&world.db);
        pass.await.unwrap();
        let ids: std::collections::BTreeSet<i64> = noted.iter().map(|entry| entry.ticket.id).collect();
        if policy == "hold" {
            assert!(ids.is_empty(), "{noted:?}");
        } else {
            // The first three have none where no other was at hand yet to be armed ahead.
            let run = world.runs(id).await[0].id;
            let first = world.record(run).await.values().map(|(row, _)| row.id).min().unwrap();
            let later = ids.iter().filter(|id| **id >= first + 3).count();
            assert!(later >= arrived - 3 - 3, "all but what each of three connections is at: {noted:?}");
        }
        assert!(noted.iter().all(|entry| matches!(entry.record, Record::Settle { state: DeliveryState::Sent, .. })));
        assert_eq!(world.runs(id).await[0].counts.sent, 30);
    }
}

/// What is armed when the process dies is in doubt, and most of it would be for nothing.
#[tokio::test(flavor = "multi_thread")]
async fn where_letters_take_long_each_connection_arms_one_ahead() {
    let (db, _folder) = testing::sqlite().await;
    let world = World::of(db, 30, "*@* dot delay 300ms").await;
    let id = world.mailing("now", TOMORROW, "once", "resend").await;
    let engine = world.engine.clone();
    let pass = tokio::spawn(async move { engine.pass(None).await.unwrap() });
    let mut armed = Vec::new();
    while !pass.is_finished() {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let run = world.runs(id).await.remove(0).id;
        armed.push(deliveries::count(&world.db, run, Some(DeliveryState::Armed), "").await.unwrap());
    }
    assert_eq!(armed.iter().max(), Some(&6), "three connections: {armed:?}");
}

/// Nothing is left armed but what each connection was handing over.
#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_grace_finds_nothing_armed_ahead() {
    let (db, _folder) = testing::sqlite().await;
    let world = World::of(db, 30, "*@* dot silence").await;
    let id = world.mailing("now", TOMORROW, "once", "resend").await;
    world.engine.enter(true).await.unwrap();
    let serving = tokio::spawn(service::serve(world.engine.clone(), Duration::from_millis(500)));
    let armed = async || {
        let run = world.runs(id).await.first().map_or(0, |run| run.id);
        deliveries::count(&world.db, run, Some(DeliveryState::Armed), "").await.unwrap()
    };
    while armed().await < 6 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    world.engine.stop.cancel();
    serving.await.unwrap();
    assert_eq!(armed().await, 3);
    let run = world.runs(id).await.remove(0);
    assert_eq!((run.counts.waiting + run.counts.deferred, run.counts.total()), (30, 30));
    world.counters_are_true(&run).await;
}

/// The same while connections are opened anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_wait_for_a_connection() {
    let (db, _folder) = testing::sqlite().await;
    let silent: String = (4..20).map(|n| format!("connection={n} greeting silence\n")).collect();
    let world = World::of(db, 200, &format!("connection close-after 12\n{silent}")).await;
    let id = world.mailing("now", TOMORROW, "once", "resend").await;
    world.engine.enter(true).await.unwrap();
    let serving = tokio::spawn(service::serve(world.engine.clone(), Duration::from_millis(200)));
    while world.sink.connections() < 6 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.engine.stop.cancel();
    serving.await.unwrap();
    let run = world.runs(id).await.remove(0);
    assert_eq!(deliveries::count(&world.db, run.id, Some(DeliveryState::Armed), "").await.unwrap(), 0);
    assert_eq!((run.counts.sent, run.counts.waiting), (36, 164));
    world.counters_are_true(&run).await;
}

/// It would take the place of one that is needed.
#[tokio::test]
async fn a_letter_that_cannot_be_made_leaves_no_note() {
    let (db, _folder) = testing::sqlite().await;
    let world = World::new(db, &FOUR, "").await;
    let id = world.mailing("now", TOMORROW, "once", "resend").await;
    world.engine.open_due(None).await.unwrap();
    let run = runs::open_runs(&world.db, Some(id)).await.unwrap().remove(0);
    let mut claimed = claim(&world, run.id).await.into_iter();
    let mut next = || claimed.next().unwrap();
    world.engine.deliver_two(&run, Err("no such letter"), [next(), next()], LEASE).await;
    assert!(noted(&world.db).is_empty());
    world.engine.deliver_two(&run, Ok(()), [next(), next()], LEASE).await;
    assert_eq!(noted(&world.db).len(), 1);
    let run = world.runs(id).await.remove(0);
    assert_eq!((run.counts.failed, run.counts.sent), (1, 3));
}

/// Its owner decides in mid-run that doubtful letters are held.
async fn a_policy_that_changes_holds_for_what_is_taken_afterwards(db: Db) {
    let world = World::of(db, 300, "").await;
    world.mailing("now", TOMORROW, "once", "resend").await;
    world.engine.open_due(None).await.unwrap();
    let (sender, mut batches) = mpsc::channel::<Vec<Job>>(1);
    let take = async {
        assert!(batches.recv().await.unwrap().iter().all(|job| !job.run.hold));
        let mut tx = world.db.begin().await.unwrap();
        let sql = "UPDATE mailings SET policy = 'hold'";
        on_tx!(&mut tx, conn => sqlx::query(sql).execute(conn).await.map(drop)).unwrap();
        tx.commit().await.unwrap();
        let mut last = Vec::new();
        while let Some(batch) = batches.recv().await {
            last = batch;
        }
        last.iter().all(|job| job.run.hold)
    };
    let (fed, held) = tokio::join!(world.engine.feed(None, sender, 3), take);
    fed.unwrap();
    assert!(held);
}

/// It died while it carried them over, or between that and the end of the files.
#[tokio::test]
async fn notes_count_once() {
    let (db, folder) = testing::sqlite().await;
    let (world, id, run) = begun(db).await;
    let claimed = claim(&world, run).await;
    for _ in 0..3 {
        append(&world.db, "again", &of_one_connection(&claimed)[..2]).await;
        keep(&world.db, folder.path(), "again", &[sent(&claimed[0]), sent(&claimed[1])]);
        world.engine.enter(true).await.unwrap();
        let run = world.runs(id).await.remove(0);
        assert_eq!(run.counts.sent, 2);
        world.counters_are_true(&run).await;
    }
    assert!(world.record(run).await.values().all(|(_, attempts)| attempts.len() <= 1));
}

async fn what_is_carried_over_twice_counts_once(db: Db) {
    let (world, id, run) = begun(db).await;
    let frames = of_one_connection(&claim(&world, run).await);
    for upto in [2, 2, 4, 3, 5] {
        carry(&world.db, "twice", &frames[..upto], noon()).await;
        let run = world.runs(id).await.remove(0);
        world.counters_are_true(&run).await;
    }
    let run = world.runs(id).await.remove(0);
    assert_eq!((run.state, run.counts.sent), (RunState::Done, 4));
    assert!(world.record(run.id).await.values().all(|(_, attempts)| attempts.len() == 1));
}

async fn a_journal_that_was_forgotten_goes_on(db: Db) {
    let (world, id, run) = begun(db).await;
    let frames = of_one_connection(&claim(&world, run).await);
    carry(&world.db, "idle", &frames[..2], noon()).await;
    let mut tx = world.db.begin().await.unwrap();
    journals::forget(&mut tx, "another", noon() + TimeDelta::days(8)).await.unwrap();
    tx.commit().await.unwrap();
    carry(&world.db, "idle", &frames[2..], noon() + TimeDelta::days(8)).await;
    let run = world.runs(id).await.remove(0);
    assert_eq!((run.state, run.counts.sent), (RunState::Done, 4));
    world.counters_are_true(&run).await;
}

async fn what_somebody_else_has_taken_over_is_left_out(db: Db) {
    let (world, id, run) = begun(db).await;
    let claimed = claim(&world, run).await;
    // Its process is gone; another engine has taken them, and one is under the old lease again.
    world.engine.recover().await.unwrap();
    let now = world.clock.now();
    let mut tx = world.db.begin().await.unwrap();
    claims::claim(&mut tx, run, LEASE, now + TimeDelta::hours(1), now, 1).await.unwrap();
    claims::claim(&mut tx, run, "of another", now + TimeDelta::hours(1), now, 9).await.unwrap();
    tx.commit().await.unwrap();
    let entries = claimed.iter().map(sent).collect();
    carry(&world.db, "late", &[Frame { seq: 1, entries }], now).await;
    let run = world.runs(id).await.remove(0);
    assert_eq!((run.counts.sent, run.counts.waiting), (1, 3));
    world.counters_are_true(&run).await;
    let attempts: usize = world.record(run.id).await.values().map(|(_, attempts)| attempts.len()).sum();
    assert_eq!(attempts, 1);
}

/// As PostgreSQL comes back from a crash: the last transactions that nobody waited for are gone.
#[tokio::test]
async fn postgres_gets_again_what_it_lost_of_what_was_carried_over() {
    let (world, id, run) = begun(testing::postgres().await).await;
    let frames = of_one_connection(&claim(&world, run).await);
    append(&world.db, "lost", &frames).await;
    // The engine takes three of five frames for carried over.
    carry(&world.db, "lost", &frames[3..], noon()).await;
    let run = world.runs(id).await.remove(0);
    assert_eq!((run.state, run.counts.sent), (RunState::Done, 4));
    world.counters_are_true(&run).await;
    assert!(world.record(run.id).await.values().all(|(_, attempts)| attempts.len() == 1));
}

/// Of two processes that find a third dead, one strikes it off while the other is already past its journal.
#[tokio::test]
async fn postgres_takes_nothing_back_before_its_record_is_carried_over() {
    let (mut world, id, run) = begun(testing::postgres().await).await;
    let dead = "deaddeaddeaddead";
    let (now, lease) = (world.clock.now(), format!("{dead}-1"));
    let mut tx = world.db.begin().await.unwrap();
    let claimed = claims::claim(&mut tx, run, &lease, now + TimeDelta::hours(1), now, 100).await.unwrap();
    tx.commit().await.unwrap();
    let of_lease = |mut entry: Entry| {
        entry.ticket.lease = lease.clone();
        entry
    };
    let entries = claimed[..2].iter().map(|claimed| of_lease(sent(claimed))).collect();
    let frame = Frame { seq: 1, entries };
    append(&world.db, dead, std::slice::from_ref(&frame)).await;
    take_up(&world.db, dead, &[of_lease(sent(&claimed[2]))]).await;
    let mut tx = world.db.begin().await.unwrap();
    processes::leave(&mut tx, dead).await.unwrap();
    assert_eq!(processes::reclaim(&mut tx, now).await.unwrap(), 0);
    tx.commit().await.unwrap();
    // What it noted is a journal of its own.
    carry(&world.db, dead, &[frame], now).await;
    let mut tx = world.db.begin().await.unwrap();
    assert_eq!(processes::reclaim(&mut tx, now).await.unwrap(), 0);
    tx.commit().await.unwrap();
    world.engine.recover().await.unwrap();
    world.engine.pass(None).await.unwrap();
    let run = world.runs(id).await.remove(0);
    assert_eq!((run.state, run.counts.sent), (RunState::Done, 4));
    assert_eq!(world.arrived().into_keys().collect::<Vec<_>>(), [claimed[3].email.clone()], "the others have theirs");
}

/// Its machine still has the notes of a process that died, and another process there, or the next one.
#[tokio::test]
async fn postgres_is_told_what_a_process_noted_before_it_is_struck_off() {
    let (mut world, id, run) = begun(testing::postgres().await).await;
    let folder = tempfile::tempdir().unwrap();
    let config = EngineConfig { data_dir: Some(folder.path().to_owned()), ..config() };
    let pool = pool(&world.db, &world.clock, &world.sink.addr().to_string());
    world.engine = Engine::new(world.db.clone(), world.clock.clone(), config, pool, CancellationToken::new());
    let dead = "deaddeaddeaddead";
    let (now, lease) = (world.clock.now(), format!("{dead}-1"));
    let mut tx = world.db.begin().await.unwrap();
    let claimed = claims::claim(&mut tx, run, &lease, now + TimeDelta::hours(1), now, 100).await.unwrap();
    tx.commit().await.unwrap();
    let of_lease = |mut entry: Entry| {
        entry.ticket.lease = lease.clone();
        entry
    };
    let arm = |n: usize| of_lease(entry(&claimed[n], Record::Arm));
    // Three were armed, one outcome is durable, and another is noted.
    let durable = Frame { seq: 2, entries: vec![of_lease(sent(&claimed[0])), arm(2)] };
    append(&world.db, dead, &[Frame { seq: 1, entries: vec![arm(0), arm(1)] }, durable]).await;
    let notes = [of_lease(sent(&claimed[0])), of_lease(sent(&claimed[1]))];
    keep(&world.db, folder.path(), dead, &notes);
    // Of a process that nobody here knows.
    keep(&world.db, folder.path(), "elsewhere", &notes);
    let mut watch = Watch::default();
    world.engine.beat(&mut watch).await.unwrap();
    let files = |name: &str| {
        let files = std::fs::read_dir(folder.path()).unwrap();
        files.filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().contains(name)).count()
    };
    assert_eq!((files(dead), files("elsewhere")), (0, 1));
    // Should it live after all, its journal goes on where it is.
    let frames = journals::frames(&world.db, dead, 0, 9).await.unwrap();
    assert_eq!(frames.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), [1, 2]);
    for _ in 0..2 {
        world.clock.advance(TimeDelta::seconds(16));
        world.engine.beat(&mut watch).await.unwrap();
    }
    world.engine.pass(None).await.unwrap();
    let run = world.runs(id).await.remove(0);
    assert_eq!((run.state, run.counts.sent, run.counts.unknown), (RunState::Done, 3, 1), "one is in doubt");
    world.counters_are_true(&run).await;
    assert_eq!(world.arrived().into_keys().collect::<Vec<_>>(), [claimed[3].email.clone()]);
}

testing::on_both!(
    wherever_it_stops_one_letter_is_in_doubt_at_most,
    what_is_carried_over_twice_counts_once,
    a_journal_that_was_forgotten_goes_on,
    what_somebody_else_has_taken_over_is_left_out,
    a_policy_that_changes_holds_for_what_is_taken_afterwards,
);
