use super::*;
use crate::domain::import::Duplicates;
use crate::domain::page::Whole;
use crate::server::db::testing;
use crate::server::services::import::{Target, import_csv};
use crate::server::services::testing::actor;
use chrono::TimeZone;

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 1, 9, 0, 0).unwrap()
}

fn form(id: i64, email: &str, full_name: &str) -> ClientForm {
    ClientForm { id, email: email.to_owned(), full_name: full_name.to_owned(), ..ClientForm::default() }
}

fn key_of(error: Error) -> String {
    match error {
        Error::Invalid(errors) => errors.0[0].key.clone(),
        other => panic!("{other}"),
    }
}

async fn keeps(db: Db) {
    let (anna, boris) = (actor(&db, "anna@example.org").await, actor(&db, "boris@example.org").await);
    let id = create(&db, &anna, &form(0, "Client@EXAMPLE.org", "Ёлкин"), now()).await.unwrap();
    let error = create(&db, &anna, &form(0, "Client@example.ORG", ""), now()).await.unwrap_err();
    assert_eq!(key_of(error), "error.client.taken_as");
    let error = create(&db, &anna, &form(0, "Client@EXAMPLE.org", ""), now()).await.unwrap_err();
    assert_eq!(key_of(error), "error.client.taken");
    create(&db, &boris, &form(0, "Client@example.org", ""), now()).await.expect("another owner may have it");
    assert!(matches!(get(&db, &boris, id).await, Err(Error::NotFound)));
    let error = update(&db, &boris, &form(id, "x@example.org", ""), now()).await.unwrap_err();
    assert!(matches!(error, Error::NotFound));
    update(&db, &anna, &form(id, "new@example.org", " Пётр "), now()).await.unwrap();
    assert_eq!(get(&db, &anna, id).await.unwrap().full_name, "Пётр");
    assert_eq!(key_of(create(&db, &anna, &form(0, "nobody", ""), now()).await.unwrap_err()), "error.email.at");
    let chosen = Chosen { ids: vec![id], ..Chosen::default() };
    assert_eq!(delete(&db, &boris, &chosen, now()).await.unwrap(), 0);
    assert_eq!(delete(&db, &anna, &chosen, now()).await.unwrap(), 1);
    assert_eq!(key_of(delete(&db, &anna, &Chosen::default(), now()).await.unwrap_err()), "error.client.none_chosen");
}

/// An address in another spelling is the same client's, at each door.
async fn one_address_is_one_client(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    for (stored, typed) in [
        ("ann.lee@example.com", "Ann.Lee@Example.com"),
        ("Почта@пример.рф", "ПОЧТА@xn--e1afmkfd.xn--p1ai"),
        ("O'Neil+list@example.org", "o'neil+LIST@EXAMPLE.org"),
    ] {
        let id = create(&db, &anna, &form(0, stored, "Stored"), now()).await.unwrap();
        let other = create(&db, &anna, &form(0, &format!("x{stored}"), ""), now()).await.unwrap();
        let moved = update(&db, &anna, &form(other, typed, ""), now()).await;
        for refused in [create(&db, &anna, &form(0, typed, ""), now()).await.map(drop), moved] {
            let Err(Error::Invalid(errors)) = refused else { panic!("{typed} is taken") };
            assert_eq!((errors.0[0].field.as_str(), errors.0[0].key.as_str()), ("email", "error.client.taken_as"));
            assert_eq!(errors.0[0].args, [("email".to_owned(), stored.to_owned())]);
        }
        let line = |name: &str| std::io::Cursor::new(format!("email,name\n{typed},{name}\n").into_bytes());
        for (duplicates, updated) in [(Duplicates::Skip, 0), (Duplicates::Update, 1)] {
            let target = Target { owner: anna.id, import: None, duplicates, faulty: None };
            let counts = import_csv(&db, target, line("Imported"), None, now(), |_| ()).await.unwrap().counts;
            assert_eq!((counts.added, counts.updated, counts.skipped), (0, updated, 1 - updated));
        }
        let client = get(&db, &anna, id).await.unwrap();
        assert_eq!((client.email.as_str(), client.full_name.as_str()), (typed, "Imported"));
    }
    // Its own spelling may change.
    let id = create(&db, &anna, &form(0, "case@example.org", ""), now()).await.unwrap();
    update(&db, &anna, &form(id, "Case@example.org", ""), now()).await.unwrap();
    assert_eq!(get(&db, &anna, id).await.unwrap().email, "Case@example.org");
}

