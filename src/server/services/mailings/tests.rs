use super::*;
use crate::domain::delivery::DeliveryState;
use crate::domain::email::EmailAddress;
use crate::domain::mailing::{MailingSort, MailingState, MailingStatus, RunState};
use crate::domain::mass_mail::{FEW, MassMail};
use crate::domain::suppression::Reason;
use crate::forms::chosen::Chosen;
use crate::forms::mailings::{MailingForm, NOW};
use crate::server::db::mailings::Filter;
use crate::server::db::{runs, selections, testing};
use crate::server::services::testing::{actor, enter, entry};
use chrono::{DateTime, TimeDelta, Utc};

fn now() -> DateTime<Utc> {
    "2026-11-23T07:00:00Z".parse().unwrap()
}

async fn message(db: &Db, actor: &Actor) -> i64 {
    testing::message(db, actor.id, "The catalogue", "Hello").await
}

async fn client(db: &Db, actor: &Actor, email: &str) -> i64 {
    testing::client(db, actor.id, email, "Пётр", "").await
}

fn form(message: i64) -> MailingForm {
    MailingForm {
        message,
        clients: "all".to_owned(),
        start: NOW.to_owned(),
        end: "2026-12-31T10:00".to_owned(),
        zone: "Europe/Moscow".to_owned(),
        period: "daily".to_owned(),
        policy: "resend".to_owned(),
        ..MailingForm::default()
    }
}

fn refused<T: std::fmt::Debug>(result: Result<T>, field: &str, key: &str) {
    match result {
        Err(Error::Invalid(errors)) => {
            assert_eq!(errors.get(field).map(|error| error.key.as_str()), Some(key), "{errors:?}");
        }
        other => panic!("{field} should be refused: {other:?}"),
    }
}

async fn rules(db: Db) {
    let (actor, other) = (actor(&db, "a@example.org").await, actor(&db, "b@example.org").await);
    let good = form(message(&db, &actor).await);
    refused(create(&db, &actor, &good, now()).await, "clients", "error.audience.empty");
    let one = client(&db, &actor, "one@example.org").await;
    let foreign = client(&db, &other, "two@example.org").await;

    let with = |change: &dyn Fn(&mut MailingForm)| {
        let mut form = good.clone();
        change(&mut form);
        form
    };
    let theirs = message(&db, &other).await;
    let cases: [(MailingForm, &str, &str); 7] = [
        (with(&|form| form.zone = "Europe/Nowhere".to_owned()), "zone", "error.zone"),
        (
            with(&|form| {
                form.start = "2026-12-24T10:00".to_owned();
                form.end = "2026-12-24T09:59".to_owned();
            }),
            "end",
            "error.window.order",
        ),
        (
            with(&|form| {
                form.start = "2026-11-01T10:00".to_owned();
                // 07:00 UTC is 10:00 in Moscow, and the window does not hold its end.
                form.end = "2026-11-23T10:00".to_owned();
            }),
            "end",
            "error.window.past",
        ),
        (
            with(&|form| {
                form.start = "2026-11-22T10:00".to_owned();
                form.end = String::new();
                form.period = "once".to_owned();
            }),
            "start",
            "error.window.start",
        ),
        (with(&|form| form.message = theirs), "message", "error.message.none"),
        (
            with(&|form| {
                form.clients = "search".to_owned();
                form.search = "nobody".to_owned();
            }),
            "clients",
            "error.audience.empty",
        ),
        (with(&|form| form.clients = "picked".to_owned()), "clients", "error.audience.empty"),
    ];
    for (form, field, key) in cases {
        refused(create(&db, &actor, &form, now()).await, field, key);
    }
    assert_eq!(list(&db, &actor, Listing::default()).await.unwrap().page.total, 0, "nothing is half stored");

    let mut tx = db.begin().await.unwrap();
    let selection = selections::insert(&mut tx, actor.id, &[one, foreign], now()).await.unwrap();
    tx.commit().await.unwrap();
    let picked = with(&|form| {
        form.clients = "picked".to_owned();
        form.selection = selection;
    });
    assert_eq!(review(&db, &actor, &picked, MassMail::May, now()).await.unwrap().audience_size.clients, 1);
    let theirs = message(&db, &other).await;
    refused(
        create(&db, &other, &MailingForm { message: theirs, ..picked }, now()).await,
        "clients",
        "error.audience.empty",
    );
}

