use super::uploads::{RUNNING_MAX, WAITING_MAX};
use super::*;
use crate::domain::import::{Encoding, Fate, Goal, ImportPreview, ImportState};
use crate::forms::clients::ImportStart;
use crate::server::clock::ManualClock;
use crate::server::clock::SharedClock;
use crate::server::db::{processes, testing};
use crate::server::services::clients as service;
use crate::server::services::testing::actor;
use chrono::TimeZone;
use std::io::Cursor;
use std::time::Duration;

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 1, 9, 0, 0).unwrap()
}

async fn take(db: &Db, owner: i64, duplicates: Duplicates, text: String) -> Outcome {
    let target = Target { owner, import: None, duplicates, faulty: None };
    import_csv(db, target, Cursor::new(text.into_bytes()), None, now(), |_| ()).await.unwrap()
}

async fn add(db: &Db, actor: &Actor, name: &str, path: &std::path::Path, size: i64, now: DateTime<Utc>) -> Result<i64> {
    super::add(db, actor, &Upload { goal: Goal::Clients, why: "", name, path, size }, now).await
}

fn waiting(owner: i64) -> imports::NewImport<'static> {
    imports::NewImport { owner, goal: Goal::Clients, why: "", file_name: "b.csv", path: "", size: 1 }
}

async fn imports_lines(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    let mut text = "email,name\n".to_owned();
    for n in 0..1200 {
        text.push_str(&if n % 100 == 7 { format!("faulty{n},x\n") } else { format!("c{n}@example.org,Имя {n}\n") });
    }
    let first = take(&db, anna.id, Duplicates::Skip, text.clone()).await;
    assert_eq!((first.counts.lines, first.counts.added, first.counts.faulty), (1200, 1188, 12));
    assert_eq!((first.problems[0].line, first.problems[0].value.as_str()), (9, "faulty7"));
    assert_eq!(first.counts.bytes, text.len() as i64);
    let again = take(&db, anna.id, Duplicates::Skip, "email,name\nc1@EXAMPLE.org,Other\n".to_owned()).await;
    assert_eq!((again.counts.added, again.counts.skipped), (0, 1));
    let found = |text: &'static str| service::Listing::new(text, "", "");
    assert_eq!(service::list(&db, &anna, &found("other")).await.unwrap().total, 0);
    let update = take(&db, anna.id, Duplicates::Update, "email,name\nc1@EXAMPLE.org,Other\n".to_owned()).await;
    assert_eq!((update.counts.added, update.counts.updated), (0, 1));
    assert_eq!(service::list(&db, &anna, &found("other")).await.unwrap().total, 1);
    let many: String = std::iter::once("email\n".to_owned()).chain((0..1500).map(|n| format!("bad{n}\n"))).collect();
    let many = take(&db, anna.id, Duplicates::Skip, many).await;
    assert_eq!((many.counts.faulty, many.problems.len()), (1500, PROBLEMS_KEPT));
}

async fn lines_beyond_the_limit_are_named(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    let mut tx = db.begin().await.unwrap();
    let own = crate::domain::settings::UserLimits { clients: Some(3), letters: None };
    limits::set(&mut tx, anna.id, own).await.unwrap();
    tx.commit().await.unwrap();
    testing::client(&db, anna.id, "known@example.org", "Old", "").await;
    let text = "email,name\na@example.org,A\nb@example.org,B\nknown@example.org,New\nnobody,N\nc@example.org,C\n";
    let done = take(&db, anna.id, Duplicates::Update, text.to_owned()).await;
    let counts = done.counts;
    assert_eq!((counts.lines, counts.added, counts.updated, counts.faulty), (5, 2, 1, 2));
    let problems: Vec<_> = done.problems.iter().map(|p| (p.line, p.key.as_str(), p.value.as_str())).collect();
    assert_eq!(problems, [(5, "error.email.at", "nobody"), (6, "error.import.client_limit", "c@example.org")]);
    let again = take(&db, anna.id, Duplicates::Skip, text.to_owned()).await;
    assert_eq!((again.counts.added, again.counts.skipped, again.counts.faulty), (0, 3, 2));
}

async fn show(db: &Db, actor: &Actor, id: i64) -> Result<ImportPreview> {
    super::show(db, actor, id, None, 1000).await
}

