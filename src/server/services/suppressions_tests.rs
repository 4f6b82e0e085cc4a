use super::*;
use crate::domain::import::{Duplicates, Goal, ImportState};
use crate::domain::topic::Topic;
use crate::forms::clients::ImportStart;
use crate::forms::clients::{Chosen, ClientForm};
use crate::server::clock::{ManualClock, SharedClock};
use crate::server::db::suppressions::{Added, NewEntry};
use crate::server::db::testing::{on_both, open_run};
use crate::server::db::topics;
use crate::server::services::csv;
use crate::server::services::import::{Outcome, Upload};
use crate::server::services::import::{Target, import_csv};
use crate::server::services::testing::{actor, enter, mailing};
use chrono::TimeDelta;

on_both!(
    who_gets_nothing_is_found_among_the_clients,
    whoever_left_stays_out_whatever_is_done_to_clients,
    an_entry_is_made_once_and_a_longer_one_wins,
    an_entry_is_lifted_singly_with_a_reason_on_record,
    addresses_of_before_are_folded,
    an_address_is_added_by_hand_with_a_reason_on_record,
    a_page_goes_on_where_the_one_before_ended,
    a_file_only_adds_and_acts_in_open_runs,
    what_goes_out_comes_in_as_it_was,
    what_an_export_cannot_mean_is_named,
    what_has_ended_counts_no_more,
    a_wrong_file_is_taken_back,
    what_a_second_file_says_stays_without_the_first,
    a_file_that_is_taken_back_leaves_what_others_said,
    an_upload_waits_to_be_confirmed,
    an_import_that_breaks_off_is_on_record,
    a_long_import_asks_for_the_time_again,
    many_addresses_leave_open_runs_in_short_transactions,
    an_import_is_tried_again_where_others_went_first,
);

fn now() -> DateTime<Utc> {
    "2026-05-04T10:00:00Z".parse().unwrap()
}

async fn topic(db: &Db, owner: i64, name: &str) -> i64 {
    let topic = Topic { name: name.to_owned(), public: true, by_default: true, ..Topic::default() };
    let mut tx = db.begin().await.unwrap();
    assert!(topics::save(&mut tx, owner, &topic, now()).await.unwrap());
    tx.commit().await.unwrap();
    topics::list(db, owner).await.unwrap().into_iter().find(|topic| topic.name == name).unwrap().id
}

fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn entry<'a>(owner: i64, email: &'a EmailAddress, reason: Reason) -> NewEntry<'a> {
    NewEntry {
        owner,
        email,
        topic: NO_TOPIC,
        reason,
        source: Source::Page,
        since: now(),
        until: None,
        evidence: "too many letters",
        actor: "",
        delivery: None,
    }
}

/// An import of a file whose name is left.csv.
async fn taken(db: &Db, actor: &Actor, reason: &str, file: Vec<u8>) -> Result<Outcome> {
    let clock: SharedClock = ManualClock::new(now());
    let import = note(db, actor, "left.csv", reason, 1, now()).await?;
    let into = Destination { actor, source: Source::Owner, file: "left.csv", reason, import, faulty: None };
    super::import(db, &into, std::io::Cursor::new(file), None, &clock).await
}

/// The ledger as a file, without its first line's mark.
async fn written(db: &Db, actor: &Actor, ended: bool) -> Vec<u8> {
    let mut rows = list(db, actor, &Listing { ended, ..Listing::default() }, "", now()).await.unwrap().rows;
    rows.sort_by(|a, b| (&a.email, a.topic, a.reason).cmp(&(&b.email, b.topic, b.reason)));
    let head = HEAD.map(str::to_owned).to_vec();
    csv::lines(std::iter::once(head).chain(rows.into_iter().map(record))).unwrap()
}

/// Who would get a letter of a run that is opened now.
async fn who_gets_one(db: &Db, actor: &Actor) -> Vec<String> {
    let mailing = mailing(db, actor, "s", "b", now()).await;
    let mut tx = db.begin().await.unwrap();
    let run = open_run(&mut tx, mailing, actor.id, now()).await;
    tx.commit().await.unwrap();
    let rows = db::deliveries::list(db, run, None, "", 0, 1000).await.unwrap();
    rows.into_iter().filter(|row| row.reason.is_empty()).map(|row| row.email).collect()
}

