use super::*;
use crate::domain::audience::{Audience, AudienceSize};
use crate::domain::mailing::Counts;
use crate::domain::mass_mail::MassMail;
use crate::forms::clients::{Chosen, ClientForm};
use crate::forms::mailings::MailingForm;
use crate::server::db::on_tx;
use crate::server::db::testing::{client, message, on_both, open_run};
use crate::server::services::mailings;
use crate::server::services::testing::{actor, enter, entry};

fn now() -> DateTime<Utc> {
    "2026-11-23T07:00:00Z".parse().unwrap()
}

fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

async fn topic(db: &Db, actor: &Actor, name: &str, by_default: bool) -> Topic {
    let form = TopicForm { name: name.to_owned(), public: true, by_default, ..TopicForm::default() };
    save(db, actor, &form, now()).await.unwrap();
    list(db, actor).await.unwrap().into_iter().find(|topic| topic.name == name).unwrap()
}

async fn about(db: &Db, actor: &Actor, topic: i64) -> MailingForm {
    MailingForm {
        message: message(db, actor.id, "Hello", "Hello").await,
        clients: "all".to_owned(),
        topic,
        start: "now".to_owned(),
        end: "2026-12-31T10:00".to_owned(),
        zone: "UTC".to_owned(),
        period: "once".to_owned(),
        policy: "resend".to_owned(),
        ..MailingForm::default()
    }
}

/// Opens a run about a topic and returns its mailing.
async fn opened(db: &Db, actor: &Actor, topic: i64) -> i64 {
    let mailing = mailings::create(db, actor, &about(db, actor, topic).await, now()).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    open_run(&mut tx, mailing, actor.id, now()).await;
    tx.commit().await.unwrap();
    mailing
}

async fn counts(db: &Db, actor: &Actor, mailing: i64) -> Counts {
    mailings::live(db, actor, mailing, now()).await.unwrap().run.unwrap().counts
}

/// What the form says of a mailing, and what its run does: letters, and those who get none.
async fn letters(db: &Db, actor: &Actor, topic: i64) -> (i64, i64) {
    let form = about(db, actor, topic).await;
    let size = mailings::review(db, actor, &form, MassMail::May, now()).await.unwrap().audience_size;
    let mailing = opened(db, actor, topic).await;
    let counts = counts(db, actor, mailing).await;
    assert_eq!((counts.waiting, counts.not_sent), (size.letters(), size.left_out()));
    (counts.waiting, counts.not_sent)
}

