use super::*;
use crate::domain::delivery::DeliveryState;
use crate::domain::mailing::{Counts, MailingStatus, RunState};
use crate::forms::mailings::MailingForm;
use crate::server::db::{on_db, on_tx, testing};
use crate::server::services::mailings;
use crate::server::services::testing::{actor, mailing_form};
use chrono::TimeDelta;

fn now() -> DateTime<Utc> {
    "2026-11-23T07:00:00Z".parse().unwrap()
}

/// A finished mailing of three clients: one got it, of two it is not known. Returns the mailing, the
/// run, and the two deliveries.
async fn doubtful(db: &Db, actor: &Actor) -> (i64, i64, Vec<i64>) {
    for name in ["one", "two", "three"] {
        testing::client(db, actor.id, &format!("{name}@example.org"), "", "").await;
    }
    let (end, policy) = ("2026-11-30T10:00".to_owned(), "hold".to_owned());
    let form = MailingForm { end, policy, ..mailing_form(db, actor, "Hello", "Hello").await };
    let mailing = mailings::create(db, actor, &form, now()).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    let run = testing::open_run(&mut tx, mailing, actor.id, now()).await;
    crate::server::db::mailings::advance(&mut tx, mailing, None, MailingStatus::Finished).await.unwrap();
    tx.commit().await.unwrap();
    let rows = mailings::deliveries(db, actor, mailing, run, None, "", 0).await.unwrap().rows;
    let unknown: Vec<i64> = rows.iter().skip(1).map(|row| row.id).collect();
    let mut tx = db.begin().await.unwrap();
    for (sql, id) in [
        ("UPDATE deliveries SET state = 'unknown', attempts = 1 WHERE run_id = $1", run),
        ("UPDATE deliveries SET state = 'sent' WHERE id = $1", rows[0].id),
        ("UPDATE runs SET state = 'done', waiting = 0, sent = 1, unknown = 2 WHERE id = $1", run),
    ] {
        on_tx!(&mut tx, conn => sqlx::query(sql).bind(id).execute(conn).await.map(drop)).unwrap();
    }
    tx.commit().await.unwrap();
    (mailing, run, unknown)
}

fn one(mailing: i64, delivery: i64, verdict: &str) -> DecisionForm {
    DecisionForm { mailing, delivery, verdict: verdict.to_owned(), ..DecisionForm::default() }
}

fn all(mailing: i64, run: i64, n: i64, verdict: &str) -> DecisionForm {
    DecisionForm { mailing, run, n, verdict: verdict.to_owned(), ..DecisionForm::default() }
}

fn conflict(result: Result<i64>, key: &str) {
    assert!(matches!(result, Err(Error::Conflict(found)) if found == key), "{key}: {result:?}");
}

/// The run as its counters have it, after they were compared with the rows.
async fn counted(db: &Db, actor: &Actor, mailing: i64) -> (MailingStatus, RunState, Counts) {
    let detail = mailings::detail(db, actor, mailing, now()).await.unwrap();
    let run = detail.runs[0].clone();
    let rows: Vec<(String, i64)> = on_db!(db, pool => {
        sqlx::query_as("SELECT state, COUNT(*) FROM deliveries WHERE run_id = $1 GROUP BY state")
            .bind(run.id)
            .fetch_all(pool)
            .await
    })
    .unwrap();
    let rows = |state: &str| rows.iter().find(|(of, _)| of == state).map_or(0, |(_, n)| *n);
    let counts = run.counts;
    assert_eq!(
        [counts.sent, counts.deferred, counts.unknown, counts.total()],
        [rows("sent"), rows("deferred"), rows("unknown"), 3],
        "counters equal rows"
    );
    (detail.row.status, run.state, counts)
}