async fn whoever_left_stays_out_whatever_is_done_to_clients(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    let boris = actor(&db, "boris@example.org").await;
    for owner in [&anna, &boris] {
        db::testing::client(&db, owner.id, "reader@example.org", "R", "").await;
    }
    db::testing::client(&db, anna.id, "other@example.org", "O", "").await;
    enter(&db, &entry(anna.id, &email("reader@example.org"), Reason::Unsubscribed)).await;
    assert_eq!(who_gets_one(&db, &anna).await, ["other@example.org"]);
    assert_eq!(who_gets_one(&db, &boris).await, ["reader@example.org"], "another owner's readers have not left");

    // The same file once more, with update.
    let csv = "email,full name\nREADER@example.org,Reader\nreader@EXAMPLE.org,Reader\n";
    for duplicates in [Duplicates::Update, Duplicates::Skip] {
        let target = Target { owner: anna.id, import: None, duplicates, faulty: None };
        let counts = import_csv(&db, target, std::io::Cursor::new(csv), None, now(), |_| {}).await.unwrap().counts;
        assert_eq!(counts.suppressed, 2, "the import says so");
        assert_eq!(counts.suppressed_first, ["READER@example.org", "reader@EXAMPLE.org"]);
    }
    assert_eq!(who_gets_one(&db, &anna).await, ["other@example.org"]);

    // Deleted, and made anew in every spelling.
    let told = clients::list(&db, &anna, &clients::Listing::new("", "", "")).await.unwrap().whole();
    let all = Chosen { all: true, n: told.total, mark: told.mark, ..Chosen::default() };
    clients::delete(&db, &anna, &all, now()).await.unwrap();
    for spelling in ["reader@example.org", "Reader@Example.Org", "READER@EXAMPLE.ORG"] {
        let form = ClientForm { email: spelling.into(), ..ClientForm::default() };
        let id = clients::create(&db, &anna, &form, now()).await.unwrap();
        assert!(who_gets_one(&db, &anna).await.is_empty(), "{spelling}");
        let chosen = Chosen { ids: vec![id], ..Chosen::default() };
        assert_eq!(clients::delete(&db, &anna, &chosen, now()).await.unwrap(), 1);
    }

    // One that is changed into the address, and out of it.
    let x = ClientForm { email: "x@example.org".into(), ..ClientForm::default() };
    let id = clients::create(&db, &anna, &x, now()).await.unwrap();
    assert_eq!(who_gets_one(&db, &anna).await, ["x@example.org"]);
    let renamed = ClientForm { id, email: "rEader@example.org".into(), ..Default::default() };
    clients::update(&db, &anna, &renamed, now()).await.unwrap();
    assert!(who_gets_one(&db, &anna).await.is_empty());
}

async fn an_entry_is_made_once_and_a_longer_one_wins(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    let address = email("Reader@пример.рф");
    let month = NewEntry { until: Some(now() + TimeDelta::days(30)), ..entry(anna.id, &address, Reason::Unsubscribed) };
    assert_eq!(enter(&db, &month).await, Added::New);
    let week = NewEntry { until: Some(now() + TimeDelta::days(7)), ..month.clone() };
    assert_eq!(enter(&db, &week).await, Added::Known);
    let same = email("reader@xn--e1afmkfd.xn--p1ai");
    let for_good = NewEntry { email: &same, until: None, evidence: "for good", ..month.clone() };
    assert_eq!(enter(&db, &for_good).await, Added::New);
    assert_eq!(enter(&db, &for_good).await, Added::Known);
    assert_eq!(enter(&db, &month).await, Added::Known, "a pause does not end a leaving");
    let found = suppressions::of_address(&db, anna.id, &address, now()).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].until, found[0].evidence.as_str()), (None, "for good"));
    // A pause is over by itself.
    let other = email("other@example.org");
    enter(&db, &NewEntry { email: &other, ..week.clone() }).await;
    assert_eq!(suppressions::of_address(&db, anna.id, &other, now()).await.unwrap().len(), 1);
    let later = now() + TimeDelta::days(7);
    assert!(suppressions::of_address(&db, anna.id, &other, later).await.unwrap().is_empty());
    // Evidence has a bound, and no character that a database refuses.
    let long = "я\0".repeat(5_000);
    enter(&db, &NewEntry { email: &other, evidence: &long, ..entry(anna.id, &other, Reason::Complaint) }).await;
    let page =
        list(&db, &anna, &Listing { search: "other", reason: "complaint", ended: false }, "", now()).await.unwrap();
    assert_eq!((page.total, page.rows[0].evidence.chars().count()), (1, 2_000));
}

async fn an_entry_is_lifted_singly_with_a_reason_on_record(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    let boris = actor(&db, "boris@example.org").await;
    let address = email("reader@example.org");
    for reason in [Reason::Unsubscribed, Reason::Complaint] {
        enter(&db, &entry(anna.id, &address, reason)).await;
    }
    let page = list(&db, &anna, &Listing { search: "", reason: "", ended: false }, "", now()).await.unwrap();
    assert_eq!(page.rows.iter().map(|row| row.reason).collect::<Vec<_>>(), [Reason::Complaint, Reason::Unsubscribed]);
    let id = page.rows[1].id;
    let form = |reason: &str| LiftForm { id, reason: reason.to_owned(), client: 0 };
    for empty in ["", "  "] {
        let Err(Error::Invalid(errors)) = lift(&db, &anna, Source::Owner, &form(empty), now()).await else {
            panic!("no reason")
        };
        assert!(errors.get("reason").is_some());
    }
    assert!(matches!(lift(&db, &boris, Source::Owner, &form("mine now"), now()).await, Err(Error::NotFound)));
    lift(&db, &anna, Source::Owner, &form("She wrote to me on Monday"), now()).await.unwrap();
    assert!(matches!(lift(&db, &anna, Source::Owner, &form("again"), now()).await, Err(Error::NotFound)));
    let page = list(&db, &anna, &Listing { search: "", reason: "", ended: false }, "", now()).await.unwrap();
    assert_eq!(page.rows.iter().map(|row| row.reason).collect::<Vec<_>>(), [Reason::Complaint], "the other one stays");
    let line = audit::list(&db, "", "suppression_lifted", "").await.unwrap().rows.remove(0);
    assert_eq!((line.actor.as_str(), line.target.as_str()), ("anna@example.org", "reader@example.org"));
    assert_eq!((line.reason.as_str(), line.before.as_str()), ("She wrote to me on Monday", "unsubscribed"));
}