async fn starts(db: Db) {
    let actor = actor(&db, "a@example.org").await;
    client(&db, &actor, "one@example.org").await;
    let at_once = form(message(&db, &actor).await);

    let shown = review(&db, &actor, &at_once, MassMail::May, now()).await.unwrap();
    assert!(shown.starts_now && shown.title == "The catalogue" && shown.audience_size.letters() == 1);
    assert_eq!(shown.next.len(), 5);
    let id = create(&db, &actor, &at_once, now()).await.unwrap();
    let made = detail(&db, &actor, id, now()).await.unwrap();
    assert_eq!((made.row.next_at, made.row.status), (Some(now()), MailingStatus::Created));
    assert_eq!(made.row.start_local.to_string(), "2026-11-23 10:00:00");

    let later = MailingForm { start: "2026-11-24T10:00".to_owned(), ..at_once.clone() };
    assert!(!review(&db, &actor, &later, MassMail::May, now()).await.unwrap().starts_now);
    let id = create(&db, &actor, &later, now()).await.unwrap();
    assert_eq!(detail(&db, &actor, id, now()).await.unwrap().row.next_at, Some(now() + TimeDelta::days(1)));

    let instant = MailingForm { start: "2026-11-24T07:00:00Z".to_owned(), ..at_once };
    let shown = review(&db, &actor, &instant, MassMail::May, now()).await.unwrap();
    assert_eq!(shown.start_local.to_string(), "2026-11-24 10:00:00");
}

async fn changes(db: Db) {
    let (actor, other) = (actor(&db, "a@example.org").await, actor(&db, "b@example.org").await);
    client(&db, &actor, "one@example.org").await;
    let start = MailingForm { start: "2026-11-23T09:00".to_owned(), ..form(message(&db, &actor).await) };
    let id = create(&db, &actor, &start, now()).await.unwrap();
    let next = now() + TimeDelta::hours(23);
    let mut tx = db.begin().await.unwrap();
    db::mailings::advance(&mut tx, id, Some(next), MailingStatus::Running).await.unwrap();
    tx.commit().await.unwrap();

    let mut edited = draft(&db, &actor, id, false).await.unwrap();
    edited.title = "Осень".to_owned();
    update(&db, &actor, &edited, now()).await.unwrap();
    let row = detail(&db, &actor, id, now()).await.unwrap().row;
    assert_eq!((row.title.as_str(), row.next_at), ("Осень", Some(next)), "the schedule is untouched");

    edited.version = draft(&db, &actor, id, false).await.unwrap().version;
    edited.period = "weekly".to_owned();
    update(&db, &actor, &edited, now()).await.unwrap();
    let row = detail(&db, &actor, id, now()).await.unwrap().row;
    assert_eq!(row.next_at, Some(next + TimeDelta::days(6)), "what has run does not run again at once");

    edited.start = NOW.to_owned();
    assert!(review(&db, &actor, &edited, MassMail::May, now()).await.unwrap().starts_now, "unless asked to");

    pause(&db, &actor, id, now()).await.unwrap();
    assert!(live(&db, &actor, id, now()).await.unwrap().paused);
    resume(&db, &actor, id).await.unwrap();
    let seen = live(&db, &actor, id, now()).await.unwrap();
    assert_eq!((seen.paused, seen.next_at), (false, row.next_at));

    let copy = draft(&db, &actor, id, true).await.unwrap();
    assert_eq!((copy.id, copy.start.as_str(), copy.end.as_str()), (0, "", ""));

    for result in [
        detail(&db, &other, id, now()).await.map(drop),
        update(&db, &other, &edited, now()).await,
        pause(&db, &other, id, now()).await,
        resume(&db, &other, id).await,
        delete(&db, &other, id, now()).await,
        draft(&db, &other, id, true).await.map(drop),
        live(&db, &other, id, now()).await.map(drop),
        run_of(&db, &other, id, 0).await.map(drop),
        delivery(&db, &other, id, 1).await.map(drop),
    ] {
        assert!(matches!(result, Err(Error::NotFound)), "{result:?}");
    }
    delete(&db, &actor, id, now()).await.unwrap();
    assert!(matches!(detail(&db, &actor, id, now()).await, Err(Error::NotFound)));
}