/// Of doubles an import changes the one that is spelled as in the file, otherwise the one that stays.
async fn an_import_finds_the_double_that_is_meant(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    let stays = testing::client(&db, anna.id, "ann@example.org", "", "").await;
    let goes = testing::double(&db, anna.id, "Ann@example.org", "", "").await;
    let file = std::io::Cursor::new(b"email,name\nAnn@example.org,Double\nANN@example.org,Stays\n");
    let target = Target { owner: anna.id, import: None, duplicates: Duplicates::Update, faulty: None };
    let counts = import_csv(&db, target, file, None, now(), |_| ()).await.unwrap().counts;
    assert_eq!((counts.added, counts.updated), (0, 2));
    assert_eq!(get(&db, &anna, goes).await.unwrap().full_name, "Double");
    assert_eq!(get(&db, &anna, stays).await.unwrap().full_name, "Stays");
}

/// Doubles are joined as they were shown, or not at all.
async fn doubles_are_joined_as_shown(db: Db) {
    let (anna, boris) = (actor(&db, "anna@example.org").await, actor(&db, "boris@example.org").await);
    testing::client(&db, anna.id, "ann@example.org", "", "").await;
    for spelling in ["Ann@example.org", "ANN@example.org"] {
        testing::double(&db, anna.id, spelling, "", "").await;
    }
    assert_eq!(doubles::list(&db, &boris, "").await.unwrap().total, 0);
    let page = doubles::list(&db, &anna, "").await.unwrap();
    let told = page.whole();
    assert_eq!((told.total, page.rows.len(), page.next), (2, 2, None));
    assert_eq!(doubles::list(&db, &anna, &page.rows[0].goes.id.to_string()).await.unwrap().rows.len(), 1);
    for stale in [Whole::default(), Whole { total: 1, ..told }, Whole { mark: told.mark + 1, ..told }] {
        let refused = doubles::join(&db, &anna, stale, now()).await;
        assert!(matches!(refused, Err(Error::Conflict("error.list_changed"))), "{stale:?}");
    }
    assert_eq!(doubles::join(&db, &anna, told, now()).await.unwrap(), 2);
    assert_eq!((doubles::count(&db, &anna).await.unwrap(), count(&db, &anna, "").await.unwrap()), (0, 1));
}

/// Of two windows on one client, the second one to save is told.
async fn two_windows(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    let id = create(&db, &anna, &form(0, "c@example.org", "Olga"), now()).await.unwrap();
    let window =
        |name: &str, version: &str| ClientForm { version: version.to_owned(), ..form(id, "c@example.org", name) };
    let opened = version(&["c@example.org", "Olga", ""]);
    save(&db, &anna, &window("Olga Kim", &opened), "", now()).await.unwrap();
    let refused = save(&db, &anna, &window("Olga Lee", &opened), "", now()).await.unwrap_err();
    let Error::Invalid(errors) = refused else { panic!("{refused}") };
    assert_eq!(errors.0[0].key, crate::api::error::CHANGED);
    assert_eq!(get(&db, &anna, id).await.unwrap().full_name, "Olga Kim");
    save(&db, &anna, &window("Olga Lee", &errors.0[0].args[0].1), "", now()).await.unwrap();
    assert_eq!(get(&db, &anna, id).await.unwrap().full_name, "Olga Lee");
}