async fn addresses_of_before_are_folded(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    let id = db::testing::client(&db, anna.id, "Почта@пример.рф", "R", "").await;
    let address = email("Почта@пример.рф");
    enter(&db, &entry(anna.id, &address, Reason::HardBounce)).await;
    // As the migration leaves what SQLite cannot fold.
    let mut tx = db.begin().await.unwrap();
    rows::set_key(&mut tx, id, "").await.unwrap();
    let unfolded = "UPDATE suppressions SET address_key = email";
    db::on_tx!(&mut tx, conn => sqlx::query(unfolded).execute(conn).await.map(drop)).unwrap();
    tx.commit().await.unwrap();
    let former = "INSERT INTO former_deliveries (id, owner_id, email, topic_id, lang, deleted_at)
        VALUES (7, $1, 'Почта@пример.рф', 0, 'ru', $2)";
    let mut tx = db.begin().await.unwrap();
    db::on_tx!(&mut tx, conn => sqlx::query(former).bind(anna.id).bind(now()).execute(conn).await.map(drop)).unwrap();
    tx.commit().await.unwrap();
    fold_addresses(&db).await.unwrap();
    assert_eq!(db::addressees::newest(&db, &address, 10).await.unwrap(), [7]);
    assert!(who_gets_one(&db, &anna).await.is_empty());
    assert_eq!(of_client(&db, &anna, id, now()).await.unwrap().len(), 1);
    fold_addresses(&db).await.unwrap();
}

/// Of the list of clients those who get nothing can be shown, taken into a file, picked and deleted: an entry that is over, or
/// of one topic alone, is none.
async fn who_gets_nothing_is_found_among_the_clients(db: Db) {
    let (anna, boris) = (actor(&db, "anna@example.org").await, actor(&db, "boris@example.org").await);
    for name in ["left", "Back", "fine", "topic"] {
        db::testing::client(&db, anna.id, &format!("{name}@example.org"), name, "").await;
        db::testing::client(&db, boris.id, &format!("{name}@example.org"), name, "").await;
    }
    for (name, until, topic) in [
        ("LEFT", None, NO_TOPIC),
        ("back", Some(now() + TimeDelta::days(30)), NO_TOPIC),
        ("topic", None, 7),
        ("nobody", None, NO_TOPIC),
    ] {
        let address = email(&format!("{name}@example.org"));
        enter(&db, &NewEntry { until, topic, ..entry(anna.id, &address, Reason::Unsubscribed) }).await;
    }
    let names = async |actor: &Actor, search: &str, at| {
        let listing = clients::Listing::new(search, "email", "").left_out_at(Some(at));
        let page = clients::list(&db, actor, &listing).await.unwrap();
        assert_eq!(page.total, i64::try_from(page.rows.len()).unwrap());
        page.rows.into_iter().map(|client| client.full_name).collect::<Vec<_>>()
    };
    assert_eq!(names(&anna, "", now()).await, ["Back", "left"]);
    assert_eq!(names(&anna, "lef", now()).await, ["left"]);
    assert!(names(&boris, "", now()).await.is_empty());
    let later = now() + TimeDelta::days(31);
    assert_eq!(names(&anna, "", later).await, ["left"]);
    let mut export = clients::Export::new(db.clone(), &anna, String::new(), Some(now()));
    let file = String::from_utf8(export.next().await.unwrap().unwrap()).unwrap();
    assert_eq!(file, "left@example.org,left,\r\nBack@example.org,Back,\r\n");
    let listing = clients::Listing { left_out_at: Some(now()), ..clients::Listing::new("", "", "") };
    let told = clients::list(&db, &anna, &listing).await.unwrap().whole();
    let all = Chosen { all: true, left_out: true, n: 2, mark: told.mark, ..Chosen::default() };
    let picked = clients::select(&db, &anna, &all, now()).await.unwrap();
    assert_eq!(db::selections::count(&db, anna.id, picked).await.unwrap(), 2);
    let told = Chosen { n: 1, ..all.clone() };
    assert!(matches!(clients::delete(&db, &anna, &told, now()).await, Err(Error::Conflict(_))));
    assert_eq!(clients::delete(&db, &anna, &all, now()).await.unwrap(), 2);
    assert_eq!(clients::count(&db, &anna, "").await.unwrap(), 2);
}