async fn runs_and_deliveries(db: Db) {
    let actor = actor(&db, "a@example.org").await;
    for n in 0..60 {
        client(&db, &actor, &format!("client{n}@example.org")).await;
    }
    let message = message(&db, &actor).await;
    let (first, second) = (
        create(&db, &actor, &form(message), now()).await.unwrap(),
        create(&db, &actor, &form(message), now()).await.unwrap(),
    );
    assert_eq!(deliveries(&db, &actor, first, 0, None, "", 0).await.unwrap().total, 0);

    let mut tx = db.begin().await.unwrap();
    let run = testing::open_run(&mut tx, first, actor.id, now()).await;
    let missed = crate::domain::mailing::SkipReason::Overlap;
    runs::skip(&mut tx, first, now() + TimeDelta::days(1), missed, now()).await.unwrap();
    tx.commit().await.unwrap();

    let page = list(&db, &actor, Listing::default()).await.unwrap().page;
    assert_eq!(page.rows.iter().map(|row| row.id).collect::<Vec<_>>(), [second, first]);
    assert_eq!(page.rows[0].last_run, None);
    let shown = page.rows[1].last_run.as_ref().unwrap();
    assert_eq!((shown.id, shown.state, shown.counts.waiting), (run, RunState::Open, 60), "open before newest");

    let one = deliveries(&db, &actor, first, 0, None, "", 0).await.unwrap();
    assert_eq!((one.rows.len(), one.total), (50, 60));
    let after = one.next.unwrap().parse().unwrap();
    let two = deliveries(&db, &actor, first, run, None, "", after).await.unwrap();
    assert_eq!((two.rows.len(), two.next), (10, None));
    let found = deliveries(&db, &actor, first, run, Some(DeliveryState::Pending), "CLIENT59@", 0).await.unwrap();
    assert_eq!((found.rows.len(), found.total), (1, 1));
    assert_eq!(deliveries(&db, &actor, first, run, Some(DeliveryState::Sent), "", 0).await.unwrap().total, 0);
    let strange = deliveries(&db, &actor, second, run, None, "", 0).await;
    assert!(matches!(strange, Err(Error::NotFound)), "the run is another mailing's");

    let row = &found.rows[0];
    assert_eq!(delivery(&db, &actor, first, row.id).await.unwrap().row, *row);
    assert!(matches!(delivery(&db, &actor, second, row.id).await, Err(Error::NotFound)));
}

