use super::*;
use crate::domain::delivery::DeliveryState;
use crate::forms::mailings::MailingForm;
use crate::forms::topics::TopicForm;
use crate::server::db::{on_tx, testing};
use crate::server::services::testing::{actor, mailing_form};
use crate::server::services::{mailings as service, topics};
use chrono::TimeDelta;

fn now() -> DateTime<Utc> {
    "2026-11-23T07:00:00Z".parse().unwrap()
}

/// What each of the clients' deliveries came to.
const CAME: [(&str, &str); 5] =
    [("sent", "sent"), ("failed", "failed"), ("ended", "not_sent"), ("unknown", "unknown"), ("gone", "failed")];

async fn change(db: &Db, sql: &str, id: i64) {
    let mut tx = db.begin().await.unwrap();
    on_tx!(&mut tx, conn => sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).bind(id).execute(conn).await.map(drop))
        .unwrap();
    tx.commit().await.unwrap();
}

/// A finished mailing with a delivery of each kind, whose last client has been deleted; the mailing and its run.
async fn over(db: &Db, actor: &Actor) -> (i64, i64) {
    for (name, _) in CAME {
        testing::client(db, actor.id, &format!("{name}@example.org"), "", "").await;
    }
    let (end, policy) = ("2026-11-30T10:00".to_owned(), "hold".to_owned());
    let form = MailingForm { end, policy, ..mailing_form(db, actor, "Hello", "Hello").await };
    let mailing = service::create(db, actor, &form, now()).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    let run = testing::open_run(&mut tx, mailing, actor.id, now()).await;
    mailings::advance(&mut tx, mailing, None, MailingStatus::Finished).await.unwrap();
    tx.commit().await.unwrap();
    for (name, state) in CAME {
        let sql = format!("UPDATE deliveries SET state = '{state}' WHERE run_id = $1 AND email = '{name}@example.org'");
        change(db, &sql, run).await;
    }
    change(
        db,
        "UPDATE runs SET state = 'done', waiting = 0, sent = 1, failed = 2, not_sent = 1, unknown = 1 WHERE id = $1",
        run,
    )
    .await;
    change(db, "DELETE FROM clients WHERE email = 'gone@example.org' AND owner_id = $1", actor.id).await;
    (mailing, run)
}

fn form(mailing: i64, run: i64, n: i64) -> MissedForm {
    MissedForm { mailing, run, n }
}

async fn send(db: &Db, actor: &Actor, form: MissedForm, now: DateTime<Utc>) -> Result<i64> {
    send_to_missed(db, actor, &form, MassMail::May, now).await
}

fn conflict(result: Result<i64>, key: &str) {
    assert!(matches!(result, Err(Error::Conflict(found)) if found == key), "{key}: {result:?}");
}

async fn exactly_those_who_were_missed_get_another_run(db: Db) {
    let actor = actor(&db, "a@example.org").await;
    let (mailing, run) = over(&db, &actor).await;
    assert_eq!(missed(&db, &actor, mailing, run, now()).await.unwrap(), 2);
    conflict(send(&db, &actor, form(mailing, run, 3), now()).await, "error.list_changed");
    let later = now() + TimeDelta::hours(1);
    assert_eq!(send(&db, &actor, form(mailing, run, 2), later).await.unwrap(), 2);
    let detail = service::detail(&db, &actor, mailing, later).await.unwrap();
    assert_eq!((detail.row.status, detail.runs.len()), (MailingStatus::Running, 2));
    let rows = service::deliveries(&db, &actor, mailing, 0, None, "", 0).await.unwrap().rows;
    let got: Vec<(&str, DeliveryState)> = rows.iter().map(|row| (row.email.as_str(), row.state)).collect();
    assert_eq!(got, [("failed@example.org", DeliveryState::Pending), ("ended@example.org", DeliveryState::Pending)]);
    // Neither while it sends, nor again from the run before: they might get two.
    assert_eq!(missed(&db, &actor, mailing, run, later).await.unwrap(), 0);
    conflict(send(&db, &actor, form(mailing, run, 2), later).await, "error.list_changed");
    let second = detail.runs[0].id;
    change(&db, "UPDATE deliveries SET state = 'sent' WHERE run_id = $1", second).await;
    change(&db, "UPDATE runs SET state = 'done', waiting = 0, sent = 2 WHERE id = $1", second).await;
    assert_eq!(missed(&db, &actor, mailing, run, later).await.unwrap(), 0);
    assert_eq!(missed(&db, &actor, mailing, second, later).await.unwrap(), 0);
}

async fn who_has_left_is_not_missed(db: Db) {
    let actor = actor(&db, "a@example.org").await;
    let (mailing, run) = over(&db, &actor).await;
    let entry = "INSERT INTO suppressions (owner_id, address_key, email, reason, source, since, evidence, actor)
        SELECT $1, 'failed@example.org', 'failed@example.org', 'unsubscribed', 'link', created_at, '', '' FROM users
        WHERE id = $1";
    change(&db, entry, actor.id).await;
    assert_eq!(missed(&db, &actor, mailing, run, now()).await.unwrap(), 1);
    assert_eq!(send(&db, &actor, form(mailing, run, 1), now() + TimeDelta::hours(1)).await.unwrap(), 1);
}

