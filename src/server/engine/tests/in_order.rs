//! Claims on deliveries in their order: one row for many of them, and what ends it.

use super::*;
use crate::server::db::{journals, on_tx, suppressions};
use sqlx::{AssertSqlSafe, Executor};

/// A world with a mailing to so many clients, whose run has opened.
async fn begun(db: Db, count: usize) -> (World, i64, i64) {
    let world = World::of(db, count, "").await;
    let id = world.mailing("now", TOMORROW, "once", "resend").await;
    world.engine.open_due(None).await.unwrap();
    let run = world.runs(id).await[0].id;
    (world, id, run)
}

impl World {
    async fn claim(&self, run: i64, lease: &str, limit: i64) -> Vec<String> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await.unwrap();
        let claimed = claims::claim(&mut tx, run, lease, now + TimeDelta::hours(1), now, limit).await.unwrap();
        claims::forget(&mut tx, run, lease).await.unwrap();
        tx.commit().await.unwrap();
        claimed.into_iter().map(|claimed| claimed.email).collect()
    }

    /// Deliveries of a run by what stands in the table.
    async fn stored(&self, run: i64, state: &str) -> i64 {
        const SQL: &str = "SELECT COUNT(*) FROM deliveries WHERE run_id = $1 AND state = $2";
        crate::server::db::on_db!(&self.db, pool => sqlx::query_scalar(SQL).bind(run).bind(state).fetch_one(pool).await)
            .unwrap()
    }

    async fn leases(&self) -> Vec<String> {
        const SQL: &str = "SELECT lease FROM claims ORDER BY lease";
        crate::server::db::on_db!(&self.db, pool => sqlx::query_scalar(SQL).fetch_all(pool).await).unwrap()
    }

    async fn may_leave(&self, lease: &str) -> bool {
        let mut conn = self.db.connect().await.unwrap();
        let free = journals::may_leave(&mut conn, &[lease, "of nobody"], self.clock.now()).await.unwrap();
        assert!(!free.is_free("of nobody"), "{free:?}");
        free.is_free(lease)
    }
}

async fn what_is_taken_in_order_is_taken_once_and_written_once(db: Db) {
    let (world, id, run) = begun(db, 25).await;
    assert_eq!(world.claim(run, "one", 10).await, emails(25)[..10]);
    assert_eq!(world.claim(run, "two", 10).await, emails(25)[10..20]);
    assert_eq!(world.stored(run, "pending").await, 25, "no delivery was written for it");
    world.counters_are_true(&world.runs(id).await[0]).await;
    let claimed = deliveries::list(&world.db, run, Some(DeliveryState::Claimed), "C1", 0, 100).await.unwrap();
    assert_eq!(claimed.iter().map(|row| row.email.as_str()).collect::<Vec<_>>(), emails(25)[10..20]);
    let rest = deliveries::list(&world.db, run, Some(DeliveryState::Pending), "", claimed[0].id, 3).await.unwrap();
    assert_eq!(rest.iter().map(|row| row.email.as_str()).collect::<Vec<_>>(), emails(25)[20..23]);
    assert_eq!(world.claim(run, "three", 10).await, emails(25)[20..]);
    assert!(world.claim(run, "four", 10).await.is_empty());
    assert_eq!(world.leases().await, ["one", "three", "two"]);
}

