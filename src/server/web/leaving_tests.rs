use crate::domain::email::EmailAddress;
use crate::domain::suppression::{NO_TOPIC, Reason, Source, Suppression};
use crate::forms::topics::TopicForm;
use crate::server::db::suppressions::{NewEntry, of_address};
use crate::server::db::testing::{client, made_at, on_both, open_run};
use crate::server::db::{Db, addressees, deliveries, on_db, on_tx};
use crate::server::services::testing::{enter, entry, mailing, sent_mailing};
use crate::server::services::{Actor, topics};
use crate::server::web::testing::{Answer, Served, multipart};
use std::time::Duration;

/// A service, one of whose users has sent two letters.
struct World {
    served: Served,
    owner: Actor,
    /// To `anna@example.org`.
    token: String,
    other: String,
}

impl World {
    async fn new(db: Db) -> Self {
        let served = Served::start(db).await;
        let (owner, _) = served.somebody("olga@example.org").await;
        let db = &served.state.db;
        for email in ["anna@example.org", "boris@example.org"] {
            client(db, owner.id, email, "", "").await;
        }
        let mailing = mailing(db, &owner, "s", "b", made_at()).await;
        let mut tx = db.begin().await.unwrap();
        let run = open_run(&mut tx, mailing, owner.id, made_at()).await;
        tx.commit().await.unwrap();
        let rows = deliveries::list(db, run, None, "", 0, 10).await.unwrap();
        let token = |n: usize| served.state.config.tokens.token(rows[n].id);
        let (token, other) = (token(0), token(1));
        Self { served, owner, token, other }
    }

    async fn entries(&self, email: &str) -> Vec<Suppression> {
        let email = EmailAddress::parse(email).unwrap();
        of_address(&self.served.state.db, self.owner.id, &email, made_at()).await.unwrap()
    }

    /// As a mail provider sends it: from nowhere, without a cookie.
    async fn one_click(&self, token: &str, kind: &str, body: &[u8]) -> Answer {
        let headers = [("Content-Type", kind), ("Origin", "null"), ("Sec-Fetch-Site", "cross-site")];
        self.served.send("POST", &format!("/u/{token}"), &headers, body).await
    }

    async fn choose(&self, form: &str) -> Answer {
        let headers = [("Content-Type", FORM), ("Origin", "null")];
        self.served.send("POST", &format!("/u/{}/change", self.token), &headers, form.as_bytes()).await
    }
}

const FORM: &str = "application/x-www-form-urlencoded";
const ONE_CLICK: &[u8] = b"List-Unsubscribe=One-Click";

async fn one_click_is_enough_in_every_form(db: Db) {
    let world = World::new(db).await;
    let upper = world.other.to_uppercase();
    for token in [&world.token, &world.token, &upper] {
        let answer = world.one_click(token, FORM, ONE_CLICK).await;
        assert_eq!((answer.status, answer.session(), answer.header("location")), (200, "", ""));
    }
    for email in ["anna@example.org", "boris@example.org"] {
        let entries = world.entries(email).await;
        assert_eq!(entries.len(), 1, "once, however often it was said");
        assert_eq!((entries[0].reason, entries[0].source), (Reason::Unsubscribed, Source::OneClick));
    }
    let (kind, body) = multipart("List-Unsubscribe", b"One-Click");
    for (kind, body) in [(kind, body), ("", Vec::new()), (FORM, vec![b'x'; 100_000])] {
        assert_eq!(world.one_click(&world.token, kind, &body).await.status, 200);
    }
}

async fn a_token_of_nobody_is_told_that_all_is_well_and_changes_nothing(db: Db) {
    let world = World::new(db).await;
    let foreign = crate::server::mail::delivery_token::DeliveryTokens::new(b"another installation", []);
    let tokens = &world.served.state.config.tokens;
    let cut = &world.token[..39];
    for token in [cut, "x", &foreign.token(1), &tokens.token(0), &tokens.token(987_654), "%00", "%FF"] {
        assert_eq!(world.one_click(token, FORM, ONE_CLICK).await.status, 200, "{token}");
    }
    assert!(world.entries("anna@example.org").await.is_empty() && world.entries("boris@example.org").await.is_empty());
    for token in [cut, &foreign.token(1), &tokens.token(987_654), "%FF"] {
        let page = world.served.get(&format!("/u/{token}"), "").await;
        assert!(page.status == 404 && page.body.contains("This link does not work"), "{}", page.body);
        assert!(page.body.contains("action=\"/u\"") && page.body.contains("Your email address"), "{}", page.body);
    }
    let page = world.served.get(&format!("/u/{}", tokens.token(0)), "").await;
    assert!(page.status == 200 && page.body.contains("This was a test email"), "{}", page.body);
}