async fn says(db: &Db, actor: &Actor, address: &str, topic: i64, wanted: bool) {
    let address = email(address);
    let entries = suppressions::of_address(db, actor.id, &address, now()).await.unwrap();
    let wishes = wishes(db, actor.id, &address, &entries).await.unwrap();
    let wish = wishes.iter().find(|wish| wish.topic.id == topic).unwrap();
    let mut tx = db.begin().await.unwrap();
    let reader = Says::Reader { delivery: 0 };
    set(&mut tx, (actor.id, &address), (wish, wanted), reader, now()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn who_leaves_a_topic_gets_the_others(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    for name in ["one", "two", "three"] {
        client(&db, anna.id, &format!("{name}@example.org"), name, "").await;
    }
    let (news, sales) = (topic(&db, &anna, "News", true).await, topic(&db, &anna, "Sales", true).await);
    // Two runs are under way when somebody leaves one topic.
    let (first, second) = (opened(&db, &anna, sales.id).await, opened(&db, &anna, news.id).await);
    says(&db, &anna, "ONE@example.org", sales.id, false).await;
    assert_eq!(counts(&db, &anna, first).await.not_sent, 1, "at once");
    assert_eq!(counts(&db, &anna, second).await.not_sent, 0);
    assert_eq!(letters(&db, &anna, sales.id).await, (2, 1));
    assert_eq!(letters(&db, &anna, news.id).await, (3, 0));
    assert_eq!(letters(&db, &anna, NO_TOPIC).await, (3, 0));
    says(&db, &anna, "one@example.org", sales.id, true).await;
    assert_eq!(letters(&db, &anna, sales.id).await, (3, 0));
}

async fn a_topic_that_nobody_gets_by_default_goes_to_those_who_asked(db: Db) {
    let (anna, boris) = (actor(&db, "anna@example.org").await, actor(&db, "boris@example.org").await);
    for owner in [&anna, &boris] {
        for name in ["one", "two", "three"] {
            client(&db, owner.id, &format!("{name}@example.org"), name, "").await;
        }
    }
    let (offers, theirs) = (topic(&db, &anna, "Offers", false).await, topic(&db, &boris, "Offers", false).await);
    let form = about(&db, &anna, offers.id).await;
    let nobody = mailings::review(&db, &anna, &form, MassMail::May, now()).await.unwrap_err();
    assert!(matches!(nobody, Error::Invalid(errors) if errors.get("clients").is_some()));
    for name in ["One@example.org", "two@example.org", "stranger@example.org"] {
        says(&db, &anna, name, offers.id, true).await;
    }
    assert_eq!(letters(&db, &anna, offers.id).await, (2, 0));
    let run = opened(&db, &anna, offers.id).await;
    says(&db, &anna, "two@example.org", offers.id, false).await;
    assert_eq!(counts(&db, &anna, run).await.not_sent, 1);
    // What was asked for stays on record beside a No, which is stronger, and counts again once that is taken back.
    assert_eq!(letters(&db, &anna, offers.id).await, (1, 1));
    let mut tx = db.begin().await.unwrap();
    suppressions::undo(&mut tx, anna.id, &email("two@example.org"), offers.id, Reason::Unsubscribed).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(letters(&db, &anna, offers.id).await, (2, 0));
    // Of another's topic nobody learns who has asked for it.
    let size = mailings::audience_size(&db, (boris.id, offers.id), &Audience::All, now()).await.unwrap();
    assert_eq!(size, AudienceSize::default());
    let other = mailings::review(&db, &boris, &about(&db, &boris, theirs.id).await, MassMail::May, now()).await;
    assert!(other.is_err(), "nobody asked for that one");
    // A mailing may be about one's own topics only.
    let foreign = mailings::create(&db, &boris, &about(&db, &boris, offers.id).await, now()).await.unwrap_err();
    assert!(matches!(foreign, Error::Invalid(errors) if errors.get("topic").is_some()));
}

/// A topic by another name is another one.
async fn who_has_left_a_topic_has_left_what_is_made_anew_with_its_name(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    for name in ["one", "two"] {
        client(&db, anna.id, &format!("{name}@example.org"), name, "").await;
    }
    let news = topic(&db, &anna, "News", true).await;
    says(&db, &anna, "one@example.org", news.id, false).await;
    let size = async |topic: i64| {
        let size = mailings::audience_size(&db, (anna.id, topic), &Audience::All, now()).await.unwrap();
        (size.letters(), size.left)
    };
    for round in 0..2 {
        let id = topics::list(&db, anna.id).await.unwrap()[0].id;
        delete(&db, &anna, id).await.unwrap();
        let other = topic(&db, &anna, &format!("Other {round}"), true).await;
        assert_eq!(size(other.id).await, (2, 0));
        delete(&db, &anna, other.id).await.unwrap();
        let again = topic(&db, &anna, if round == 0 { "NEWS" } else { "news" }, true).await;
        assert_eq!(size(again.id).await, (1, 1), "{round}");
    }
}

/// What a file says of a topic is not what its reader has said.
async fn who_asks_for_a_topic_gets_it_whatever_a_file_said(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    let id = client(&db, anna.id, "one@example.org", "One", "").await;
    let news = topic(&db, &anna, "News", true).await;
    let address = email("one@example.org");
    let said = NewEntry { topic: news.id, source: Source::File, ..entry(&anna, &address, Reason::Imported, now()) };
    enter(&db, &said).await;
    assert_eq!(letters(&db, &anna, news.id).await, (0, 1));
    let wish = of_client(&db, &anna, id, now()).await.unwrap().remove(0);
    assert!(!wish.wanted && !wish.theirs);
    says(&db, &anna, "one@example.org", news.id, true).await;
    assert_eq!(letters(&db, &anna, news.id).await, (1, 0));
}

async fn an_owner_lifts_nothing_that_a_reader_has_said(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    let id = client(&db, anna.id, "one@example.org", "One", "").await;
    let (news, offers) = (topic(&db, &anna, "News", true).await, topic(&db, &anna, "Offers", false).await);
    let shown = vec![news.id, offers.id];
    let tick = async |topics: &[i64]| {
        let form = WishForm { client: id, shown: shown.clone(), topics: topics.to_vec() };
        choose(&db, &anna, &form, now()).await.unwrap();
        let wishes = of_client(&db, &anna, id, now()).await.unwrap();
        wishes.into_iter().map(|wish| (wish.wanted, wish.theirs)).collect::<Vec<_>>()
    };
    assert_eq!(tick(&[offers.id]).await, [(false, false), (true, false)]);
    assert_eq!(tick(&shown).await, [(true, false), (true, false)]);
    says(&db, &anna, "one@example.org", news.id, false).await;
    assert_eq!(tick(&shown).await, [(false, true), (true, false)], "what the reader said stays");
    // What did not stand on the page is not meant.
    let form = WishForm { client: id, shown: Vec::new(), topics: Vec::new() };
    choose(&db, &anna, &form, now()).await.unwrap();
    assert_eq!(tick(&[offers.id]).await, [(false, true), (true, false)]);
    let boris = actor(&db, "boris@example.org").await;
    assert!(matches!(of_client(&db, &boris, id, now()).await, Err(Error::NotFound)));
}

/// A No lasts, whyever its reader got nothing just then.
async fn a_readers_no_lasts(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    let id = client(&db, anna.id, "one@example.org", "One", "").await;
    let address = email("one@example.org");
    let (news, offers) = (topic(&db, &anna, "News", true).await, topic(&db, &anna, "Offers", false).await);
    let tick = async |topics: &[i64]| {
        let form = WishForm { client: id, shown: vec![news.id, offers.id], topics: topics.to_vec() };
        choose(&db, &anna, &form, now()).await.unwrap();
        let wishes = of_client(&db, &anna, id, now()).await.unwrap();
        wishes.into_iter().map(|wish| wish.wanted).collect::<Vec<_>>()
    };
    // Its owner had unticked it before.
    assert_eq!(tick(&[]).await, [false, false]);
    says(&db, &anna, "one@example.org", news.id, false).await;
    // Nobody had asked for it.
    says(&db, &anna, "one@example.org", offers.id, false).await;
    assert_eq!(tick(&[news.id, offers.id]).await, [false, false]);
    says(&db, &anna, "one@example.org", news.id, true).await;
    says(&db, &anna, "one@example.org", offers.id, true).await;
    assert_eq!(tick(&[news.id, offers.id]).await, [true, true]);
    // A pause that is under way.
    let pause = NewEntry {
        owner: anna.id,
        email: &address,
        topic: news.id,
        reason: Reason::Unsubscribed,
        source: Source::Page,
        since: now(),
        until: Some(now() + chrono::TimeDelta::days(30)),
        evidence: "",
        actor: "",
        delivery: None,
    };
    let mut tx = db.begin().await.unwrap();
    suppressions::add(&mut tx, &pause).await.unwrap();
    tx.commit().await.unwrap();
    says(&db, &anna, "one@example.org", news.id, false).await;
    let later = now() + chrono::TimeDelta::days(31);
    assert!(!of_client(&db, &anna, id, later).await.unwrap()[0].wanted);
}

/// Who gets what mailings are about changes for nobody behind their back, and what is about a topic that is gone goes to nobody.
async fn who_gets_a_topic_stays_while_mailings_are_about_it(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    client(&db, anna.id, "one@example.org", "", "").await;
    let news = topic(&db, &anna, "News", true).await;
    let form = |by_default| TopicForm { id: news.id, name: "News".to_owned(), by_default, ..TopicForm::default() };
    save(&db, &anna, &form(false), now()).await.unwrap();
    save(&db, &anna, &form(true), now()).await.unwrap();
    let mailing = mailings::create(&db, &anna, &about(&db, &anna, news.id).await, now()).await.unwrap();
    let Err(Error::Invalid(errors)) = save(&db, &anna, &form(false), now()).await else { panic!("it changed") };
    assert_eq!(errors.get("by_default").map(|error| error.key.as_str()), Some("error.topic.who"));
    save(&db, &anna, &TopicForm { public: true, ..form(true) }, now()).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    let gone = "UPDATE mailings SET topic_id = 987654 WHERE id = $1";
    on_tx!(&mut tx, conn => sqlx::query(gone).bind(mailing).execute(conn).await.map(drop)).unwrap();
    open_run(&mut tx, mailing, anna.id, now()).await;
    tx.commit().await.unwrap();
    assert_eq!(counts(&db, &anna, mailing).await.total(), 0);
    // One that is over keeps no topic from being deleted.
    let over = "UPDATE mailings SET topic_id = $1, status = 'finished'";
    let mut tx = db.begin().await.unwrap();
    on_tx!(&mut tx, conn => sqlx::query(over).bind(news.id).execute(conn).await.map(drop)).unwrap();
    tx.commit().await.unwrap();
    delete(&db, &anna, news.id).await.unwrap();
}

/// Of two windows on one topic, the second one to save is told.
async fn two_windows(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    let opened = topic(&db, &anna, "News", true).await;
    let window = |name: &str, version: String| TopicForm {
        id: opened.id,
        name: name.to_owned(),
        by_default: true,
        version,
        ..TopicForm::default()
    };
    save(&db, &anna, &window("First", opened.version()), now()).await.unwrap();
    let refused = save(&db, &anna, &window("Second", opened.version()), now()).await.unwrap_err();
    let Error::Invalid(errors) = refused else { panic!("{refused}") };
    assert_eq!(errors.0[0].key, crate::api::error::CHANGED);
    assert_eq!(get(&db, &anna, opened.id).await.unwrap().name, "First");
    save(&db, &anna, &window("Second", errors.0[0].args[0].1.clone()), now()).await.unwrap();
    assert_eq!(get(&db, &anna, opened.id).await.unwrap().name, "Second");
}

/// Deleting the client and making it anew lifts nothing and forgets no wish.
async fn wishes_are_the_addresss_and_not_the_clients(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    let id = client(&db, anna.id, "one@example.org", "One", "").await;
    let (news, offers) = (topic(&db, &anna, "News", true).await, topic(&db, &anna, "Offers", false).await);
    says(&db, &anna, "one@example.org", news.id, false).await;
    says(&db, &anna, "one@example.org", offers.id, true).await;
    clients::delete(&db, &anna, &Chosen { ids: vec![id], ..Chosen::default() }, now()).await.unwrap();
    let again = ClientForm { email: "ONE@Example.org".to_owned(), ..ClientForm::default() };
    let id = clients::create(&db, &anna, &again, now()).await.unwrap();
    let wishes = of_client(&db, &anna, id, now()).await.unwrap();
    assert_eq!(wishes.iter().map(|wish| wish.wanted).collect::<Vec<_>>(), [false, true]);
    let entry = suppressions::of_address(&db, anna.id, &email("one@example.org"), now()).await.unwrap().remove(0);
    assert_eq!((entry.topic, entry.topic_name.as_str()), (news.id, "News"));
}

async fn names_are_ones_own_and_used_topics_stay(db: Db) {
    let (anna, boris) = (actor(&db, "anna@example.org").await, actor(&db, "boris@example.org").await);
    let news = topic(&db, &anna, "Новости", true).await;
    topic(&db, &boris, "Новости", true).await;
    let form = |id: i64, name: &str| TopicForm { id, name: name.to_owned(), by_default: true, ..TopicForm::default() };
    for (name, key) in [("НОВОСТИ", "error.topic.taken"), (" ", "error.required")] {
        let Err(Error::Invalid(errors)) = save(&db, &anna, &form(0, name), now()).await else { panic!("{name}") };
        assert_eq!(errors.get("name").map(|error| error.key.as_str()), Some(key));
    }
    save(&db, &anna, &form(news.id, "новости дня"), now()).await.unwrap();
    assert_eq!(get(&db, &anna, news.id).await.unwrap().name, "новости дня");
    for refused in [
        save(&db, &boris, &form(news.id, "Mine"), now()).await,
        delete(&db, &boris, news.id).await,
        get(&db, &boris, news.id).await.map(drop),
    ] {
        assert!(matches!(refused, Err(Error::NotFound)), "{refused:?}");
    }
    client(&db, anna.id, "one@example.org", "", "").await;
    let mailing = mailings::create(&db, &anna, &about(&db, &anna, news.id).await, now()).await.unwrap();
    assert_eq!(mailings::draft(&db, &anna, mailing, false).await.unwrap().topic, news.id);
    assert_eq!(mailings::detail(&db, &anna, mailing, now()).await.unwrap().topic.as_deref(), Some("новости дня"));
    assert!(matches!(delete(&db, &anna, news.id).await, Err(Error::Conflict(_))));
    mailings::delete(&db, &anna, mailing, now()).await.unwrap();
    delete(&db, &anna, news.id).await.unwrap();
    for n in 0..TOPICS_MAX {
        save(&db, &anna, &form(0, &format!("{n}")), now()).await.unwrap();
    }
    assert!(save(&db, &anna, &form(0, "more"), now()).await.is_err());
}

on_both!(
    who_leaves_a_topic_gets_the_others,
    who_has_left_a_topic_has_left_what_is_made_anew_with_its_name,
    who_asks_for_a_topic_gets_it_whatever_a_file_said,
    a_topic_that_nobody_gets_by_default_goes_to_those_who_asked,
    an_owner_lifts_nothing_that_a_reader_has_said,
    a_readers_no_lasts,
    who_gets_a_topic_stays_while_mailings_are_about_it,
    two_windows,
    wishes_are_the_addresss_and_not_the_clients,
    names_are_ones_own_and_used_topics_stay,
);
