use super::*;
use crate::domain::report::ReplyCount;
use crate::domain::returned::ReturnedCounts;
use crate::domain::suppression::Source;
use crate::forms::mailings::MailingForm;
use crate::server::db::returns::{self, About, NewReturn};
use crate::server::db::{on_db, on_tx, testing};
use crate::server::services::mailings;
use crate::server::services::testing::{actor, mailing_form};
use vestnik_reports::Class;

fn now() -> DateTime<Utc> {
    "2026-11-23T07:00:00Z".parse().unwrap()
}

/// An open run of one client, and its mailing.
async fn run(db: &Db, actor: &Actor, title: &str) -> (i64, i64) {
    let form = MailingForm {
        title: title.to_owned(),
        end: "2026-12-31T10:00".to_owned(),
        period: "daily".to_owned(),
        ..mailing_form(db, actor, "Hello", "Hello").await
    };
    let mailing = mailings::create(db, actor, &form, now()).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    let run = testing::open_run(&mut tx, mailing, actor.id, now()).await;
    tx.commit().await.unwrap();
    (mailing, run)
}

async fn attempt(db: &Db, run: i64, number: i64, at: &str, status: &str, code: i32, reply: &str) {
    const SQL: &str = "INSERT INTO attempts (delivery_id, run_id, number, at, ms, stage, status, relay, code, enhanced,
        reply) SELECT id, run_id, $2, $3, 5, 'dot', $4, 'mx:25', $5, NULL, $6 FROM deliveries WHERE run_id = $1";
    let at: DateTime<Utc> = at.parse().unwrap();
    let mut tx = db.begin().await.unwrap();
    on_tx!(&mut tx, conn => sqlx::query(SQL)
        .bind(run)
        .bind(number)
        .bind(at)
        .bind(status)
        .bind(code)
        .bind(reply)
        .execute(conn)
        .await
        .map(drop))
    .unwrap();
    tx.commit().await.unwrap();
}

async fn set(db: &Db, sql: &'static str, run: i64) {
    let mut tx = db.begin().await.unwrap();
    on_tx!(&mut tx, conn => sqlx::query(sql).bind(run).bind(now()).execute(conn).await.map(drop)).unwrap();
    tx.commit().await.unwrap();
}

const CLOSE: &str = "UPDATE runs SET state = 'done', finished_at = $2 WHERE id = $1";