async fn looking_changes_nothing(db: Db) {
    let world = World::new(db).await;
    let path = format!("/u/{}", world.token);
    for method in ["GET", "HEAD", "OPTIONS"] {
        for query in ["", "?List-Unsubscribe=One-Click", "?choice=leave"] {
            world.served.send(method, &format!("{path}{query}"), &[], b"").await;
            world.served.send(method, &format!("{path}/change{query}"), &[], b"").await;
        }
    }
    assert!(world.entries("anna@example.org").await.is_empty());
    let page = world.served.get(&path, "").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("a•••@example.org") && !page.body.contains("anna@"), "{}", page.body);
    assert!(page.body.contains("Olga") && !page.body.contains("<script"), "{}", page.body);
    for (header, value) in [
        ("cache-control", "private, no-store"),
        ("x-robots-tag", "noindex"),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
        ("set-cookie", ""),
    ] {
        assert_eq!(page.header(header), value, "{header}");
    }
}

async fn the_page_lets_its_reader_leave_pause_and_come_back(db: Db) {
    let world = World::new(db).await;
    let page = world.choose("choice=pause-30&reason=").await;
    assert!(page.body.contains("Emails are paused") && page.body.contains("31 Jan 2026"), "{}", page.body);
    let paused = world.entries("anna@example.org").await;
    assert_eq!(paused[0].until, Some(made_at() + chrono::TimeDelta::days(30)));
    let page = world.choose("choice=leave&reason=%D0%BC%D0%BD%D0%BE%D0%B3%D0%BE+%3Cb%3E").await;
    assert!(page.body.contains("You are unsubscribed"), "{}", page.body);
    let left = world.entries("anna@example.org").await;
    assert_eq!((left.len(), left[0].until, left[0].evidence.as_str()), (1, None, "много <b>"));
    assert_eq!(left[0].source, Source::Page);
    let page = world.choose("choice=undo").await;
    assert!(page.body.contains("Unsubscribe?"), "{}", page.body);
    assert!(world.entries("anna@example.org").await.is_empty());
    // What no button says changes nothing.
    for form in ["", "choice=", "choice=pause-7", "choice=pause-9999999999999999999", "reason=x"] {
        assert_eq!(world.choose(form).await.status, 200, "{form}");
    }
    assert!(world.entries("anna@example.org").await.is_empty());
    assert!(world.entries("boris@example.org").await.is_empty(), "nobody else was meant");
}