async fn an_address_is_added_by_hand_with_a_reason_on_record(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    db::testing::client(&db, anna.id, "Reader@example.org", "R", "").await;
    db::testing::client(&db, anna.id, "fine@example.org", "F", "").await;
    let form = |email: &str, reason: &str| AddForm { email: email.into(), reason: reason.into() };
    for (email, reason, field) in [("nobody", "asked", "email"), ("reader@example.org", " ", "reason")] {
        let refused = add(&db, &anna, Source::Owner, &form(email, reason), now()).await;
        assert!(matches!(refused, Err(Error::Invalid(errors)) if errors.get(field).is_some()), "{email} {reason:?}");
    }
    add(&db, &anna, Source::Owner, &form("reader@EXAMPLE.org", " asked by telephone "), now()).await.unwrap();
    assert_eq!(who_gets_one(&db, &anna).await, ["fine@example.org"]);
    let again = add(&db, &anna, Source::CommandLine, &form("reader@example.org", "again"), now()).await;
    assert!(matches!(again, Err(Error::Invalid(errors)) if errors.get("email").is_some()));
    let page = clients::list(&db, &anna, &clients::Listing::default()).await.unwrap();
    let marked = mark(&db, &anna, page, now()).await.unwrap().rows;
    let marked: Vec<_> = marked.iter().map(|(client, why)| (client.email.as_str(), *why)).collect();
    assert_eq!(marked, [("Reader@example.org", Some(Reason::ByHand)), ("fine@example.org", None)]);
    let entry = list(&db, &anna, &Listing { search: "", reason: "by_hand", ended: false }, "", now())
        .await
        .unwrap()
        .rows
        .remove(0);
    assert_eq!((entry.evidence.as_str(), entry.actor.as_str()), ("asked by telephone", "anna@example.org"));
    add(&db, &anna, Source::CommandLine, &form("other@example.org", "from a letter"), now()).await.unwrap();
    let lines = audit::list(&db, "", "suppression_added", "").await.unwrap().rows;
    let noted: Vec<_> = lines.iter().map(|line| (line.actor_id, line.actor.as_str(), line.reason.as_str())).collect();
    let expected = [(None, COMMAND_LINE, "from a letter"), (Some(anna.id), "anna@example.org", "asked by telephone")];
    assert_eq!(noted, expected);
}

async fn a_page_goes_on_where_the_one_before_ended(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    let boris = actor(&db, "boris@example.org").await;
    for n in 0..paging::FETCH + 3 {
        let address = email(&format!("r{n}@example.org"));
        let reason = if n % 2 == 0 { Reason::Complaint } else { Reason::HardBounce };
        enter(&db, &entry(anna.id, &address, reason)).await;
    }
    let address = email("Почта@пример.рф");
    enter(&db, &entry(boris.id, &address, Reason::Complaint)).await;
    let first = list(&db, &anna, &Listing { search: "", reason: "", ended: false }, "", now()).await.unwrap();
    let rest = list(&db, &anna, &Listing::default(), first.next.as_deref().unwrap(), now()).await.unwrap();
    let seen: Vec<i64> = first.rows.iter().chain(&rest.rows).map(|row| row.id).collect();
    assert_eq!((seen.len() as i64, first.total, rest.next), (paging::FETCH + 3, paging::FETCH + 3, None));
    assert!(seen.is_sorted_by(|a, b| a > b));
    let hard = list(&db, &anna, &Listing { search: "", reason: "hard_bounce", ended: false }, "", now()).await.unwrap();
    assert!(hard.rows.iter().all(|row| row.reason == Reason::HardBounce) && hard.total == (paging::FETCH + 3) / 2);
    assert_eq!(
        list(&db, &anna, &Listing { search: "R7@", reason: "", ended: false }, "", now()).await.unwrap().total,
        1
    );
    for search in ["почта", "ПРИМЕР", "xn--e1afmkfd"] {
        assert_eq!(
            list(&db, &boris, &Listing { search, reason: "", ended: false }, "", now()).await.unwrap().total,
            1,
            "{search}"
        );
    }
    assert!(matches!(get(&db, &boris, seen[0], now()).await, Err(Error::NotFound)));
}