async fn one_by_one(db: Db) {
    let (anna, other) = (actor(&db, "a@example.org").await, actor(&db, "b@example.org").await);
    let (mailing, run, unknown) = doubtful(&db, &anna).await;
    let later = now() + TimeDelta::hours(2);
    let before = counted(&db, &anna, mailing).await;
    assert_eq!((before.0, before.1, before.2.left_out()), (MailingStatus::Finished, RunState::Done, 2));

    for form in
        [one(mailing, unknown[0], "arrived"), all(mailing, run, 2, "arrived"), one(mailing + 9, unknown[0], "arrived")]
    {
        let who = if form.mailing == mailing { &other } else { &anna };
        assert!(matches!(decide(&db, who, &form, later).await, Err(Error::NotFound)), "{form:?}");
    }
    assert!(matches!(decide(&db, &anna, &one(mailing, unknown[0], "lost"), later).await, Err(Error::Invalid(_))));

    assert_eq!(decide(&db, &anna, &one(mailing, unknown[0], "arrived"), later).await.unwrap(), 1);
    let (status, state, counts) = counted(&db, &anna, mailing).await;
    assert_eq!((status, state, counts.sent, counts.unknown), (MailingStatus::Finished, RunState::Done, 2, 1));
    let shown = mailings::delivery(&db, &anna, mailing, unknown[0]).await.unwrap();
    assert_eq!((shown.row.state, shown.row.reason.as_str()), (DeliveryState::Sent, "by_hand"));
    let said = &shown.decisions[0];
    assert_eq!((said.verdict, said.at, said.by.as_str()), (Verdict::Arrived, later, anna.name.as_str()));
    conflict(decide(&db, &anna, &one(mailing, unknown[0], "resend"), later).await, "error.doubt.decided");

    assert_eq!(decide(&db, &anna, &one(mailing, unknown[1], "resend"), later).await.unwrap(), 1);
    let (status, state, counts) = counted(&db, &anna, mailing).await;
    assert_eq!((status, state, counts.deferred), (MailingStatus::Running, RunState::Open, 1), "it goes on");
    let again = mailings::delivery(&db, &anna, mailing, unknown[1]).await.unwrap().row;
    assert_eq!((again.state, again.attempts, again.due_at), (DeliveryState::Deferred, 1, Some(later)), "at once");
}

async fn all_at_once(db: Db) {
    let anna = actor(&db, "a@example.org").await;
    let (mailing, run, unknown) = doubtful(&db, &anna).await;
    conflict(decide(&db, &anna, &all(mailing, run, 1, "arrived"), now()).await, "error.list_changed");
    let over = now() + TimeDelta::days(30);
    conflict(decide(&db, &anna, &all(mailing, run, 2, "resend"), over).await, "error.doubt.over");
    conflict(decide(&db, &anna, &one(mailing, unknown[0], "resend"), over).await, "error.doubt.over");
    assert_eq!(counted(&db, &anna, mailing).await.2.unknown, 2, "a refusal changes nothing");
    assert_eq!(decide(&db, &anna, &all(mailing, run, 2, "arrived"), over).await.unwrap(), 2);
    let (status, state, counts) = counted(&db, &anna, mailing).await;
    assert_eq!((status, state, counts.left_out()), (MailingStatus::Finished, RunState::Done, 0));
    for delivery in unknown {
        assert_eq!(mailings::delivery(&db, &anna, mailing, delivery).await.unwrap().decisions.len(), 1);
    }
}

/// Two clicks at once: one decides, the other is told so.
async fn two_clicks(db: Db) {
    let anna = actor(&db, "a@example.org").await;
    let (mailing, run, unknown) = doubtful(&db, &anna).await;
    let (arrived, resend) = (one(mailing, unknown[0], "arrived"), one(mailing, unknown[0], "resend"));
    let (first, second) = tokio::join!(decide(&db, &anna, &arrived, now()), decide(&db, &anna, &resend, now()));
    let refused = match (first, second) {
        (Ok(1), refused) | (refused, Ok(1)) => refused,
        both => panic!("one of the two decides: {both:?}"),
    };
    conflict(refused, "error.doubt.decided");
    assert_eq!(mailings::delivery(&db, &anna, mailing, unknown[0]).await.unwrap().decisions.len(), 1);
    let left = counted(&db, &anna, mailing).await.2.unknown;
    let whole = all(mailing, run, left, "arrived");
    let (first, second) = tokio::join!(decide(&db, &anna, &whole, now()), decide(&db, &anna, &whole, now()));
    assert_eq!(first.is_ok() as u8 + second.is_ok() as u8, 1, "{first:?} {second:?}");
    counted(&db, &anna, mailing).await;
}

testing::on_both!(one_by_one, all_at_once, two_clicks);