async fn a_letter_about_one_topic_lets_its_reader_choose(db: Db) {
    let world = World::new(db).await;
    let db = &world.served.state.db;
    for (name, public, by_default) in
        [("News <b>", false, true), ("Sales", true, true), ("Offers", true, false), ("Inner", false, true)]
    {
        let form = TopicForm { name: name.to_owned(), public, by_default, ..TopicForm::default() };
        topics::save(db, &world.owner, &form, made_at()).await.unwrap();
    }
    let all = topics::list(db, &world.owner).await.unwrap();
    let id = |name: &str| all.iter().find(|topic| topic.name.starts_with(name)).unwrap().id;
    let mut tx = db.begin().await.unwrap();
    let about = "UPDATE runs SET topic_id = $1";
    on_tx!(&mut tx, conn => sqlx::query(about).bind(id("News")).execute(conn).await.map(drop)).unwrap();
    tx.commit().await.unwrap();
    let held = async || {
        let entries = world.entries("anna@example.org").await;
        entries.into_iter().map(|entry| entry.topic).collect::<Vec<_>>()
    };
    let page = world.served.get(&format!("/u/{}", world.token), "").await.body;
    assert!(page.contains("from “News &lt;b&gt;”") && page.contains("everything by this sender"), "{page}");
    // Its own topic is offered, and the public ones; those that nobody gets by default are not ticked.
    assert!(page.contains("Sales") && page.contains("Offers") && !page.contains("Inner"), "{page}");
    assert_eq!(page.matches(" checked").count(), 2, "{page}");
    // One click leaves the letter's topic.
    world.one_click(&world.token, FORM, ONE_CLICK).await;
    assert_eq!(held().await, [id("News")]);
    let page = world.served.get(&format!("/u/{}", world.token), "").await.body;
    assert!(page.contains("no more emails about “News &lt;b&gt;”"), "{page}");
    world.choose("choice=undo").await;
    assert!(held().await.is_empty());
    let shown: String = ["News", "Sales", "Offers"].map(|name| format!("&shown={}", id(name))).concat();
    let ticks = |names: &[&str]| names.iter().map(|name| format!("&topic={}", id(name))).collect::<String>();
    let page = world.choose(&format!("choice=topics{shown}{}&topic=987654&topic=x", ticks(&["Offers"]))).await.body;
    assert_eq!(held().await, [id("News"), id("Sales")]);
    assert!(page.matches(" checked").count() == 1, "{page}");
    world.choose(&format!("choice=topics{shown}{}", ticks(&["News", "Sales", "Offers"]))).await;
    assert!(held().await.is_empty());
    // One that stood there without a tick and has none now is as it was: they have said nothing of it.
    world.choose(&format!("choice=topics&shown={0}&topic={0}&unticked={1}", id("News"), id("Offers"))).await;
    assert!(held().await.is_empty());
    let (offers, until) = (id("Offers"), made_at() + chrono::TimeDelta::days(30));
    let email = EmailAddress::parse("anna@example.org").unwrap();
    let by_page = entry(&world.owner, &email, Reason::Unsubscribed, made_at());
    let pause = NewEntry { topic: offers, source: Source::Page, until: Some(until), ..by_page };
    enter(db, &pause).await;
    world.choose(&format!("choice=topics&shown={0}&topic={0}&unticked={offers}", id("News"))).await;
    let kept = world.entries("anna@example.org").await;
    assert_eq!(kept.iter().map(|entry| (entry.topic, entry.until)).collect::<Vec<_>>(), [(offers, Some(until))]);
    world.choose(&format!("choice=topics&shown={0}&topic={0}&unticked={offers}&topic={offers}", id("News"))).await;
    assert!(held().await.is_empty());
    // A page from before there were others says nothing of them.
    world.choose(&format!("choice=topics&shown={}", id("News"))).await;
    assert_eq!(held().await, [id("News")]);
    world.choose("choice=undo").await;
    let page = world.choose("choice=pause-30").await.body;
    assert!(page.contains("no emails about “News &lt;b&gt;” until 31 Jan 2026"), "{page}");
    world.choose("choice=undo").await;
    // Whoever has paused everything is told so, and can leave for good.
    let everything = NewEntry { topic: NO_TOPIC, ..pause };
    enter(db, &everything).await;
    let page = world.served.get(&format!("/u/{}", world.token), "").await.body;
    assert!(page.contains("You will get no emails until 31 Jan 2026") && page.contains("leave-all"), "{page}");
    let page = world.choose("choice=leave-all&reason=enough").await.body;
    assert_eq!(held().await, [NO_TOPIC]);
    assert!(page.contains("You are unsubscribed") && !page.contains("Sales"), "{page}");
    world.choose("choice=undo-all").await;
    assert!(held().await.is_empty());
    // Once the topic is gone, to leave it would be to leave nothing.
    topics::delete(db, &world.owner, id("News")).await.unwrap();
    world.one_click(&world.token, FORM, ONE_CLICK).await;
    assert_eq!(held().await, [NO_TOPIC]);
    assert!(world.entries("boris@example.org").await.is_empty());
}