async fn exports(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    create(&db, &anna, &form(0, "a@example.org", "=HYPERLINK(\"x\"), Анна"), now()).await.unwrap();
    create(&db, &anna, &form(0, "b@example.org", "Борис"), now()).await.unwrap();
    let mut export = Export::new(db, &anna, String::new(), None);
    let mut file = csv_head();
    while let Some(part) = export.next().await.unwrap() {
        file.extend(part);
    }
    let expected = "\u{feff}email,full_name,comment\r\n\
        a@example.org,\"'=HYPERLINK(\"\"x\"\"), Анна\",\r\nb@example.org,Борис,\r\n";
    assert_eq!(String::from_utf8(file).unwrap(), expected);
}

/// What was exported and goes in again changes nobody and adds nobody.
async fn out_and_in_again(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    for (email, full_name, comment) in [
        ("+anna@example.org", "=HYPERLINK(\"x\")", "+7 900 000-00-00"),
        ("=b@example.org", "'Quoted'", "'=1+1"),
        ("-c@example.org", "@home", "''+7, \"two\"\nlines; \t"),
        ("'d@example.org", "", "-"),
        ("e@example.org", "Ёлкина, Анна", "'"),
        ("f@example.org", "\u{200b}Zoë\u{ad} ", "\u{feff}a\u{200b}b\u{2060}"),
    ] {
        let form = ClientForm { full_name: full_name.to_owned(), comment: comment.to_owned(), ..form(0, email, "") };
        create(&db, &anna, &form, now()).await.unwrap();
    }
    let all = || clients::list(&db, anna.id, "", ClientSort::Created, false, None, 100);
    let texts =
        |rows: Vec<Client>| rows.into_iter().map(|row| (row.email, row.full_name, row.comment)).collect::<Vec<_>>();
    let before = texts(all().await.unwrap());
    let mut export = Export::new(db.clone(), &anna, String::new(), None);
    let mut file = csv_head();
    while let Some(part) = export.next().await.unwrap() {
        file.extend(part);
    }
    for duplicates in [Duplicates::Skip, Duplicates::Update] {
        let target = Target { owner: anna.id, import: None, duplicates, faulty: None };
        let reader = std::io::Cursor::new(file.clone());
        let came = import_csv(&db, target, reader, None, now(), |_| {}).await.unwrap();
        assert_eq!((came.counts.lines, came.counts.added, came.counts.faulty), (6, 0, 0), "{:?}", came.problems);
        assert_eq!(texts(all().await.unwrap()), before);
    }
    delete(&db, &anna, &all_found(&db, &anna, "").await, now()).await.unwrap();
    let target = Target { owner: anna.id, import: None, duplicates: Duplicates::Skip, faulty: None };
    import_csv(&db, target, std::io::Cursor::new(file), None, now(), |_| {}).await.unwrap();
    assert_eq!(texts(all().await.unwrap()), before, "nor does an empty list get others");
}

/// All that a search finds, as the list tells of them.
async fn all_found(db: &Db, actor: &Actor, q: &str) -> Chosen {
    let Whole { total, mark } = list(db, actor, &Listing::new(q, "", "")).await.unwrap().whole();
    Chosen { all: true, n: total, mark, q: q.to_owned(), ..Chosen::default() }
}