async fn a_file_only_adds_and_acts_in_open_runs(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    let boris = actor(&db, "boris@example.org").await;
    for owner in [&anna, &boris] {
        for reader in ["a@example.org", "B@example.org", "c@example.org"] {
            db::testing::client(&db, owner.id, reader, "", "").await;
        }
    }
    enter(&db, &entry(anna.id, &email("a@example.org"), Reason::Unsubscribed)).await;
    let mut runs = Vec::new();
    for owner in [&anna, &boris] {
        let mailing = mailing(&db, owner, "s", "b", now()).await;
        let mut tx = db.begin().await.unwrap();
        runs.push(open_run(&mut tx, mailing, owner.id, now()).await);
        tx.commit().await.unwrap();
    }
    let file = "email\nb@example.org\nB@EXAMPLE.org\nnobody\na@example.org\n";
    let take = async |reason: &'static str| taken(&db, &anna, reason, file.as_bytes().to_vec()).await;
    assert!(matches!(take(" ").await, Err(Error::Invalid(errors)) if errors.get("reason").is_some()));
    let counts = take("left elsewhere").await.unwrap().counts;
    assert_eq!((counts.lines, counts.added, counts.skipped, counts.faulty), (4, 2, 1, 1));
    let mut left: Vec<(String, String)> = Vec::new();
    for run in runs {
        let rows = db::deliveries::list(&db, run, None, "", 0, 10).await.unwrap();
        left.extend(rows.into_iter().filter(|row| !row.reason.is_empty()).map(|row| (row.email, row.reason)));
    }
    let expected = [("a@example.org", "suppressed_unsubscribed"), ("B@example.org", "suppressed_imported")];
    let expected = expected.map(|(email, reason)| (email.to_owned(), reason.to_owned()));
    assert_eq!(left, expected, "hers alone, and at once");
    let of_a = suppressions::of_address(&db, anna.id, &email("a@example.org"), now()).await.unwrap();
    let why: Vec<_> = of_a.iter().map(|entry| (entry.reason, entry.evidence.as_str())).collect();
    assert_eq!(why, [(Reason::Unsubscribed, "too many letters"), (Reason::Imported, "left elsewhere")]);
    let counts = take("once more").await.unwrap().counts;
    assert_eq!((counts.added, counts.skipped), (0, 3));
    assert_eq!(
        list(&db, &anna, &Listing { search: "", reason: "", ended: false }, "", now()).await.unwrap().total,
        3,
        "nothing was taken out or changed"
    );
    let lines = audit::list(&db, "", "suppressions_imported", "").await.unwrap().rows;
    let noted: Vec<_> = lines.iter().map(|line| (&*line.target, &*line.reason, &*line.after)).collect();
    assert_eq!(noted, [("left.csv", "once more", "0"), ("left.csv", "left elsewhere", "2")]);
    // Whatever else stands in a line keeps nobody in.
    let long = "x".repeat(3_000);
    let mut file = format!("email;name;notes\ne@example.org;{long};{long}\nf@example.org;").into_bytes();
    file.extend(b"\xff\n");
    let counts = taken(&db, &anna, "left", file).await.unwrap().counts;
    assert_eq!((counts.added, counts.faulty), (2, 0));
}

/// A pause comes back as a pause, and whatever else an entry is.
async fn what_goes_out_comes_in_as_it_was(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    let boris = actor(&db, "boris@example.org").await;
    let addresses = ["a@example.org", "B@пример.рф", "c@example.org", "d@example.org"].map(email);
    let long_ago = now() - TimeDelta::days(400) + TimeDelta::microseconds(1_500);
    // The same topic has another number there.
    topic(&db, boris.id, "Offers").await;
    let (news, his) = (topic(&db, anna.id, "News").await, topic(&db, boris.id, "News").await);
    assert_ne!(news, his);
    enter(&db, &entry(anna.id, &addresses[0], Reason::Complaint)).await;
    let pause = NewEntry {
        until: Some(now() + TimeDelta::days(30)),
        since: long_ago,
        topic: news,
        evidence: "=1+1, \"so\"\nand 'so'",
        ..entry(anna.id, &addresses[1], Reason::Unsubscribed)
    };
    enter(&db, &pause).await;
    enter(&db, &NewEntry { topic: NO_TOPIC, ..pause.clone() }).await;
    let over = NewEntry { until: Some(now()), ..entry(anna.id, &addresses[2], Reason::SoftBounces) };
    enter(&db, &over).await;
    enter(&db, &NewEntry { evidence: "", actor: "x", ..entry(anna.id, &addresses[3], Reason::HardBounce) }).await;
    for ended in [false, true] {
        let file = written(&db, &anna, ended).await;
        let counts = taken(&db, &boris, "from my other account", file.clone()).await.unwrap().counts;
        assert_eq!((counts.added, counts.faulty), (if ended { 1 } else { 4 }, 0));
        // What said nothing says now where it came from.
        let text = String::from_utf8(written(&db, &boris, ended).await).unwrap();
        assert_eq!(text.replace("from my other account", ""), String::from_utf8(file.clone()).unwrap());
        let again = taken(&db, &anna, "again", file).await.unwrap().counts;
        assert_eq!((again.added, again.skipped), (0, if ended { 5 } else { 4 }), "nothing new in its own ledger");
    }
    let of_b = suppressions::of_address(&db, boris.id, &addresses[1], now()).await.unwrap();
    assert!(of_b.iter().all(|entry| entry.until == pause.until && entry.evidence == pause.evidence));
    assert!(of_b.iter().any(|entry| entry.topic == his) && of_b.iter().all(|entry| entry.topic != news));
    // Files of before have no topics, and those of others no such columns.
    let file =
        "email,reason,source,since,until,evidence,actor\nx@example.org,complaint,report,2026-01-01T00:00:00Z,,,\n";
    assert_eq!(taken(&db, &boris, "old", file.into()).await.unwrap().counts.added, 1);
    let file = "email,reason\ny@example.org,too many letters\n";
    assert_eq!(taken(&db, &boris, "old", file.into()).await.unwrap().counts.added, 1);
    let y = suppressions::of_address(&db, boris.id, &email("y@example.org"), now()).await.unwrap();
    assert_eq!((y[0].reason, y[0].evidence.as_str()), (Reason::Imported, "old"));
}