/// So many different letters, each clicked twice over connections of its own; prints how long it took. Those who left get
/// nothing of a run that is open.
async fn clicks(db: Db) {
    const MANY: i64 = 10_000;
    let served = Served::start(db).await;
    let (owner, _) = served.somebody("olga@example.org").await;
    let db = &served.state.db;
    sent_mailing(db, &owner, MANY as usize).await;
    let mailing = mailing(db, &owner, "s", "b", made_at()).await;
    let mut tx = db.begin().await.unwrap();
    let run = open_run(&mut tx, mailing, owner.id, made_at()).await;
    tx.commit().await.unwrap();
    let ids: Vec<i64> = on_db!(db, pool => sqlx::query_scalar("SELECT id FROM deliveries WHERE run_id <> $1")
        .bind(run)
        .fetch_all(pool)
        .await)
    .unwrap();
    let headers = [("Content-Type", FORM), ("Origin", "null")];
    for round in ["first", "second"] {
        let began = std::time::Instant::now();
        let clicks = ids.iter().map(|id| {
            let path = format!("/u/{}", served.state.config.tokens.token(*id));
            let served = &served;
            async move { served.send("POST", &path, &headers, ONE_CLICK).await.status }
        });
        let answers: Vec<u16> =
            futures::StreamExt::collect(futures::StreamExt::buffer_unordered(futures::stream::iter(clicks), 64)).await;
        println!("{round} {MANY} clicks: {:?}", began.elapsed());
        assert!(answers.len() == ids.len() && answers.iter().all(|status| *status == 200));
        const COUNTS: &str = "SELECT (SELECT COUNT(*) FROM suppressions),
            (SELECT COUNT(*) FROM deliveries WHERE run_id = $1 AND state = 'not_sent')";
        let counts: (i64, i64) = on_db!(db, pool => sqlx::query_as(COUNTS).bind(run).fetch_one(pool).await).unwrap();
        assert_eq!(counts, (MANY, MANY));
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measure, for a release build"]
async fn ten_thousand_clicks_sqlite() {
    let (db, _folder) = crate::server::db::testing::sqlite().await;
    clicks(db).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measure, for a release build"]
async fn ten_thousand_clicks_postgres() {
    clicks(crate::server::db::testing::postgres().await).await;
}

async fn a_burst_from_one_address_is_taken_whole(db: Db) {
    let world = World::new(db).await;
    // More than one address may ask for otherwise in so short a time.
    let clicks = (0..2_500).map(|_| world.one_click(&world.token, FORM, ONE_CLICK));
    let answers: Vec<Answer> =
        futures::StreamExt::collect(futures::StreamExt::buffer_unordered(futures::stream::iter(clicks), 64)).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(world.entries("anna@example.org").await.len(), 1);
}

impl World {
    async fn ask(&self, email: &str) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new()).append_pair("email", email).finish();
        self.served.send("POST", "/u", &[("Content-Type", FORM), ("Origin", "null")], body.as_bytes()).await
    }

    /// The letters of the service that wait, as they are.
    async fn letters(&self) -> Vec<(String, String)> {
        let sql = "SELECT recipient, raw FROM outgoing ORDER BY id";
        let rows: Vec<(String, Vec<u8>)> =
            on_db!(&self.served.state.db, pool => sqlx::query_as(sql).fetch_all(pool).await).unwrap();
        rows.into_iter().map(|(recipient, raw)| (recipient, String::from_utf8_lossy(&raw).into_owned())).collect()
    }
}

async fn whoever_has_no_letter_at_hand_is_sent_links(db: Db) {
    let world = World::new(db).await;
    let sent = "UPDATE deliveries SET attempts = 1";
    let mut tx = world.served.state.db.begin().await.unwrap();
    on_tx!(&mut tx, conn => sqlx::query(sent).execute(conn).await.map(drop)).unwrap();
    tx.commit().await.unwrap();
    let wrong = world.ask("nobody <b>").await;
    assert!(wrong.status == 422 && wrong.body.contains("value=\"nobody &lt;b&gt;\""), "{}", wrong.body);
    let (known, unknown) = (world.ask("ANNA@example.org").await, world.ask("stranger@example.org").await);
    assert_eq!((known.status, &known.body), (unknown.status, &unknown.body), "nobody learns whom we write to");
    assert!(known.status == 200 && known.body.contains("Check your mail"), "{}", known.body);
    while world.letters().await.is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Three letters an address, whoever asks; then it is said to all the same.
    for _ in 0..4 {
        assert_eq!(world.ask("anna@example.org").await.body, known.body);
    }
    let mut letters = world.letters().await;
    while letters.len() < 3 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        letters = world.letters().await;
    }
    let (recipient, raw) = letters.remove(0);
    assert_eq!(recipient, "anna@example.org", "as letters went to it, not as it was typed");
    let message = mail_parser::MessageParser::default().parse(raw.as_bytes()).unwrap();
    let text = message.body_text(0).unwrap().into_owned();
    assert!(text.contains(&format!("/u/{}", world.token)) && !text.contains(&world.other), "{text}");
    assert!(letters.iter().all(|(recipient, _)| recipient == "anna@example.org"), "nothing goes to a stranger");
    // One network asks for so many, and no more.
    let mut last = world.ask("n0@example.org").await;
    for n in 1..20 {
        last = world.ask(&format!("n{n}@example.org")).await;
    }
    // Nothing typed is lost.
    assert!(last.status == 429 && last.body.contains("value=\"n19@example.org\""), "{}", last.body);
    let long = world.ask(&"n".repeat(5_000)).await;
    assert!(long.status == 413 && long.body.contains("name=\"email\""), "{}", long.body);
    assert!(world.entries("anna@example.org").await.is_empty(), "asking changes nothing");
}