async fn a_lease_is_good_until_its_claim_ends_or_its_mailing_is_stopped(db: Db) {
    let (world, id, run) = begun(db, 4).await;
    let claimed = world.claim(run, "one", 10).await;
    assert_eq!(claimed.len(), 4);
    assert!(world.may_leave("one").await);
    service::pause(&world.db, &world.actor, id, world.clock.now()).await.unwrap();
    assert!(!world.may_leave("one").await);
    service::resume(&world.db, &world.actor, id).await.unwrap();
    assert!(world.may_leave("one").await);
    // Its process is in no table: it is gone.
    world.engine.recover().await.unwrap();
    assert!(!world.may_leave("one").await);
    let rows = deliveries::list(&world.db, run, Some(DeliveryState::Pending), "", 0, 10).await.unwrap();
    assert_eq!(rows.len(), 4);
    let mut tx = world.db.begin().await.unwrap();
    assert_eq!(arm(&mut tx, "one", &[rows[0].id]).await.unwrap(), 0);
    assert!(!deliveries::put_back(&mut tx, rows[0].id, "one", world.clock.now()).await.unwrap());
    drop(tx);
    let mut again = world.claim(run, "two", 10).await;
    again.sort_unstable();
    assert_eq!(again, claimed, "they have come back");
    assert_eq!(world.stored(run, "claimed").await, 4, "each by itself");
    world.counters_are_true(&world.runs(id).await[0]).await;
}

async fn a_claim_is_forgotten_when_all_of_it_is_recorded(db: Db) {
    let (world, _, run) = begun(db, 6).await;
    world.claim(run, "one", 2).await;
    world.claim(run, "one more", 1).await;
    world.claim(run, "of another process", 1).await;
    let rows = deliveries::list(&world.db, run, Some(DeliveryState::Claimed), "", 0, 10).await.unwrap();
    let put_back = async |n: usize, lease| {
        let mut tx = world.db.begin().await.unwrap();
        assert!(deliveries::put_back(&mut tx, rows[n].id, lease, world.clock.now()).await.unwrap());
        claims::forget(&mut tx, run, lease).await.unwrap();
        tx.commit().await.unwrap();
    };
    put_back(0, "one").await;
    assert_eq!(world.leases().await, ["of another process", "one", "one more"], "one delivery is in hand");
    put_back(1, "one").await;
    assert_eq!(world.leases().await, ["of another process", "one more"]);
    // What came back is held by its own mark.
    assert_eq!(world.claim(run, "two", 9).await.len(), 4);
    put_back(2, "one more").await;
    assert_eq!(world.leases().await, ["of another process", "two"]);
}

async fn what_is_in_hand_is_neither_ended_nor_left_out(db: Db) {
    let (world, id, run) = begun(db, 6).await;
    let now = world.clock.now();
    world.claim(run, "one", 2).await;
    let rows = deliveries::list(&world.db, run, None, "", 0, 10).await.unwrap();
    // The addresses of one in hand and of one that waits turn out not to exist.
    let attempt = Attempt {
        number: 1,
        at: now,
        ms: 1,
        stage: Stage::Rcpt,
        status: AttemptStatus::Failed,
        relay: "relay:25".into(),
        code: Some(550),
        enhanced: Some("5.1.1".into()),
        reply: "No such user".into(),
    };
    let mut tx = world.db.begin().await.unwrap();
    for row in [&rows[1], &rows[4]] {
        suppressions::condemn(&mut tx, row.id, &attempt, now).await.unwrap();
    }
    tx.commit().await.unwrap();
    let states = async || {
        let rows = deliveries::list(&world.db, run, None, "", 0, 10).await.unwrap();
        rows.into_iter().map(|row| row.state).collect::<Vec<_>>()
    };
    use DeliveryState::{Claimed, NotSent, Pending};
    assert_eq!(states().await, [Claimed, Claimed, Pending, Pending, NotSent, Pending]);
    world.counters_are_true(&world.runs(id).await[0]).await;
    let mut tx = world.db.begin().await.unwrap();
    assert_eq!(deliveries::end(&mut tx, run, "ended").await.unwrap(), (3, 0));
    tx.commit().await.unwrap();
    assert_eq!(states().await, [Claimed, Claimed, NotSent, NotSent, NotSent, NotSent]);
}