async fn what_an_export_cannot_mean_is_named(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    let good = ["a@example.org", "complaint", "report", "2026-01-01T00:00:00Z", "", "", "", ""];
    let mut file = csv::lines(std::iter::once(HEAD.map(str::to_owned).to_vec())).unwrap();
    let cases = [(1, "rude"), (2, "rumour"), (3, "yesterday"), (4, "soon"), (7, "news"), (7, "-1")];
    // Years beyond these stand in no order in SQLite.
    let beyond = [(4, "9999-12-31T23:59:59-01:00"), (3, "0000-01-01T00:00:00+01:00")];
    for (at, word) in cases.into_iter().chain(beyond) {
        let mut line = good.map(str::to_owned).to_vec();
        line[at] = word.to_owned();
        file.extend(csv::lines(std::iter::once(line)).unwrap());
    }
    let outcome = taken(&db, &anna, "mine", file).await.unwrap();
    let found: Vec<_> = outcome.problems.iter().map(|problem| (problem.line, problem.key.as_str())).collect();
    let keys = ["reason", "source", "date", "date", "topic", "topic", "date", "date"]
        .map(|key| format!("error.suppression.file_{key}"));
    let expected: Vec<_> = (2..).zip(keys.iter().map(String::as_str)).collect();
    assert_eq!((outcome.counts.added, found), (0, expected));
}

/// What somebody said themselves stays, whichever file said it as well, before or after them.
async fn a_file_that_is_taken_back_leaves_what_others_said(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    let line = |address: &str, until: &str| {
        let line = [address, "unsubscribed", "report", "2026-01-01T00:00:00Z", until, "", "", ""];
        csv::lines(std::iter::once(line.map(str::to_owned).to_vec())).unwrap()
    };
    let (later, paused, only) = (email("later@example.org"), email("paused@example.org"), "only@example.org");
    let month = Some(now() + TimeDelta::days(30));
    enter(&db, &NewEntry { until: month, ..entry(anna.id, &paused, Reason::Unsubscribed) }).await;
    let mut file = csv::lines(std::iter::once(HEAD.map(str::to_owned).to_vec())).unwrap();
    // A pause that is over says nothing any more.
    let over = email("over@example.org");
    let past = Some(now() - TimeDelta::days(1));
    enter(&db, &NewEntry { until: past, ..entry(anna.id, &over, Reason::Unsubscribed) }).await;
    for address in [later.as_str(), paused.as_str(), only, over.as_str()] {
        file.extend(line(address, ""));
    }
    assert_eq!(taken(&db, &anna, "file", file).await.unwrap().counts.added, 4);
    enter(&db, &entry(anna.id, &later, Reason::Unsubscribed)).await;
    let rows = list(&db, &anna, &Listing::default(), "", now()).await.unwrap().rows;
    let id = rows.iter().find_map(|row| row.import).unwrap();
    end(&db, &anna, id, Some(&Outcome::default())).await.unwrap();
    let form = LiftForm { id, reason: "wrong".to_owned(), client: 0 };
    assert_eq!(lift_import(&db, &anna, Source::Owner, &form, now()).await.unwrap(), 2);
    let left = list(&db, &anna, &Listing::default(), "", now()).await.unwrap().rows;
    let mut left: Vec<_> = left.iter().map(|entry| entry.email.as_str()).collect();
    left.sort_unstable();
    assert_eq!(left, [later.as_str(), paused.as_str()]);
}

/// The same addresses once more, for the right reason: what was wrong of the first file is not what the second says.
async fn what_a_second_file_says_stays_without_the_first(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    taken(&db, &anna, "wrong", "email\na@example.org\nb@example.org\n".into()).await.unwrap();
    let second = taken(&db, &anna, "right", "email\nb@example.org\nc@example.org\n".into()).await.unwrap();
    assert_eq!((second.counts.added, second.counts.skipped), (1, 1));
    let of = async |address: &str| {
        let rows = list(&db, &anna, &Listing::default(), "", now()).await.unwrap().rows;
        rows.into_iter().find(|row| row.email == address).and_then(|row| row.import)
    };
    let (first, second) = (of("a@example.org").await.unwrap(), of("c@example.org").await.unwrap());
    for (id, n, left) in [(first, 1, 2), (second, 1, 1)] {
        end(&db, &anna, id, Some(&Outcome::default())).await.unwrap();
        let form = LiftForm { id, reason: "wrong".to_owned(), client: 0 };
        assert_eq!(lift_import(&db, &anna, Source::Owner, &form, now()).await.unwrap(), n);
        let rows = list(&db, &anna, &Listing::default(), "", now()).await.unwrap().rows;
        assert!(rows.len() == left && rows.iter().any(|row| row.email == "b@example.org"), "{rows:?}");
    }
}