/// The lines that were not taken are a file with the same columns; once it is mended it goes in, and nothing is lost.
async fn what_was_left_out_goes_in_once_it_is_mended(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv.faulty");
    let file = "Email,Full name,Comment,City\nok@example.org,A,,\nnobody,\"=x, y\",'+7 900,Kazan\n\
                a@example.org,\"Anna\nb@example.org,Boris,,Omsk\n";
    let target = Target { owner: anna.id, import: None, duplicates: Duplicates::Skip, faulty: Some(path.clone()) };
    let reader = Cursor::new(file.as_bytes().to_vec());
    let outcome = import_csv(&db, target, reader, None, now(), |_| ()).await.unwrap();
    assert_eq!((outcome.counts.added, outcome.counts.faulty), (1, 3));
    let left = std::fs::read_to_string(&path).unwrap();
    let expected = "\u{feff}Email,Full name,Comment,City\r\nnobody,\"'=x, y\",'+7 900,Kazan\r\n\
                    a@example.org,Anna\r\nb@example.org,Boris,,Omsk\r\n";
    assert_eq!(left, expected);
    let mended = take(&db, anna.id, Duplicates::Skip, left.replace("nobody", "n@example.org")).await;
    assert_eq!((mended.counts.added, mended.counts.faulty), (3, 0));
    let found = service::list(&db, &anna, &service::Listing::new("n@example.org", "", "")).await.unwrap().rows;
    assert_eq!((found[0].full_name.as_str(), found[0].comment.as_str()), ("=x, y", "+7 900"));
}

/// Lines in another encoding, or of a file without names of columns, are the same lines when they come again.
async fn what_was_left_out_stays_as_it_was(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    let folder = tempfile::tempdir().unwrap();
    let left = async |name: &str, file: Vec<u8>, layout: Option<Layout>| {
        let path = folder.path().join(name);
        let target = Target { owner: anna.id, import: None, duplicates: Duplicates::Skip, faulty: Some(path.clone()) };
        let outcome = import_csv(&db, target, Cursor::new(file), layout, now(), |_| ()).await.unwrap();
        (std::fs::read(&path).unwrap(), outcome)
    };
    let cp1251 = |text: &str| encoding_rs::WINDOWS_1251.encode(text).0.into_owned();
    let mut mixed = "email,имя\na@example.org,Анна\n".as_bytes().to_vec();
    mixed.extend(cp1251("b@example.org,Борис\n"));
    let (file, outcome) = left("mixed", mixed, None).await;
    assert_eq!((outcome.counts.added, outcome.counts.faulty), (1, 1));
    assert!(file.ends_with(&cp1251("b@example.org,Борис\r\n")), "to the byte");
    let (again, outcome) = left("again", file.clone(), None).await;
    assert_eq!((outcome.counts.added, outcome.counts.faulty, again), (0, 1, file.clone()), "and again");
    let layout = Layout {
        email: Some(0),
        full_name: Some(1),
        header: true,
        encoding: Encoding::Windows1251,
        ..Layout::default()
    };
    let target = Target { owner: anna.id, import: None, duplicates: Duplicates::Skip, faulty: None };
    let outcome = import_csv(&db, target, Cursor::new(file), Some(layout), now(), |_| ()).await.unwrap();
    assert_eq!(outcome.counts.added, 1);
    let found = service::list(&db, &anna, &service::Listing::new("b@example.org", "", "")).await.unwrap().rows;
    assert_eq!(found[0].full_name, "Борис");

    let (file, _) = left("other", cp1251("email;имя\nnobody;Борис Ежов\n"), None).await;
    assert_eq!(String::from_utf8(file).unwrap(), "\u{feff}email,имя\r\nnobody,Борис Ежов\r\n");
    let (file, _) = left("nameless", b"x,c@example.org\ny,nobody\n".to_vec(), None).await;
    assert_eq!(String::from_utf8(file.clone()).unwrap(), "\u{feff},email\r\ny,nobody\r\n");
    let (_, outcome) = left("nameless again", file, None).await;
    assert_eq!((outcome.counts.lines, outcome.counts.faulty), (1, 1), "the first line is still one");
}