on_both!(
    one_click_is_enough_in_every_form,
    a_token_of_nobody_is_told_that_all_is_well_and_changes_nothing,
    looking_changes_nothing,
    the_page_lets_its_reader_leave_pause_and_come_back,
    a_letter_about_one_topic_lets_its_reader_choose,
    a_burst_from_one_address_is_taken_whole,
    whoever_has_no_letter_at_hand_is_sent_links,
    a_deleted_mailing_is_left_without_its_letter_too,
);

async fn a_deleted_mailing_is_left_without_its_letter_too(db: Db) {
    let world = World::new(db).await;
    let db = &world.served.state.db;
    let mut tx = db.begin().await.unwrap();
    for sql in [
        "UPDATE deliveries SET attempts = 1",
        "UPDATE deliveries SET email = 'Анна@пример.рф' WHERE email = 'anna@example.org'",
    ] {
        on_tx!(&mut tx, conn => sqlx::query(sql).execute(conn).await.map(drop)).unwrap();
    }
    let mailings: Vec<(i64, i64)> =
        on_tx!(&mut tx, conn => sqlx::query_as("SELECT id, owner_id FROM mailings").fetch_all(conn).await).unwrap();
    for (mailing, owner) in mailings {
        addressees::keep(&mut tx, owner, mailing, made_at()).await.unwrap();
    }
    for sql in ["DELETE FROM mailings", "DELETE FROM clients"] {
        on_tx!(&mut tx, conn => sqlx::query(sql).execute(conn).await.map(drop)).unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(world.ask("анна@XN--E1AFMKFD.xn--p1ai").await.status, 200);
    while world.letters().await.is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (recipient, raw) = world.letters().await.remove(0);
    let message = mail_parser::MessageParser::default().parse(raw.as_bytes()).unwrap();
    let text = message.body_text(0).unwrap().into_owned();
    assert!(recipient == "Анна@пример.рф" && text.contains(&format!("/u/{}", world.token)), "{recipient} {text}");
}

/// Whoever has the file's lock keeps the database from writing.
#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_locked_leaving_is_noted_and_carried_over() {
    let (db, folder) = crate::server::db::testing::sqlite().await;
    let world = World::new(db.clone()).await;
    let other = Db::open(&format!("sqlite:{}", folder.path().join("test.db").display())).await.unwrap();
    let lock = other.begin().await.unwrap();
    assert_eq!(world.one_click(&world.token, FORM, ONE_CLICK).await.status, 200);
    let noted = std::fs::read_to_string(world.served.folder().join("leaving-0.journal")).unwrap();
    assert_eq!(noted.lines().count(), 1, "on the disk before it was answered: {noted}");
    assert!(world.entries("anna@example.org").await.is_empty());
    let page = world.choose("choice=leave").await;
    assert!(page.status == 200 && page.body.contains("This is noted"), "{}", page.body);
    // What else they choose is not, and that is said, with what they chose.
    let unsaved = world.choose("choice=pause-30&reason=%3Cb%3Eaway").await;
    assert_eq!(unsaved.status, 503);
    for kept in ["name=\"choice\" value=\"pause-30\"", "name=\"reason\" value=\"&lt;b&gt;away\""] {
        assert!(unsaved.body.contains(kept), "{}", unsaved.body);
    }
    drop(lock);
    while world.entries("anna@example.org").await.is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