/// An entry whose day has come stands in no list and in no count, unless it is asked for.
async fn what_has_ended_counts_no_more(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    let (over, holds) = (email("over@example.org"), email("holds@example.org"));
    let second = TimeDelta::seconds(1);
    for (address, until) in [(&over, now()), (&holds, now() + second)] {
        enter(&db, &NewEntry { until: Some(until), ..entry(anna.id, address, Reason::Unsubscribed) }).await;
    }
    enter(&db, &entry(anna.id, &email("ever@example.org"), Reason::Complaint)).await;
    let seen = async |reason: &str, ended: bool, search: &str| {
        let page = list(&db, &anna, &Listing { search, reason, ended }, "", now()).await.unwrap();
        let ended: Vec<bool> = page.rows.iter().map(|entry| entry.ended).collect();
        (page.total, ended)
    };
    assert_eq!(seen("", false, "").await, (2, vec![false, false]));
    assert_eq!(seen("", true, "").await, (3, vec![false, false, true]));
    assert_eq!(seen("unsubscribed", false, "").await, (1, vec![false]));
    assert_eq!(seen("", false, "over@").await, (0, vec![]));
    assert_eq!(seen("unsubscribed", true, "over@").await, (1, vec![true]));
}

async fn a_wrong_file_is_taken_back(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    let boris = actor(&db, "boris@example.org").await;
    enter(&db, &entry(anna.id, &email("a@example.org"), Reason::Unsubscribed)).await;
    let file = |n: usize| (0..n).map(|n| format!("r{n}@example.org\n")).collect::<String>();
    taken(&db, &anna, "left", "email\nleft@example.org\n".into()).await.unwrap();
    let counts =
        taken(&db, &anna, "wrong", format!("email\na@example.org\nleft@example.org\n{}", file(600)).into()).await;
    assert_eq!(counts.unwrap().counts.added, 601);
    taken(&db, &boris, "his", "email\nleft@example.org\n".into()).await.unwrap();
    let newest = list(&db, &anna, &Listing::default(), "", now()).await.unwrap().rows.remove(0);
    let id = newest.import.unwrap();
    let form = |reason: &str| LiftForm { id, reason: reason.to_owned(), client: 0 };
    let undo = async |actor: &Actor, reason: &str| lift_import(&db, actor, Source::Owner, &form(reason), now()).await;
    assert!(matches!(undo(&anna, " ").await, Err(Error::Invalid(_))));
    assert!(matches!(undo(&boris, "mine").await, Err(Error::NotFound)));
    assert!(matches!(undo(&anna, "wrong file").await, Err(Error::Conflict("error.import.running"))));
    end(&db, &anna, id, Some(&Outcome::default())).await.unwrap();
    assert_eq!(undo(&anna, " wrong file ").await.unwrap(), 601);
    assert!(matches!(undo(&anna, "again").await, Err(Error::Conflict("error.suppression.import_gone"))));
    let left = list(&db, &anna, &Listing::default(), "", now()).await.unwrap().rows;
    let left: Vec<_> = left.iter().map(|entry| (entry.email.as_str(), entry.reason)).collect();
    assert_eq!(left, [("left@example.org", Reason::Imported), ("a@example.org", Reason::Unsubscribed)]);
    let line = audit::list(&db, "", "suppressions_import_lifted", "").await.unwrap().rows.remove(0);
    assert_eq!((&*line.target, &*line.reason, &*line.before), ("left.csv", "wrong file", "601"));
}

async fn an_upload_waits_to_be_confirmed(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    enter(&db, &NewEntry { reason: Reason::Imported, ..entry(anna.id, &email("known@example.org"), Reason::Imported) })
        .await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    std::fs::write(&path, "Who;Mail\nx;new@example.org\ny;KNOWN@example.org\nz;nobody\nw;new@example.org\n").unwrap();
    let upload = Upload { goal: Goal::Suppressions, why: "left", name: "a.csv", path: &path, size: 9 };
    let id = crate::server::services::import::add(&db, &anna, &upload, now()).await.unwrap();
    let show = async || show_import(&db, &anna, id, None, 1000, now()).await.unwrap();
    let seen = show().await;
    assert_eq!(
        (seen.import.state, seen.import.why.as_str(), seen.layout.email),
        (ImportState::Uploaded, "left", Some(1))
    );
    let outlook = seen.outlook;
    assert_eq!((outlook.lines, outlook.new, outlook.known, outlook.faulty), (4, 1, 2, 1));
    assert_eq!((outlook.takeable, outlook.more, seen.problems[0].line, seen.lines.len()), (Some(3), false, 4, 4));
    assert_eq!(list(&db, &anna, &Listing::default(), "", now()).await.unwrap().total, 1, "nothing is added yet");
    // It is no file of clients.
    let clock: SharedClock = ManualClock::new(now());
    let form = ImportStart { id, email: "1".to_owned(), ..ImportStart::default() };
    let as_clients = crate::server::services::import::start(&db, &anna, &form, &clock, "here").await;
    assert!(matches!(as_clients, Err(Error::NotFound)));
    start(&db, &anna, &form, &clock, "here").await.unwrap();
    assert!(matches!(start(&db, &anna, &form, &clock, "here").await, Err(Error::Conflict("error.import.started"))));
    let done = tokio::time::timeout(std::time::Duration::from_secs(30), async {
        loop {
            let seen = show().await;
            if seen.import.state != ImportState::Running {
                break seen;
            }
            tokio::task::yield_now().await;
        }
    });
    let done = done.await.expect("the import ends");
    let counts = done.import.counts;
    assert_eq!((done.import.state, counts.added, counts.skipped, counts.faulty), (ImportState::Done, 1, 2, 1));
    assert_eq!((done.entries, done.faulty_kept), (1, true));
}