/// What would become of each line is told anew for other columns and another first line.
async fn a_look_ahead_follows_what_is_chosen(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    testing::client(&db, anna.id, "known@example.org", "", "").await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    std::fs::write(&path, "x,y\nnew@example.org,A\nKNOWN@EXAMPLE.ORG,known@example.org\nnew@example.org,B\nno,C\n")
        .unwrap();
    let id = add(&db, &anna, "a.csv", &path, 10, now()).await.unwrap();
    let look = async |email: &str, first_is_data: bool| {
        let (email, full_name) = (email.to_owned(), "0".to_owned());
        let form = ImportStart { id, email, full_name, first_is_data, ..ImportStart::default() };
        super::show(&db, &anna, id, Some(&form), 1000).await.unwrap()
    };
    let seen = look("0", false).await;
    let fates: Vec<Fate> = seen.lines.iter().map(|line| line.fate).collect();
    assert_eq!(fates, [Fate::New, Fate::Known, Fate::Known, Fate::Faulty], "in whatever spelling");
    assert_eq!((seen.outlook.new, seen.outlook.known, seen.outlook.faulty, seen.outlook.lines), (1, 2, 1, 4));
    assert_eq!((seen.problems[0].line, seen.problems[0].value.as_str()), (5, "no"));
    let seen = look("1", true).await;
    assert_eq!((seen.outlook.known, seen.outlook.faulty, seen.problems[0].line), (1, 4, 1));
    let seen = look("", false).await;
    assert!(seen.problems.is_empty() && seen.lines.iter().all(|line| line.fate == Fate::Open));
    let unread = ImportStart { id, ..ImportStart::default() };
    assert!(matches!(
        start(&db, &anna, &unread, &(ManualClock::new(now()) as SharedClock), "here").await,
        Err(Error::Invalid(_))
    ));
}

/// What waits is bounded for each user, goes after a day, and files of nobody go with it.
async fn uploads_do_not_pile_up(db: Db) {
    let (anna, boris) = (actor(&db, "anna@example.org").await, actor(&db, "boris@example.org").await);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, "email\na@example.org\n").unwrap();
        path
    };
    let foreign = file("foreign.csv");
    add(&db, &boris, "b.csv", &foreign, 10, now()).await.unwrap();
    let paths: Vec<_> = (0..=WAITING_MAX).map(|n| file(&format!("{n}.csv"))).collect();
    let mut ids = Vec::new();
    for path in &paths {
        ids.push(add(&db, &anna, "a.csv", path, 10, now()).await.unwrap());
    }
    assert_eq!(show(&db, &anna, ids[0]).await.unwrap().import.reason, "error.import.replaced");
    assert!(!paths[0].exists() && paths[1].exists() && foreign.exists());

    let mut tx = db.begin().await.unwrap();
    assert!(imports::start(&mut tx, anna.id, ids[1], "here").await.unwrap());
    tx.commit().await.unwrap();
    let stray = file("stray.csv");
    let day = chrono::TimeDelta::days(1);
    assert_eq!(sweep(&db, folder.path(), false, now() + day - chrono::TimeDelta::seconds(1)).await.unwrap(), 0);
    assert_eq!(sweep(&db, folder.path(), false, now() + day).await.unwrap(), WAITING_MAX, "all but the running one");
    assert_eq!(show(&db, &anna, ids[2]).await.unwrap().import.reason, "error.import.expired");
    assert!(paths[1].exists() && stray.exists() && !foreign.exists());
    assert_eq!(sweep(&db, folder.path(), true, now()).await.unwrap(), 1);
    assert!(paths[1].exists() && !stray.exists());
}

async fn no_user_runs_many_imports_at_once(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    let mut tx = db.begin().await.unwrap();
    for _ in 0..RUNNING_MAX {
        let id = imports::insert(&mut tx, &waiting(anna.id), None, now()).await.unwrap();
        assert!(imports::start(&mut tx, anna.id, id, "here").await.unwrap());
    }
    let id = imports::insert(&mut tx, &waiting(anna.id), None, now()).await.unwrap();
    tx.commit().await.unwrap();
    let form = ImportStart { id, email: "0".to_owned(), ..ImportStart::default() };
    let clock: SharedClock = ManualClock::new(now());
    assert!(matches!(start(&db, &anna, &form, &clock, "here").await, Err(Error::Conflict("error.import.busy"))));
}