async fn pages(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    for n in 0..120 {
        let name = if n % 2 == 0 { "Иван" } else { "Анна" };
        create(&db, &anna, &form(0, &format!("c{n:03}@example.org"), name), now()).await.unwrap();
    }
    for sort in ["", "email", "-email", "name", "-name", "created"] {
        let mut listing = Listing::new("", sort, "");
        let mut seen = Vec::new();
        loop {
            let page = list(&db, &anna, &listing).await.unwrap();
            assert_eq!(page.total, 120);
            seen.extend(page.rows.into_iter().map(|row| row.id));
            let Some(next) = page.next else { break };
            listing.after = next;
        }
        let unique: std::collections::BTreeSet<_> = seen.iter().collect();
        assert_eq!((seen.len(), unique.len()), (120, 120), "{sort}");
    }
    let found = list(&db, &anna, &Listing::new("иВАН", "email", "no cursor of ours")).await.unwrap();
    assert_eq!((found.total, found.rows.len()), (60, 50));
    assert_eq!(found.rows[0].email, "c000@example.org");
    let all = all_found(&db, &anna, "иван").await;
    assert_eq!(all.n, 60);
    for n in [0, 59, 61] {
        let told = Chosen { n, ..all.clone() };
        let (deleted, selected) = (delete(&db, &anna, &told, now()).await, select(&db, &anna, &told, now()).await);
        assert!(matches!(deleted, Err(Error::Conflict("error.list_changed"))), "{n}: {deleted:?}");
        assert!(matches!(selected, Err(Error::Conflict("error.list_changed"))), "{n}: {selected:?}");
    }
    // As many, but one of them is gone and another has come.
    let gone = Chosen { ids: vec![found.rows[49].id], ..Chosen::default() };
    delete(&db, &anna, &gone, now()).await.unwrap();
    create(&db, &anna, &form(0, "stranger@example.org", "Иван"), now()).await.unwrap();
    let (deleted, selected) = (delete(&db, &anna, &all, now()).await, select(&db, &anna, &all, now()).await);
    assert!(matches!(deleted, Err(Error::Conflict("error.list_changed"))), "{deleted:?}");
    assert!(matches!(selected, Err(Error::Conflict("error.list_changed"))), "{selected:?}");
    let all = all_found(&db, &anna, "иван").await;
    assert_eq!(count(&db, &anna, "").await.unwrap(), 120, "nobody is gone");
    let selection = select(&db, &anna, &all, now()).await.unwrap();
    assert_eq!(selections::count(&db, anna.id, selection).await.unwrap(), 60);
    let some = Chosen { ids: found.rows[..3].iter().map(|row| row.id).collect(), ..Chosen::default() };
    let selection = select(&db, &anna, &some, now()).await.unwrap();
    assert_eq!(selections::count(&db, anna.id, selection).await.unwrap(), 3);
    assert_eq!(delete(&db, &anna, &all, now()).await.unwrap(), 60);
    assert_eq!(count(&db, &anna, "").await.unwrap(), 60);
}

async fn no_more_than_allowed(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    let mut tx = db.begin().await.unwrap();
    let own = crate::domain::settings::UserLimits { clients: Some(2), letters: None };
    limits::set(&mut tx, anna.id, own).await.unwrap();
    tx.commit().await.unwrap();
    let tries = (0..6).map(|n| {
        let (db, anna) = (db.clone(), anna.clone());
        tokio::spawn(async move { create(&db, &anna, &form(0, &format!("c{n}@example.org"), ""), now()).await })
    });
    let results: Vec<_> = futures::future::join_all(tries).await.into_iter().map(|result| result.unwrap()).collect();
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 2, "however many come at once");
    match results.into_iter().find_map(|result| result.err()).unwrap() {
        Error::Invalid(errors) => {
            let error = errors.get("email").unwrap();
            assert_eq!((error.key.as_str(), error.args[0].1.as_str()), ("error.client.limit", "2"));
        }
        other => panic!("{other}"),
    }
    let all = all_found(&db, &anna, "").await;
    assert_eq!(delete(&db, &anna, &all, now()).await.unwrap(), 2);
    create(&db, &anna, &form(0, "again@example.org", ""), now()).await.expect("there is room again");
}

testing::on_both!(
    one_address_is_one_client,
    an_import_finds_the_double_that_is_meant,
    doubles_are_joined_as_shown,
    out_and_in_again,
    two_windows,
    keeps,
    exports,
    pages,
    no_more_than_allowed,
);