/// As version 0022 of the tables left a run in its midst.
async fn a_run_of_an_earlier_version_goes_on(db: Db) {
    let old = |sql: &'static str| AssertSqlSafe(sql);
    let migrate = async |versions: std::ops::Range<i64>| {
        let all = match &db {
            Db::Sqlite { .. } => sqlx::migrate!("migrations/sqlite"),
            Db::Postgres(_) => sqlx::migrate!("migrations/postgres"),
        };
        for migration in all.iter().filter(|migration| versions.contains(&migration.version)) {
            let sql = AssertSqlSafe(migration.sql.as_str().to_owned());
            let mut tx = db.begin().await.unwrap();
            on_tx!(&mut tx, conn => conn.execute(sql).await.map(drop)).unwrap();
            tx.commit().await.unwrap();
        }
    };
    migrate(0..23).await;
    // What is not about runs, and the rows below are made with.
    migrate(25..28).await;
    migrate(33..34).await;
    migrate(39..41).await;
    let emails = emails(5);
    let mut world = World::new(db.clone(), &emails.iter().map(String::as_str).collect::<Vec<_>>(), "").await;
    let id = world.mailing("now", TOMORROW, "once", "hold").await;
    const RUN: &str =
        "INSERT INTO runs (mailing_id, occurrence, state, reason, subject, body, from_name, reply_to, lang,
        opened_at, waiting, deferred, sent, failed, unknown, not_sent)
        SELECT id, start_at, 'open', '', 'Old', 'Old', 'Anna', 'anna@example.org', 'en', start_at, 3, 1, 1, 0, 0, 0
        FROM mailings";
    const ROWS: &str = "INSERT INTO deliveries (run_id, client_id, email, full_name, comment, state, attempts, due_at)
        SELECT r.id, c.id, c.email, c.full_name, '', 'pending', 0, r.opened_at FROM runs r, clients c ORDER BY c.id";
    const CLAIMED: &str = "UPDATE deliveries SET state = 'claimed', lease = 'deaddeaddeaddead-1', lease_until = due_at
        WHERE email LIKE 'c01%'";
    const ARMED: &str = "UPDATE deliveries SET state = 'armed', lease = 'deaddeaddeaddead-1', lease_until = due_at
        WHERE email LIKE 'c02%'";
    const DEFERRED: &str = "UPDATE deliveries SET state = 'deferred', attempts = 1 WHERE email LIKE 'c03%'";
    const SENT: &str = "UPDATE deliveries SET state = 'sent', attempts = 1 WHERE email LIKE 'c04%'";
    const NEXT: &str = "UPDATE mailings SET next_at = NULL, status = 'running'";
    let mut tx = world.db.begin().await.unwrap();
    for sql in [RUN, ROWS, CLAIMED, ARMED, DEFERRED, SENT, NEXT] {
        on_tx!(&mut tx, conn => conn.execute(old(sql)).await.map(drop)).unwrap();
    }
    tx.commit().await.unwrap();
    migrate(23..25).await;
    migrate(28..33).await;
    migrate(34..39).await;
    migrate(41..i64::MAX).await;
    world.counters_are_true(&world.runs(id).await[0]).await;
    world.engine.enter(true).await.unwrap();
    world.engine.pass(None).await.unwrap();
    let run = world.runs(id).await.remove(0);
    assert_eq!((run.state, run.counts.sent, run.counts.unknown), (RunState::Done, 4, 1));
    world.counters_are_true(&run).await;
    assert_eq!(
        world.arrived().into_keys().collect::<Vec<_>>(),
        [&emails[0], &emails[1], &emails[3]].map(String::clone)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_a_run_of_an_earlier_version_goes_on() {
    let (db, _folder) = testing::empty_sqlite().await;
    a_run_of_an_earlier_version_goes_on(db).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_a_run_of_an_earlier_version_goes_on() {
    a_run_of_an_earlier_version_goes_on(testing::empty_postgres().await).await;
}

testing::on_both!(
    what_is_taken_in_order_is_taken_once_and_written_once,
    a_lease_is_good_until_its_claim_ends_or_its_mailing_is_stopped,
    a_claim_is_forgotten_when_all_of_it_is_recorded,
    what_is_in_hand_is_neither_ended_nor_left_out,
);