async fn lists_and_the_chosen(db: Db) {
    let (actor, other) = (actor(&db, "a@example.org").await, actor(&db, "b@example.org").await);
    client(&db, &actor, "one@example.org").await;
    client(&db, &other, "two@example.org").await;
    let message_id = message(&db, &actor).await;
    let mut ids = Vec::new();
    for (title, start) in [("Бета", "2026-11-25T10:00"), ("альфа", "2026-11-24T10:00"), ("Гамма", NOW)] {
        let (title, start) = (title.to_owned(), start.to_owned());
        ids.push(create(&db, &actor, &MailingForm { title, start, ..form(message_id) }, now()).await.unwrap());
    }
    let theirs = create(&db, &other, &form(message(&db, &other).await), now()).await.unwrap();
    let titles = async |listing: Listing<'_>| {
        let list = list(&db, &actor, listing).await.unwrap();
        let titles: Vec<String> = list.page.rows.into_iter().map(|row| row.title).collect();
        (titles.join(" "), list.page.total)
    };
    for (sort, order) in [
        ("", "Гамма альфа Бета"),
        ("title", "альфа Бета Гамма"),
        ("-title", "Гамма Бета альфа"),
        ("next", "Гамма альфа Бета"),
        ("-next", "Бета альфа Гамма"),
    ] {
        assert_eq!(titles(Listing { sort, ..Listing::default() }).await, (order.to_owned(), 3), "{sort}");
    }
    // A cursor goes on behind its row, in every order.
    for sort in [MailingSort::Title, MailingSort::Next] {
        let filter = Filter { owner: actor.id, search: "", state: None };
        let first = db::mailings::list(&db, filter, sort, false, None, 1).await.unwrap().remove(0);
        let rest = db::mailings::list(&db, filter, sort, false, Some(&first.key(sort)), 9).await.unwrap();
        assert_eq!(rest.len(), 2, "{sort:?}");
        assert!(rest.iter().all(|mailing| mailing.id != first.id), "{sort:?}");
    }

    // What is done to some leaves the others, and those of others, alone.
    let chosen = |ids: &[i64]| Chosen { ids: ids.to_vec(), ..Chosen::default() };
    assert_eq!(pause_chosen(&db, &actor, &chosen(&[ids[0], theirs]), now()).await.unwrap(), 1);
    assert_eq!(pause_chosen(&db, &actor, &chosen(&[ids[0]]), now()).await.unwrap(), 0, "it is paused already");
    let counts = list(&db, &actor, Listing::default()).await.unwrap().counts;
    assert_eq!(counts, [(MailingState::Created, 2), (MailingState::Paused, 1)]);
    let paused = Listing { state: Some(MailingState::Paused), ..Listing::default() };
    assert_eq!(titles(paused).await, ("Бета".to_owned(), 1));
    assert!(!look(&db, &other, &[theirs]).await.unwrap()[0].paused);
    assert!(look(&db, &actor, &[theirs]).await.unwrap().is_empty());

    // All that the list finds: those of whom the reader was told, or none.
    let all = async |n, state: &str| {
        let listing = Listing { state: MailingState::parse(state), ..Listing::default() };
        let mark = list(&db, &actor, listing).await.unwrap().page.mark;
        Chosen { all: true, n, mark, state: state.to_owned(), ..Chosen::default() }
    };
    let three = all(3, "").await;
    for other in [Chosen { n: 2, ..three.clone() }, Chosen { mark: three.mark + 1, ..three }] {
        let moved = delete_chosen(&db, &actor, &other, now()).await;
        assert!(matches!(moved, Err(Error::Conflict("error.list_changed"))), "{moved:?}");
    }
    refused(delete_chosen(&db, &actor, &Chosen::default(), now()).await, "", "error.none_chosen");
    assert_eq!(resume_chosen(&db, &actor, &all(1, "paused").await).await.unwrap(), 1);
    let mut tx = db.begin().await.unwrap();
    db::mailings::advance(&mut tx, ids[2], None, MailingStatus::Finished).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(pause_chosen(&db, &actor, &all(3, "").await, now()).await.unwrap(), 2, "what is finished stays so");
    assert_eq!(delete_chosen(&db, &actor, &all(1, "finished").await, now()).await.unwrap(), 1);
    assert_eq!(delete_chosen(&db, &actor, &chosen(&[theirs, ids[0]]), now()).await.unwrap(), 1);
    assert_eq!(titles(Listing::default()).await, ("альфа".to_owned(), 1));
    assert_eq!(list(&db, &other, Listing::default()).await.unwrap().page.total, 1);
}