async fn uploads(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    let boris = actor(&db, "boris@example.org").await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    let clock: SharedClock = ManualClock::new(now());
    std::fs::write(&path, "Контакт;Почта\nАнна;one@example.org\nБорис;nobody\n").unwrap();
    let id = add(&db, &anna, "a.csv", &path, 10, now()).await.unwrap();
    assert!(matches!(show(&db, &boris, id).await, Err(Error::NotFound)));
    let preview = show(&db, &anna, id).await.unwrap();
    assert_eq!((preview.layout.email, preview.layout.full_name, preview.layout.header), (Some(1), None, true));
    assert_eq!((preview.lines.len(), preview.problems.len()), (2, 1));
    let form = ImportStart { id, email: "1".to_owned(), full_name: "0".to_owned(), ..ImportStart::default() };
    assert!(matches!(start(&db, &boris, &form, &clock, "here").await, Err(Error::NotFound)));
    start(&db, &anna, &form, &clock, "here").await.unwrap();
    assert!(matches!(start(&db, &anna, &form, &clock, "here").await, Err(Error::Conflict("error.import.started"))));
    let done = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            let import = show(&db, &anna, id).await.unwrap().import;
            if import.state != ImportState::Running {
                break import;
            }
            tokio::task::yield_now().await;
        }
    });
    let done = done.await.expect("the import ends");
    assert_eq!((done.state, done.counts.added, done.counts.faulty), (ImportState::Done, 1, 1));
    // What was left out is kept for its owner, for a day.
    assert!(show(&db, &anna, id).await.unwrap().faulty_kept);
    assert!(faulty::open(&db, &anna, id).await.is_ok());
    assert!(matches!(faulty::open(&db, &boris, id).await, Err(Error::NotFound)));
    let day = chrono::TimeDelta::days(1);
    assert_eq!(sweep(&db, folder.path(), true, now() + day - chrono::TimeDelta::seconds(1)).await.unwrap(), 0);
    assert_eq!(sweep(&db, folder.path(), true, now() + day).await.unwrap(), 1);
    assert!(matches!(faulty::open(&db, &anna, id).await, Err(Error::NotFound)));
    assert!(!show(&db, &anna, id).await.unwrap().faulty_kept);

    let path = folder.path().join("b.csv");
    std::fs::write(&path, b"\x89PNG\r\n").unwrap();
    let id = add(&db, &anna, "a.csv", &path, 10, now()).await.unwrap();
    let failed = show(&db, &anna, id).await.unwrap().import;
    assert_eq!((failed.state, failed.reason.as_str()), (ImportState::Failed, "error.import.not_text"));
    assert!(!path.exists(), "the file of a refused upload is removed");

    let mut tx = db.begin().await.unwrap();
    let id = imports::insert(&mut tx, &waiting(anna.id), None, now()).await.unwrap();
    assert!(imports::start(&mut tx, anna.id, id, "here").await.unwrap());
    processes::beat(&mut tx, "here", "", now()).await.unwrap();
    assert_eq!(processes::end_imports(&mut tx).await.unwrap(), 0, "its process lives");
    processes::leave(&mut tx, "here").await.unwrap();
    assert_eq!(processes::end_imports(&mut tx).await.unwrap(), 1);
    tx.commit().await.unwrap();
    let ended = show(&db, &anna, id).await.unwrap().import;
    assert_eq!((ended.state, ended.reason.as_str()), (ImportState::Failed, processes::INTERRUPTED));
}

/// A batch that the database ended for the sake of others is stored once, and counted once.
async fn a_batch_is_tried_again_where_others_went_first(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    testing::deadlocks(&db, "clients", 2).await;
    let text = "email\na@example.org\nnobody\nb@example.org\na@example.org\n";
    let counts = take(&db, anna.id, Duplicates::Skip, text.to_owned()).await.counts;
    assert_eq!((counts.lines, counts.added, counts.skipped, counts.faulty), (4, 2, 1, 1));
}

testing::on_both!(
    a_batch_is_tried_again_where_others_went_first,
    imports_lines,
    lines_beyond_the_limit_are_named,
    uploads,
    a_look_ahead_follows_what_is_chosen,
    what_was_left_out_goes_in_once_it_is_mended,
    what_was_left_out_stays_as_it_was,
    uploads_do_not_pile_up,
    no_user_runs_many_imports_at_once,
);