fn tally(sent: i64, deferred: i64, failed: i64, unknown: i64) -> Tally {
    Tally { sent, deferred, failed, unknown, ..Tally::default() }
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

async fn counts_by_day_mailing_and_reply(db: Db) {
    let (anna, other) = (actor(&db, "a@example.org").await, actor(&db, "b@example.org").await);
    testing::client(&db, anna.id, "one@example.org", "", "").await;
    testing::client(&db, other.id, "two@example.org", "", "").await;
    let (first, one) = run(&db, &anna, "First").await;
    let (second, two) = run(&db, &anna, "Second").await;
    let (_, theirs) = run(&db, &other, "Theirs").await;
    attempt(&db, one, 1, "2026-11-21T23:59:59.999Z", "deferred", 451, "4.7.1 <a@example.org> later").await;
    attempt(&db, one, 2, "2026-11-22T00:00:00Z", "sent", 250, "queued as A1").await;
    attempt(&db, two, 1, "2026-11-22T10:00:00Z", "deferred", 451, "4.7.1 <b@example.org> later").await;
    attempt(&db, theirs, 1, "2026-11-22T10:00:00Z", "sent", 250, "ok").await;

    let shown = report(&db, &anna, "", "", now()).await.unwrap();
    assert_eq!((shown.from, shown.to), (day("2026-10-25"), day("2026-11-23")));
    assert_eq!(shown.days, [(day("2026-11-21"), tally(0, 1, 0, 0)), (day("2026-11-22"), tally(1, 1, 0, 0))]);
    assert_eq!(
        shown.mailings,
        [(first, "First".to_owned(), tally(1, 1, 0, 0)), (second, "Second".to_owned(), tally(0, 1, 0, 0))]
    );
    assert_eq!((shown.total.clone(), shown.more_mailings, shown.counting), (tally(1, 2, 0, 0), 0, 0));
    let reply = |code, reply: &str, count| {
        let meaning = if code < 400 { "" } else { "later" };
        ReplyCount { code: Some(code), reply: reply.to_owned(), meaning: meaning.to_owned(), count }
    };
    assert_eq!(shown.replies, [reply(451, "4.7.1 … later", 2), reply(250, "", 1)]);
    let narrow = report(&db, &anna, "2026-11-22", "2026-11-22", now()).await.unwrap();
    assert_eq!((narrow.total, narrow.replies.len()), (tally(1, 1, 0, 0), 2));
    assert_eq!(days(&db, &anna, "", "", now()).await.unwrap(), [day("2026-11-21"), day("2026-11-22")]);
    let (_, of_day) = day_of(&db, anna.id, day("2026-11-21")).await.unwrap();
    assert_eq!(of_day, [(first, "First".to_owned(), tally(0, 1, 0, 0))]);

    for (from, to, field, key) in [
        ("x", "", "from", "error.moment"),
        ("2026-11-23", "2026-11-22", "to", "error.window.order"),
        ("2025-11-22", "2026-11-23", "from", "error.range.long"),
    ] {
        let Err(Error::Invalid(errors)) = report(&db, &anna, from, to, now()).await else { panic!("{from} {to}") };
        assert_eq!(errors.get(field).map(|error| error.key.as_str()), Some(key));
    }
}

async fn what_is_closed_is_counted_once(db: Db) {
    let anna = actor(&db, "a@example.org").await;
    testing::client(&db, anna.id, "one@example.org", "", "").await;
    let (_, run) = run(&db, &anna, "First").await;
    let sent = async || report(&db, &anna, "", "", now()).await.unwrap().total.attempts();
    attempt(&db, run, 1, "2026-11-22T10:00:00Z", "deferred", 451, "later").await;
    assert_eq!(sent().await, 1);
    attempt(&db, run, 2, "2026-11-22T11:00:00Z", "deferred", 451, "later").await;
    assert_eq!(sent().await, 2, "an open run is counted anew");
    set(&db, CLOSE, run).await;
    attempt(&db, run, 3, "2026-11-22T12:00:00Z", "sent", 250, "ok").await;
    assert_eq!(sent().await, 3, "what came before it closed is not lost");
    assert!(tallies::uncounted(&db, anna.id).await.unwrap().is_empty(), "it is counted for good");
    set(&db, "UPDATE runs SET state = 'open', finished_at = NULL, tallied = FALSE WHERE id = $1 AND $2 = $2", run)
        .await;
    attempt(&db, run, 4, "2026-11-22T13:00:00Z", "sent", 250, "ok").await;
    assert_eq!(sent().await, 4, "one that was opened again is counted again");

    // A run that closes while it is counted is not taken for counted.
    let before = tallies::uncounted(&db, anna.id).await.unwrap().remove(0);
    let counted = tallies::count(&db, run).await.unwrap();
    attempt(&db, run, 5, "2026-11-22T14:00:00Z", "sent", 250, "ok").await;
    set(&db, CLOSE, run).await;
    let mut tx = db.begin().await.unwrap();
    tallies::store(&mut tx, &before, counted, now()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(sent().await, 5);
}

/// A large run is counted behind the reader's back, and the report says that it is missing.
async fn large_runs_keep_nobody_waiting(db: Db) {
    let anna = actor(&db, "a@example.org").await;
    testing::client(&db, anna.id, "one@example.org", "", "").await;
    let (_, run) = run(&db, &anna, "First").await;
    attempt(&db, run, 1, "2026-11-22T10:00:00Z", "sent", 250, "ok").await;
    set(&db, "UPDATE runs SET waiting = 0, sent = 1000000 WHERE id = $1 AND $2 = $2", run).await;
    set(&db, CLOSE, run).await;
    let first = report(&db, &anna, "", "", now()).await.unwrap();
    assert_eq!((first.counting, first.total.attempts()), (1, 0));
    while !tallies::uncounted(&db, anna.id).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    let second = report(&db, &anna, "", "", now()).await.unwrap();
    assert_eq!((second.counting, second.total.attempts()), (0, 1));
}

/// A letter that came back.
async fn came_back(db: &Db, owner: i64, run: i64, class: Class, at: &str) {
    const DELIVERY: &str = "SELECT id FROM deliveries WHERE run_id = $1";
    let delivery: i64 = on_db!(db, pool => sqlx::query_scalar(DELIVERY).bind(run).fetch_one(pool).await).unwrap();
    let at: DateTime<Utc> = at.parse().unwrap();
    let digest = format!("{run} {class:?} {at}");
    let new = NewReturn {
        at,
        about: Some(About { delivery, owner, run: Some(run) }),
        class,
        recipient: "",
        status: "",
        diagnostic: "",
        source: Source::Report,
        digest: digest.as_bytes(),
        evidence: b"",
    };
    let mut tx = db.begin().await.unwrap();
    assert!(returns::add(&mut tx, &new).await.unwrap());
    returns::count(&mut tx, run, delivery, class, at).await.unwrap();
    tx.commit().await.unwrap();
}

async fn what_came_back_counts_on_the_day_it_first_did(db: Db) {
    let (anna, other) = (actor(&db, "a@example.org").await, actor(&db, "b@example.org").await);
    testing::client(&db, anna.id, "one@example.org", "", "").await;
    testing::client(&db, other.id, "two@example.org", "", "").await;
    let (first, one) = run(&db, &anna, "First").await;
    let (_, theirs) = run(&db, &other, "Theirs").await;
    attempt(&db, one, 1, "2026-11-20T10:00:00Z", "sent", 250, "ok").await;
    came_back(&db, anna.id, one, Class::Full, "2026-11-21T23:59:59Z").await;
    // Once more is no second letter.
    came_back(&db, anna.id, one, Class::NoAddress, "2026-11-22T10:00:00Z").await;
    came_back(&db, anna.id, one, Class::Complaint, "2026-11-22T11:00:00Z").await;
    came_back(&db, other.id, theirs, Class::NoAddress, "2026-11-22T10:00:00Z").await;
    let returned = |returned, complained| Tally { returned, complained, ..Tally::default() };
    let shown = report(&db, &anna, "", "", now()).await.unwrap();
    assert_eq!(
        shown.days,
        [
            (day("2026-11-20"), tally(1, 0, 0, 0)),
            (day("2026-11-21"), returned(1, 0)),
            (day("2026-11-22"), returned(0, 1))
        ]
    );
    assert_eq!(shown.total, Tally { sent: 1, ..returned(1, 1) });
    // A mailing of earlier days is named where its letters come back.
    let later = report(&db, &anna, "2026-11-22", "2026-11-22", now()).await.unwrap();
    assert_eq!(later.mailings, [(first, "First".to_owned(), returned(0, 1))]);
    assert!(!later.total.is_empty() && later.total.attempts() == 0);
    let counts = returns::by_run(&db, &[one, theirs]).await.unwrap();
    assert!(counts.contains(&(one, ReturnedCounts { returned: 1, complained: 1 })), "{counts:?}");
    assert_eq!(returns::by_run(&db, &[]).await.unwrap(), []);
}

testing::on_both!(
    what_came_back_counts_on_the_day_it_first_did,
    counts_by_day_mailing_and_reply,
    what_is_closed_is_counted_once,
    large_runs_keep_nobody_waiting
);