async fn says_who_gets_it_and_who_did_not(db: Db) {
    let actor = actor(&db, "a@example.org").await;
    let clients = [client(&db, &actor, "one@example.org").await, client(&db, &actor, "two@example.org").await];
    let mut tx = db.begin().await.unwrap();
    let selection = selections::insert(&mut tx, actor.id, &clients, now()).await.unwrap();
    tx.commit().await.unwrap();
    let all = form(message(&db, &actor).await);
    let picked = MailingForm { clients: "picked".to_owned(), selection, ..all.clone() };
    let (all, picked) =
        (create(&db, &actor, &all, now()).await.unwrap(), create(&db, &actor, &picked, now()).await.unwrap());
    let mut tx = db.begin().await.unwrap();
    for day in 0..2 {
        let snapshot = runs::snapshot(&mut tx, all).await.unwrap();
        let run = runs::open(&mut tx, all, now() + TimeDelta::days(day), &snapshot, now()).await.unwrap().unwrap();
        let counts = crate::domain::mailing::Counts { sent: 5, failed: 1, unknown: day, ..Default::default() };
        runs::count(&mut tx, run, &counts).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut rows = look(&db, &actor, &[all, picked]).await.unwrap();
    rows.sort_by_key(|row| row.id);
    let shown: Vec<_> = rows.iter().map(|row| (&row.audience, row.picked, row.left_out)).collect();
    assert_eq!(shown, [(&Audience::All, None, 3), (&Audience::Picked { selection }, Some(2), 0)]);
}

/// Of two windows on one mailing, the second one to save is told; that it runs meanwhile is no change of it.
async fn two_windows(db: Db) {
    let actor = actor(&db, "a@example.org").await;
    client(&db, &actor, "one@example.org").await;
    let id = create(&db, &actor, &form(message(&db, &actor).await), now()).await.unwrap();
    let opened = draft(&db, &actor, id, false).await.unwrap();
    let window = |title: &str| MailingForm { title: title.to_owned(), ..opened.clone() };
    let mut tx = db.begin().await.unwrap();
    testing::open_run(&mut tx, id, actor.id, now()).await;
    tx.commit().await.unwrap();
    save(&db, &actor, &window("One"), "", MassMail::May, now()).await.unwrap();
    let refused = save(&db, &actor, &window("Two"), "", MassMail::May, now()).await.unwrap_err();
    let Error::Invalid(errors) = refused else { panic!("{refused}") };
    assert_eq!(errors.0[0].key, crate::api::error::CHANGED);
    assert_eq!(draft(&db, &actor, id, false).await.unwrap().title, "One");
    let knowing = MailingForm { version: errors.0[0].args[0].1.clone(), ..window("Two") };
    save(&db, &actor, &knowing, "", MassMail::May, now()).await.unwrap();
    assert_eq!(draft(&db, &actor, id, false).await.unwrap().title, "Two");
    assert_eq!(draft(&db, &actor, id, true).await.unwrap().version, "", "a copy replaces nothing");
}

async fn mass_mail_is_refused_where_nobody_could_leave(db: Db) {
    let actor = actor(&db, "a@example.org").await;
    for n in 0..=FEW {
        client(&db, &actor, &format!("c{n}@example.org")).await;
    }
    let all = form(message(&db, &actor).await);
    let found = MailingForm { clients: "search".into(), search: "c1".into(), ..all.clone() };
    let site = "http://127.0.0.1:3000";
    let nowhere = mass_mail(&db, site, true).await.unwrap();
    refused(review(&db, &actor, &all, nowhere, now()).await, "clients", "error.mailing.no_public_address");
    refused(save(&db, &actor, &all, "", nowhere, now()).await, "clients", "error.mailing.no_public_address");
    review(&db, &actor, &found, nowhere, now()).await.unwrap();
    for may in [mass_mail(&db, "https://mail.example.org", true).await, mass_mail(&db, site, false).await] {
        review(&db, &actor, &all, may.unwrap(), now()).await.unwrap();
    }
    // Whoever gets nothing is no letter, for the form as for the engine.
    left_out(&db, &actor, "c1@example.org", Reason::Unsubscribed).await;
    let few = review(&db, &actor, &all, nowhere, now()).await.unwrap();
    assert_eq!((few.audience_size.clients, few.audience_size.letters()), (FEW + 1, FEW));
}

async fn left_out(db: &Db, actor: &Actor, email: &str, reason: Reason) {
    let email = EmailAddress::parse(email).unwrap();
    enter(db, &entry(actor, &email, reason, now())).await;
}

/// The form counts those who get nothing as the run does, each once, by the reason that the record has.
async fn form_and_run_agree_on_who_gets_nothing(db: Db) {
    let actor = actor(&db, "a@example.org").await;
    for n in 0..8 {
        client(&db, &actor, &format!("c{n}@example.org")).await;
    }
    for (n, reason) in [
        (0, Reason::Unsubscribed),
        (1, Reason::Complaint),
        (1, Reason::Unsubscribed),
        (2, Reason::HardBounce),
        (3, Reason::SoftBounces),
        (4, Reason::Imported),
        (9, Reason::ByHand),
    ] {
        left_out(&db, &actor, &format!("C{n}@Example.org"), reason).await;
    }
    let all = form(message(&db, &actor).await);
    let size = review(&db, &actor, &all, MassMail::May, now()).await.unwrap().audience_size;
    assert_eq!(size, AudienceSize { clients: 8, left: 1, complained: 1, returned: 2, listed: 1 });
    let id = create(&db, &actor, &all, now()).await.unwrap();
    assert_eq!(detail(&db, &actor, id, now()).await.unwrap().audience_size, size);
    let mut tx = db.begin().await.unwrap();
    testing::open_run(&mut tx, id, actor.id, now()).await;
    tx.commit().await.unwrap();
    let counts = live(&db, &actor, id, now()).await.unwrap().run.unwrap().counts;
    assert_eq!((counts.waiting, counts.not_sent), (size.letters(), size.left_out()));
}

/// While a run sends, its mailing does not start once more: the new run would be passed over, and hide the one that sends.
async fn what_sends_is_not_started_now(db: Db) {
    let actor = actor(&db, "a@example.org").await;
    client(&db, &actor, "one@example.org").await;
    for period in ["once", "daily", "monthly"] {
        let good = MailingForm { period: period.to_owned(), ..form(message(&db, &actor).await) };
        let id = create(&db, &actor, &good, now()).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        let run = testing::open_run(&mut tx, id, actor.id, now()).await;
        db::mailings::advance(&mut tx, id, None, MailingStatus::Running).await.unwrap();
        tx.commit().await.unwrap();
        let stored = draft(&db, &actor, id, false).await.unwrap();
        let again = MailingForm { start: NOW.to_owned(), title: "Typed".to_owned(), ..stored.clone() };
        refused(review(&db, &actor, &again, MassMail::May, now()).await, "start", "error.window.sending");
        refused(update(&db, &actor, &again, now()).await, "start", "error.window.sending");
        update(&db, &actor, &MailingForm { title: "Typed".to_owned(), ..stored }, now())
            .await
            .expect("the start stays");
        let later = MailingForm { version: String::new(), start: "2026-11-24T10:00".to_owned(), ..again.clone() };
        update(&db, &actor, &later, now()).await.expect("it starts later");
        assert_eq!(live(&db, &actor, id, now()).await.unwrap().run.map(|run| run.id), Some(run));
        end(&db, run).await;
        update(&db, &actor, &MailingForm { version: String::new(), ..again }, now()).await.expect("the run is over");
    }
}

/// Empties a run.
async fn end(db: &Db, run: i64) {
    let mut tx = db.begin().await.unwrap();
    let one = crate::domain::mailing::Counts { waiting: -1, sent: 1, ..Default::default() };
    runs::count(&mut tx, run, &one).await.unwrap();
    assert!(runs::close(&mut tx, run, now()).await.unwrap());
    tx.commit().await.unwrap();
}

/// A run that was passed over because another one still sent does not stand for the mailing; one that found nobody does.
async fn what_was_passed_over_hides_no_run(db: Db) {
    use crate::domain::mailing::SkipReason;
    let actor = actor(&db, "a@example.org").await;
    client(&db, &actor, "one@example.org").await;
    let id = create(&db, &actor, &form(message(&db, &actor).await), now()).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    let run = testing::open_run(&mut tx, id, actor.id, now()).await;
    for (day, reason) in [(1, SkipReason::Overlap), (2, SkipReason::Overlap)] {
        runs::skip(&mut tx, id, now() + TimeDelta::days(day), reason, now()).await.unwrap();
    }
    tx.commit().await.unwrap();
    end(&db, run).await;
    let shown = async || detail(&db, &actor, id, now()).await.unwrap().row.last_run.unwrap();
    assert_eq!((shown().await.id, shown().await.counts.sent), (run, 1));
    let mut tx = db.begin().await.unwrap();
    runs::skip(&mut tx, id, now() + TimeDelta::days(3), SkipReason::Empty, now()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(shown().await.reason, "empty");
}

testing::on_both!(
    what_sends_is_not_started_now,
    what_was_passed_over_hides_no_run,
    rules,
    starts,
    changes,
    lists_and_the_chosen,
    says_who_gets_it_and_who_did_not,
    runs_and_deliveries,
    two_windows,
    mass_mail_is_refused_where_nobody_could_leave,
    form_and_run_agree_on_who_gets_nothing
);
