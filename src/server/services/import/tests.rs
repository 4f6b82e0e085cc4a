use super::*;
use crate::server::clock::ManualClock;
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
    let target = Target { owner, import: None, duplicates };
    import_csv(db, target, Cursor::new(text.into_bytes()), None, now(), |_| ()).await.unwrap()
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
    assert_eq!(preview.mapping, Mapping { email: 1, full_name: None, comment: None });
    assert_eq!((preview.lines.len(), preview.problems.len()), (2, 1));
    let form = ImportStart { id, email: 1, full_name: "0".to_owned(), ..ImportStart::default() };
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

    let path = folder.path().join("b.csv");
    std::fs::write(&path, b"email\na@example.org\n\xff\xfe\n").unwrap();
    let id = add(&db, &anna, "a.csv", &path, 10, now()).await.unwrap();
    let failed = show(&db, &anna, id).await.unwrap().import;
    assert_eq!((failed.state, failed.reason.as_str()), (ImportState::Failed, "error.import.not_utf8"));
    assert_eq!(failed.problems[0].line, 3);
    assert!(!path.exists(), "the file of a refused upload is removed");

    let mut tx = db.begin().await.unwrap();
    let id = imports::insert(&mut tx, anna.id, "b.csv", "", 1, None, now()).await.unwrap();
    assert!(imports::start(&mut tx, anna.id, id, "here").await.unwrap());
    processes::beat(&mut tx, "here", "", now()).await.unwrap();
    assert_eq!(processes::end_imports(&mut tx).await.unwrap(), 0, "its process lives");
    processes::leave(&mut tx, "here").await.unwrap();
    assert_eq!(processes::end_imports(&mut tx).await.unwrap(), 1);
    tx.commit().await.unwrap();
    let ended = show(&db, &anna, id).await.unwrap().import;
    assert_eq!((ended.state, ended.reason.as_str()), (ImportState::Failed, processes::INTERRUPTED));
}

testing::on_both!(imports_lines, uploads);