async fn nothing_is_sent_of_what_is_stopped_or_over(db: Db) {
    let (owner, other) = (actor(&db, "a@example.org").await, actor(&db, "b@example.org").await);
    let (mailing, run) = over(&db, &owner).await;
    assert!(matches!(missed(&db, &other, mailing, run, now()).await, Err(Error::NotFound)));
    assert!(matches!(send(&db, &other, form(mailing, run, 2), now()).await, Err(Error::NotFound)));
    conflict(send(&db, &owner, form(mailing, run, 2), now() + TimeDelta::days(30)).await, "error.missed.over");
    change(&db, "UPDATE mailings SET paused_at = created_at WHERE id = $1", mailing).await;
    conflict(send(&db, &owner, form(mailing, run, 2), now()).await, "error.missed.stopped");
    change(&db, "UPDATE mailings SET disabled_at = created_at WHERE id = $1", mailing).await;
    assert_eq!(missed(&db, &owner, mailing, run, now()).await.unwrap(), 0);
}

async fn nobody_is_missed_twice_nor_at_an_address_that_got_it(db: Db) {
    let actor = actor(&db, "a@example.org").await;
    let (mailing, run) = over(&db, &actor).await;
    for (email, state) in [("failed@example.org", "failed"), ("ended@example.org", "sent")] {
        let id = testing::double(&db, actor.id, &email.to_uppercase(), "", "").await;
        let sql = format!(
            "INSERT INTO deliveries (run_id, client_id, email, full_name, comment, state, reason, due_at)
             SELECT run_id, {id}, UPPER(email), full_name, comment, '{state}', reason, due_at FROM deliveries
             WHERE run_id = $1 AND email = '{email}'"
        );
        change(&db, &sql, run).await;
    }
    // Of two who failed one is written to; who was reached under another spelling is not.
    assert_eq!(missed(&db, &actor, mailing, run, now()).await.unwrap(), 1);
    assert_eq!(send(&db, &actor, form(mailing, run, 1), now() + TimeDelta::hours(1)).await.unwrap(), 1);
    let rows = service::deliveries(&db, &actor, mailing, 0, None, "", 0).await.unwrap().rows;
    let got: Vec<&str> = rows.iter().map(|row| row.email.as_str()).collect();
    assert_eq!(got, ["failed@example.org"]);
}

async fn of_a_topic_only_those_who_still_want_it(db: Db) {
    let actor = actor(&db, "a@example.org").await;
    let (mailing, run) = over(&db, &actor).await;
    let news = TopicForm { name: "News".to_owned(), public: true, by_default: true, ..TopicForm::default() };
    topics::save(&db, &actor, &news, now()).await.unwrap();
    let topic = topics::list(&db, &actor).await.unwrap()[0].id;
    change(&db, &format!("UPDATE mailings SET topic_id = {topic} WHERE id = $1"), mailing).await;
    let entry = format!(
        "INSERT INTO suppressions (owner_id, address_key, email, topic_id, reason, source, since, evidence, actor)
         SELECT id, 'failed@example.org', 'failed@example.org', {topic}, 'unsubscribed', 'page', created_at, '', ''
         FROM users WHERE id = $1"
    );
    change(&db, &entry, actor.id).await;
    assert_eq!(missed(&db, &actor, mailing, run, now()).await.unwrap(), 1);
    assert_eq!(send(&db, &actor, form(mailing, run, 1), now() + TimeDelta::hours(1)).await.unwrap(), 1);
}

/// Two tabs at once, on the same figure.
async fn of_two_at_once_one_sends(db: Db) {
    let actor = actor(&db, "a@example.org").await;
    let (mailing, run) = over(&db, &actor).await;
    let later = now() + TimeDelta::hours(1);
    let ask = || send(&db, &actor, form(mailing, run, 2), later);
    let all = tokio::join!(ask(), ask(), ask());
    let sent = [&all.0, &all.1, &all.2].into_iter().filter(|result| result.is_ok()).count();
    assert_eq!(sent, 1, "{all:?}");
    // Also once the first one's run is over.
    let second = service::detail(&db, &actor, mailing, later).await.unwrap().runs[0].id;
    change(&db, "UPDATE runs SET state = 'done', waiting = 0, failed = 2 WHERE id = $1", second).await;
    let mut tx = db.begin().await.unwrap();
    mailings::lock(&mut tx, mailing).await.unwrap();
    assert_eq!(runs::newest(&mut tx, mailing).await.unwrap(), Some(second));
    tx.commit().await.unwrap();
    conflict(send(&db, &actor, form(mailing, run, 2), later).await, "error.list_changed");
}

async fn the_next_run_finds_its_mailing_free(db: Db) {
    let actor = actor(&db, "a@example.org").await;
    let (mailing, run) = over(&db, &actor).await;
    let next = now() + TimeDelta::hours(3);
    let mut tx = db.begin().await.unwrap();
    mailings::advance(&mut tx, mailing, Some(next), MailingStatus::Running).await.unwrap();
    tx.commit().await.unwrap();
    conflict(send(&db, &actor, form(mailing, run, 2), next - TimeDelta::minutes(14)).await, "error.missed.soon");
    assert_eq!(send(&db, &actor, form(mailing, run, 2), next - TimeDelta::minutes(16)).await.unwrap(), 2);
    let open = runs::open_runs(&db, Some(mailing)).await.unwrap();
    assert_eq!(open.iter().map(|run| run.end_at).collect::<Vec<_>>(), [next - MARGIN]);
}

testing::on_both!(
    nobody_is_missed_twice_nor_at_an_address_that_got_it,
    of_a_topic_only_those_who_still_want_it,
    of_two_at_once_one_sends,
    the_next_run_finds_its_mailing_free,
    exactly_those_who_were_missed_get_another_run,
    who_has_left_is_not_missed,
    nothing_is_sent_of_what_is_stopped_or_over,
);