/// A file whose disk fails in the midst of it.
struct Failing(std::io::Cursor<Vec<u8>>);

impl std::io::Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.0.read(buffer)?;
        assert!(n > 0, "a fault of ours");
        Ok(n)
    }
}

impl std::io::Seek for Failing {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

async fn an_import_that_breaks_off_is_on_record(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    let clock: SharedClock = ManualClock::new(now());
    let import = note(&db, &anna, "left.csv", "left", 1, now()).await.unwrap();
    let (source, faulty) = (Source::CommandLine, None);
    let into = Destination { actor: &anna, source, file: "left.csv", reason: "left", import, faulty };
    let lines: String = (0..1200).map(|n| format!("r{n}@example.org\n")).collect();
    let file = Failing(std::io::Cursor::new(format!("email\n{lines}").into_bytes()));
    let layout = crate::domain::import::Layout { email: Some(0), header: true, ..Default::default() };
    let broken = super::import(&db, &into, file, Some(layout), &clock).await;
    assert!(matches!(broken, Err(Error::Internal(_))));
    for (act, after) in [("suppressions_import_started", ""), ("suppressions_imported", "1000")] {
        let line = audit::list(&db, "", act, "").await.unwrap().rows.remove(0);
        assert_eq!((&*line.target, &*line.reason, &*line.after), ("left.csv", "left", after));
    }
}

/// A clock that goes on while it is asked.
struct Going(std::sync::atomic::AtomicI64);

impl crate::server::clock::Clock for Going {
    fn now(&self) -> DateTime<Utc> {
        now() + TimeDelta::minutes(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
    }

    fn until(&self, _: DateTime<Utc>) -> crate::server::clock::Waiting<'_> {
        Box::pin(std::future::ready(()))
    }
}

/// Each batch is entered at its own time: an open run asks for what is newer than itself.
async fn a_long_import_asks_for_the_time_again(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    let clock: SharedClock = std::sync::Arc::new(Going(0.into()));
    let import = note(&db, &anna, "left.csv", "left", 1, now()).await.unwrap();
    let (source, faulty) = (Source::Owner, None);
    let into = Destination { actor: &anna, source, file: "left.csv", reason: "left", import, faulty };
    let lines: String = (0..1200).map(|n| format!("r{n:04}@example.org\n")).collect();
    let file = std::io::Cursor::new(format!("email\n{lines}"));
    super::import(&db, &into, file, None, &clock).await.unwrap();
    let since = async |address: &str| {
        let found = suppressions::of_address(&db, anna.id, &email(address), now()).await.unwrap();
        found[0].since
    };
    assert!(since("r0000@example.org").await < since("r0600@example.org").await);
    assert!(since("r0600@example.org").await < since("r1199@example.org").await);
}

/// All of a file's addresses leave open runs, and no transaction has more than some of them.
async fn many_addresses_leave_open_runs_in_short_transactions(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    for n in 0..250 {
        db::testing::client(&db, anna.id, &format!("R{n}@example.org"), "", "").await;
    }
    let mailing = mailing(&db, &anna, "s", "b", now()).await;
    let mut tx = db.begin().await.unwrap();
    let run = open_run(&mut tx, mailing, anna.id, now()).await;
    tx.commit().await.unwrap();
    let lines: String = (0..249).map(|n| format!("r{n}@example.org\n")).collect();
    let counts = taken(&db, &anna, "left", format!("email\n{lines}").into()).await.unwrap().counts;
    assert_eq!(counts.added, 249);
    let rows = db::deliveries::list(&db, run, None, "", 0, 1000).await.unwrap();
    let waiting: Vec<_> = rows.iter().filter(|row| row.reason.is_empty()).map(|row| row.email.as_str()).collect();
    assert_eq!(waiting, ["R249@example.org"]);
}

/// PostgreSQL ends one of two transactions that wait for each other: the import's is done once more.
async fn an_import_is_tried_again_where_others_went_first(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    if !db::testing::deadlocks(&db, "suppressions", 2).await {
        return;
    }
    let counts = taken(&db, &anna, "left", "email\na@example.org\nb@example.org\n".into()).await.unwrap().counts;
    assert_eq!((counts.lines, counts.added), (2, 2));
    db::testing::deadlocks(&db, "suppressions", 100).await;
    assert!(taken(&db, &anna, "left", "email\nc@example.org\n".into()).await.is_err(), "not for ever");
}
